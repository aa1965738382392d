"""Object landmark similarity (OKS), COCO's measure: exp(-d^2 / (2 s^2 k^2)) with s^2 the object's area, k = 2 sigma."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

PLAIN_SIGMA = 0.05  # of landmarks for which nobody measured one; ours


def sigmas(measured: Sequence[float], count: int) -> np.ndarray:
    """(K,) float64: how far people themselves place each landmark apart, as a share of the object's size.

    measured: a schema's, by landmark; none where nobody measured them.
    """
    return np.array(measured, np.float64) if len(measured) else np.full(count, PLAIN_SIGMA)


def object_similarity(predicted: np.ndarray, truth: np.ndarray, area: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Similarity of each landmark: (N, K, 2), (N, K, 2) pixels, (N,) square pixels, (K,) to (N, K), 0 to 1."""
    squared = ((np.asarray(predicted, np.float64) - np.asarray(truth, np.float64)) ** 2).sum(-1)
    spread = 2 * (2 * sigma[None]) ** 2 * np.asarray(area, np.float64)[:, None]
    return np.exp(-squared / (spread + np.spacing(1)))


def oks(similarity: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mean similarity of each subject's labelled landmarks: (N, K), (N, K) to (N,); NaN where none is labelled."""
    known = weight > 0
    number = known.sum(1)
    total = np.where(known, similarity, 0.0).sum(1)
    return np.divide(total, number, out=np.full(len(number), np.nan), where=number > 0)
