"""Training batches made whole on one device: crops, colours and targets of a batch in a few tensor operations.

`engine.train.augment` cuts one example after the other on the CPU, which feeds a CPU but starves a GPU. This
is the same augmentation by the same recipe, drawn and computed for the batch at once. The two draw different
random numbers, so a run keeps to one of them.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine import heatmaps
from engine.train.datasets import Examples
from engine.train.recipes import Recipe

BLUR_TAPS = 4  # on each side
REPLICATE, CONSTANT, REFLECT = 0, 1, 2
BORDER_SHARES = (0.6, 0.25, 0.15)


class DeviceBatches:
    """All examples on a device, from which the batch of a step is drawn; it depends on seed and step alone.

    Pictures of several sizes are kept in one tensor of the largest size. Pictures are sampled bilinearly
    without area averaging: they should not be much larger than the crops.
    """

    def __init__(
        self, examples: Examples, recipe: Recipe, permutation: np.ndarray, seed: int, device: torch.device
    ) -> None:
        self.recipe, self.seed, self.device = recipe, seed, device
        sizes = np.array([image.shape[:2] for image in examples.images])
        stack = np.zeros((len(examples), *sizes.max(0), 3), np.uint8)
        for place, image in zip(stack, examples.images, strict=True):
            place[: image.shape[0], : image.shape[1]] = image
        self.images = torch.from_numpy(stack).to(device).permute(0, 3, 1, 2)
        self.extent = torch.from_numpy(sizes[:, ::-1].astype(np.float32).copy()).to(device)  # width, height
        self.points, self.weight, self.box, self.share = (
            torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(device)
            for values in (examples.points, examples.weight, examples.box, examples.share)
        )
        self.absent = torch.from_numpy(examples.absent).to(device)
        self.permutation = torch.from_numpy(np.asarray(permutation, np.int64)).to(device)

    def batch(self, step: int, side: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """The batch of a step at an input side (the recipe's by default).

        Returns images (N, 3, S, S) uint8 RGB, targets (N, K, S/4, S/4) float32, weight (N, K) float32.
        """
        side = side or self.recipe.side
        random = torch.Generator(self.device).manual_seed((self.seed << 32) + step)
        chosen = torch.multinomial(self.share, self.recipe.batch, replacement=True, generator=random)
        points, weight, absent = self.points[chosen], self.weight[chosen], self.absent[chosen]
        box = self._part_boxes(points, (weight > 0) & ~absent, self.box[chosen], random)
        centre, inverse, flip = self._placement(box, side, random)
        pictures = self._sample(chosen, centre, inverse, side, random)
        pictures = recolour(pictures, self.recipe, random)
        placed = torch.einsum("nij,nkj->nki", torch.linalg.inv(inverse), points - centre[:, None]) + (side - 1) / 2
        mirrored = flip[:, None]
        placed = torch.where(mirrored[..., None], placed[:, self.permutation], placed)
        weight = torch.where(mirrored, weight[:, self.permutation], weight)
        absent = torch.where(mirrored, absent[:, self.permutation], absent)
        inside = ((placed > -0.5) & (placed < side - 0.5)).all(-1)
        present = inside & ~absent & (weight > 0)
        targets = _gaussians(placed, present, side // heatmaps.STRIDE, self.recipe.sigma)
        return pictures, targets, torch.where(absent, torch.ones_like(weight), weight)

    def _uniform(self, random: torch.Generator, *shape: int) -> Tensor:
        return torch.rand(*shape, generator=random, device=self.device)

    def _normal(self, random: torch.Generator, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=random, device=self.device)

    def _placement(self, box: Tensor, side: int, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Crop centres (N, 2) in picture pixels, (N, 2, 2) from crop to picture offsets, and which are mirrored."""
        n, recipe = len(box), self.recipe
        extent = box[:, 2] * recipe.crop * (1 + recipe.scale * self._normal(random, n)).clamp(0.75, 1.35)
        centre = box[:, :2] + recipe.shift * box[:, 2:] * self._normal(random, n, 2)
        limit = recipe.rotation_limit
        angle = torch.deg2rad((recipe.rotation * self._normal(random, n)).clamp(-limit, limit))
        flip = self._uniform(random, n) < (0.5 if recipe.flip else 0.0)
        cos, sin = torch.cos(angle), torch.sin(angle)
        mirror = torch.where(flip, -1.0, 1.0)
        inverse = torch.stack([torch.stack([cos * mirror, -sin], -1), torch.stack([sin * mirror, cos], -1)], -2)
        return centre, inverse * (extent / side)[:, None, None], flip

    def _part_boxes(self, points: Tensor, known: Tensor, box: Tensor, random: torch.Generator) -> Tensor:
        """For a share of the examples the square of a random part, cut off by a line (a half body)."""
        n = len(box)
        direction = self._normal(random, n, 2) + torch.tensor([0.0, 1.5], device=self.device)
        share, drawn = 0.45 + 0.35 * self._uniform(random, n), self._uniform(random, n) < self.recipe.part
        along = torch.where(known, (points * direction[:, None]).sum(-1), torch.inf)
        count = known.sum(1)
        rank = (share * (count - 1)).long().clamp(min=0)
        keep = known & (along <= along.sort(1).values.gather(1, rank[:, None]))
        low = torch.where(keep[..., None], points, torch.inf).amin(1)
        high = torch.where(keep[..., None], points, -torch.inf).amax(1)
        extent = torch.maximum((high - low).amax(1) * 1.15, 0.35 * box[:, 2])
        part = torch.cat([(low + high) / 2, extent[:, None]], 1)
        use = drawn & (count > 5) & (keep.sum(1) >= 4)
        return torch.where(use[:, None], part, box)

    def _sample(self, chosen: Tensor, centre: Tensor, inverse: Tensor, side: int, random: torch.Generator) -> Tensor:
        """Bilinear crops, (N, 3, S, S) float32 0 to 255, with repeated, one-coloured or mirrored surroundings."""
        cells = torch.arange(side, device=self.device) - (side - 1) / 2
        y, x = torch.meshgrid(cells, cells, indexing="ij")
        place = torch.einsum("nij,hwj->nhwi", inverse, torch.stack([x, y], -1)) + centre[:, None, None]
        last = (self.extent[chosen] - 1)[:, None, None]
        shares = torch.tensor(BORDER_SHARES, device=self.device)
        border = torch.multinomial(shares, len(chosen), replacement=True, generator=random)[:, None, None, None]
        outside = ((place < -0.5) | (place > last + 0.5)).any(-1)
        folded = last - (last - torch.remainder(place, 2 * last)).abs()
        place = torch.where(border == REFLECT, folded, place.clamp(min=0).minimum(last))
        whole = torch.tensor(self.images.shape[:-3:-1], device=self.device) - 1  # width - 1, height - 1
        grid = place / whole * 2 - 1
        pictures = functional.grid_sample(self.images[chosen].float(), grid, align_corners=True)
        return torch.where((outside & (border[..., 0] == CONSTANT))[:, None], torch.zeros_like(pictures), pictures)


def recolour(pictures: Tensor, recipe: Recipe, random: torch.Generator) -> Tensor:
    """Gain, offset, grey, blur and one erased box, as the CPU augmentation draws them.

    pictures (N, 3, S, S) float32, 0 to 255; returns uint8.
    """
    n, side, device = len(pictures), pictures.shape[-1], pictures.device

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=random, device=device)

    gain = (1 + recipe.colour * (2 * uniform(n, 3) - 1)) * (0.75 + 0.5 * uniform(n, 1))
    gain = torch.where(uniform(n, 1) < 0.3, gain.mean(1, keepdim=True), gain)
    offset = 12 * torch.randn(n, 1, 1, 1, generator=random, device=device)
    pictures = pictures * gain[:, :, None, None] + offset
    luma = torch.tensor([0.299, 0.587, 0.114], device=device)
    grey = torch.einsum("nchw,c->nhw", pictures, luma)[:, None]
    pictures = torch.where(uniform(n, 1, 1, 1) < 0.2, grey, pictures)
    pictures = _blur(pictures, torch.where(uniform(n) < 0.2, 0.4 + 1.2 * uniform(n), 0.01))
    size = (0.08 + 0.27 * uniform(n, 2)) * side
    corner = uniform(n, 2) * (side - size)
    cells = torch.arange(side, device=device)
    x_in, y_in = ((cells >= corner[:, axis, None]) & (cells < (corner + size)[:, axis, None]) for axis in (0, 1))
    erased = y_in[:, :, None] & x_in[:, None] & (uniform(n, 1, 1) < recipe.erase)
    paint = 255 * uniform(n, 3, 1, 1)
    return torch.where(erased[:, None], paint, pictures).clamp(0, 255).round().to(torch.uint8)


def _blur(pictures: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian blur with a sigma for each picture: (N, 3, S, S), (N,)."""
    n, channels, height, width = pictures.shape
    taps = torch.arange(-BLUR_TAPS, BLUR_TAPS + 1, device=pictures.device)
    kernel = torch.exp(-0.5 * (taps / sigma[:, None]) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(channels, 0)
    flat = functional.pad(pictures.reshape(1, -1, height, width), (BLUR_TAPS,) * 4, mode="replicate")
    flat = functional.conv2d(flat, kernel[:, None, None], groups=n * channels)
    return functional.conv2d(flat, kernel[:, None, :, None], groups=n * channels).reshape(pictures.shape)


def _gaussians(placed: Tensor, present: Tensor, side: int, sigma: float) -> Tensor:
    """`engine.heatmaps.gaussian_targets` of crop pixels (N, K, 2), as tensors."""
    centres = (placed + 0.5) / heatmaps.STRIDE - 0.5
    cells = torch.arange(side, device=placed.device)
    gx, gy = (torch.exp(-0.5 / sigma**2 * (cells - centres[..., axis, None]) ** 2) for axis in (0, 1))
    return (gy * present[..., None])[..., :, None] * gx[..., None, :]
