"""The cumulative error distribution (CED) and the numbers read off it."""

from __future__ import annotations

import numpy as np

STEPS = 1000  # thresholds from 0 to 1 of the published face-alignment curves


def ced(errors: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Share of errors at or below each threshold: (N,) and (T,) to (T,) float64; NaN without errors."""
    errors = np.sort(np.asarray(errors, np.float64))
    if not len(errors):
        return np.full(len(thresholds), np.nan)
    return np.searchsorted(errors, np.asarray(thresholds, np.float64), side="right") / len(errors)


def auc(errors: np.ndarray, limit: float) -> float:
    """Area under the cumulative error distribution from 0 to `limit`, divided by `limit`: exact, without steps."""
    errors = np.asarray(errors, np.float64)
    if not len(errors):
        return float("nan")
    return float(np.mean(np.clip(limit - errors, 0, None)) / limit)


def auc_steps(errors: np.ndarray, limit: float, steps: int = STEPS) -> float:
    """The published form of the area: the mean, over thresholds up to `limit`, of the share of errors below each.

    The thresholds are `steps` equal ones from 0 to 1, both included, and only those <= `limit` count.
    """
    errors = np.sort(np.asarray(errors, np.float64))
    if not len(errors):
        return float("nan")
    thresholds = np.linspace(0, 1, steps)
    return float(np.mean(np.searchsorted(errors, thresholds[thresholds <= limit], side="left")) / len(errors))


def failure_rate(errors: np.ndarray, limit: float) -> float:
    """Share of errors above `limit`."""
    errors = np.asarray(errors, np.float64)
    return float(np.mean(errors > limit)) if len(errors) else float("nan")
