"""Faces and people in a whole picture, by a detector of this program: see `engine.squares`."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine import crop
from engine.errors import UserError
from engine.modelfile import Model, read_model
from engine.squares import CLASSES, PERSON_MARGIN, is_detector, read_squares, thresholds
from engine.types import Box, check_picture

if TYPE_CHECKING:
    from engine.runtime import Runtime

SHIPPED = "detect.hourbit"
BODY_SIDE = 4.7  # an upper body's landmark box in face sides
BODY_DROP = 1.3  # how far its centre lies below the face's, in face sides


class SceneDetector:
    """Squares of faces, of people, or of both, from one run on the whole picture.

    subject: "face" or "person" gives landmark boxes of these alone, "" both classes as scenes are labelled: people's
    boxes with PERSON_MARGIN. Where people are sought and a face has no body around it, the upper body that
    belongs to the face is given: at a desk little else is to be seen.
    """

    name = "detect"

    def __init__(self, runtime: Runtime, subject: str = "") -> None:
        if not is_detector(runtime.model.schema):
            raise UserError(f"{runtime.model.name} finds landmarks and no boxes; choose a detector, such as detect.")
        self.runtime, self.subject = runtime, subject
        self.threshold = thresholds(runtime.model.card)

    @property
    def classes(self) -> tuple[str, ...]:
        """What it looks for."""
        return (self.subject,) if self.subject else CLASSES

    def detect(self, picture: np.ndarray) -> list[Box]:
        """Boxes in (H, W, 3) uint8 RGB, largest first; their origin is their class, `body` for a guessed one."""
        check_picture(picture)
        height, width = picture.shape[:2]
        side = self.runtime.model.side
        affine = crop.matrix((width - 1) / 2, (height - 1) / 2, max(width, height), side)
        logits = self.runtime.run(crop.sample(picture, affine, side), logits=True)
        back, scale = crop.invert(affine), max(width, height) / side
        found: dict[str, list[Box]] = {}
        for name, squares in zip(CLASSES, read_squares(logits, self.threshold, self.runtime.model.stride), strict=True):
            centres = crop.apply(back, squares[:, :2])
            found[name] = [
                Box(float(x), float(y), float(s * scale), float(score), name)
                for (x, y), s, score in zip(centres, squares[:, 2], squares[:, 3], strict=True)
                if -0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5
            ]
        return sorted(self._wanted(found), key=lambda box: -box.side)

    def _wanted(self, found: dict[str, list[Box]]) -> list[Box]:
        if self.subject == "face":
            return found["face"]
        if self.subject == "person":
            people = [replace(box, side=box.side / PERSON_MARGIN) for box in found["person"]]
            alone = [face for face in found["face"] if not any(_holds(body, face) for body in people)]
            return people + [upper_body(face) for face in alone]
        return found["face"] + found["person"]


def upper_body(face: Box) -> Box:
    """The landmark box of the upper body under a face."""
    return Box(face.cx, face.cy + BODY_DROP * face.side, BODY_SIDE * face.side, face.score, "body")


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
