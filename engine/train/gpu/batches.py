"""Training batches made whole on one device: crops, colours and targets of a batch in a few tensor operations.

`engine.train.augment` cuts one example after the other, which feeds a CPU but starves a GPU. This is the same
augmentation by the same recipe for all examples of a batch at once. Which examples a step takes is the same; what
is drawn for each of them is not, so a run is repeated only on the same kind of device.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine import heatmaps
from engine.train.augment import BORDER_SHARES
from engine.train.datasets import Examples
from engine.train.gpu.colours import recolour
from engine.train.gpu.draws import Draws, Places, draw_places, part_boxes
from engine.train.recipes import Recipe
from engine.train.targets import REACH

CONSTANT, REFLECT = 1, 2  # places in augment.BORDERS


class DeviceBatches:
    """All examples on a device, from which a step's batch is made; it depends on seed and step alone.

    Pictures of several sizes lie in one tensor of the largest size, and are sampled bilinearly without area
    averaging: they should be at most twice as large as the crops (`engine.train.gpu.choice` sees to both).
    """

    def __init__(
        self, examples: Examples, recipe: Recipe, permutation: np.ndarray, seed: int, device: torch.device
    ) -> None:
        self.examples, self.recipe, self.seed, self.device = examples, recipe, seed, device
        self.pictures, self.last = _stacked(examples, device)
        self.points, self.weight, self.box = (
            torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(device)
            for values in (examples.points, examples.weight, examples.box)
        )
        self.absent = torch.from_numpy(examples.absent).to(device)
        self.permutation = torch.from_numpy(np.asarray(permutation, np.int64)).to(device)
        self.borders = torch.tensor(np.cumsum(BORDER_SHARES[recipe.border])[:-1], dtype=torch.float32, device=device)
        self.whole = torch.tensor(self.pictures.shape[:1:-1], device=device).sub(1).clamp(min=1)  # width, height, - 1

    @torch.no_grad()
    def batch(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """The batch of a step.

        images (N, 3, S, S) uint8 RGB, channels_last; targets (N, K, S/4, S/4) float32; weight (N, K) float32.
        """
        recipe, draws = self.recipe, Draws(self.seed, step, self.device)
        chosen = self._chosen(step)
        points, weight, absent = self.points[chosen], self.weight[chosen], self.absent[chosen]
        box = part_boxes(points, (weight > 0) & ~absent, self.box[chosen], recipe, draws)
        places = draw_places(box, recipe, draws)
        images = recolour(self._sample(chosen, places, draws), recipe, draws)
        placed = places.placed(points, recipe.side)
        mirrored = places.mirrored[:, None]
        placed = torch.where(mirrored[..., None], placed[:, self.permutation], placed)
        weight = torch.where(mirrored, weight[:, self.permutation], weight)
        absent = torch.where(mirrored, absent[:, self.permutation], absent)
        inside = ((placed > -0.5) & (placed < recipe.side - 0.5)).all(-1)
        targets = gaussians(placed, inside & ~absent & (weight > 0), recipe)
        counted = torch.where(absent, 1.0, weight) if recipe.mask else torch.ones_like(weight)
        return images.contiguous(memory_format=torch.channels_last), targets.contiguous(), counted

    def _chosen(self, step: int) -> Tensor:
        """Indices of a step's examples; copied beside what the device is doing, which is not waited for."""
        chosen = torch.from_numpy(self.examples.drawn(self.recipe, self.seed, step))
        return (chosen.pin_memory() if self.device.type == "cuda" else chosen).to(self.device, non_blocking=True)

    def _sample(self, chosen: Tensor, places: Places, draws: Draws) -> Tensor:
        """Bilinear crops, (N, 3, S, S) float32 0 to 255, with repeated, black or mirrored surroundings."""
        side = self.recipe.side
        cells = torch.arange(side, device=self.device) - (side - 1) / 2
        y, x = torch.meshgrid(cells, cells, indexing="ij")
        at = torch.einsum("nij,hwj->nhwi", places.to_picture, torch.stack([x, y], -1)) + places.centre[:, None, None]
        last = self.last[chosen][:, None, None]
        border = torch.bucketize(draws.uniform(len(chosen)), self.borders, right=True)[:, None, None, None]
        outside = ((at < -0.5) | (at > last + 0.5)).any(-1)
        folded = last - (last - torch.remainder(at, 2 * last.clamp(min=1))).abs()
        at = torch.where(border == REFLECT, folded, at).clamp(min=0).minimum(last)
        pictures = self.pictures[chosen].float()
        crops = functional.grid_sample(pictures, at / self.whole * 2 - 1, align_corners=True)
        return torch.where((outside & (border[..., 0] == CONSTANT))[:, None], 0.0, crops)


def _stacked(examples: Examples, device: torch.device) -> tuple[Tensor, Tensor]:
    """Pictures (N, 3, H, W) uint8, each in the upper left corner, and the last x and y of each, (N, 2) float32."""
    pictures = list(examples.images)
    sizes = np.array([picture.shape[:2] for picture in pictures])
    stack = np.zeros((len(pictures), *sizes.max(0), 3), np.uint8)
    for place, picture in zip(stack, pictures, strict=True):
        place[: picture.shape[0], : picture.shape[1]] = picture
    last = torch.from_numpy((sizes[:, ::-1] - 1).astype(np.float32)).to(device)
    return torch.from_numpy(stack).to(device).permute(0, 3, 1, 2), last


def gaussians(placed: Tensor, present: Tensor, recipe: Recipe) -> Tensor:
    """`engine.train.targets.make_targets` as tensors: placed (N, K, 2) crop pixels, present (N, K) bool."""
    centres = (placed + 0.5) / heatmaps.STRIDE - 0.5
    if recipe.centre == "floor":
        centres = (centres + 0.5).floor()
    cells = torch.arange(recipe.side // heatmaps.STRIDE, device=placed.device)
    away = cells - centres[..., None]  # (N, K, 2, side)
    lines = torch.exp(-0.5 / recipe.sigma**2 * away**2)
    if recipe.window:
        lines = lines * ((cells - (centres + 0.5).floor()[..., None]).abs() <= REACH)
    return (lines[..., 1, :] * present[..., None])[..., :, None] * lines[..., 0, None, :]
