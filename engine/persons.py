"""People found by the pose network itself: in a picture, or in frame after frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from engine import crop, heatmaps
from engine.schema import Schema
from engine.types import Box, Prediction, check_picture, same_subject, suppress

if TYPE_CHECKING:
    from engine.runtime import Runtime
    from engine.scene_detector import Scout

CONFIDENT = 0.15  # a landmark's score from which it counts as seen
CLEAR, MOST = 0.25, 0.55  # a landmark's score from which it is seen clearly; the share that makes a whole body
FEWEST = 4  # landmarks that make a body
# Mean score in a second look, in the found box, under which there is nobody, and under which one who is followed has
# gone. Of training photographs new to pose16 the first leaves a false body in 9 of INRIA's 290 without people, and in 4
# of 80 of COCO's; 0.18 leaves one in 96 and 31.
SURE, STILL = 0.25, 0.18
UNDER_FACE = 0.15  # the same in the first look under a face
CLEARLY = 1.3  # how many times as sure another body must be to take the place of one without a face
GUESSED = "body"  # the origin of an upper body's box that was guessed from a face


class PersonDetector:
    """People, by looks of the pose network itself: at the whole picture, at squares along its longer side where it is
    not square, and where a scout saw somebody. The confident landmarks of a look are boxed, and a second look, in that
    box, tells by its mean score whether there is anybody.

    willing: where nobody is found for sure, the body that a look is surest of counts, whatever the second one says.
    """

    name = "person"

    def __init__(self, runtime: Runtime, scout: Scout | None = None, sure: float = SURE, willing: bool = False) -> None:
        self._runtime, self._scout, self._sure, self._willing = runtime, scout, sure, willing
        self._turn = 0

    def detect(self, picture: np.ndarray) -> list[Box]:
        """Landmark boxes, largest first; empty where there is nobody."""
        check_picture(picture)
        found = [body for hint in self._hints(picture) for body in self._body_at(picture, hint)]
        looks = [self._look(picture, area) for area in self._areas(picture)]
        for landmarks in looks:
            found += self._verified(picture, seen_box(landmarks, self.name))
        if not found and self._willing:
            best = max(looks, key=lambda landmarks: np.where(landmarks[:, 2] >= CONFIDENT, landmarks[:, 2], 0).sum())
            found = [body for body in [seen_box(best, self.name)] if body is not None]
        return sorted(suppress(found), key=lambda box: -box.side)

    def watch(self, picture: np.ndarray, followed: Sequence[Prediction], room: bool = True) -> list[Box]:
        """As `detect`, for a frame among many and at a small part of the price: areas are looked at in turn.

        followed: the newest predictions of who is followed. Who is still there needs no look, and is given in the box
        of the prediction, or in that of the face above it. Without `room` for more, who is without a face and clearly
        less sure than the surest newcomer is left out, and newcomers are sought only where there is such a one.
        """
        check_picture(picture)
        held, kept, fresh = list(followed), [], []
        for hint in self._hints(picture):
            owner = next((n for n, known in enumerate(held) if same_subject(hint, known.box)), None)
            if owner is not None:
                known = held.pop(owner)
                kept.append(hint if hint.origin == GUESSED and not whole(known.landmarks) else known.box)
            elif not any(same_subject(hint, box) for box in kept):
                fresh += self._body_at(picture, hint)
        still = [known for known in held if known.score >= STILL]
        if not fresh and (room or not kept or still):
            fresh = self._next_area(picture, [*kept, *(known.box for known in still)])
        if not room and fresh:
            surest = max(box.score for box in fresh)
            still = [known for known in still if known.score * CLEARLY > surest]
        return [*kept, *(known.box for known in still), *fresh]

    def _next_area(self, picture: np.ndarray, known: Sequence[Box]) -> list[Box]:
        """Who is seen in the area whose turn it is, and is not known."""
        areas = self._areas(picture)
        self._turn = (self._turn + 1) % len(areas)
        body = seen_box(self._look(picture, areas[self._turn]), self.name)
        return [] if body and any(same_subject(body, box) for box in known) else self._verified(picture, body)

    def _hints(self, picture: np.ndarray) -> list[Box]:
        return self._scout.detect(picture) if self._scout is not None else []

    def _body_at(self, picture: np.ndarray, hint: Box) -> list[Box]:
        """The body where the scout saw somebody. A face is certain, and much under it may be cut off."""
        landmarks = self._look(picture, hint)
        body = seen_box(landmarks, self.name)
        if hint.origin != GUESSED or body is None:
            return self._verified(picture, body)
        if whole(landmarks):
            return self._verified(picture, body, 0)
        mean = float(landmarks[:, 2].mean())
        return [replace(hint, score=max(mean, self._sure))] if mean >= UNDER_FACE else []

    def _verified(self, picture: np.ndarray, body: Box | None, sure: float | None = None) -> list[Box]:
        """The body with the mean score of a look in its box; none where that is too low."""
        mean = float(self._look(picture, body)[:, 2].mean()) if body is not None else 0.0
        return [replace(body, score=mean)] if body and mean >= (self._sure if sure is None else sure) else []

    def _areas(self, picture: np.ndarray) -> list[Box]:
        height, width = picture.shape[:2]
        areas = [whole_box(picture, self._runtime.model.crop)]
        short, long = sorted((height, width))
        if long > 1.25 * short:
            for at in (0.0, 0.5, 1.0):
                middle = (short - 1) / 2 + at * (long - short)
                cx, cy = (middle, (short - 1) / 2) if width > height else ((short - 1) / 2, middle)
                areas.append(Box(cx, cy, short / self._runtime.model.crop, 1.0, "whole"))
        return areas

    def _look(self, picture: np.ndarray, box: Box) -> np.ndarray:
        """(K, 3) landmarks in picture pixels from one run."""
        model = self._runtime.model
        side = model.side
        affine = crop.matrix(box.cx, box.cy, box.side * model.crop, side)
        found = heatmaps.decode(self._runtime.run(crop.sample(picture, affine, side), logits=True))
        found[:, :2] = crop.apply(crop.invert(affine), heatmaps.to_crop(found[:, :2], model.stride))
        return found


def whole_box(picture: np.ndarray, factor: float = 1.0) -> Box:
    """The landmark box whose crop, `factor` times as large, is the square around the whole picture."""
    height, width = picture.shape[:2]
    return Box((width - 1) / 2, (height - 1) / 2, max(width, height) / factor, 1.0, "whole")


def seen_box(landmarks: np.ndarray, origin: str) -> Box | None:
    """The square around the confident ones of (K, 3) landmarks; None where too few are confident."""
    seen = landmarks[landmarks[:, 2] >= CONFIDENT]
    if len(seen) < min(FEWEST, len(landmarks)):
        return None
    low, high = seen[:, :2].min(0), seen[:, :2].max(0)
    side = float((high - low).max())
    return Box(*(low + high) / 2, side, float(seen[:, 2].mean()), origin) if side > 0 else None


def whole(landmarks: np.ndarray) -> bool:
    """Whether so many of (K, 3) landmarks are seen clearly that they tell where the body ends."""
    return bool(np.mean(landmarks[:, 2] >= CLEAR) > MOST)


def in_sight(landmarks: np.ndarray, schema: Schema, picture: np.ndarray) -> np.ndarray:
    """(K,) bool: which of (K, 3) landmarks are worth showing: of a body those seen in the picture, of a face all.

    A face is seen whole or not at all; where a body's feet should be, below a desk, the network guesses anywhere.
    """
    inside = ((landmarks[:, :2] > -1) & (landmarks[:, :2] < picture.shape[1::-1])).all(1)
    return inside & (landmarks[:, 2] >= CONFIDENT) | (schema.subject == "face")
