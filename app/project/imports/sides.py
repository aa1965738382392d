"""Whether left and right of a file are those of the subject: told by the shapes, where names alone cannot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.schema import Schema

LEAST = 4  # landmarks of a shape that tells
CLEAR = 0.8  # what is left of the error when sides are swapped, for a shape to vote


@dataclass(frozen=True)
class Sides:
    """Shapes that fit the schema's as they are, and those that fit it only with left and right swapped."""

    agree: int
    contradict: int

    @property
    def swapped(self) -> bool:
        """Whether most shapes that tell contradict the names."""
        return self.contradict > self.agree


def look_at_sides(points: np.ndarray, there: np.ndarray, schema: Schema) -> Sides:
    """Fit the schema's mean shape to each of (M, K, 2) by turning, scaling and moving, never by mirroring.

    there (M, K) bool. A shape votes where one of the two ways, as named or with the mirror pairs swapped, fits
    clearly better (least squares over the landmarks that are there).
    """
    pairs = [(a, b) for a, b in schema.flip]
    if not pairs or not len(points):
        return Sides(0, 0)
    mean = np.asarray(schema.mean, np.float64)
    order = schema.permutation
    told = (there.sum(1) >= LEAST) & np.stack([there[:, a] & there[:, b] for a, b in pairs]).any(0)
    points, there = points[told], there[told]
    plain = _misfit(points, there, mean)
    swapped = _misfit(points[:, order], there[:, order], mean)
    return Sides(int((plain < CLEAR * swapped).sum()), int((swapped < CLEAR * plain).sum()))


def _misfit(points: np.ndarray, there: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """(M,): share of each shape's variance that the best similarity of `mean` leaves, 0 to 1."""
    z = np.where(there, points[..., 0] + 1j * points[..., 1], 0)
    m = np.where(there, (mean[:, 0] + 1j * mean[:, 1])[None], 0)
    count = np.maximum(there.sum(1, keepdims=True), 1)
    z = np.where(there, z - z.sum(1, keepdims=True) / count, 0)
    m = np.where(there, m - m.sum(1, keepdims=True) / count, 0)
    both = np.abs((m.conj() * z).sum(1)) ** 2
    size = (np.abs(m) ** 2).sum(1) * (np.abs(z) ** 2).sum(1)
    return 1 - both / np.maximum(size, 1e-12)
