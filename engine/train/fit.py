"""The training loop: a generator of records, so that the worker, a script and a test drive it alike."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from engine.errors import UserError
from engine.schema import Schema
from engine.train import augment, checkpoint, frozen, optim, precision
from engine.train.average import Average
from engine.train.datasets import Examples
from engine.train.distil import Teacher
from engine.train.distributed import Group
from engine.train.hourglass import Hourglass
from engine.train.loading import Loader
from engine.train.losses import heatmap_loss
from engine.train.precision import mixed
from engine.train.recipes import Recipe
from engine.train.tasks import Measured, task_of

RECALIBRATION_BATCHES = 40
CALIBRATION = 32  # crops to which batch-norm is fitted where a frozen network is freed


class TrainingError(UserError):
    """A training that cannot go on; the message is one sentence with a remedy."""


@dataclass
class Fit:
    """One training of a network on examples; `run` yields a record a step and at each measurement.

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
        self.trained = self.group.shared(self.network, self.exact)
        self.optimiser = optim.make_optimiser(self.recipe, self.network.parameters())
        self.average = Average(self.network, self.recipe.ema) if self.recipe.ema else None

    @property
    def latest(self) -> Path:
        """The checkpoint from which `resume` goes on."""
        return self.folder / checkpoint.LATEST

    def resume(self) -> bool:
        """Go on from the last checkpoint, if there is one; the data order continues exactly."""
        if not self.latest.exists():
            return False
        frozen_before = self.network.frozen
        state = checkpoint.load_checkpoint(self.latest, self.network, self.optimiser, self.average)
        self.step, self.seconds = int(state["step"]), float(state["seconds"])
        if self.network.frozen != frozen_before:
            self.trained = self.network
            self.trained = self.group.shared(self.network, self.exact)
        return True

    def save(self) -> None:
        """Write the checkpoint."""
        if self.group.first:
            state = {"step": self.step, "seconds": self.seconds, "seed": self.seed, "recipe": asdict(self.recipe)}
            checkpoint.save_checkpoint(self.latest, self.network, self.optimiser, state, self.average)

    @property
    def done(self) -> float:
        """Share of the schedule behind us, 0 to 1."""
        if self.recipe.minutes:
            return min(1.0, self.seconds / (60 * self.recipe.minutes))
        return min(1.0, self.step / self.steps)

    @property
    def steps(self) -> int:
        """Steps of the whole schedule, where it is not counted in minutes."""
        if self.recipe.epochs:
            return max(1, math.ceil(self.recipe.epochs * len(self.training) / self.recipe.batch))
        return self.recipe.steps

    @property
    def evaluate_every(self) -> int:
        """Steps between two measurements; a recipe's 0 means once a pass over the examples."""
        return self.recipe.evaluate_every or max(1, math.ceil(len(self.training) / self.recipe.batch))

    def run(self) -> Iterator[dict]:
        """Train to the end of the schedule, or until `stopping` is set; yields progress and metric records."""
        try:
            while not self._finished():
                started = time.monotonic()
                loss, rate = self.advance()
                elapsed = time.monotonic() - started
                self.seconds += elapsed
                yield {
                    "type": "progress", "step": self.step, "loss": loss, "rate": rate, "done": self.done,
                    "examples_per_second": self.recipe.batch / elapsed,
                }  # fmt: skip
                if self.step % self.evaluate_every == 0:
                    yield {"type": "metric", "step": self.step} | self.measure()
                if self.step % max(1, self.recipe.checkpoint_every) == 0:
                    self.save()
                    yield {"type": "checkpoint", "step": self.step, "path": str(self.latest)}
        finally:
            self.loader.close()
        self.save()

    def _finished(self) -> bool:
        """Whether the end has come; all processes agree on the time and on the wish to stop."""
        self.seconds, stopping = self.group.agree(self.seconds, float(self.stopping))
        self.stopping = bool(stopping)
        return self.done >= 1 or self.stopping

    def rate(self) -> float:
        """The learning rate of the coming step."""
        return optim.rate(self.recipe, self.step, self.done)

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
        """Take one step; returns its loss and learning rate. Raises TrainingError where the loss is no number."""
        if self.network.frozen and self.done >= self.recipe.settle:
            self._free()
        self.trained.train()
        optim.set_procedure(self.network, self.recipe, self.done)
        rate = self.rate()
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        loss = self.loss(self.step)
        self.optimiser.zero_grad()
        scale = 1 if self.exact else self.group.world  # gradients are averaged over processes, and are to be added
        (loss * scale).backward()
        self.optimiser.step()
        self.network.constrain()
        if self.average is not None:
            self.average.update()
        self.step += 1
        value = float(self.group.total(loss))
        if not math.isfinite(value):
            raise TrainingError("The loss is no longer a number; start again with a lower rate.")
        return value, rate

    def averaged(self) -> AbstractContextManager[None]:
        """The network as it is measured and kept: with averaged weights, where the recipe averages them."""
        return nullcontext() if self.average is None else self.average.applied()

    @torch.no_grad()
    def recalibrate(self, batches: int = RECALIBRATION_BATCHES) -> None:
        """Recompute batch-norm's statistics of the final weights as plain means over many batches; frozen ones stay."""
        if self.network.frozen:
            return
        norms = [m for m in self.network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
        self.trained.train()
        optim.set_procedure(self.network, self.recipe)
        for extra in range(batches):
            with mixed(self.recipe, self.group.device):
                self.network(self.loader.batch(self.step + 1 + extra)[0])
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        self.loader.close()

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
