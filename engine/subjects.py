"""The values of an evaluation: labelled subjects, and what may be known of them besides their landmarks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from engine.errors import UserError
from engine.labels import Problem

# What may be known of each subject besides its landmarks: name -> what it is.
EXTRAS = {
    "head_size": "pixels, 0.6 of the head box's diagonal, by which PCKh divides",
    "box_size": "pixels, sqrt(width * height) of the data set's own box",
    "yaw": "degrees",
    "area": "square pixels of the subject, by which OKS divides",
}


class LabelError(UserError):
    """A label file that cannot be used; the message is one sentence with a remedy."""


@dataclass(frozen=True)
class Scenes:
    """Whole pictures behind the subjects, for figures in which every detection counts (average precision).

    load(i): (H, W, 3) uint8 RGB of picture i of `count`; ignored: (picture, (x, y, width, height), crowd) of
    regions where a detection is neither right nor wrong.
    """

    count: int
    load: Callable[[int], np.ndarray]
    ignored: tuple[tuple[int, tuple[float, float, float, float], bool], ...] = ()


@dataclass(frozen=True)
class Labelled:
    """N labelled subjects.

    picture(n): (H, W, 3) uint8 RGB of subject n; points (N, K, 2), picture pixels; weight (N, K): 1 seen,
    0.5 occluded, 0 unlabelled or outside the picture; box (N, 3): cx, cy, side around the landmarks.
    extras: (N,) float64 arrays by the names of EXTRAS, NaN where unknown; ids: what to call each subject;
    image: the picture of each subject by its number in `scenes`, empty where every subject has its own; problems:
    what of the labels was not read as it stands; predicted: no person placed any of these, a model did.
    """

    picture: Callable[[int], np.ndarray]
    points: np.ndarray
    weight: np.ndarray
    box: np.ndarray
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)
    ids: tuple[str, ...] = ()
    image: tuple[int, ...] = ()
    scenes: Scenes | None = None
    problems: tuple[Problem, ...] = ()
    predicted: bool = False

    def __post_init__(self) -> None:
        for name, values in self.extras.items():
            if np.shape(values) != (len(self.points),):
                raise LabelError(f"{name} must hold one number for each of the {len(self.points)} subjects.")

    def __len__(self) -> int:
        return len(self.points)

    def name(self, n: int) -> str:
        """What to call subject n in a list."""
        return self.ids[n] if self.ids and self.ids[n] else str(n)
