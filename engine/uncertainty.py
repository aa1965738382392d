"""How doubtful a prediction is, and which other places its heatmaps speak for."""

from __future__ import annotations

import numpy as np

from engine import crop
from engine import heatmaps as maps
from engine.types import Heatmaps, Prediction

SURE = 0.85  # peak score of a landmark without doubt; the shipped face model reaches 0.6 to 0.9 on clear faces
WORST = 0.25  # share of the landmarks, the most doubtful, that decide
APART = 2  # cells between two peaks of one map
FAINT = 0.02  # score under which a further peak is noise


def doubt(prediction: Prediction) -> float:
    """0 (sure) to 1 (doubtful): the mean over the most doubtful quarter of the landmarks.

    A landmark is doubtful where its peak is low and, with heatmaps, where a second peak comes near the first.
    """
    return float(np.sort(landmark_doubts(prediction))[::-1][: _worst(len(prediction.landmarks))].mean())


def landmark_doubts(prediction: Prediction) -> np.ndarray:
    """(K,) float64, 0 to 1: each landmark's doubt."""
    trust = np.clip(prediction.landmarks[:, 2] / SURE, 0, 1)
    if prediction.heatmaps is not None:
        for k in range(len(trust)):
            found = peaks(prediction.heatmaps, k, 2)
            if len(found) > 1:
                trust[k] *= 1 - 0.75 * min(1.0, found[1, 2] / max(found[0, 2], 1e-9)) ** 2
    return 1 - trust


def peaks(heatmaps: Heatmaps, landmark: int, count: int = 3) -> np.ndarray:
    """The best local maxima of one landmark's map, best first: (n, 3) x, y in picture pixels and score.

    n is 1 to `count`: the first is where the landmark was decoded; others are at least `APART` cells
    away from better ones and not faint. Each is refined below one cell.
    """
    logits = heatmaps.logits[landmark]
    height, width = logits.shape
    padded = np.pad(logits, 1, constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    rows, columns = np.nonzero(logits >= windows.max((2, 3)))
    order = np.argsort(-logits[rows, columns], kind="stable")
    chosen: list[tuple[int, int]] = []
    for y, x in zip(rows[order], columns[order], strict=True):
        if len(chosen) == count or (chosen and maps.sigmoid(logits[y, x]) < FAINT):
            break
        if all(max(abs(y - a), abs(x - b)) > APART for a, b in chosen):
            chosen.append((int(y), int(x)))
    found = np.array([_refined(logits, y, x) for y, x in chosen[:count]]).reshape(-1, 3)
    found[:, :2] = crop.apply(crop.invert(heatmaps.affine), maps.to_crop(found[:, :2], heatmaps.stride))
    return found


def _refined(logits: np.ndarray, y: int, x: int) -> np.ndarray:
    """(3,) x, y in cells and score of the peak at a cell, by the decoder's own rule."""
    height, width = logits.shape
    only = np.full_like(logits, -np.inf)
    near = np.s_[max(y - 1, 0) : min(y + 2, height), max(x - 1, 0) : min(x + 2, width)]
    only[near] = np.minimum(logits[near], logits[y, x])
    only[y, x] = np.nextafter(logits[y, x], np.float32(np.inf))
    return maps.decode(only[None])[0]


def _worst(count: int) -> int:
    return max(1, round(count * WORST))
