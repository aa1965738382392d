"""The values that cross borders: frames, boxes, heatmaps and predictions. Frozen, shapes checked here.

Coordinates are 0-based, the centre of the top-left pixel is (0, 0), the picture is as displayed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.architecture import LANDMARKS
from engine.heatmaps import STRIDE, probabilities

SAME = 0.3  # boxes that overlap more than this (intersection / union) are one subject


def frozen(array: np.ndarray, dtype: type | None = None) -> np.ndarray:
    """A read-only view or copy of an array, contiguous, in `dtype`."""
    array = np.ascontiguousarray(array, dtype)
    if array.flags.writeable:
        array = array.view()
        array.flags.writeable = False
    return array


def check_picture(pixels: np.ndarray) -> None:
    """Raise ValueError unless `pixels` is (H, W, 3) uint8 with at least one pixel."""
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
        raise ValueError(f"a picture must be (H, W, 3) uint8, not {pixels.shape} {pixels.dtype}")


@dataclass(frozen=True)
class Frame:
    """A picture with its origin. pixels (H, W, 3) uint8 RGB, read-only; time in monotonic seconds; index: its number
    in its source; moment: seconds since the source's first frame, by the source's own clock where it has one.
    """

    pixels: np.ndarray
    time: float = 0.0
    origin: str = ""
    index: int = 0
    moment: float | None = None

    def __post_init__(self) -> None:
        check_picture(self.pixels)
        object.__setattr__(self, "pixels", frozen(self.pixels))


@dataclass(frozen=True)
class Box:
    """A square in picture pixels around a subject's landmarks (not yet widened to the model's crop).

    (cx, cy) its centre, `side` its side, `score` the detector's, `origin` who drew it:
    hand, face, person, whole, landmarks or file.
    """

    cx: float
    cy: float
    side: float
    score: float = 1.0
    origin: str = "hand"

    def __post_init__(self) -> None:
        if not (np.isfinite([self.cx, self.cy, self.side, self.score]).all() and self.side > 0):
            raise ValueError(f"a box needs finite numbers and a positive side, not {self}")

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 in picture pixels."""
        half = self.side / 2
        return self.cx - half, self.cy - half, self.cx + half, self.cy + half


def overlap(one: Box, other: Box) -> float:
    """What two boxes have in common, over what they cover together; 0 to 1."""
    reach = (one.side + other.side) / 2
    wide = min(reach - abs(one.cx - other.cx), one.side, other.side)
    high = min(reach - abs(one.cy - other.cy), one.side, other.side)
    if wide <= 0 or high <= 0:
        return 0.0
    return wide * high / (one.side**2 + other.side**2 - wide * high)


def same_subject(one: Box, other: Box) -> bool:
    """Whether two boxes are mostly one, or one is wholly in the other: nearly always the same face or body."""
    return overlap(one, other) > SAME or _inside(one, other) or _inside(other, one)


def _inside(inner: Box, outer: Box) -> bool:
    x0, y0, x1, y1 = outer.corners
    return inner.side <= outer.side and x0 <= inner.cx <= x1 and y0 <= inner.cy <= y1


def suppress(boxes: Iterable[Box]) -> list[Box]:
    """The boxes without those that are the same subject as one with a better score; best first."""
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda box: (-box.score, -box.side)):
        if not any(same_subject(box, other) for other in kept):
            kept.append(box)
    return kept


@dataclass(frozen=True)
class Heatmaps:
    """Maps of one crop.

    logits (K, h, w) float32; affine (2, 3) float64 maps picture pixels to crop pixels; stride: of these in a cell;
    head: what the maps mean (engine.architecture).
    """

    logits: np.ndarray
    affine: np.ndarray
    stride: int = STRIDE
    head: str = LANDMARKS

    def __post_init__(self) -> None:
        if self.logits.ndim != 3 or self.affine.shape != (2, 3):
            raise ValueError(f"heatmaps need (K, h, w) and (2, 3), not {self.logits.shape}, {self.affine.shape}")
        object.__setattr__(self, "logits", frozen(self.logits, np.float32))
        object.__setattr__(self, "affine", frozen(self.affine, np.float64))

    @property
    def probabilities(self) -> np.ndarray:
        """(K, h, w) float32 in [0, 1]."""
        return probabilities(self.logits, self.head)


@dataclass(frozen=True)
class Prediction:
    """What a model found in one box. landmarks (K, 3) float64: x, y in picture pixels and score 0 to 1.

    Of a segmentation they are the middles of its parts, and the heatmaps are always there.
    """

    landmarks: np.ndarray
    box: Box
    model: str
    heatmaps: Heatmaps | None = None

    def __post_init__(self) -> None:
        if self.landmarks.ndim != 2 or self.landmarks.shape[1] != 3:
            raise ValueError(f"landmarks must be (K, 3), not {self.landmarks.shape}")
        object.__setattr__(self, "landmarks", frozen(self.landmarks, np.float64))

    @property
    def score(self) -> float:
        """Mean score of the landmarks."""
        return float(self.landmarks[:, 2].mean())
