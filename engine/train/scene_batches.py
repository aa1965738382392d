"""Training batches of the detector, made on one device: views of scenes, and what the network should say there.

A view is a whole photograph, smaller or larger than the input, somewhere in it; in a share of the batch four
half-size views are tiled, since faces of middle size are rare in photographs taken of one person.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine.heatmaps import STRIDE
from engine.train.device_batches import recolour
from engine.train.recipes import Recipe
from engine.train.scenes import CLASSES, Scenes

TILED = 0.4  # share of the batch that is four photographs
ZOOM = (0.3, 1.7)  # of the size that fills the view
SMALLEST = 7.0  # pixels of the input: what is smaller is ignored
UNIT = 64.0  # pixels of the input for which the size channel says 0
CHANNELS = 4  # per class: centre, logarithm of the size, offset in x and in y


@dataclass(frozen=True)
class Goal:
    """What a batch asks for, all (N, C, h, w) float32 with C the classes.

    centre: Gaussians of peak 1; counted: 0 where a cell is not scored; size, dx, dy: regression targets;
    near: weight of the regression, 0 away from centres.
    """

    centre: Tensor
    counted: Tensor
    size: Tensor
    dx: Tensor
    dy: Tensor
    near: Tensor


class SceneBatches:
    """All scenes on a device; the batch of a step depends on seed and step alone."""

    def __init__(self, scenes: Scenes, recipe: Recipe, seed: int, device: torch.device) -> None:
        self.recipe, self.seed, self.device = recipe, seed, device
        sizes = np.array([image.shape[:2] for image in scenes.images])
        stack = np.zeros((len(scenes), *sizes.max(0), 3), np.uint8)
        for place, image in zip(stack, scenes.images, strict=True):
            place[: image.shape[0], : image.shape[1]] = image
        self.images = torch.from_numpy(stack).to(device).permute(0, 3, 1, 2)
        self.extent = torch.from_numpy(sizes[:, ::-1].astype(np.float32).copy()).to(device)
        self.squares, self.kind, self.known = (
            torch.from_numpy(values).to(device) for values in (scenes.squares, scenes.kind, scenes.known)
        )
        self.share = torch.from_numpy(scenes.share.astype(np.float32)).to(device)

    def batch(self, step: int) -> tuple[Tensor, Goal]:
        """Images (N, 3, S, S) uint8 RGB and their goal."""
        random = torch.Generator(self.device).manual_seed((self.seed << 32) + step)
        side, n = self.recipe.side, self.recipe.batch
        tiled = round(n * TILED)
        whole = self._views(n - tiled, side, random)
        quarters = self._views(4 * tiled, side // 2, random)
        pictures = torch.cat([whole[0], _tile(quarters[0])])
        offset = torch.tensor([[0, 0], [1, 0], [0, 1], [1, 1]], device=self.device) * (side // 2)
        moved = quarters[1].unflatten(0, (-1, 4)).clone()
        moved[..., :2] += offset[None, :, None]
        most = 4 * whole[1].shape[1]
        squares = torch.cat([_widen(whole[1], most, 0.0), moved.flatten(1, 2)])
        kind = torch.cat([_widen(whole[2], most, -1), quarters[2].unflatten(0, (-1, 4)).flatten(1, 2)])
        cells = side // STRIDE
        known = torch.cat([
            whole[3][:, :, None, None].expand(-1, -1, cells, cells).float(),
            _tile(quarters[3][:, :, None, None].expand(-1, -1, cells // 2, cells // 2).float()),
        ])  # fmt: skip
        return recolour(pictures, self.recipe, random), goal(squares, kind, known, cells)

    def _views(self, n: int, side: int, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """n views of a side: pictures (n, 3, side, side) float32, squares (n, M, 3) in view pixels, kind, known."""

        def uniform(*shape: int) -> Tensor:
            return torch.rand(*shape, generator=random, device=self.device)

        chosen = torch.multinomial(self.share, n, replacement=True, generator=random)
        extent, recipe = self.extent[chosen], self.recipe
        fit = side / extent.amax(1)
        zoom = torch.exp(np.log(ZOOM[0]) + np.log(ZOOM[1] / ZOOM[0]) * uniform(n))
        scale = fit * torch.where(uniform(n) < 0.3, 1.0, zoom)
        turn = torch.randn(n, generator=random, device=self.device) * recipe.rotation
        turn = torch.deg2rad(turn.clamp(-recipe.rotation_limit, recipe.rotation_limit))
        mirror = torch.where(uniform(n) < 0.5, -1.0, 1.0)
        # Where the photograph is smaller than the view it lies anywhere in it; where it is larger, any part shows.
        slack = (side - extent * scale[:, None]) * (uniform(n, 2) - 0.5)
        cos, sin = torch.cos(turn), torch.sin(turn)
        forward = torch.stack([torch.stack([cos * mirror, sin * mirror], -1), torch.stack([-sin, cos], -1)], -2)
        forward = forward * scale[:, None, None]
        inverse = torch.linalg.inv(forward)
        middle = (extent - 1) / 2
        pictures = self._sample(chosen, middle, inverse, slack, side, uniform(n, 1, 1) < 0.5)
        squares = self.squares[chosen]
        centre = torch.einsum("nij,nmj->nmi", forward, squares[..., :2] - middle[:, None])
        centre = centre + (side - 1) / 2 + slack[:, None]
        placed = torch.cat([centre, squares[..., 2:] * scale[:, None, None]], -1)
        return pictures, placed, _seen(placed, self.kind[chosen], side), self.known[chosen]

    def _sample(
        self, chosen: Tensor, middle: Tensor, inverse: Tensor, slack: Tensor, side: int, dark: Tensor
    ) -> Tensor:
        cells = torch.arange(side, device=self.device) - (side - 1) / 2
        y, x = torch.meshgrid(cells, cells, indexing="ij")
        place = torch.stack([x, y], -1)[None] - slack[:, None, None]
        place = torch.einsum("nij,nhwj->nhwi", inverse, place) + middle[:, None, None]
        last = (self.extent[chosen] - 1)[:, None, None]
        outside = ((place < -0.5) | (place > last + 0.5)).any(-1)
        whole = torch.tensor(self.images.shape[:-3:-1], device=self.device) - 1
        grid = place.clamp(min=0).minimum(last) / whole * 2 - 1
        # A photograph that shrinks is averaged over 2 x 2 or 4 x 4 pixels before it is sampled.
        shrink = torch.linalg.det(inverse).abs().sqrt()
        source = self.images[chosen].float()
        pictures = functional.grid_sample(source, grid, align_corners=True)
        for factor in (2, 4):
            averaged = functional.avg_pool2d(source, factor, 1, padding=0)
            sampled = functional.grid_sample(averaged, _shifted(grid, source, averaged), align_corners=True)
            pictures = torch.where((shrink > 0.75 * factor)[:, None, None, None], sampled, pictures)
        return torch.where((outside & dark)[:, None], torch.zeros_like(pictures), pictures)


def _shifted(grid: Tensor, source: Tensor, averaged: Tensor) -> Tensor:
    """The grid for a picture that lost its last columns and rows to stride-1 averaging."""
    size = torch.tensor(source.shape[:-3:-1], device=grid.device) - 1
    small = torch.tensor(averaged.shape[:-3:-1], device=grid.device) - 1
    place = (grid + 1) / 2 * size - (size - small) / 2
    return (place.clamp(min=0).minimum(small) / small * 2 - 1).float()


def _tile(quarters: Tensor) -> Tensor:
    """(4 n, C, s, s) to (n, C, 2 s, 2 s), in reading order."""
    a, b, c, d = quarters.unflatten(0, (-1, 4)).unbind(1)
    return torch.cat([torch.cat([a, b], -1), torch.cat([c, d], -1)], -2)


def _widen(values: Tensor, most: int, fill: float) -> Tensor:
    padded = values.new_full((values.shape[0], most, *values.shape[2:]), fill)
    padded[:, : values.shape[1]] = values
    return padded


def _seen(squares: Tensor, kind: Tensor, side: int) -> Tensor:
    """The kind of each square in a view: cut or tiny ones are to be ignored, invisible ones are none."""
    half = squares[..., 2:] / 2
    low, high = (squares[..., :2] - half).clamp(0, side), (squares[..., :2] + half).clamp(0, side)
    visible = (high - low).prod(-1) / squares[..., 2].clamp(min=1e-3) ** 2
    inside = ((squares[..., :2] > 0) & (squares[..., :2] < side - 1)).all(-1)
    whole = inside & (visible > 0.65) & (squares[..., 2] >= SMALLEST)
    ignored = torch.where(kind >= 0, kind % len(CLASSES) + len(CLASSES), kind)
    kind = torch.where(whole, kind, ignored)
    return torch.where(visible > 0.02, kind, -1)


def goal(squares: Tensor, kind: Tensor, known: Tensor, cells: int) -> Goal:
    """The goal of squares (N, M, 3) in input pixels of some kind (N, M), on maps of `cells` a side.

    known (N, C, cells, cells): 0 where a class is not labelled at all.
    """
    grid = torch.arange(cells, device=squares.device, dtype=torch.float32)
    place = (squares[..., :2] + 0.5) / STRIDE - 0.5
    across, down = grid - place[..., :1], grid - place[..., 1:]
    extent = squares[..., 2] / STRIDE
    sigma = (0.07 * extent).clamp(min=0.7)[..., None]
    bump = torch.exp(-0.5 * (down / sigma) ** 2)[..., :, None] * torch.exp(-0.5 * (across / sigma) ** 2)[..., None, :]
    inside = (down.abs() <= extent[..., None] / 2)[..., :, None] & (across.abs() <= extent[..., None] / 2)[..., None, :]
    maps = {name: [] for name in ("centre", "counted", "size", "dx", "dy", "near")}
    for number in range(len(CLASSES)):
        mine = torch.where((kind == number)[..., None, None], bump, 0.0)
        centre, owner = mine.max(1)
        skip = (inside & (kind == number + len(CLASSES))[..., None, None]).any(1)
        maps["centre"].append(centre)
        maps["counted"].append(known[:, number] * (~skip | (centre > 0.3)))
        size = torch.log(squares[..., 2].clamp(min=1) / UNIT)
        maps["size"].append(_owned(size[..., None, None].expand_as(mine), owner))
        maps["dx"].append(_owned((-across)[..., None, :].expand_as(mine), owner))
        maps["dy"].append(_owned((-down)[..., :, None].expand_as(mine), owner))
        maps["near"].append(centre * (centre > 0.3))
    return Goal(**{name: torch.stack(values, 1) for name, values in maps.items()})


def _owned(values: Tensor, owner: Tensor) -> Tensor:
    return values.gather(1, owner[:, None])[:, 0]


def detection_loss(logits: Tensor, wanted: Goal) -> Tensor:
    """Penalty-reduced focal loss of the centres plus L1 of size and offsets near them.

    logits (N, 4 C, h, w) float32: for each class centre, size, dx, dy. Focal exponents 2 and 4 as in Zhou et
    al., "Objects as Points" (2019), eq. 1.
    """
    centre, size, dx, dy = (logits[:, part::CHANNELS] for part in range(CHANNELS))
    chance = torch.sigmoid(centre)
    peak = (wanted.dx.abs() <= 0.5) & (wanted.dy.abs() <= 0.5) & (wanted.near > 0)
    found = -functional.logsigmoid(centre) * (1 - chance) ** 2 * peak
    empty = -functional.logsigmoid(-centre) * chance**2 * (1 - wanted.centre) ** 4 * ~peak
    count = (peak * wanted.counted).sum().clamp(min=1)
    focal = ((found + empty) * wanted.counted).sum() / count
    near = wanted.near * wanted.counted
    error = (size - wanted.size).abs() + 0.5 * ((dx - wanted.dx).abs() + (dy - wanted.dy).abs()).clamp(max=8)
    return focal + (error * near).sum() / near.sum().clamp(min=1)
