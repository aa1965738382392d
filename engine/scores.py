"""From landmarks found and landmarks labelled to the figures of a table; every figure in percent, None for none.

Knows no models and no pictures: what `engine.evaluate` measured comes in as arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine import metrics
from engine.parts import intersection_over_union
from engine.schema import Schema

AUC_LIMIT, FAILURE_LIMIT = 0.07, 0.08
MIOU = "miou"
CURVE_POINTS = 100


@dataclass(frozen=True)
class Scored:
    """The subjects that can be scored: found, and with a normaliser.

    found, truth (N, K, 2) pixels; size (N,) pixels, what errors are divided by; weight (N, K): 1 seen, 0.5
    occluded, 0 unlabelled; yaw (N,) degrees, or None where the data knows none.
    """

    schema: Schema
    found: np.ndarray
    truth: np.ndarray
    size: np.ndarray
    weight: np.ndarray
    yaw: np.ndarray | None = None

    @property
    def errors(self) -> np.ndarray:
        """(N, K) float64, distance / normaliser; NaN where unlabelled."""
        distance = metrics.distances(self.found, self.truth)
        return np.where(self.weight > 0, distance, np.nan) / self.size[:, None]


def score_nme(scored: Scored, auc_limit: float = AUC_LIMIT, failure_limit: float = FAILURE_LIMIT) -> dict[str, Any]:
    """NME: the mean over subjects of the mean over their labelled landmarks, and what its distribution says."""
    every = (scored.found, scored.truth, scored.size)
    errors = metrics.nme(*every, scored.weight)
    errors = errors[np.isfinite(errors)]
    limit = max(0.1, auc_limit)
    grid = np.linspace(0, limit, CURVE_POINTS + 1)
    told = {
        "mean": percent(errors), "per_landmark": per_landmark(scored.schema, scored.errors),
        "auc": percent(metrics.auc(errors, auc_limit)), "auc_1000_steps": percent(metrics.auc_steps(errors, auc_limit)),
        "auc_limit": 100 * auc_limit, "failure_rate": percent(metrics.failure_rate(errors, failure_limit)),
        "failure_limit": 100 * failure_limit, "median": percent(np.median(errors)) if len(errors) else None,
        "curve": curve(grid, metrics.ced(errors, grid)),
    }  # fmt: skip
    if ((scored.weight > 0) & (scored.weight <= 0.5)).any():
        visible = np.where(scored.weight > 0.5, scored.weight, 0)
        told["visible"] = percent(metrics.nme(*every, visible))
        told["all"] = told["mean"]
    if scored.yaw is not None:
        told["yaw"] = by_yaw(metrics.nme(*every, scored.weight), scored.yaw)
    return told


def by_yaw(errors: np.ndarray, yaw: np.ndarray) -> dict[str, Any]:
    """NME by yaw: [0, 30], (30, 60], (60, 90] degrees, the mean of the three, and both on a balanced subset.

    The subset holds as many faces from every bin as the smallest has, drawn with a fixed seed; which faces the
    paper drew is not known.
    """
    bins = np.where(np.isfinite(errors), metrics.yaw_bins(yaw), -1)
    subset = metrics.balanced_subset(bins)
    told: dict[str, Any] = {"outside": int((bins < 0).sum())}
    for name, part in (("", np.arange(len(errors))), ("balanced", subset)):
        means, mean = metrics.by_yaw(errors[part], bins[part])
        some = {
            "bins": {f"{low}-{high}": percent(v) for (low, high), v in zip(metrics.YAW_BINS, means, strict=True)},
            "n": {f"{low}-{high}": int((bins[part] == k).sum()) for k, (low, high) in enumerate(metrics.YAW_BINS)},
            "mean_of_bins": percent(mean),
        }  # fmt: skip
        if name:
            told[name] = some | {"seed": metrics.faces.SEED, "subjects": len(part)}
        else:
            told |= some
    return told


def score_pck(scored: Scored, threshold: float, counted: np.ndarray, headline: str) -> dict[str, Any]:
    """PCK or PCKh: shares of landmarks within `threshold` normalisers.

    counted (N, K) bool: which landmarks count; headline: which mean is the one figure, "weighted" (the share of
    all counted landmarks) or "plain" (the mean over landmarks). Bodies have their tables' columns as well.
    """
    errors = np.where(counted, scored.errors, np.nan)
    body = scored.schema.by_mpii
    landmarks = metrics.COUNTED if body else tuple(range(len(scored.schema)))

    def at(limit: float) -> tuple[np.ndarray, dict[str, float]]:
        share, number = metrics.shares(errors <= limit, counted)
        return share, dict(zip(("plain", "weighted"), metrics.means(share, number, landmarks), strict=True))

    share, means = at(threshold)
    grid = np.linspace(0, threshold, CURVE_POINTS + 1)
    told: dict[str, Any] = {
        "mean": percent(means[headline]), "mean_is": headline,
        "means": {f"{name}_{len(landmarks)}": percent(value) for name, value in means.items()},
        "per_landmark": {n: percent(v) for n, v in zip(scored.schema.landmarks, share, strict=True) if np.isfinite(v)},
        "auc": None, "failure_rate": None, "threshold": 100 * threshold,
        "curve": curve(grid, np.array([at(limit)[1][headline] for limit in grid])),
    }  # fmt: skip
    if body:
        told["columns"] = {name: percent(value) for name, value in metrics.columns(share).items()}
    return told


def score_parts(schema: Schema, counted: np.ndarray) -> dict[str, Any]:
    """Mean IoU over the parts of a schema, the first of which is the background.

    counted (N, C, 2): pixels of each subject that found and labelled mask share, and that either has; NaN where a
    subject does not count. They are summed over subjects first, as data sets of segmentations do. An image's own mean
    is over the parts that either mask has.
    """
    rows = counted[np.isfinite(counted).all((1, 2))]
    total = rows.sum(0) if len(rows) else np.zeros(counted.shape[1:])
    each = intersection_over_union(total)
    subjects = intersection_over_union(rows)
    per_subject = np.array([np.nanmean(row) for row in subjects if np.isfinite(row).any()])
    pixels = total[:, 0].sum() + (total[:, 1] - total[:, 0]).sum() / 2  # a wrong pixel is in two parts' unions
    return {
        "mean": percent(each), "without_background": percent(each[1:]),
        "pixels_right": percent(total[:, 0].sum() / pixels) if pixels else None,
        "median": percent(np.median(per_subject)) if len(per_subject) else None,
        "per_landmark": {n: percent(v) for n, v in zip(schema.landmarks, each, strict=True) if np.isfinite(v)},
        "auc": None, "failure_rate": None,
    }  # fmt: skip


def curve(thresholds: np.ndarray, shares: np.ndarray) -> dict[str, list[float]] | None:
    """Thresholds and shares, both in percent, as lists; None where nothing was measured."""
    if not np.isfinite(shares).all():
        return None
    return {"threshold": (100 * thresholds).round(4).tolist(), "share": (100 * shares).round(4).tolist()}


def per_landmark(schema: Schema, values: np.ndarray) -> dict[str, float | None]:
    """Name -> mean in percent, of the landmarks that are labelled anywhere: (N, K), NaN for unlabelled."""
    return {name: percent(values[:, k]) for k, name in enumerate(schema.landmarks) if np.isfinite(values[:, k]).any()}


def percent(values: np.ndarray | float) -> float | None:
    """Mean of the finite values in percent; None where there are none, as strict JSON wants it."""
    finite = np.asarray(values, np.float64)
    finite = finite[np.isfinite(finite)]
    return 100 * float(finite.mean()) if finite.size else None
