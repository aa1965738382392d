"""What every training does step by step, whatever its network learns: length, records, checkpoints, going on."""

from __future__ import annotations

import hashlib
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sized
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.errors import UserError
from engine.train import checkpoint, optim
from engine.train.average import Average
from engine.train.distributed import Group
from engine.train.hourglass import Hourglass
from engine.train.precision import mixed
from engine.train.recipes import Recipe
from engine.train.starting import LATEST, Orders, Send


class TrainingError(UserError):
    """A training that cannot go on; the message is one sentence with a remedy."""


class Loop(ABC):
    """One training of a network; `run` yields a record a step, and at each measurement and checkpoint."""

    network: Hourglass
    training: Sized
    holdout: Sized
    recipe: Recipe
    folder: Path
    seed: int
    group: Group
    step: int
    seconds: float
    stopping: bool
    optimiser: torch.optim.Optimizer
    average: Average | None

    @abstractmethod
    def advance(self) -> tuple[float, float]:
        """Take one step; returns its loss and learning rate."""

    @abstractmethod
    def measure(self) -> dict[str, float]:
        """What is measured on the hold-out, by name; empty where nothing is held out."""

    @abstractmethod
    def images(self, step: int) -> Tensor:
        """This process's pictures of a step's batch at the end of the schedule, (n, 3, S, S) uint8."""

    @property
    def latest(self) -> Path:
        """The checkpoint from which `resume` goes on."""
        return self.folder / LATEST

    def resume(self) -> bool:
        """Go on from the last checkpoint, if there is one; the data order continues exactly."""
        if not self.latest.exists():
            return False
        state = checkpoint.load_checkpoint(self.latest, self.network, self.optimiser, self.average)
        self.step, self.seconds = int(state["step"]), float(state["seconds"])
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
    def epoch(self) -> float:
        """Passes over the examples that are behind us."""
        return self.step * self.recipe.batch / len(self.training)

    @property
    def evaluate_every(self) -> int:
        """Steps between two measurements; a recipe's 0 means once a pass over the examples."""
        return self.recipe.evaluate_every or max(1, math.ceil(len(self.training) / self.recipe.batch))

    def run(self) -> Iterator[dict[str, Any]]:
        """Train to the end of the schedule, or until `stopping` is set; yields progress and metric records.

        Raises TrainingError where the loss is no number any more.
        """
        try:
            while not self._finished():
                started = time.monotonic()
                loss, rate = self.advance()
                elapsed = time.monotonic() - started
                self.seconds += elapsed
                if not math.isfinite(loss):
                    raise TrainingError("The loss is no longer a number; start again with a lower rate.")
                yield {
                    "type": "progress", "step": self.step, "loss": loss, "rate": rate, "done": self.done,
                    "examples_per_second": self.recipe.batch / elapsed,
                }  # fmt: skip
                if self.step % self.evaluate_every == 0 and (told := self.measure()):
                    yield {"type": "metric", "step": self.step} | told
                if self.step % max(1, self.recipe.checkpoint_every) == 0:
                    self.save()
                    yield {"type": "checkpoint", "step": self.step, "path": str(self.latest)}
        finally:
            self.close()
        if self.step:
            self.save()

    def close(self) -> None:  # noqa: B027 (most have nothing to close)
        """Let go of what runs beside the training; it may go on nevertheless."""

    def _finished(self) -> bool:
        """Whether the end has come; all processes agree on the time and on the wish to stop."""
        self.seconds, stopping = self.group.agree(self.seconds, float(self.stopping))
        self.stopping = bool(stopping)
        return self.done >= 1 or self.stopping

    def set_rate(self) -> float:
        """Give the optimiser the learning rate of the coming step; returns it."""
        rate = optim.rate(self.recipe, self.step, self.done)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        return rate

    def averaged(self) -> AbstractContextManager[None]:
        """The network as it is measured and kept: with averaged weights, where the recipe averages them."""
        return nullcontext() if self.average is None else self.average.applied()

    def take_average(self) -> None:
        """At the end: from here on the network itself has the averaged weights, where the recipe averages them."""
        if self.average is not None:
            self.network.load_state_dict(self.average.values)
            self.average = None

    @torch.no_grad()
    def recalibrate(self, batches: int) -> None:
        """Recompute batch-norm's statistics of the final weights as plain means over many batches; frozen ones stay."""
        if self.network.frozen:
            return
        norms = [m for m in self.network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
        self.network.train()
        optim.set_procedure(self.network, self.recipe)
        for extra in range(batches):
            with mixed(self.recipe, self.group.device):
                self.network(self.images(self.step + 1 + extra))
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        self.close()


def drive(fit: Loop, send: Send, orders: Orders, measured: Callable[[dict[str, Any]], None] | None = None) -> None:
    """Run a training to its end and send its records, with how far it is and how long it will take.

    `measured` is told each measurement. While `orders` pause it waits. Raises UserError where it was stopped before
    its first step.
    """
    begun, done_before, rested = time.monotonic(), fit.done, 0.0
    fit.stopping = orders.stopping
    for record in fit.run():
        if record["type"] == "progress":
            spent, gained = time.monotonic() - begun - rested, fit.done - done_before
            record |= {
                "epoch": fit.epoch, "epochs": fit.recipe.epochs or None,
                "steps": None if fit.recipe.minutes else fit.steps,
                "eta": spent * (1 - fit.done) / gained if gained > 0 else None,
            }  # fmt: skip
        elif record["type"] == "metric":
            record |= {"epoch": fit.epoch}
        elif fit.group.first:
            record |= {"sha256": _sha256(Path(record["path"]))}
        send(**record)
        if measured is not None and record["type"] == "metric":
            measured(record)
        rest = time.monotonic()
        while not orders.go.wait(0.2):
            continue
        rested += time.monotonic() - rest
        fit.stopping = orders.stopping
    if not fit.step:
        raise UserError("The training was stopped before its first step; start it again.")
    send("finishing", step=fit.step)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
