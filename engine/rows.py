"""Instances as a reader meets them, one after the other, and the table that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from engine.labels import ABSENT, Skeleton, Table, table

COLUMNS = ("picture", "points", "visibility", "score", "box", "hand", "subject")  # of a table, extras aside


class Rows:
    """Instances of one skeleton as they are read."""

    def __init__(self, skeleton: Skeleton) -> None:
        self.skeleton = skeleton
        self._picture: list[int] = []
        self._points: list[np.ndarray] = []
        self._seen: list[np.ndarray] = []
        self._score: list[Any] = []
        self._box: list[Sequence[float]] = []
        self._hand: list[bool] = []
        self._subject: list[str] = []
        self._extras: list[Mapping[str, Any]] = []

    def __len__(self) -> int:
        return len(self._picture)

    def add(
        self, picture: int, points: Any, visibility: Any, box: Sequence[float] | None = None, subject: str = "", *,
        score: Any = None, hand: bool = True, **extras: Any,
    ) -> None:  # fmt: skip
        """One instance: points (K, 2) in our coordinates, visibility (K,); what is not finite becomes absent.

        score: (K,), one number for all, or None; extras: a number, fixed numbers of numbers, or a text each, left out
        where None.
        """
        k = len(self.skeleton)
        points, seen = np.array(points, np.float64).reshape(k, 2), np.array(visibility, np.uint8).reshape(k)
        seen[~np.isfinite(points).all(1)] = ABSENT
        points[seen == ABSENT] = 0
        self._picture.append(picture)
        self._points.append(points)
        self._seen.append(seen)
        self._score.append(np.broadcast_to(np.float32(np.nan) if score is None else np.float32(score), (k,)))
        self._box.append((np.nan,) * 4 if box is None else box)
        self._hand.append(hand)
        self._subject.append(subject)
        self._extras.append({name: value for name, value in extras.items() if value is not None})

    def table(self) -> Table:
        """All instances as a table."""
        k = len(self.skeleton)
        examples = {name: value for row in reversed(self._extras) for name, value in row.items()}
        return table(
            self.skeleton, self._picture, np.reshape(self._points, (-1, k, 2)), np.reshape(self._seen, (-1, k)),
            score=np.reshape(np.array(self._score, np.float32), (-1, k)), box=self._box,
            hand=np.array(self._hand, bool), subject=self._subject,
            extras={name: self._column(name, examples[name]) for name in sorted(examples)},
        )  # fmt: skip

    def _column(self, name: str, example: Any) -> np.ndarray:
        if isinstance(example, str):
            return np.array([str(row.get(name, "")) for row in self._extras])
        if isinstance(example, (bool, np.bool_)):
            return np.array([bool(row.get(name, False)) for row in self._extras])
        missing = np.full(np.shape(example), np.nan)
        return np.array([row.get(name, missing) for row in self._extras], np.float64)


def numbered(count: int, name: str = "") -> Skeleton:
    """Landmarks without names: "1" to "count"."""
    return Skeleton(name or f"landmarks{count}", tuple(str(n + 1) for n in range(count)))


def taken(table: Table, rows: np.ndarray) -> Table:
    """Some rows of a table, by mask or number."""
    return replace(
        table, **{name: getattr(table, name)[rows] for name in COLUMNS},
        extras={name: column[rows] for name, column in table.extras.items()},
    )  # fmt: skip


def placed_by_people(table: Table) -> Table:
    """The instances that a person placed; all of them where a model placed every one."""
    return taken(table, table.hand) if table.hand.any() and not table.hand.all() else table


def join(parts: Sequence[Table]) -> Table:
    """Tables of one skeleton as one; where a part lacks a column, it says nothing there."""
    examples = {name: column for part in parts for name, column in part.extras.items()}
    extras = {
        name: np.concatenate([part.extras.get(name, _empty(column, len(part))) for part in parts])
        for name, column in examples.items()
    }
    return Table(
        parts[0].skeleton, *(np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS), extras
    )


def _empty(column: np.ndarray, count: int) -> np.ndarray:
    """A column that says nothing."""
    shape = (count, *column.shape[1:])
    if column.dtype.kind == "b":
        return np.zeros(shape, bool)
    blank = np.nan if column.dtype.kind not in "UO" else ""
    return np.full(shape, blank, object if column.dtype.kind == "O" else None)


def joined(tables: Sequence[Table]) -> list[Table]:
    """Tables of which those with one skeleton are one, in the order of the first of each."""
    parts: dict[Skeleton, list[Table]] = {}
    for each in tables:
        parts.setdefault(each.skeleton, []).append(each)
    return [of[0] if len(of) == 1 else join(of) for of in parts.values()]
