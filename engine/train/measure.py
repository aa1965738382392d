"""How good a network is on held-out examples: NME, or PCK for bodies; in percent."""

from __future__ import annotations

import numpy as np

from engine import metrics
from engine.schema import Schema
from engine.train.datasets import Examples

PCK_THRESHOLD = 0.2


def metric_name(schema: Schema) -> str:
    """`pck` for bodies, where more is better; `nme` for everything else, where less is."""
    return "pck" if schema.by_mpii else "nme"


def errors(predicted: np.ndarray, examples: Examples, schema: Schema) -> np.ndarray:
    """Distances in percent of each picture's normaliser: (N, K) float64, NaN where nothing is labelled.

    The normaliser is the schema's pair of landmarks, the torso for bodies, and the size of the landmarks'
    box where the pair is not labelled.
    """
    truth = examples.points.astype(np.float64)
    known = (examples.weight > 0) & ~examples.absent
    a, b = schema.normaliser
    size = np.where(known[:, a] & known[:, b], metrics.pair_distance(truth, schema.normaliser), np.nan)
    if schema.by_mpii:
        size = metrics.torso(truth, known.astype(np.float64))
    low = np.where(known[..., None], truth, np.inf).min(1)
    high = np.where(known[..., None], truth, -np.inf).max(1)
    box = np.sqrt(np.clip(np.where(known.any(1)[:, None], high - low, 1.0), 1e-6, None).prod(1))
    size = np.where(np.isfinite(size) & (size > 0), size, box)
    return 100 * np.where(known, metrics.distances(predicted, truth), np.nan) / size[:, None]


def score(found: np.ndarray, schema: Schema) -> float:
    """The one number of an (N, K) array of errors; NaN where there are none."""
    if not np.isfinite(found).any():
        return float("nan")
    if metric_name(schema) == "pck":
        counted = found[:, list(metrics.LSP_LANDMARKS)]
        counted = counted[np.isfinite(counted)]
        return float(100 * (counted <= 100 * PCK_THRESHOLD).mean()) if len(counted) else float("nan")
    rows = found[np.isfinite(found).any(1)]
    return float(np.nanmean(rows, 1).mean())


def by_group(found: np.ndarray, schema: Schema) -> dict[str, float]:
    """Mean error of each group of landmarks, percent; groups without a labelled landmark are left out."""
    means = {}
    for name, members in schema.groups.items():
        part = found[:, list(members)]
        if np.isfinite(part).any():
            means[name] = float(np.nanmean(part))
    return means


def by_image(found: np.ndarray) -> list[float]:
    """Mean error of each example, percent; examples without a labelled landmark are left out."""
    rows = found[np.isfinite(found).any(1)]
    return [] if not len(rows) else [float(v) for v in np.nanmean(rows, 1)]
