"""Training targets by a recipe: Gaussians at exact or whole cells, whole or cut as by Torch's code, or parts."""

from __future__ import annotations

import numpy as np

from engine import heatmaps, parts
from engine.train.recipes import Recipe

REACH = 3  # cells on each side of the centre's: Torch's gaussian(7) fills 7 x 7, with a sigma of 0.25 * 7 = 1.75


def make_targets(placed: np.ndarray, present: np.ndarray, recipe: Recipe) -> np.ndarray:
    """Targets of landmarks in crop pixels, (N, K, 2); (N, K) bool, False gives an empty map.

    Returns (N, K, S/4, S/4) float32, each with a peak of 1. One subject is in a crop and one landmark in a map,
    so it does not matter here that HGT merges overlapping Gaussians by maximum and FAT by a clipped sum.
    """
    side = recipe.side // heatmaps.STRIDE
    centres = heatmaps.to_heatmap(placed).astype(np.float32)
    if recipe.centre == "floor":  # of the edge-origin coordinate: the cell that the landmark lies in
        centres = np.floor(centres + np.float32(0.5))
    targets = heatmaps.gaussian_targets(centres, present, side, recipe.sigma)
    if recipe.window:
        cells = np.arange(side, dtype=np.float32)
        near = np.abs(cells - np.floor(centres + np.float32(0.5))[..., None]) <= REACH  # (N, K, 2, side)
        targets *= near[..., 1, :, None] & near[..., 0, None, :]
    return targets


def part_targets(placed: np.ndarray, recipe: Recipe) -> np.ndarray:
    """How much of each cell each part covers, (N, C, S/4, S/4) float32; placed (N, K, 2) crop pixels, all known."""
    division, side = parts.load_parts(recipe.parts), recipe.side // heatmaps.STRIDE
    return np.stack([parts.shares(division, points, side, heatmaps.STRIDE) for points in placed])
