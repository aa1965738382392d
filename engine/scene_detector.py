"""Faces and people in a whole picture, by a detector of this program: see `engine.squares`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine import crop
from engine.errors import UserError
from engine.modelfile import Model, read_model
from engine.persons import GUESSED
from engine.squares import CLASSES, PERSON_MARGIN, is_detector, read_squares, suppress_squares, thresholds
from engine.types import Box, check_picture

if TYPE_CHECKING:
    from engine.runtime import Runtime

SHIPPED = "detect.hourbit"
BODY_SIDE = 4.7  # an upper body's landmark box in face sides
CLOSER = 1.25  # a picture this many times as long as wide has squares along it to look at
MOST_LOOKS = 4
CUT = 0.1  # share of a square that may lie beyond a look's edge
BODY_DROP = 1.3  # how far its centre lies below the face's, in face sides


class SceneDetector:
    """Squares of faces, of people, or of both, from a look at the whole picture.

    With `closer` it looks at the squares along the picture besides, for about three times the time: what is small in
    the whole of a wide picture is larger in these.

    subject: "face" or "person" gives landmark boxes of these alone, "" both classes as scenes are labelled: people's
    boxes with PERSON_MARGIN. Where people are sought and a face has no body around it, the upper body that
    belongs to the face is given: at a desk little else is to be seen.
    """

    name = "detect"

    def __init__(self, runtime: Runtime, subject: str = "", closer: bool = False) -> None:
        if not is_detector(runtime.model.schema):
            raise UserError(f"{runtime.model.name} finds landmarks and no boxes; choose a detector, such as detect.")
        self.runtime, self.subject, self.closer = runtime, subject, closer
        self.threshold = thresholds(runtime.model.card)

    @property
    def classes(self) -> tuple[str, ...]:
        """What it looks for."""
        return (self.subject,) if self.subject else CLASSES

    def detect(self, picture: np.ndarray) -> list[Box]:
        """Boxes in (H, W, 3) uint8 RGB, largest first; their origin is their class, `body` for a guessed one."""
        check_picture(picture)
        height, width = picture.shape[:2]
        looks = [self._look(picture, area) for area in self._areas(width, height)]
        found: dict[str, list[Box]] = {}
        for number, name in enumerate(CLASSES):
            squares = np.concatenate([look[number] for look in looks])
            if len(looks) > 1:
                squares = suppress_squares(squares[np.argsort(-squares[:, 3], kind="stable")])
            inside = ((squares[:, :2] >= -0.5) & (squares[:, :2] < np.array([width, height]) - 0.5)).all(1)
            found[name] = [Box(*(float(v) for v in square), name) for square in squares[inside]]
        return sorted(self._wanted(found), key=lambda box: -box.side)

    def _areas(self, width: int, height: int) -> list[tuple[float, float, float]]:
        """Squares of the picture to look at, centre and side: all of it, and where `closer`, those along it."""
        x, y, short, long = (width - 1) / 2, (height - 1) / 2, min(width, height), max(width, height)
        areas = [(x, y, float(long))]
        if self.closer and long > CLOSER * short:
            count = min(MOST_LOOKS, math.ceil(long / short))
            ends = np.linspace((short - 1) / 2, long - 1 - (short - 1) / 2, count).tolist()
            areas += [(end, y, float(short)) if width > height else (x, end, float(short)) for end in ends]
        return areas

    def _look(self, picture: np.ndarray, area: tuple[float, float, float]) -> list[np.ndarray]:
        """What is seen in an area, for each class (D, 4): squares in picture pixels and their scores.

        What the area's edge cuts, where the picture goes on, is left to the other looks.
        """
        side, size = self.runtime.model.side, np.array(picture.shape[1::-1])
        affine = crop.matrix(*area, side)
        logits = self.runtime.run(crop.sample(picture, affine, side), logits=True)
        back, scale, found = crop.invert(affine), area[2] / side, []
        low, high = np.array(area[:2]) - area[2] / 2, np.array(area[:2]) + area[2] / 2
        for squares in read_squares(logits, self.threshold, self.runtime.model.stride):
            placed = np.concatenate([crop.apply(back, squares[:, :2]), squares[:, 2:3] * scale, squares[:, 3:]], 1)
            reach = placed[:, 2:3] * (0.5 - CUT)
            cut = (placed[:, :2] - reach < low) & (low > 0) | (placed[:, :2] + reach > high) & (high < size - 1)
            found.append(placed[~cut.any(1)])
        return found

    def _wanted(self, found: dict[str, list[Box]]) -> list[Box]:
        if self.subject == "face":
            return found["face"]
        if self.subject == "person":
            people = _bodies(found["person"])
            alone = [face for face in found["face"] if not any(_holds(body, face) for body in people)]
            return people + [upper_body(face) for face in alone]
        return found["face"] + found["person"]


class Scout:
    """Where to look for people: under each face, and where our own detector sees a body without one.

    A body that it sees about a face is often the head and the shoulders alone, so that the face tells more.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._scenes = SceneDetector(runtime)

    def detect(self, picture: np.ndarray) -> list[Box]:
        """Landmark boxes; those under a face are `upper_body`'s."""
        found = self._scenes.detect(picture)
        faces = [box for box in found if box.origin == "face"]
        people = _bodies(box for box in found if box.origin == "person")
        faceless = [body for body in people if not any(_holds(body, face) for face in faces)]
        return [*(upper_body(face) for face in faces), *faceless]


def _bodies(people: Iterable[Box]) -> list[Box]:
    """Landmark boxes of people's squares."""
    return [replace(box, side=box.side / PERSON_MARGIN) for box in people]


def upper_body(face: Box) -> Box:
    """The landmark box of the upper body under a face."""
    return Box(face.cx, face.cy + BODY_DROP * face.side, BODY_SIDE * face.side, face.score, GUESSED)


def _holds(body: Box, face: Box) -> bool:
    x0, y0, x1, y1 = body.corners
    return x0 <= face.cx <= x1 and y0 - face.side / 2 <= face.cy <= y1 and body.side > face.side


class FirstOf:
    """Several detectors, of which each looks only where those before it found nothing."""

    def __init__(self, *detectors) -> None:
        self.detectors, self.name = detectors, detectors[0].name

    def detect(self, picture: np.ndarray) -> list[Box]:
        """What the first one finds that finds anything."""
        for detector in self.detectors:
            if found := detector.detect(picture):
                return found
        return []


def shipped_detector() -> Model:
    """The detector that ships; raises UserError where it is missing or damaged."""
    path = Path(str(resources.files("resources") / "models" / SHIPPED))
    try:
        return read_model(path)
    except OSError as error:
        raise UserError(f"The detector {SHIPPED} cannot be read ({error.strerror}); install Hourbit again.") from error
