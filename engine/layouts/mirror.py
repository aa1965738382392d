"""Mirror pairs of landmarks found from shapes, for data sets that do not tell them."""

from __future__ import annotations

import numpy as np

from engine.errors import UserError

FEWEST = 20  # shapes from which a mean is taken
FRONTAL = 0.25  # of the shapes that have all landmarks, the most symmetric ones
ROUNDS = 3


class MirrorError(UserError):
    """Mirror pairs that shapes do not show; the message says why."""


def derive_flip(points: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(K,) int: each landmark's partner in the mirror image, itself where it has none.

    points (N, K, 2) pixels, known (N, K) bool. Shapes with all landmarks are brought to one place and size; their
    mean is mirrored and matched with itself at the least total distance (Hungarian method). Then the mean is
    taken anew from the shapes that this assignment finds most symmetric, that is near frontal. Raises MirrorError
    for fewer than 20 shapes, or where no set of mutual pairs is found.
    """
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError as error:
        raise MirrorError('they need SciPy; install it with: pip install "hourbit[formats]".') from error
    whole = np.asarray(points, np.float64)[np.asarray(known, bool).all(1)]
    if len(whole) < FEWEST:
        raise MirrorError(f"{len(whole)} shapes have all landmarks visible, and {FEWEST} are needed.")
    shapes = whole - whole.mean(1, keepdims=True)
    size = np.sqrt((shapes**2).sum((1, 2), keepdims=True))
    shapes = (shapes / np.maximum(size, 1e-12))[size[:, 0, 0] > 0]
    chosen, order = shapes, np.arange(shapes.shape[1])
    for _ in range(ROUNDS):
        mean = np.median(chosen, 0)
        mirrored = mean * (-1, 1)
        distance = np.linalg.norm(mirrored[:, None] - mean[None], axis=2)
        order = linear_sum_assignment(distance + distance.T)[1]
        uneven = np.linalg.norm(shapes * (-1, 1) - shapes[:, order], axis=2).mean(1)
        chosen = shapes[np.argsort(uneven)[: max(FEWEST, int(FRONTAL * len(shapes)))]]
    if (order[order] != np.arange(len(order))).any():
        raise MirrorError("the mean shape has no mutual pairs.")
    return order
