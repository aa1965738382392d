"""What a network is trained to do: find landmarks, or divide pictures into parts.

A task says what is read off a network's maps for one held-out picture, and what all of it together is worth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine import crop, heatmaps, parts
from engine.architecture import SEGMENTATION
from engine.errors import UserError
from engine.schema import Schema
from engine.train import measure
from engine.train.datasets import Examples
from engine.train.recipes import Recipe
from engine.types import Box, Heatmaps


@dataclass(frozen=True)
class Measured:
    """One network on the hold-out.

    points and truth (N, K, 2) float64, picture pixels; errors (N, K) float64 percent, NaN where nothing is labelled;
    score: the one figure, percent; groups: the figure of each group of landmarks, or of each part.
    """

    points: np.ndarray
    truth: np.ndarray
    errors: np.ndarray
    score: float
    groups: Mapping[str, float]


class Task(Protocol):
    """labels: the schema of the examples; output: of the model's maps; metric: the score's name; columns: of `read`."""

    labels: Schema
    output: Schema
    metric: str
    more_is_better: bool
    columns: int

    def read(self, logits: np.ndarray, affine: np.ndarray, examples: Examples, index: int) -> np.ndarray:
        """What counts of one picture's maps (K, h, w): (K, columns) float64."""

    def weights(self, recipe: Recipe) -> np.ndarray | None:
        """How much each map counts in the loss, (K,) float32; None for all alike."""

    def measured(self, found: np.ndarray, examples: Examples) -> Measured:
        """The hold-out as a whole, from what `read` gave for each of its pictures."""


@dataclass(frozen=True)
class Landmarks:
    """Find landmarks: the peaks of heatmaps, scored by distance."""

    labels: Schema
    columns = 2

    @property
    def output(self) -> Schema:
        """The very landmarks."""
        return self.labels

    @property
    def metric(self) -> str:
        """pck of bodies, else nme."""
        return measure.metric_name(self.labels)

    @property
    def more_is_better(self) -> bool:
        """Of shares, not of errors."""
        return self.metric == "pck"

    def read(self, logits: np.ndarray, affine: np.ndarray, examples: Examples, index: int) -> np.ndarray:
        """Landmarks, (K, 2) picture pixels."""
        return crop.apply(crop.invert(affine), heatmaps.to_crop(heatmaps.decode(logits)[:, :2]))

    def weights(self, recipe: Recipe) -> np.ndarray | None:
        """All alike."""
        return None

    def measured(self, found: np.ndarray, examples: Examples) -> Measured:
        """NME or PCK."""
        errors = measure.errors(found, examples, self.labels)
        score, groups = measure.score(errors, self.labels), measure.by_group(errors, self.labels)
        return Measured(found, examples.points, errors, score, groups)


@dataclass(frozen=True)
class Division:
    """Divide into parts, scored by the mean over parts of intersection over union (IoU), counted over all pictures.

    Pixels are those of the crop. A picture that lacks a landmark has no mask and does not count. Errors of single
    pictures are 100 minus IoU.
    """

    parts: parts.Parts
    metric = "miou"
    more_is_better = True
    columns = 6

    @property
    def labels(self) -> Schema:
        """The landmarks between which the parts lie."""
        return self.parts.labels

    @property
    def output(self) -> Schema:
        """The parts."""
        return self.parts.schema

    def read(self, logits: np.ndarray, affine: np.ndarray, examples: Examples, index: int) -> np.ndarray:
        """(C, 6): middle found, middle labelled (picture pixels), pixels that both have, pixels that either has."""
        if not parts.all_known(examples.weight[index] * ~examples.absent[index]):
            return np.full((len(self.parts), 6), np.nan)
        maps = Heatmaps(logits, affine, heatmaps.STRIDE, SEGMENTATION)
        found = parts.part_map(maps)
        truth = parts.mask(self.parts, crop.apply(affine, examples.points[index]), len(found))
        middles = parts.predicted(maps, Box(0, 0, 1), "").landmarks[:, :2]
        labels = parts.middles(truth, len(self.parts))
        wanted = crop.apply(crop.invert(affine), labels)
        return np.concatenate([middles, wanted, parts.overlaps(found, truth, len(self.parts))], 1)

    def weights(self, recipe: Recipe) -> np.ndarray | None:
        """By `balance`: 1 over that power of a part's share of the mean face's crop; 1 in the mean over its pixels."""
        side = recipe.side // heatmaps.STRIDE
        shape = (np.array(self.labels.mean) - 0.5) * (recipe.side / recipe.crop) + (recipe.side - 1) / 2
        area = parts.shares(self.parts, shape, side, heatmaps.STRIDE).mean((1, 2)).astype(np.float64)
        found = np.maximum(area, 1e-3) ** -recipe.balance
        return (found / (area @ found)).astype(np.float32)

    def measured(self, found: np.ndarray, examples: Examples) -> Measured:
        """Mean IoU."""
        each = 100 * parts.intersection_over_union(np.nan_to_num(found[..., 4:]))
        whole = 100 * parts.intersection_over_union(np.nan_to_num(found[..., 4:]).sum(0))
        score = float(np.nanmean(whole)) if np.isfinite(whole).any() else float("nan")
        names = self.output.landmarks
        groups = {name: float(value) for name, value in zip(names, whole, strict=True) if np.isfinite(value)}
        return Measured(found[..., :2], found[..., 2:4], 100 - each, score, groups)


def task_of(recipe: Recipe, labels: Schema) -> Task:
    """What a recipe trains on labels of a schema; raises UserError where its parts lie between other landmarks."""
    if not recipe.parts:
        return Landmarks(labels)
    division = Division(parts.load_parts(recipe.parts))
    if division.labels.name != labels.name:
        raise UserError(
            f"{recipe.parts} lie between the landmarks of {division.labels.name}, and the labels are of {labels.name}; "
            "choose other labels, or a recipe without parts."
        )
    return division


def better(task: Task, one: float, other: float) -> bool:
    """Whether the score `one` beats `other`; a score that is not a number never does."""
    if not np.isfinite(one):
        return False
    return not np.isfinite(other) or (one > other if task.more_is_better else one < other)
