"""A file's instances in the landmarks of a project's schema, as the project would hold them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.project.imports.matching import NONE, Match
from app.project.values import Instance, Origin
from engine.labels import ABSENT, Table
from engine.types import Box

LEAST_SIDE = 2.0  # pixels of a box around landmarks
MODEL = "imported"  # what predictions of a file are called, which no model of ours has made


@dataclass(frozen=True)
class Candidates:
    """The rows of one table in the schema's landmarks: points (M, K, 2), seen and score (M, K); mapped (K,) bool."""

    table: Table
    points: np.ndarray
    seen: np.ndarray
    score: np.ndarray
    mapped: np.ndarray

    def instance(self, row: int, annotator: str) -> Instance | None:
        """One row as an instance that is not stored yet; None where it has no landmark of the schema."""
        there = self.seen[row] > ABSENT
        if not there.any():
            return None
        hand, points, score = bool(self.table.hand[row]), self.points[row], self.score[row]
        box = _box(self.table.box[row], points[there], hand)
        points = np.where(there[:, None], points, (box.cx, box.cy))
        origin = Origin.HAND if hand else Origin.MODEL
        return Instance(
            id=0, image=0, box=box, points=points, visibility=self.seen[row],
            origin=np.where(there, origin, Origin.NONE).astype(np.uint8),
            score=np.where(np.isfinite(score) & there, score, 0.0).astype(np.float32),
            guess=np.full_like(points, np.nan) if hand else np.where(there[:, None], points, np.nan),
            model="" if hand else MODEL, annotator=annotator if hand else "",
        )  # fmt: skip

    def rows_of(self) -> Iterator[tuple[int, int]]:
        """(picture, row) in the file's order."""
        return zip(self.table.picture.tolist(), range(len(self.table)), strict=True)

    def doubt(self, row: int) -> float | None:
        """How likely a prediction is wrong, by the scores that the file has."""
        known = self.score[row][(self.seen[row] > ABSENT) & np.isfinite(self.score[row])]
        return float(np.clip(1 - known.mean(), 0, 1)) if len(known) else None


def candidates(table: Table, found: Match, count: int) -> Candidates:
    """The landmarks of a table moved to their places in a schema of `count`; the others are absent."""
    m = len(table)
    points, seen = np.zeros((m, count, 2)), np.zeros((m, count), np.uint8)
    score = np.full((m, count), np.nan, np.float32)
    source = [n for n, at in enumerate(found.target) if at != NONE]
    target = [found.target[n] for n in source]
    points[:, target], seen[:, target] = table.points[:, source], table.visibility[:, source]
    score[:, target] = table.score[:, source]
    mapped = np.zeros(count, bool)
    mapped[target] = True
    return Candidates(table, points, seen, score, mapped)


def _box(given: np.ndarray, points: np.ndarray, hand: bool) -> Box:
    """The square around a file's box, or around the landmarks."""
    if np.isfinite(given).all() and (given[2:] > given[:2]).all():
        (x0, y0, x1, y1), origin = given, "hand" if hand else "file"
    else:
        (x0, y0), (x1, y1), origin = points.min(0), points.max(0), "landmarks"
    side = max(float(x1 - x0), float(y1 - y0), LEAST_SIDE)
    return Box(float(x0 + x1) / 2, float(y0 + y1) / 2, side, 1.0, origin)
