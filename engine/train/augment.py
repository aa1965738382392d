"""Augmentation: one random crop of an example, with its targets. Deterministic given the generator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine import crop, heatmaps
from engine.opencv import cv2
from engine.train.datasets import Examples
from engine.train.recipes import Recipe

BORDERS = (cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT, cv2.BORDER_REFLECT_101)


@dataclass(frozen=True)
class Batch:
    """images (N, S, S, 3) uint8; targets (N, K, S/4, S/4) float32; weight (N, K) float32."""

    images: np.ndarray
    targets: np.ndarray
    weight: np.ndarray


def training_batch(
    examples: Examples, recipe: Recipe, permutation: np.ndarray, seed: int, step: int
) -> Batch:
    """The batch of a step: depends on seed and step alone, so that a resumed run sees the same data."""
    rng = np.random.default_rng([seed, step])
    chosen = rng.choice(len(examples), recipe.batch, p=examples.share / examples.share.sum())
    parts = [_sample(examples, i, recipe, permutation, rng) for i in chosen]
    images, points, present, weight = (np.stack(values) for values in zip(*parts, strict=True))
    centres = heatmaps.to_heatmap(points).astype(np.float32)
    targets = heatmaps.gaussian_targets(centres, present, recipe.side // heatmaps.STRIDE, recipe.sigma)
    return Batch(images, targets, weight)


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
    side = box[2] * recipe.crop * np.clip(rng.normal(1, recipe.scale), 0.75, 1.35)
    centre = box[:2] + rng.normal(0, recipe.shift, 2) * box[2]
    angle = np.clip(rng.normal(0, recipe.rotation), -recipe.rotation_limit, recipe.rotation_limit)
    flip = recipe.flip and rng.random() < 0.5
    affine = crop.matrix(centre[0], centre[1], side, recipe.side, angle, flip)
    border = BORDERS[rng.choice(3, p=(0.6, 0.25, 0.15))]
    picture = _colour(crop.sample(examples.images[i], affine, recipe.side, border), recipe, rng)
    placed = crop.apply(affine, points)
    if flip:
        placed, weight, absent = placed[permutation], weight[permutation], absent[permutation]
    inside = ((placed > -0.5) & (placed < recipe.side - 0.5)).all(1)
    present = inside & ~absent & (weight > 0)
    return picture, placed, present, np.where(absent, 1.0, weight).astype(np.float32)


def _part_box(points: np.ndarray, known: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A square around a random half of the landmarks, cut by a line: what a cropped body looks like."""
    direction = rng.normal(size=2) + (0, 1.5)
    along = points @ direction
    keep = known & (along <= np.quantile(along[known], rng.uniform(0.45, 0.8))) if known.sum() > 5 else known
    if keep.sum() < 4:
        return box
    low, high = points[keep].min(0), points[keep].max(0)
    return np.array([*(low + high) / 2, max((high - low).max() * 1.15, 0.35 * box[2])])


def _colour(picture: np.ndarray, recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    gain = rng.uniform(1 - recipe.colour, 1 + recipe.colour, 3) * rng.uniform(0.75, 1.25)
    gain = np.broadcast_to(gain.mean(), 3) if rng.random() < 0.3 else gain
    table = np.clip(np.arange(256)[:, None] * gain + rng.normal(0, 12), 0, 255).astype(np.uint8)
    picture = cv2.LUT(picture, np.ascontiguousarray(table).reshape(1, 256, 3))
    if rng.random() < 0.2:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        picture = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
    if rng.random() < 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < recipe.erase:
        size = len(picture)
        w, h = (rng.uniform(0.08, 0.35, 2) * size).astype(int)
        x, y = rng.integers(0, size - w), rng.integers(0, size - h)
        picture[y : y + h, x : x + w] = rng.integers(0, 256, 3)
    return picture
