"""Labels as tables: what every reader of a label format or data set returns, and every writer takes.

One coordinate rule: float64, 0-based, the centre of the top-left pixel is (0, 0), the picture as displayed.
Columns instead of objects, so that 200,000 instances fit in memory and convert in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import UserError

ABSENT, OCCLUDED, VISIBLE = 0, 1, 2  # the values of `visibility`
MAX_PROBLEMS = 1000  # of one reading that are listed
MOST_LANDMARKS = 1000  # of one subject


@dataclass(frozen=True)
class Picture:
    """One picture: its name as the file says, where it was found, and its size as displayed.

    digest: of the file that was labelled, "" where nothing says it.
    path is None where no file was found; size is (width, height), None where nothing says it; split is "train",
    "validation", "test" or ""; visited tells an image that a person left empty from one that nobody looked at.
    """

    name: str
    path: Path | None = None
    size: tuple[int, int] | None = None
    split: str = ""
    visited: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict)
    digest: str = field(default="", compare=False)


@dataclass(frozen=True)
class Skeleton:
    """The K landmarks of one kind of subject: names, lines and mirror pairs by index, as far as the file has them.

    Raises UserError for more than MOST_LANDMARKS, whatever format names them.
    """

    name: str
    landmarks: tuple[str, ...]
    edges: tuple[tuple[int, int], ...] = ()
    flip: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if len(self) > MOST_LANDMARKS:
            raise UserError(f"These labels name {len(self)} landmarks of one subject and at most {MOST_LANDMARKS} "
                            "can be held; leave out those that are not needed.")  # fmt: skip

    def __len__(self) -> int:
        return len(self.landmarks)


@dataclass(frozen=True)
class Table:
    """M instances of one skeleton; arrays are read-only.

    picture (M,) int64: index into LabelSet.pictures; points (M, K, 2) float64; visibility (M, K) uint8: 0 absent
    (its place means nothing), 1 occluded, 2 visible; score (M, K) float32, NaN where the file has none;
    box (M, 4) float64: x0, y0, x1, y1 in the same coordinates, NaN where there is none; hand (M,) bool: False for
    what a model put there; subject (M,) str: the file's id of the person or track, "" where there is none;
    extras: further columns by name, each of length M (head box, yaw, scale, crowd ...).
    """

    skeleton: Skeleton
    picture: np.ndarray
    points: np.ndarray
    visibility: np.ndarray
    score: np.ndarray
    box: np.ndarray
    hand: np.ndarray
    subject: np.ndarray
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.picture)

    def __post_init__(self) -> None:
        m, k = len(self.picture), len(self.skeleton)
        for name, dtype, shape in (
            ("picture", np.int64, (m,)), ("points", np.float64, (m, k, 2)), ("visibility", np.uint8, (m, k)),
            ("score", np.float32, (m, k)), ("box", np.float64, (m, 4)), ("hand", np.bool_, (m,)),
            ("subject", np.str_, (m,)),
        ):  # fmt: skip
            values = np.asarray(getattr(self, name), dtype)
            if values.shape != shape:
                raise ValueError(f"{name} must be {shape}, not {values.shape}")
            values = values.view()
            values.flags.writeable = False
            object.__setattr__(self, name, values)
        if not np.isfinite(self.points[self.visibility > ABSENT]).all():
            raise ValueError("landmarks that are there must have finite places")
        if any(len(column) != m for column in self.extras.values()):
            raise ValueError("every extra column must have a value for each instance")


def table(
    skeleton: Skeleton,
    picture: Any,
    points: Any,
    visibility: Any,
    *,
    score: Any = None,
    box: Any = None,
    hand: Any = None,
    subject: Any = None,
    extras: Mapping[str, Any] | None = None,
) -> Table:
    """A Table from what a reader has; absent columns get their defaults (no score, no box, by hand, no subject)."""
    m, k = len(picture), len(skeleton)
    return Table(
        skeleton, np.asarray(picture, np.int64), np.asarray(points, np.float64).reshape(m, k, 2),
        np.asarray(visibility, np.uint8).reshape(m, k),
        np.full((m, k), np.nan, np.float32) if score is None else score,
        np.full((m, 4), np.nan) if box is None else np.asarray(box, np.float64).reshape(m, 4),
        np.ones(m, bool) if hand is None else hand,
        np.full(m, "", dtype=np.str_) if subject is None else np.asarray(subject, np.str_),
        {name: np.asarray(column) for name, column in (extras or {}).items()},
    )  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """Something in a file that was not read as it stands: where (file and place), and what was done about it."""

    where: str
    what: str


class Problems:
    """Problems of one reading, in the order met; beyond a thousand they are only counted."""

    def __init__(self, file: str = "") -> None:
        self.file = file
        self._held: list[Problem] = []
        self._more = 0

    def add(self, where: str, what: str) -> None:
        """Note what was not read as it stands; `where` is a place in the file ("" for all of it)."""
        if len(self._held) < MAX_PROBLEMS:
            self._held.append(Problem(", ".join(part for part in (self.file, where) if part), what))
        else:
            self._more += 1

    def __len__(self) -> int:
        return len(self._held) + self._more

    def values(self) -> tuple[Problem, ...]:
        """All of them, the last one saying how many more there are."""
        more = (Problem(self.file, f"{self._more} further problems are not listed"),) if self._more else ()
        return (*self._held, *more)


@dataclass(frozen=True)
class LabelSet:
    """Everything that one label file or data set says: pictures, a table for each skeleton, and problems met."""

    pictures: tuple[Picture, ...]
    tables: tuple[Table, ...]
    problems: tuple[Problem, ...] = ()
    info: Mapping[str, Any] = field(default_factory=dict)

    @property
    def instances(self) -> int:
        """Instances of all tables."""
        return sum(len(each) for each in self.tables)
