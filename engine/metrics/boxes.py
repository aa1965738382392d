"""How well boxes are found: recall, false alarms and doubles, on squares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

FOUND = 0.5  # intersection over union from which a labelled box counts as found
NEAR_IGNORED, INSIDE_IGNORED = 0.3, 0.5  # a detection like this, or this far inside, is passed over


@dataclass(frozen=True)
class BoxScore:
    """Counts of one picture or of many.

    human, every: labelled boxes; found_human, found_every: those with a detection of IoU >= 0.5; alarms:
    detections without any, outside ignored regions; doubles: further detections of a box that has one;
    iou: the best IoU of each found human box; pictures: how many were looked at.
    """

    human: int = 0
    every: int = 0
    found_human: int = 0
    found_every: int = 0
    alarms: int = 0
    doubles: int = 0
    iou: tuple[float, ...] = ()
    pictures: int = 0


def squares(boxes: np.ndarray) -> np.ndarray:
    """Boxes (M, 4) x0, y0, x1, y1 as squares of the longer side with the same centre, float64."""
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(1, initial=0)[:, None] / 2
    return np.concatenate([centre - half, centre + half], 1)


def score_boxes(detected: np.ndarray, labelled: np.ndarray, human: np.ndarray, ignored: np.ndarray) -> BoxScore:
    """Score one picture's detections.

    detected (D, 4), labelled (M, 4), ignored (I, 4): x0, y0, x1, y1; detected and labelled are made square.
    human (M,) bool. A detection with IoU < 0.5 to every labelled box is a false alarm unless more than half of it
    lies inside an ignored box or its IoU with one is at least 0.3; an ignored box never cancels a labelled one.
    """
    detected, labelled, ignored = squares(detected), squares(labelled), np.asarray(ignored, np.float64).reshape(-1, 4)
    common, union = _common(detected, labelled)
    iou = common / np.maximum(union, 1e-12)
    best = iou.max(0, initial=0)
    hits = iou.max(1, initial=0) >= FOUND
    common, union = _common(detected, ignored)
    area = (detected[:, 2:] - detected[:, :2]).prod(1)
    inside = common.max(1, initial=0) > INSIDE_IGNORED * area
    near = (common / np.maximum(union, 1e-12)).max(1, initial=0) >= NEAR_IGNORED
    found = best >= FOUND
    # Each detection speaks for the labelled box that it covers best; the first for a box is no double.
    claimed = {int(m) for m in iou[hits].argmax(1)} if hits.any() else set()
    human = np.asarray(human, bool)
    return BoxScore(
        human=int(human.sum()), every=len(labelled), found_human=int((found & human).sum()),
        found_every=int(found.sum()), alarms=int((~hits & ~inside & ~near).sum()),
        doubles=int(hits.sum()) - len(claimed), iou=tuple(float(v) for v in best[found & human]), pictures=1,
    )  # fmt: skip


def join_scores(scores: Iterable[BoxScore]) -> BoxScore:
    """The sum of many pictures' scores."""
    scores = list(scores)
    counts = {
        name: sum(getattr(s, name) for s in scores) for name in BoxScore.__dataclass_fields__ if name != "iou"
    }  # fmt: skip
    return BoxScore(**counts, iou=tuple(v for s in scores for v in s.iou))


def _common(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Areas of intersection and union: (D, 4), (M, 4) to two (D, M)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(2)
    areas = [np.clip(x[:, 2:] - x[:, :2], 0, None).prod(1) for x in (a, b)]
    return common, areas[0][:, None] + areas[1][None] - common
