"""The mean shape laid over predicted landmarks, to tell which of them cannot be right."""

from __future__ import annotations

import numpy as np

from engine.schema import Schema

ROUNDS = 4
FAR = 0.2  # distance from the laid mean shape, in its sides, from which a landmark is an outlier
TINY = 1e-3  # pixels: a shape of no extent
SOFT = 0.05  # distance at which a landmark's weight has halved


def lay(schema: Schema, landmarks: np.ndarray) -> np.ndarray | None:
    """The mean shape moved, turned and scaled onto landmarks (K, 3) x, y, score: (K, 2) float64, the same pixels.

    Least squares weighted by score, again with less weight for what lies far off; None where no scale comes out.
    """
    mean = np.array(schema.mean, np.float64)
    target = landmarks[:, :2]
    weight = np.clip(landmarks[:, 2], 1e-3, 1.0) ** 2
    laid = None
    for _ in range(ROUNDS):
        total = weight.sum()
        from_centre, to_centre = (weight @ mean) / total, (weight @ target) / total
        source, wanted = mean - from_centre, target - to_centre
        size = float(weight @ (source**2).sum(1))
        if size <= 0:
            return None
        a = float(weight @ (source * wanted).sum(1)) / size
        b = float(weight @ (source[:, 0] * wanted[:, 1] - source[:, 1] * wanted[:, 0])) / size
        laid = source @ np.array([[a, b], [-b, a]]) + to_centre
        side = float(np.hypot(a, b))
        if side < TINY:
            return None
        away = np.linalg.norm(target - laid, axis=1) / side
        weight = np.clip(landmarks[:, 2], 1e-3, 1.0) ** 2 / (1 + (away / SOFT) ** 2)
    return laid


def without_outliers(schema: Schema, landmarks: np.ndarray) -> np.ndarray:
    """Landmarks (K, 3) with those that lie far from the laid mean shape put onto it; for rigid subjects, faces."""
    laid = lay(schema, landmarks)
    if laid is None:
        return landmarks
    side = float(np.ptp(laid, 0).max())
    away = np.linalg.norm(landmarks[:, :2] - laid, axis=1)
    cleaned = landmarks.copy()
    outlier = away > FAR * side
    cleaned[outlier, :2] = laid[outlier]
    return cleaned
