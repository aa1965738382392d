"""Why a prediction may be wrong: criteria of doubt, each from 0 (sure) to 1, by which people choose what to look at.

How many of the worst predictions each of them finds is measured by `hourbit evaluate --doubt` (docs/results.md).
"""

from __future__ import annotations

import numpy as np

from engine import crop
from engine import heatmaps as maps
from engine.schema import Schema
from engine.types import Heatmaps, Prediction
from engine.uncertainty import APART, FAINT, SURE

CRITERIA = ("overall", "peak", "spread", "second", "flip", "shape", "limbs")
OVERALL = ("peak", "flip")  # their mean did best on the training sets of both shipped models
FLIP_HALF = 0.03  # share of the crop's side between the two passes at which the flip test says 0.5
SHAPE_HALF = 0.1  # distance from the mean shape, over its own side, that says 0.5
LIMB_HALF = 0.3  # mean logarithm of a line's length over the mean shape's that says 0.5


def judge(prediction: Prediction, schema: Schema, mirrored: np.ndarray | None = None) -> np.ndarray:
    """(7,) float64, 0 to 1 in the order of CRITERIA, NaN where a prediction cannot tell.

    mirrored (K, 2 or 3): landmarks of the mirror image of the same crop, in picture pixels, sides swapped back.

    peak: how far the heights of the peaks fall short of a sure one, on average. spread: standard deviation of a map
    around its middle over half its side, on average. second: height of the second peak over the first, on average.
    flip: mean distance to `mirrored`. shape: distance from the schema's mean shape after the best similarity
    transform. limbs: how much the lengths of the schema's lines differ from that shape's. overall: mean of peak and
    flip, or peak alone. spread and second need the heatmaps.
    """
    told = dict.fromkeys(CRITERIA, np.nan)
    points = prediction.landmarks[:, :2]
    told["peak"] = float(np.clip(1 - prediction.landmarks[:, 2].mean() / SURE, 0, 1))
    if prediction.heatmaps is not None:
        told["spread"] = float(np.clip(spreads(prediction.heatmaps).mean(), 0, 1))
        told["second"] = float(seconds(prediction.heatmaps).mean())
        if mirrored is not None:
            told["flip"] = _saturate(_apart(prediction.heatmaps, points, mirrored[:, :2]), FLIP_HALF)
    if len(points) > 2:
        told["shape"] = _saturate(shape_distance(points, schema), SHAPE_HALF)
    if schema.edges:
        told["limbs"] = _saturate(limb_difference(points, schema), LIMB_HALF)
    told["overall"] = float(np.nanmean([told[name] for name in OVERALL]))
    return np.array([told[name] for name in CRITERIA])


def worst_of(judged: list[np.ndarray]) -> np.ndarray | None:
    """An image's doubts: each criterion's highest over its subjects; None where there are none."""
    return np.fmax.reduce(judged) if judged else None


def spreads(heatmaps: Heatmaps) -> np.ndarray:
    """(K,) float64: standard deviation of each map's probabilities around their middle, over half its side."""
    shares = heatmaps.probabilities.astype(np.float64)
    shares /= np.maximum(shares.sum((1, 2), keepdims=True), 1e-12)
    height, width = shares.shape[1:]
    variance = np.zeros(len(shares))
    for axis, size in ((1, width), (2, height)):  # the sums along the other axis
        line, at = shares.sum(axis), np.arange(size)
        middle = line @ at
        variance += line @ (at * at) - middle * middle
    return np.sqrt(np.maximum(variance, 0)) / (max(height, width) / 2)


def seconds(heatmaps: Heatmaps) -> np.ndarray:
    """(K,) float64, 0 to 1: height of the best further peak over the first; 0 where it is faint or there is none."""
    logits = heatmaps.logits
    count, height, width = logits.shape
    padded = np.pad(logits, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    best = logits
    for y in range(3):
        for x in range(3):
            best = np.maximum(best, padded[:, y : y + height, x : x + width])
    top = logits.reshape(count, -1).argmax(1)
    row, column = np.divmod(top, width)
    near_rows = np.abs(np.arange(height) - row[:, None]) <= APART
    near_columns = np.abs(np.arange(width) - column[:, None]) <= APART
    others = (logits >= best) & ~(near_rows[:, :, None] & near_columns[:, None, :])
    second = maps.sigmoid(np.where(others, logits, -np.inf).reshape(count, -1).max(1)).astype(np.float64)
    first = maps.sigmoid(logits.reshape(count, -1).max(1)).astype(np.float64)
    return np.where(second >= FAINT, second / np.maximum(first, 1e-9), 0.0)


def shape_distance(points: np.ndarray, schema: Schema) -> float:
    """Root mean square distance (K, 2) - mean shape, after the best similarity transform, over the shape's side."""
    mean = np.asarray(schema.mean, np.float64)
    mean, at = mean - mean.mean(0), points - points.mean(0)
    size = float((mean**2).sum())
    if size <= 0:
        return 0.0
    a, b = (mean * at).sum() / size, (mean[:, 0] * at[:, 1] - mean[:, 1] * at[:, 0]).sum() / size
    fitted = mean @ np.array([[a, b], [-b, a]])
    return float(np.sqrt(((at - fitted) ** 2).sum(1).mean()) / max(np.hypot(a, b), 1e-9))


def limb_difference(points: np.ndarray, schema: Schema) -> float:
    """Mean over the lines of |log(length / mean shape's length)|, one common scale taken out by the median."""
    a, b = np.array(schema.edges).T
    mean = np.asarray(schema.mean, np.float64)
    expected = np.hypot(*(mean[a] - mean[b]).T) + 0.01
    side = max(float(np.ptp(points, axis=0).max()), 1e-9)
    ratio = (np.hypot(*(points[a] - points[b]).T) / side + 0.01) / expected
    return float(np.abs(np.log(ratio / np.median(ratio))).mean())


def _apart(heatmaps: Heatmaps, points: np.ndarray, mirrored: np.ndarray) -> float:
    """Mean distance of two sets of points (K, 2) in picture pixels, as a share of the crop's side."""
    side = heatmaps.logits.shape[2] * heatmaps.stride
    away = crop.apply(heatmaps.affine, points) - crop.apply(heatmaps.affine, mirrored)
    return float(np.hypot(*away.T).mean() / side)


def _saturate(value: float, half: float) -> float:
    """0 to 1 from 0 to infinity, 0.5 at `half`."""
    return value / (value + half)
