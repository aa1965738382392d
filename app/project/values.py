"""What a project holds: images and instances, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

import msgspec
import numpy as np

from engine.types import Box

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


class Image(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):  # else 100,000 hold up the collector
    """One picture of a project. width, height in pixels as displayed; doubt 0 to 1; digest of the file's bytes.

    tags: words that a person gave it, sorted. doubts: by criterion, 4 hexadecimal digits each (app.project.queue);
    fingerprint: 16 such digits, nearly the same for pictures that look nearly the same, "" until it is made.
    """

    id: int
    path: str
    width: int
    height: int
    state: State = State.NEW
    doubt: float | None = None
    digest: str = ""
    reason: str = ""
    tags: tuple[str, ...] = ()
    doubts: str = ""
    fingerprint: str = ""

    def but(self, **values: object) -> Image:
        """The same with other values."""
        return msgspec.structs.replace(self, **values)


@dataclass(frozen=True, eq=False)
class Instance:
    """One labelled subject of an image; equal to another where every bit is.

    points (K, 2) float64, picture pixels; visibility, origin (K,) uint8; score (K,) float32, the model's;
    guess (K, 2) float64, where the model had them, NaN where it had not; when (K,) int64, the second since 1970 at
    which each landmark became as it is, 0 where unknown: the document sets it. An id of 0 is not stored yet.
    Raises ValueError for other shapes and for numbers that are not finite.
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
    when: np.ndarray | None = None

    def __post_init__(self) -> None:
        k = len(self.points)
        if self.when is None:
            object.__setattr__(self, "when", np.zeros(k, np.int64))
        for name, dtype, shape in (
            ("points", np.float64, (k, 2)), ("visibility", np.uint8, (k,)), ("origin", np.uint8, (k,)),
            ("score", np.float32, (k,)), ("guess", np.float64, (k, 2)), ("when", np.int64, (k,)),
        ):  # fmt: skip
            object.__setattr__(self, name, _own(name, getattr(self, name), dtype, shape))
        if not k or not np.isfinite(self.points).all() or not np.isfinite(self.score).all():
            raise ValueError("landmarks must be there, they and their scores finite")
        if np.isinf(self.guess).any():
            raise ValueError("guesses must be finite, or NaN where there are none")
        if (self.visibility > max(Visibility)).any() or (self.origin > max(Origin)).any():
            raise ValueError("unknown visibility or origin")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Instance):
            return NotImplemented
        plain = ("id", "image", "box", "model", "annotator")
        arrays = ("points", "visibility", "origin", "score", "guess", "when")
        return all(getattr(self, n) == getattr(other, n) for n in plain) and all(
            np.array_equal(getattr(self, n), getattr(other, n), equal_nan=True) for n in arrays
        )

    def __hash__(self) -> int:
        return hash((self.id, self.image, self.box))

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
        judged = (self.visibility != Visibility.VISIBLE) & (self.origin != Origin.NONE)
        return bool(((self.origin > Origin.MODEL) | judged).any())


def _own(name: str, values: np.ndarray, dtype: type, shape: tuple[int, ...]) -> np.ndarray:
    """A read-only copy that nobody else can change; whole numbers must be whole."""
    given = np.asarray(values)
    if given.shape != shape:
        raise ValueError(f"{name} must be {shape}, not {given.shape}")
    if dtype is np.uint8 and (given.dtype.kind not in "iu" or (given < 0).any() or (given > 255).any()):
        raise ValueError(f"{name} must be small whole numbers, not {given.dtype}")
    if given.dtype == dtype and not given.flags.writeable and given.base is None and given.flags.c_contiguous:
        return given  # another instance's
    array = np.array(given, dtype, order="C")
    array.flags.writeable = False
    return array
