"""Where a subject goes from one frame to the next, by its landmarks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.architecture import SEGMENTATION
from engine.detect import follow
from engine.persons import CONFIDENT, whole
from engine.schema import Schema
from engine.shape import without_outliers
from engine.types import Box, Prediction

FARTHEST = 0.5  # box sides that a subject may move between two frames
SHRINK, STRETCH = 1.1, 1.3  # how far a body's box follows what is seen of it in one frame
GROWTH = 1.35  # how much larger or smaller it may become between two frames


def next_box(schema: Schema, last: Prediction, before: Prediction | None) -> Box | None:
    """Where the subject of the newest prediction should be in the next frame; None where it seems lost.

    In a face, single landmarks that went astray must not move the box. Of a body more or less may be seen than a
    moment ago, so that its box grows and shrinks step by step. Where half of it is out of sight, what is seen does not
    tell how large it is: the box goes along with it, by what moved since the prediction `before`.
    """
    if schema.subject == "face":
        return follow(replace(last, landmarks=without_outliers(schema, last.landmarks)), schema)
    box = follow(last, schema)
    if box is None or (last.heatmaps is not None and last.heatmaps.head == SEGMENTATION):
        return box
    if whole(last.landmarks):
        return replace(box, side=float(np.clip(box.side, last.box.side / SHRINK, last.box.side * STRETCH)))
    dx, dy = _shift(before, last)
    return replace(last.box, cx=last.box.cx + dx, cy=last.box.cy + dy)


def plausible(before: Box, after: Box) -> bool:
    """Whether a subject can have come from one box to the other within a frame."""
    moved = np.hypot(after.cx - before.cx, after.cy - before.cy) / before.side
    return bool(moved < FARTHEST and 1 / GROWTH < after.side / before.side < GROWTH)


def _shift(before: Prediction | None, after: Prediction) -> tuple[float, float]:
    """How far the landmarks seen in both of two frames moved, in pixels."""
    if before is None:
        return 0.0, 0.0
    both = (before.landmarks[:, 2] >= CONFIDENT) & (after.landmarks[:, 2] >= CONFIDENT)
    if not both.any():
        return 0.0, 0.0
    dx, dy = np.median(after.landmarks[both, :2] - before.landmarks[both, :2], axis=0)
    return float(dx), float(dy)
