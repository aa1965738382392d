"""Does doubt find what is wrong? Of the worst predictions, how many come first when sorted by each criterion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.doubts import CRITERIA

WORST, FIRST = 0.1, 0.2  # shares of the subjects: the worst by error, and those looked at first by doubt


def caught(errors: np.ndarray, doubts: np.ndarray, worst: float = WORST, first: float = FIRST) -> float:
    """Share, 0 to 1, of the `worst` by error that are among the `first` by doubt; chance finds `first` of them.

    errors, doubts (N,) finite; numbers are rounded, at least one; equal doubts keep their order. NaN where N is 0.
    """
    if not len(errors):
        return float("nan")
    bad = np.argsort(-np.asarray(errors), kind="stable")[: max(1, round(worst * len(errors)))]
    looked = np.argsort(-np.asarray(doubts), kind="stable")[: max(1, round(first * len(errors)))]
    return float(np.isin(bad, looked).mean())


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rank correlation of two (N,) arrays; NaN where one of them is constant."""
    first, second = _ranks(a), _ranks(b)
    if len(first) < 2 or not np.ptp(first) or not np.ptp(second):
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def doubt_figures(errors: np.ndarray, judged: Mapping[int, np.ndarray]) -> dict[str, Any]:
    """By criterion `caught` in percent and, from -1 to 1, `correlation` with the error; None where unknown.

    errors (N, K): of each landmark, NaN where unlabelled, averaged for each subject; judged: subject -> its doubts,
    in the order of engine.doubts.CRITERIA.
    """
    usable = [n for n in sorted(judged) if np.isfinite(errors[n]).any()]
    mean = np.array([np.nanmean(errors[n]) for n in usable])
    doubts = np.array([judged[n] for n in usable]).reshape(-1, len(CRITERIA))
    found: dict[str, Any] = {}
    for k, name in enumerate(CRITERIA):
        known = np.isfinite(doubts[:, k])
        share, correlation = caught(mean[known], doubts[known, k]), rank_correlation(mean[known], doubts[known, k])
        found[name] = {"caught": _finite(100 * share), "correlation": _finite(correlation)}
    return {"worst": 100 * WORST, "first": 100 * FIRST, "n": len(usable), "criteria": found}


def _ranks(values: np.ndarray) -> np.ndarray:
    """(N,) ranks from 0; equal values share the mean of theirs."""
    _, inverse, number = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    ends = np.cumsum(number)
    return ((ends - number + ends - 1) / 2)[inverse]


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
