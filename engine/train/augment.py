"""Augmentation: one random crop of an example, with its targets. Deterministic given the generator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine import crop
from engine.opencv import cv2
from engine.parts import all_known
from engine.train.datasets import Examples
from engine.train.recipes import Recipe
from engine.train.targets import make_targets, part_targets

BORDERS = (cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT, cv2.BORDER_REFLECT_101)
BORDER_SHARES = {"mixed": (0.6, 0.25, 0.15), "replicate": (1.0, 0.0, 0.0), "black": (0.0, 1.0, 0.0)}


@dataclass(frozen=True)
class Batch:
    """images (N, S, S, 3) uint8; targets (N, K, S/4, S/4) float32; weight (N, K) float32, of parts (N, 1)."""

    images: np.ndarray
    targets: np.ndarray
    weight: np.ndarray


def training_batch(
    examples: Examples, recipe: Recipe, permutation: np.ndarray, seed: int, step: int, part: tuple[int, int] = (0, 1)
) -> Batch:
    """The batch of a step, or of `part` (i, n) of n processes its i-th share, from 0.

    Each row depends on seed, step and its place in the batch alone, so that a resumed run, and any number of
    processes, see the same data.
    """
    chosen = examples.drawn(recipe, seed, step)
    size = len(chosen) // part[1]
    rows = range(part[0] * size, (part[0] + 1) * size)
    made = [_sample(examples, chosen[n], recipe, permutation, np.random.default_rng([seed, step, n])) for n in rows]
    images, points, weight, absent = (np.stack(values) for values in zip(*made, strict=True))
    if recipe.parts:
        return Batch(images, part_targets(points, recipe), all_known(weight * ~absent)[:, None].astype(np.float32))
    inside = ((points > -0.5) & (points < recipe.side - 0.5)).all(2)
    counted = np.where(absent, 1.0, weight) if recipe.mask else np.ones(weight.shape)
    return Batch(images, make_targets(points, inside & ~absent & (weight > 0), recipe), counted.astype(np.float32))


def plain_crop(examples: Examples, index: int, recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    """The crop that prediction would use, and its affine from picture pixels."""
    cx, cy, side = examples.box[index]
    affine = crop.matrix(cx, cy, side * recipe.crop, recipe.side)
    return crop.sample(examples.images[index], affine, recipe.side), affine


def _sample(examples: Examples, i: int, recipe: Recipe, permutation: np.ndarray, rng: np.random.Generator):
    points, weight, absent = examples.points[i], examples.weight[i], examples.absent[i]
    box = examples.box[i]
    if recipe.part and rng.random() < recipe.part:
        box = _part_box(points, (weight > 0) & ~absent, box, rng)
    side = box[2] * recipe.crop * _scale(recipe, rng)
    centre = box[:2] + rng.normal(0, recipe.shift, 2) * box[2]
    angle = _angle(recipe, rng) if rng.random() < recipe.rotation_share else 0.0
    flip = recipe.flip and rng.random() < recipe.flip_share
    affine = crop.matrix(centre[0], centre[1], side, recipe.side, angle, flip)
    border = BORDERS[rng.choice(3, p=BORDER_SHARES[recipe.border])]
    picture = colour(crop.sample(examples.images[i], affine, recipe.side, border), recipe, rng)
    placed = crop.apply(affine, points)
    if flip:
        placed, weight, absent = placed[permutation], weight[permutation], absent[permutation]
    return picture, placed, weight, absent


def _scale(recipe: Recipe, rng: np.random.Generator) -> float:
    """How many times the usual square a crop shows."""
    if recipe.scale_spread == "uniform":
        return rng.uniform(recipe.scale_low, recipe.scale_high)
    drawn = rng.normal(0, recipe.scale)
    return np.clip(2**drawn if recipe.scale_spread == "octaves" else 1 + drawn, recipe.scale_low, recipe.scale_high)


def _angle(recipe: Recipe, rng: np.random.Generator) -> float:
    """Degrees."""
    limit = recipe.rotation_limit
    if recipe.rotation_spread == "uniform":
        return rng.uniform(-limit, limit)
    return np.clip(rng.normal(0, recipe.rotation), -limit, limit)


def _part_box(points: np.ndarray, known: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A square around a random half of the landmarks, cut by a line: what a cropped body looks like."""
    direction = rng.normal(size=2) + (0, 1.5)
    along = points @ direction
    keep = known & (along <= np.quantile(along[known], rng.uniform(0.45, 0.8))) if known.sum() > 5 else known
    if keep.sum() < 4:
        return box
    low, high = points[keep].min(0), points[keep].max(0)
    return np.array([*(low + high) / 2, max((high - low).max() * 1.15, 0.35 * box[2])])


def colour(picture: np.ndarray, recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    light = rng.uniform(1 - recipe.light, 1 + recipe.light)
    gain = rng.uniform(1 - recipe.colour, 1 + recipe.colour, 3) * light
    gain = np.broadcast_to(gain.mean(), 3) if recipe.light and rng.random() < 0.3 else gain
    table = np.arange(256)[:, None] * gain + rng.normal(0, recipe.offset)
    picture = cv2.LUT(picture, np.clip(table + 0.5, 0, 255).astype(np.uint8).reshape(1, 256, 3))
    if rng.random() < recipe.grey:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        picture = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
    if rng.random() < recipe.blur:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < recipe.erase:
        size = len(picture)
        w, h = (rng.uniform(0.08, 0.35, 2) * size).astype(int)
        x, y = rng.integers(0, size - w), rng.integers(0, size - h)
        picture[y : y + h, x : x + w] = rng.integers(0, 256, 3)
    return picture
