"""Instances whose landmarks come by name, as files of labelling tools have them, and the tables that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from app.formats.rows import Rows
from engine.labels import ABSENT, Skeleton, Table

Place = tuple[float, float, int]  # x, y, visibility


class Loose:
    """Collects instances by kind; a kind's landmarks are all names that its instances had, in the order met."""

    def __init__(self, *, in_text_order: bool = False) -> None:
        self._in_text_order = in_text_order
        self._kinds: dict[str, tuple[dict[str, int], list[tuple]]] = {}
        self._edges: dict[str, tuple[tuple[str, str], ...]] = {}

    def know(self, kind: str, landmarks: Sequence[str], edges: Sequence[tuple[str, str]] = ()) -> None:
        """Landmarks of a kind that the file names before, or without, an instance, and lines between them."""
        names, _ = self._kinds.setdefault(kind, ({}, []))
        for name in landmarks:
            names.setdefault(name, len(names))
        if edges:
            self._edges[kind] = tuple(edges)

    def add(
        self, picture: int, kind: str, landmarks: Mapping[str, Place], *, box: Sequence[float] | None = None,
        hand: bool = True, subject: str = "", score: float | None = None,
    ) -> None:  # fmt: skip
        """One instance: places by name, in our coordinates; names that it lacks are absent."""
        self.know(kind, list(landmarks))
        self._kinds[kind][1].append((picture, dict(landmarks), box, hand, subject, score))

    def tables(self) -> tuple[Table, ...]:
        """A table for each kind that has landmarks."""
        return tuple(
            self._table(kind, names, held) for kind, (names, held) in self._kinds.items() if names
        )

    def _table(self, kind: str, names: dict[str, int], held: list[tuple]) -> Table:
        order = sorted(names) if self._in_text_order else list(names)
        number = {name: n for n, name in enumerate(order)}
        pairs = [(number[a], number[b]) for a, b in self._edges.get(kind, ()) if a in number and b in number]
        rows = Rows(Skeleton(kind, tuple(order), tuple(dict.fromkeys(pairs))))
        for picture, landmarks, box, hand, subject, score in held:
            points, seen = np.zeros((len(order), 2)), np.full(len(order), ABSENT, np.uint8)
            for name, (x, y, visibility) in landmarks.items():
                points[number[name]], seen[number[name]] = (x, y), visibility
            rows.add(picture, points, seen, box=box, hand=hand, subject=subject, score=score)
        return rows.table()
