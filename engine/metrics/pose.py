"""PCKh and PCK of MPII's 16 landmarks: shares by landmark, the columns of the tables, and both means.

A landmark counts where it is annotated; the reference scripts call that visible.
"""

from __future__ import annotations

import numpy as np

HEAD_SHARE = 0.6  # of the head box's diagonal, which MPII calls the head size
COUNTED = (0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15)  # all but pelvis and thorax
# Column -> landmarks whose shares are averaged. Head has two readings: published code disagrees.
COLUMNS: dict[str, tuple[int, ...]] = {
    "Head (top)": (9,), "Head (neck and top)": (8, 9), "Shoulder": (12, 13), "Elbow": (11, 14), "Wrist": (10, 15),
    "Hip": (2, 3), "Knee": (1, 4), "Ankle": (0, 5),
}  # fmt: skip


def head_size(boxes: np.ndarray) -> np.ndarray:
    """PCKh's normaliser, 0.6 of the head box's diagonal: (N, 4) x0, y0, x1, y1 to (N,) pixels."""
    boxes = np.asarray(boxes, np.float64)
    return HEAD_SHARE * np.linalg.norm(boxes[:, 2:] - boxes[:, :2], axis=1)


def shares(hit: np.ndarray, counted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of right landmarks among the counted ones, and their number: two (K,) float64, NaN where none counts.

    hit, counted (N, K) bool.
    """
    number = counted.sum(0).astype(np.float64)
    right = (hit & counted).sum(0)
    return np.divide(right, number, out=np.full(len(number), np.nan), where=number > 0), number


def means(share: np.ndarray, number: np.ndarray, landmarks: tuple[int, ...] = COUNTED) -> tuple[float, float]:
    """The plain mean over landmarks and the one weighted by how often each is annotated; NaN without any.

    share, number (K,) as `shares` gives them; landmarks that nobody annotated do not count.
    """
    chosen = [k for k in landmarks if number[k] > 0]
    if not chosen:
        return float("nan"), float("nan")
    return float(share[chosen].mean()), float(np.average(share[chosen], weights=number[chosen]))


def columns(share: np.ndarray) -> dict[str, float]:
    """The tables' columns: each the mean of the shares of right and left, or of neck and top; NaN without any."""
    found = {}
    for name, members in COLUMNS.items():
        values = share[list(members)]
        values = values[np.isfinite(values)]
        found[name] = float(values.mean()) if len(values) else float("nan")
    return found
