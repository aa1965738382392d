"""Distances, what they are divided by, NME and PCK's verdict. All results are fractions, not percent."""

from __future__ import annotations

import numpy as np

TORSO = ((12, 3), (13, 2))  # MPII: right shoulder - left hip, left shoulder - right hip
LSP_LANDMARKS = (0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15)  # MPII slots that LSP labels


def distances(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Euclidean distances in pixels: (..., K, 2) and (..., K, 2) to (..., K) float64."""
    return np.linalg.norm(np.asarray(predicted, np.float64) - np.asarray(truth, np.float64), axis=-1)


def pair_distance(truth: np.ndarray, pair: tuple[int, int]) -> np.ndarray:
    """Distance between two true landmarks, such as the outer eye corners: (N, K, 2) to (N,) pixels."""
    return distances(truth[:, pair[0]], truth[:, pair[1]])


def box_size(truth: np.ndarray) -> np.ndarray:
    """sqrt(width * height) of the tight box around the true landmarks, NaN = unlabelled: (N, K, 2) to (N,) pixels."""
    extent = np.nanmax(truth, 1) - np.nanmin(truth, 1)
    return np.sqrt(np.asarray(extent, np.float64).prod(1))


def diagonal(truth: np.ndarray) -> np.ndarray:
    """Diagonal of the tight box around the true landmarks, NaN = unlabelled: (N, K, 2) to (N,) pixels."""
    return np.linalg.norm(np.asarray(np.nanmax(truth, 1) - np.nanmin(truth, 1), np.float64), axis=1)


def torso(truth: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Longer of the two shoulder-hip diagonals of MPII landmarks, pixels; NaN where both are missing.

    truth (N, 16, 2), weight (N, 16): a landmark of weight 0 is missing. Returns (N,) float64.
    """
    both = []
    for a, b in TORSO:
        length = distances(truth[:, a], truth[:, b])
        both.append(np.where((weight[:, a] > 0) & (weight[:, b] > 0), length, np.nan))
    return np.fmax(both[0], both[1])


def nme(predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Normalised mean error of each picture: (N,) float64, NaN where nothing is labelled.

    predicted, truth (N, K, 2) pixels; normaliser (N,) pixels; weight (N, K), landmarks of weight 0 do not count.
    """
    errors = np.where(weight > 0, distances(predicted, truth), 0.0)
    counted = (weight > 0).sum(1)
    mean = np.divide(errors.sum(1), counted, out=np.full(len(errors), np.nan), where=counted > 0)
    return mean / normaliser


def correct(
    predicted: np.ndarray, truth: np.ndarray, normaliser: np.ndarray, threshold: float
) -> np.ndarray:
    """PCK's verdict on each landmark: distance <= threshold * normaliser. (N, K) bool."""
    return distances(predicted, truth) <= threshold * np.asarray(normaliser, np.float64)[:, None]


def tight_boxes(points: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Squares around the known landmarks: (N, K, 2) and (N, K) bool to (N, 3) cx, cy, side."""
    low = np.where(known[..., None], points, np.inf).min(1)
    high = np.where(known[..., None], points, -np.inf).max(1)
    return np.concatenate([(low + high) / 2, (high - low).max(1, keepdims=True)], 1)


def pupil_distance(truth: np.ndarray, right: list[int], left: list[int]) -> np.ndarray:
    """Distance between the centres of two groups of landmarks, the eyes: (N, K, 2) to (N,) pixels."""
    return distances(truth[:, right].mean(1), truth[:, left].mean(1))
