"""Heatmaps: Gaussian targets, and decoding of landmarks with sub-pixel precision.

Heatmap coordinates: centre of the top-left cell = (0, 0), x to the right, y down. Our networks' heatmaps have a
quarter of the crop's side, so crop pixel i and heatmap cell j meet at j = (i + 0.5) / 4 - 0.5.
"""

from __future__ import annotations

import numpy as np

from engine.architecture import SEGMENTATION

STRIDE = 4  # crop pixels per heatmap cell of our own networks


def to_heatmap(points: np.ndarray, stride: int = STRIDE) -> np.ndarray:
    """Crop pixels (..., 2) to heatmap cells."""
    return (np.asarray(points) + 0.5) / stride - 0.5


def to_crop(points: np.ndarray, stride: int = STRIDE) -> np.ndarray:
    """Heatmap cells (..., 2) to crop pixels; the inverse of `to_heatmap`."""
    return (np.asarray(points) + 0.5) * stride - 0.5


def gaussian_targets(centres: np.ndarray, present: np.ndarray, side: int, sigma: float) -> np.ndarray:
    """Training targets: a Gaussian of peak 1 at each landmark's exact, unrounded place.

    centres (..., K, 2) heatmap cells; present (..., K) bool, False gives an empty map; sigma in cells.
    Returns (..., K, side, side) float32.
    """
    cells = np.arange(side, dtype=np.float32)
    spread = np.float32(-0.5 / sigma**2)
    gx = np.exp(spread * (cells - centres[..., :1]) ** 2)
    gy = np.exp(spread * (cells - centres[..., 1:]) ** 2) * present[..., None]
    return (gy[..., :, None] * gx[..., None, :]).astype(np.float32)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Logistic function without overflow, float32."""
    return (0.5 + 0.5 * np.tanh(0.5 * np.asarray(logits, np.float32))).astype(np.float32)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Shares of K maps (..., K, h, w) that add up to 1 at each cell, without overflow, float32."""
    logits = np.asarray(logits, np.float32)
    raised = np.exp(logits - logits.max(-3, keepdims=True))
    return (raised / raised.sum(-3, keepdims=True)).astype(np.float32)


def probabilities(logits: np.ndarray, head: str) -> np.ndarray:
    """What logits (..., K, h, w) say, float32 in [0, 1]: each map for itself, or of a segmentation all together."""
    return softmax(logits) if head == SEGMENTATION else sigmoid(logits)


def decode(logits: np.ndarray, method: str = "parabola") -> np.ndarray:
    """Landmarks of heatmap logits: the maximum, refined below one cell.

    logits (K, h, w) float32. Returns (K, 3) float64: x, y in heatmap cells and the score, the sigmoid of
    the peak. `parabola` fits one through the peak and its neighbours in x and in y, clipped to half a
    cell; `quarter` moves 0.25 towards the larger neighbour, as the paper's code does; the first
    maximum in row-major order wins. A peak on the border is not refined across it.
    """
    logits = np.asarray(logits, np.float32)
    k, h, w = logits.shape
    top = logits.reshape(k, -1).argmax(1)
    y, x = np.divmod(top, w)
    rows = np.arange(k)
    peak = logits[rows, y, x]
    found = np.stack([x, y, sigmoid(peak)], 1).astype(np.float64)
    for axis, (at, size) in enumerate(((x, w), (y, h))):
        inside = (at > 0) & (at < size - 1)
        step = inside.astype(int)
        dx, dy = (step, 0) if axis == 0 else (0, step)
        before, after = logits[rows, y - dy, x - dx], logits[rows, y + dy, x + dx]
        found[:, axis] += np.where(inside, _offset(before, peak, after, method), 0.0)
    return found


def _offset(before: np.ndarray, peak: np.ndarray, after: np.ndarray, method: str) -> np.ndarray:
    before, peak, after = (a.astype(np.float64) for a in (before, peak, after))
    if method == "quarter":
        return 0.25 * np.sign(after - before)
    curvature = before - 2 * peak + after
    safe = np.where(curvature < 0, curvature, -1.0)
    return np.where(curvature < 0, np.clip(0.5 * (before - after) / safe, -0.5, 0.5), 0.0)


def merge_flip(logits: np.ndarray, mirrored: np.ndarray, permutation: np.ndarray) -> np.ndarray:
    """Flip test: mean of the maps and the mirrored picture's maps, mirrored back, sides swapped."""
    return (logits + mirrored[permutation][:, :, ::-1]) * np.float32(0.5)
