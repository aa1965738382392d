"""What a project holds: images and instances, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

import numpy as np

from engine.types import Box, frozen

__all__ = ["Box", "Image", "Instance", "Origin", "State", "Visibility"]


class Visibility(IntEnum):
    """Whether a landmark can be seen in the picture; ABSENT ones have no place."""

    ABSENT = 0
    OCCLUDED = 1
    VISIBLE = 2


class Origin(IntEnum):
    """Who put a landmark where it is."""

    NONE = 0
    MODEL = 1
    EDITED = 2
    HAND = 3


class State(StrEnum):
    """How far an image has come."""

    NEW = "new"
    PREDICTED = "predicted"
    IN_WORK = "in work"
    DONE = "done"
    DONE_EMPTY = "done, empty"
    REJECTED = "rejected"
    REVIEWED = "reviewed"
    BROKEN = "broken"


ACCEPTED = frozenset({State.DONE, State.DONE_EMPTY, State.REVIEWED})


@dataclass(frozen=True)
class Image:
    """One picture of a project. width, height in pixels as displayed; doubt 0 to 1; digest of the file's bytes."""

    id: int
    path: str
    width: int
    height: int
    state: State = State.NEW
    doubt: float | None = None
    digest: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Instance:
    """One labelled subject of an image.

    points (K, 2) float64, picture pixels; visibility, origin (K,) uint8; score (K,) float32, the model's;
    guess (K, 2) float64, where the model had them, NaN where it had not. An id of 0 is not stored yet.
    """

    id: int
    image: int
    box: Box
    points: np.ndarray
    visibility: np.ndarray
    origin: np.ndarray
    score: np.ndarray
    guess: np.ndarray
    model: str = ""
    annotator: str = ""

    def __post_init__(self) -> None:
        k = len(self.points)
        for name, dtype, shape in (
            ("points", np.float64, (k, 2)), ("visibility", np.uint8, (k,)), ("origin", np.uint8, (k,)),
            ("score", np.float32, (k,)), ("guess", np.float64, (k, 2)),
        ):  # fmt: skip
            array = frozen(getattr(self, name), dtype)
            if array.shape != shape:
                raise ValueError(f"{name} must be {shape}, not {array.shape}")
            object.__setattr__(self, name, array)
        if not np.isfinite(self.points).all() or not np.isfinite(self.score).all():
            raise ValueError("landmarks and scores must be finite")
        if (self.visibility > 2).any() or (self.origin > 3).any():
            raise ValueError("unknown visibility or origin")

    def moved(self, landmark: int) -> float:
        """Distance of a landmark from the model's guess, pixels; 0 where there was none."""
        away = self.points[landmark] - self.guess[landmark]
        return float(np.hypot(*away)) if np.isfinite(away).all() else 0.0

    def with_point(self, landmark: int, x: float, y: float) -> Instance:
        """The instance with one landmark placed by a hand; an absent one becomes visible."""
        points, origin, visibility = self.points.copy(), self.origin.copy(), self.visibility.copy()
        points[landmark] = x, y
        guessed = origin[landmark] in (Origin.MODEL, Origin.EDITED)
        origin[landmark] = Origin.EDITED if guessed else Origin.HAND
        if visibility[landmark] == Visibility.ABSENT:
            visibility[landmark] = Visibility.VISIBLE
        return replace(self, points=points, origin=origin, visibility=visibility)

    @property
    def touched(self) -> bool:
        """Whether a hand has placed a landmark or judged its visibility; models then keep away."""
        return bool((self.origin > Origin.MODEL).any() or (self.visibility != Visibility.VISIBLE).any())
