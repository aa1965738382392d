"""Annotations of one category as columns that grow while a file is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.labels import ABSENT, OCCLUDED, VISIBLE, Skeleton, Table
from engine.rows import taken

BATCH = 2048
MAX_OUTLINES = 64 << 20  # characters of outlines that are kept
EDGE = 0.5  # boxes count from the corner of the top-left pixel, landmarks from its centre


class Columns:
    """M instances of K landmarks, kept as arrays of some thousands each."""

    def __init__(self, count: int, results: bool, offset: float) -> None:
        self._count, self._results, self._offset = count, results, offset
        self._waiting: list[list[float]] = []
        self._points: list[np.ndarray] = []
        self._seen: list[np.ndarray] = []
        self._score: list[np.ndarray] = []
        self.image: list[Any] = []
        self._box: list[tuple[float, ...]] = []
        self._subject: list[str] = []
        names = ("area", "crowd", "outline", "score", "yaw", "head_box")
        self._own: dict[str, dict[int, Any]] = {name: {} for name in names}
        self.oddities: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.image)

    def add(
        self, image: Any, values: list[float], box: tuple[float, ...], subject: str, own: Mapping[str, Any]
    ) -> None:
        """One annotation: 3 K finite numbers, the box as x, y, width, height (or none), and what else it says."""
        row = len(self.image)
        self.image.append(image)
        self._waiting.append(values)
        self._box.append(box)
        self._subject.append(subject)
        for name, value in own.items():
            self._own[name][row] = value
        if len(self._waiting) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        if not self._count:
            return
        given = np.array(self._waiting, np.float64).reshape(len(self._waiting), self._count, 3)
        self._waiting = []
        points, v = given[:, :, :2], given[:, :, 2]
        placed = (points != 0).any(2)
        if self._results:  # their third values are no visibility: a place is what counts
            seen = np.where(placed | (v > 0), VISIBLE, ABSENT)
        else:
            seen = np.select([v <= 0, v == OCCLUDED], [ABSENT, OCCLUDED], VISIBLE)
            self._odd("landmarks with v = 0 have places, which were dropped", (v == 0) & placed)
            self._odd("landmarks have a v that is neither 0, 1 nor 2 (above 0 counts as visible)",
                      (v != 0) & (v != OCCLUDED) & (v != VISIBLE))  # fmt: skip
        there = seen > ABSENT
        share = there & (v > 0) & (v < 1)
        self._points.append(np.where(there[..., None], points + self._offset, 0))
        self._seen.append(seen.astype(np.uint8))
        self._score.append(np.where(share, v, np.nan).astype(np.float32))

    def _odd(self, what: str, where: np.ndarray) -> None:
        if where.any():
            self.oddities[what] = self.oddities.get(what, 0) + int(where.sum())

    def table(self, skeleton: Skeleton, number: Mapping[Any, int]) -> Table:
        """The table; `number` says which picture an image id is, instances of others are left out.

        Annotations without any number have all of the skeleton's landmarks, absent. The columns are empty afterwards.
        """
        self._flush()
        m, k = len(self), len(skeleton)
        shapes = (((m, k, 2), np.float64), ((m, k), np.uint8), ((m, k), np.float32))
        parts = (self._points, self._seen, self._score)
        points, seen, score = (_joined(part, *how) for part, how in zip(parts, shapes, strict=True))
        box = np.array(self._box, np.float64).reshape(m, 4)
        box[~(box[:, 2:] > 0).all(1)] = np.nan
        box[:, 2:] += box[:, :2]
        own = self._own
        extras: dict[str, np.ndarray] = {}
        for name in ("area", "score", "yaw"):
            if own[name]:
                extras[name] = np.full(m, np.nan)
                extras[name][list(own[name])] = list(own[name].values())
        if own["head_box"]:
            extras["head_box"] = np.full((m, 4), np.nan)
            extras["head_box"][list(own["head_box"])] = list(own["head_box"].values())
        if any(own["crowd"].values()):
            extras["crowd"] = np.zeros(m, bool)
            extras["crowd"][[row for row, crowd in own["crowd"].items() if crowd]] = True
        if own["outline"]:
            extras["outline"] = np.array([own["outline"].get(row, "") for row in range(m)], object)
        hand = np.ones(m, bool)
        hand[list(own["score"])] = False
        picture = np.fromiter((number.get(image, -1) for image in self.image), np.int64, m)
        subject = np.array(self._subject, np.str_) if any(self._subject) else np.full(m, "", np.str_)
        made = Table(skeleton, picture, points, seen, score, box - EDGE, hand & (not self._results), subject, extras)
        return made if (picture >= 0).all() else taken(made, picture >= 0)


def _joined(parts: list[np.ndarray], shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """The parts one after the other; each is let go when it was copied, so that they are never in memory twice."""
    made, at = np.zeros(shape, dtype), 0
    parts.reverse()
    while parts:
        part = parts.pop()
        made[at : at + len(part)] = part
        at += len(part)
    return made
