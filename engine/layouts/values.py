"""What readers of data sets share: options, the error, and how rows become a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import UserError
from engine.labels import ABSENT, LabelSet, Problem, Skeleton, Table, table
from engine.schema import load_schema

MAX_PROBLEMS = 1000
HEAD = 1 << 16  # bytes by which a file is recognised


class LayoutError(UserError):
    """A data set that cannot be read; the message is one sentence with file, place and remedy."""


@dataclass(frozen=True)
class Options:
    """How to read. offset: added to every coordinate, None for what the layout's docstring says; pictures: folder
    in which pictures are looked for first; places: which of several sets of landmarks is meant (300W-LP: "pts_2d"
    or "pts_3d" of its landmarks folder; else ""); visible_flag: the value that means visible in AFLW-PIFA."""

    offset: float | None = None
    pictures: Path | None = None
    places: str = ""
    visible_flag: int = 1


@dataclass(frozen=True)
class Layout:
    """One layout. claims(path, head): whether a file (head: its first 64 KiB) or folder (b"") looks like it, cheap,
    never raises; read(path, options): everything it says; files(folder): the files of it that a folder holds."""

    name: str
    title: str
    claims: Callable[[Path, bytes], bool]
    read: Callable[[Path, Options], LabelSet]
    files: Callable[[Path], list[Path]] = field(default=lambda folder: [])


def head_of(path: Path) -> bytes:
    """A file's first 64 KiB."""
    with path.open("rb") as file:
        return file.read(HEAD)


def skeleton(schema: str) -> Skeleton:
    """The landmarks of a schema that ships."""
    read = load_schema(schema)
    return Skeleton(read.name, read.landmarks, read.edges, read.flip)


def numbered(count: int) -> Skeleton:
    """Landmarks without names: "1" to "count"."""
    return Skeleton(f"landmarks{count}", tuple(str(n + 1) for n in range(count)))


def offset(options: Options, own: float) -> float:
    """What is added to coordinates: the layout's own, or what was asked for."""
    return own if options.offset is None else options.offset


class Problems:
    """Problems of one reading; beyond a thousand they are only counted."""

    def __init__(self) -> None:
        self._held: list[Problem] = []
        self._more = 0

    def add(self, where: str, what: str) -> None:
        """Note what was not read as it stands."""
        if len(self._held) < MAX_PROBLEMS:
            self._held.append(Problem(where, what))
        else:
            self._more += 1

    def values(self) -> tuple[Problem, ...]:
        """All of them, the last one saying how many more there are."""
        more = (Problem("and more", f"{self._more} further problems are not listed"),) if self._more else ()
        return (*self._held, *more)


class Rows:
    """Instances of one skeleton as they are read."""

    def __init__(self, of: Skeleton) -> None:
        self.skeleton = of
        self._picture: list[int] = []
        self._points: list[np.ndarray] = []
        self._seen: list[np.ndarray] = []
        self._box: list[Sequence[float]] = []
        self._subject: list[str] = []
        self._extras: list[Mapping[str, Any]] = []

    def __len__(self) -> int:
        return len(self._picture)

    def add(
        self, picture: int, points: Any, seen: Any, box: Sequence[float] | None = None, subject: str = "", **extras: Any
    ) -> None:
        """One instance: points (K, 2) in our coordinates, seen (K,) visibility; what is not finite becomes absent.

        extras: numbers, fixed numbers of numbers, or texts; NaN or "" where an instance has none.
        """
        points, seen = np.array(points, np.float64), np.array(seen, np.uint8)
        seen[~np.isfinite(points).all(1)] = ABSENT
        points[seen == ABSENT] = 0
        self._picture.append(picture)
        self._points.append(points)
        self._seen.append(seen)
        self._box.append((np.nan,) * 4 if box is None else box)
        self._subject.append(subject)
        self._extras.append({name: value for name, value in extras.items() if value is not None})

    def table(self) -> Table:
        """The rows as a table."""
        k = len(self.skeleton)
        names = {name: value for row in reversed(self._extras) for name, value in row.items()}
        return table(
            self.skeleton, self._picture, np.reshape(self._points, (-1, k, 2)), np.reshape(self._seen, (-1, k)),
            box=self._box, subject=self._subject,
            extras={name: self._column(name, names[name]) for name in sorted(names)},
        )  # fmt: skip

    def _column(self, name: str, example: Any) -> np.ndarray:
        missing = "" if isinstance(example, str) else np.full(np.shape(example), np.nan)
        return np.array([row.get(name, missing) for row in self._extras])


def merge(sets: Sequence[LabelSet]) -> LabelSet:
    """Several label sets as one: pictures one after the other, tables of one skeleton joined."""
    if len(sets) == 1:
        return sets[0]
    pictures, parts = [], {}
    for each in sets:
        for held in each.tables:
            key = (held.skeleton.name, held.skeleton.landmarks)
            parts.setdefault(key, []).append((len(pictures), held))
        pictures += each.pictures
    tables = tuple(_join(of) for of in parts.values())
    info = {name: value for each in sets for name, value in each.info.items()}
    return LabelSet(tuple(pictures), tables, tuple(p for each in sets for p in each.problems), info)


def _join(parts: list[tuple[int, Table]]) -> Table:
    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(held, name) for _, held in parts])

    examples = {name: column for _, held in parts for name, column in held.extras.items()}
    extras = {
        name: np.concatenate([held.extras.get(name, _empty(column, len(held))) for _, held in parts])
        for name, column in examples.items()
    }
    return Table(
        parts[0][1].skeleton, np.concatenate([held.picture + first for first, held in parts]),
        *(joined(name) for name in ("points", "visibility", "score", "box", "hand", "subject")), extras,
    )  # fmt: skip


def _empty(column: np.ndarray, count: int) -> np.ndarray:
    shape = (count, *column.shape[1:])
    return np.full(shape, "") if column.dtype.kind == "U" else np.full(shape, np.nan)
