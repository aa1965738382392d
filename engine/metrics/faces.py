"""Faces by yaw, as AFLW2000-3D and AFLW are reported."""

from __future__ import annotations

import numpy as np

YAW_BINS = ((0, 30), (30, 60), (60, 90))  # degrees: [0, 30], (30, 60], (60, 90]
SEED = 2017  # of the balanced subset; which pictures the paper drew is not known


def yaw_bins(yaw: np.ndarray) -> np.ndarray:
    """Bin of each face by the size of its yaw in degrees: (N,) int, 0 to 2; -1 where unknown or beyond 90."""
    size = np.abs(np.asarray(yaw, np.float64))
    found = np.full(len(size), -1)
    for number, (low, high) in enumerate(YAW_BINS):
        found[((size > low) | ((number == 0) & (size >= low))) & (size <= high)] = number
    return found


def by_yaw(errors: np.ndarray, bins: np.ndarray) -> tuple[np.ndarray, float]:
    """Mean error in each bin (3,) and the mean of the three means; NaN for an empty bin, which spoils the mean.

    errors (N,); those that are not finite do not count.
    """
    errors = np.asarray(errors, np.float64)
    found = np.full(len(YAW_BINS), np.nan)
    for number in range(len(YAW_BINS)):
        part = errors[(bins == number) & np.isfinite(errors)]
        if len(part):
            found[number] = part.mean()
    return found, float(found.mean())


def balanced_subset(bins: np.ndarray, size: int | None = None, seed: int = SEED) -> np.ndarray:
    """Indices, sorted, of as many faces from every bin, drawn at random: `size` each, else the smallest bin's number.

    AFLW2000-3D by AFLW's yaw has 1306, 462 and 232: 696 = 3 x 232 faces. Empty where a bin is empty.
    """
    members = [np.flatnonzero(bins == number) for number in range(len(YAW_BINS))]
    smallest = min(len(m) for m in members)
    each = smallest if size is None else min(size, smallest)
    rng = np.random.default_rng(seed)
    return np.sort(np.concatenate([rng.permutation(m)[:each] for m in members]))
