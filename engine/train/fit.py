"""The training of a network on landmarks or parts: its batches, loss, start and measurements."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from engine.schema import Schema
from engine.train import augment, frozen, optim, precision
from engine.train.average import Average
from engine.train.datasets import Examples
from engine.train.distil import Teacher
from engine.train.distributed import Group
from engine.train.hourglass import Hourglass
from engine.train.loading import Loader
from engine.train.loop import Loop, TrainingError
from engine.train.losses import heatmap_loss
from engine.train.precision import mixed
from engine.train.recipes import Recipe
from engine.train.tasks import Measured, task_of

CALIBRATION = 32  # crops to which batch-norm is fitted where a frozen network is freed


@dataclass
class Fit(Loop):
    """One training of a network on examples.

    In a group of several processes each runs one of these on its part of every batch.
    """

    network: Hourglass
    training: Examples
    holdout: Examples
    recipe: Recipe
    schema: Schema
    folder: Path
    seed: int = 0
    group: Group = Group()
    workers: int = 0
    teacher: Teacher | None = None
    step: int = 0
    seconds: float = 0.0
    stopping: bool = False
    # At most so many crops and batches, over which the final batch-norm statistics are means.
    recalibration: ClassVar[tuple[int, int]] = (256, 32)

    def __post_init__(self) -> None:
        if self.recipe.batch % self.group.world:
            raise TrainingError(f"A batch of {self.recipe.batch} cannot be shared evenly by {self.group.world} "
                                "processes; choose a multiple.")  # fmt: skip
        self.task = task_of(self.recipe, self.schema)
        weights = self.task.weights(self.recipe)
        self.balance = None if weights is None else torch.from_numpy(weights).to(self.group.device)
        self.network.to(self.group.device, memory_format=torch.channels_last)
        optim.set_procedure(self.network, self.recipe, self.done)
        self.exact = precision.is_exact(self.recipe, self.group.device)
        self._begin()
        self.loader = Loader(self.training, self.recipe, self.schema.permutation, self.seed, self.group, self.workers)

    def _begin(self) -> None:
        """Optimiser, average and gradients of all processes, of what trains now."""
        self.trained: torch.nn.Module = self.network  # lets go of a former wrapper and its hooks
        self.trained = self.group.shared(self.network, self.exact, self.recipe.batch)
        self.optimiser = optim.make_optimiser(self.recipe, self.network.parameters())
        self.average = Average(self.network, self.recipe.ema) if self.recipe.ema else None

    def resume(self) -> bool:
        """Go on from the last checkpoint, if there is one; the data order continues exactly."""
        frozen_before = self.network.frozen
        found = super().resume()
        if self.network.frozen != frozen_before:
            self.trained = self.network
            self.trained = self.group.shared(self.network, self.exact, self.recipe.batch)
        return found

    def close(self) -> None:
        """Make no more batches ahead."""
        self.loader.close()

    def images(self, step: int) -> torch.Tensor:
        """Of this process's part of a step's batch."""
        return self.loader.batch(step)[0]

    def loss(self, step: int) -> torch.Tensor:
        """The loss of a step's batch, with its graph; of several processes, each has its summand."""
        images, targets, weight = self.loader.batch(step)
        with mixed(self.recipe, self.group.device):
            outputs = self.trained(images, every=True)
            if self.teacher is not None:
                targets = self.teacher.mixed(images, targets, weight)
        return heatmap_loss(self.recipe.loss, outputs, targets, weight, self.group.total(weight.sum()), self.balance)

    def _free(self) -> None:
        """All weights train from now on; what the optimiser knows of them is of another task."""
        whole = Loader(self.training, self.recipe, self.schema.permutation, self.seed, Group(device=self.group.device))
        batches = range(math.ceil(CALIBRATION / self.recipe.batch))
        frozen.free(self.network, torch.cat([whole.batch(self.step + extra)[0] for extra in batches]))
        self._begin()

    def advance(self) -> tuple[float, float]:
        """Take one step; returns its loss and learning rate."""
        if self.network.frozen and self.done >= self.recipe.settle:
            self._free()
        self.trained.train()
        optim.set_procedure(self.network, self.recipe, self.done)
        rate = self.set_rate()
        loss = self.loss(self.step)
        self.optimiser.zero_grad()
        scale = 1 if self.exact else self.group.world  # gradients are averaged over processes, and are to be added
        (loss * scale).backward()
        self.optimiser.step()
        self.network.constrain()
        if self.average is not None:
            self.average.update()
        self.step += 1
        return float(self.group.total(loss)), rate

    def measure(self) -> dict[str, float]:
        """Accuracy on the hold-out, in percent, under the metric's name; empty where nothing is held out."""
        return {self.task.metric: self.measured().score} if len(self.holdout) else {}

    def measured(self) -> Measured:
        """The network as it is now, averaged where that is kept, on the hold-out."""
        with self.averaged():
            return self.task.measured(self.predict(self.holdout), self.holdout)

    @torch.no_grad()
    def predict(self, examples: Examples) -> np.ndarray:
        """What the task reads off each example's maps, (N, ...), by the exact eval path; each process does its part."""
        self.network.eval()
        found, mine = [], self.group.rows(len(examples))
        for rows in np.array_split(mine, max(1, math.ceil(len(mine) / self.recipe.batch))):
            crops = [augment.plain_crop(examples, i, self.recipe) for i in rows]
            if not crops:
                continue
            images = torch.from_numpy(np.stack([c[0] for c in crops])).permute(0, 3, 1, 2).to(self.group.device)
            for logits, (_, affine), i in zip(self.network(images).cpu().numpy(), crops, rows, strict=True):
                found.append(self.task.read(logits, affine, examples, int(i)))
        whole = np.stack(found) if found else np.zeros((0, len(self.task.output), self.task.columns))
        return self.group.gathered(whole, len(examples))
