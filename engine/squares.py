"""What a detector's maps mean, and the squares read from them.

A detector is a network of this program whose maps come in fours, one four a class of `CLASSES`: the centre's
logit, the logarithm of the square's side over `UNIT` crop pixels, and where the centre lies from the cell, in
cells, in x and in y. Its model file says so by the schema of `detector_schema`; how sure it must be of each class
stands in the card as `thresholds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.heatmaps import STRIDE, sigmoid, to_crop
from engine.opencv import cv2
from engine.schema import Schema

CLASSES = ("face", "person")
MAPS = 4
UNIT = 64.0
NAME, SUBJECT = "detect", "scene"  # of a detector's schema
THRESHOLD = 0.4  # where the card names none
SAME = 0.4  # squares of one class that overlap more than this (intersection / union) are one subject
MOST = 300  # peaks of a class that are looked at, the surest first
PERSON_MARGIN = 1.1  # a person's square / the square around the person's landmarks, as scenes are labelled
LARGEST = 4.0  # of what the size map may say, so that no square is larger than 64 times UNIT


def detector_schema() -> Schema:
    """The schema of a detector's model file: its maps by name."""
    count = MAPS * len(CLASSES)
    parts = ("centre", "size", "offset in x", "offset in y")
    return Schema(
        name=NAME, title="Faces and people", subject=SUBJECT,
        landmarks=tuple(f"{name}, {part}" for name in CLASSES for part in parts), edges=(), flip=(),
        groups={name.capitalize(): tuple(range(MAPS * n, MAPS * n + MAPS)) for n, name in enumerate(CLASSES)},
        sides=("centre",) * count, crop=1.0, normaliser=(0, MAPS), mean=((0.5, 0.5),) * count,
    )  # fmt: skip


def is_detector(schema: Schema) -> bool:
    """Whether a model with this schema finds boxes, and no landmarks."""
    return schema.subject == SUBJECT


def thresholds(card: Mapping[str, Any]) -> dict[str, float]:
    """How sure a detector must be of each class, 0 to 1, by its card."""
    told = card.get("thresholds")
    told = told if isinstance(told, Mapping) else {}
    found = {}
    for name in CLASSES:
        value = told.get(name)
        usable = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1
        found[name] = float(value) if usable else THRESHOLD
    return found


def read_squares(logits: np.ndarray, least: Mapping[str, float], stride: int = STRIDE) -> list[np.ndarray]:
    """Squares in crop pixels, for each class (D, 4) float64: centre x, centre y, side, score; the surest first.

    logits (4 C, h, w) float32. A square begins at each cell whose centre is a maximum among its eight neighbours
    and at least as sure as `least` of its class; of those that overlap the surest stays.
    """
    found = []
    for number, name in enumerate(CLASSES):
        centre, size, dx, dy = np.asarray(logits[MAPS * number : MAPS * number + MAPS], np.float32)
        level = np.log(least[name] / (1 - least[name]))
        peaks = (centre >= level) & (centre >= cv2.dilate(centre, np.ones((3, 3), np.uint8)))
        y, x = np.nonzero(peaks)
        order = np.argsort(-centre[y, x], kind="stable")[:MOST]
        y, x = y[order], x[order]
        place = to_crop(np.stack([x + dx[y, x], y + dy[y, x]], 1).astype(np.float64), stride)
        side = UNIT * np.exp(np.clip(size[y, x].astype(np.float64), -LARGEST, LARGEST))
        squares = np.concatenate([place, side[:, None], sigmoid(centre[y, x])[:, None].astype(np.float64)], 1)
        found.append(suppress_squares(squares))
    return found


def suppress_squares(squares: np.ndarray, same: float = SAME) -> np.ndarray:
    """Squares (D, 4), the surest first, without those that overlap a surer one by more than `same`."""
    kept: list[np.ndarray] = []
    for square in squares:
        if not kept or (overlaps(square, np.stack(kept)) <= same).all():
            kept.append(square)
    return np.stack(kept) if kept else squares[:0]


def overlaps(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of a square with others (D, 4), 0 to 1."""
    low = np.maximum(one[:2] - one[2] / 2, others[:, :2] - others[:, 2:3] / 2)
    high = np.minimum(one[:2] + one[2] / 2, others[:, :2] + others[:, 2:3] / 2)
    common = np.clip(high - low, 0, None).prod(1)
    return common / (one[2] ** 2 + others[:, 2] ** 2 - common)
