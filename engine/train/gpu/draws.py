"""What a training batch draws at random: places, turns and halves of subjects, as tensors of the whole batch.

The distributions are those of `engine.train.augment`, which draws the same for one example after the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.train.recipes import Recipe


class Draws:
    """Random numbers of one step, on a device; they depend on seed and step alone."""

    def __init__(self, seed: int, step: int, device: torch.device) -> None:
        self.device = device
        self.generator = torch.Generator(device).manual_seed((seed << 32) + step)

    def uniform(self, *shape: int) -> Tensor:
        """From 0 to 1, float32."""
        return torch.rand(*shape, generator=self.generator, device=self.device)

    def between(self, low: float, high: float, *shape: int) -> Tensor:
        """From `low` to `high`, float32."""
        return low + (high - low) * self.uniform(*shape)

    def normal(self, *shape: int) -> Tensor:
        """With a mean of 0 and a deviation of 1, float32."""
        return torch.randn(*shape, generator=self.generator, device=self.device)


@dataclass(frozen=True)
class Places:
    """Which square of its picture each crop shows, and how.

    centre (N, 2) picture pixels; to_crop and to_picture (N, 2, 2) turn offsets from the centre into the other's
    pixels; mirrored (N,) bool.
    """

    centre: Tensor
    to_crop: Tensor
    to_picture: Tensor
    mirrored: Tensor

    def placed(self, points: Tensor, side: int) -> Tensor:
        """Landmarks (N, K, 2) of picture pixels in crop pixels; not yet exchanged where mirrored."""
        return torch.einsum("nij,nkj->nki", self.to_crop, points - self.centre[:, None]) + (side - 1) / 2


def draw_places(box: Tensor, recipe: Recipe, draws: Draws) -> Places:
    """Places around boxes (N, 3): cx, cy, side."""
    n = len(box)
    extent = box[:, 2] * recipe.crop * _scale(n, recipe, draws)
    centre = box[:, :2] + recipe.shift * box[:, 2:] * draws.normal(n, 2)
    angle = torch.deg2rad(_angle(n, recipe, draws))
    mirrored = draws.uniform(n) < (recipe.flip_share if recipe.flip else 0.0)
    cos, sin, sign = torch.cos(angle), torch.sin(angle), torch.where(mirrored, -1.0, 1.0)
    turn = torch.stack([torch.stack([cos * sign, sin * sign], -1), torch.stack([-sin, cos], -1)], -2)
    scale = (recipe.side / extent)[:, None, None]
    return Places(centre, turn * scale, turn.mT / scale, mirrored)


def _scale(n: int, recipe: Recipe, draws: Draws) -> Tensor:
    """How many times the usual square each crop shows."""
    if recipe.scale_spread == "uniform":
        return draws.between(recipe.scale_low, recipe.scale_high, n)
    drawn = recipe.scale * draws.normal(n)
    return (2**drawn if recipe.scale_spread == "octaves" else 1 + drawn).clamp(recipe.scale_low, recipe.scale_high)


def _angle(n: int, recipe: Recipe, draws: Draws) -> Tensor:
    """Degrees."""
    limit = recipe.rotation_limit
    if recipe.rotation_spread == "uniform":
        angle = draws.between(-limit, limit, n)
    else:
        angle = (recipe.rotation * draws.normal(n)).clamp(-limit, limit)
    return torch.where(draws.uniform(n) < recipe.rotation_share, angle, 0.0)


def part_boxes(points: Tensor, known: Tensor, box: Tensor, recipe: Recipe, draws: Draws) -> Tensor:
    """For a share of the examples the square of a random half of their landmarks, cut off by a line.

    points (N, K, 2), known (N, K) bool, box (N, 3) and the result in picture pixels.
    """
    n = len(box)
    x, y = draws.normal(2, n)
    share, drawn = draws.between(0.45, 0.8, n), draws.uniform(n) < recipe.part
    along = torch.where(known, points[..., 0] * x[:, None] + points[..., 1] * (y[:, None] + 1.5), torch.inf)
    count = known.sum(1)
    rank = torch.where(count > 5, (share * (count - 1)).long(), count - 1).clamp(min=0)
    keep = known & (along <= along.sort(1).values.gather(1, rank[:, None]))
    low = torch.where(keep[..., None], points, torch.inf).amin(1)
    high = torch.where(keep[..., None], points, -torch.inf).amax(1)
    extent = torch.maximum((high - low).amax(1) * 1.15, 0.35 * box[:, 2])
    part = torch.cat([(low + high) / 2, extent[:, None]], 1)
    return torch.where((drawn & (keep.sum(1) >= 4))[:, None], part, box)
