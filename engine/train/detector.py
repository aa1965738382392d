"""Training a detector of faces and people on scene packs: the loop, as a generator of records."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.squares import CLASSES, MAPS
from engine.train import checkpoint, optim
from engine.train.average import Average
from engine.train.goals import detection_loss, make_goal, stack
from engine.train.hourglass import Hourglass
from engine.train.precision import mixed
from engine.train.recipes import Recipe
from engine.train.scenes import Scenes
from engine.train.views import View, make_view, plain_view

# Small views first: (share of the schedule, side / the recipe's side). Objects keep their size in pixels.
SIDES = ((0.0, 0.67), (0.4, 1.0))
STEP_SIDE = 64  # sides are multiples of this
CALIBRATION = 40  # batches over which batch-norm's final statistics are means


@dataclass
class DetectorFit:
    """One training of a detector; `run` yields a record a step and at each measurement."""

    network: Hourglass
    training: Scenes
    holdout: Scenes
    recipe: Recipe
    folder: Path
    seed: int = 0
    device: torch.device = torch.device("cpu")
    step: int = 0
    seconds: float = 0.0
    stopping: bool = False

    def __post_init__(self) -> None:
        self.network.to(self.device, memory_format=torch.channels_last)
        optim.set_procedure(self.network, self.recipe)
        self.optimiser = optim.make_optimiser(self.recipe, self.network.parameters())
        self.average = Average(self.network, self.recipe.ema) if self.recipe.ema else None

    @property
    def latest(self) -> Path:
        """The checkpoint from which `resume` goes on."""
        return self.folder / checkpoint.LATEST

    @property
    def done(self) -> float:
        """Share of the schedule behind us, 0 to 1."""
        if self.recipe.minutes:
            return min(1.0, self.seconds / (60 * self.recipe.minutes))
        return min(1.0, self.step / self.recipe.steps)

    @property
    def _pass(self) -> int:
        """Steps in which as many views are drawn as there are photographs."""
        return max(1, math.ceil(len(self.training) / self.recipe.batch))

    def resume(self) -> bool:
        """Go on from the last checkpoint, if there is one; the views continue exactly."""
        if not self.latest.exists():
            return False
        state = checkpoint.load_checkpoint(self.latest, self.network, self.optimiser, self.average)
        self.step, self.seconds = int(state["step"]), float(state["seconds"])
        return True

    def save(self) -> None:
        """Write the checkpoint."""
        state = {"step": self.step, "seconds": self.seconds, "seed": self.seed, "recipe": asdict(self.recipe)}
        checkpoint.save_checkpoint(self.latest, self.network, self.optimiser, state, self.average)

    def run(self) -> Iterator[dict]:
        """Train to the end of the schedule, or until `stopping` is set; yields progress and metric records."""
        while self.done < 1 and not self.stopping:
            started = time.monotonic()
            loss, rate = self.advance()
            elapsed = time.monotonic() - started
            self.seconds += elapsed
            yield {"type": "progress", "step": self.step, "loss": loss, "rate": rate, "done": self.done,
                   "examples_per_second": self.recipe.batch / elapsed}  # fmt: skip
            if len(self.holdout) and self.step % (self.recipe.evaluate_every or self._pass) == 0:
                yield {"type": "metric", "step": self.step, "loss": self.measure()}
            if self.step % max(1, self.recipe.checkpoint_every) == 0:
                self.save()
                yield {"type": "checkpoint", "step": self.step, "path": str(self.latest)}
        if self.step:
            self.save()

    def advance(self) -> tuple[float, float]:
        """One optimiser step; returns loss and learning rate."""
        rate = optim.rate(self.recipe, self.step, self.done)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        images, goal = self.batch(self.step, view_side(self.recipe.side, self.done))
        self.network.train()
        self.optimiser.zero_grad(set_to_none=True)
        with mixed(self.recipe, self.device):
            logits = self.network(images)
        loss = detection_loss(logits.float(), goal)
        loss.backward()
        self.optimiser.step()
        self.network.constrain()
        self.step += 1
        if self.average is not None:
            self.average.update()
        return loss.item(), rate

    def batch(self, step: int, side: int) -> tuple[Tensor, dict[str, Tensor]]:
        """The views of a step and their goals; they depend on seed, step and side alone."""
        views = [
            make_view(self.training, self.recipe, side, np.random.default_rng([self.seed, step, n]))
            for n in range(self.recipe.batch)
        ]
        return self._tensors(views, side)

    def _tensors(self, views: list[View], side: int) -> tuple[Tensor, dict[str, Tensor]]:
        images = torch.from_numpy(np.stack([view.picture for view in views])).permute(0, 3, 1, 2).to(self.device)
        goal = stack([make_goal(view, side // 4, 4) for view in views])
        return images, {name: values.to(self.device) for name, values in goal.items()}

    @torch.no_grad()
    def measure(self) -> float:
        """Mean loss on the held-out photographs, shown whole, with the averaged weights."""
        losses, side = [], self.recipe.side
        with self.average.applied() if self.average is not None else nullcontext():
            self.network.train()
            for layer in self.network.modules():
                if isinstance(layer, torch.nn.BatchNorm2d):
                    layer.eval()
            for start in range(0, len(self.holdout), 16):
                views = [plain_view(scene, side) for scene in self.holdout.scenes[start : start + 16]]
                images, goal = self._tensors(views, side)
                with mixed(self.recipe, self.device):
                    logits = self.network(images)
                losses.append(detection_loss(logits.float(), goal).item())
        self.network.train()
        return float(np.mean(losses)) if losses else float("nan")

    @torch.no_grad()
    def recalibrate(self, batches: int = CALIBRATION) -> None:
        """Take the averaged weights, and let batch-norm's statistics be means over fresh views of full side."""
        if self.average is not None:
            self.network.load_state_dict(self.average.values)
            self.average = None
        norms = [layer for layer in self.network.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
        self.network.train()
        for extra in range(batches):
            with mixed(self.recipe, self.device):
                self.network(self.batch(self.step + 1 + extra, self.recipe.side)[0])
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def view_side(side: int, done: float) -> int:
    """Side of the views at this share of the schedule."""
    share = next(value for start, value in reversed(SIDES) if start <= done)
    return max(STEP_SIDE, round(side * share / STEP_SIDE) * STEP_SIDE)


@torch.no_grad()
def new_network(recipe: Recipe) -> Hourglass:
    """An untrained network for a recipe: centres empty, sizes and offsets 0."""
    network = Hourglass(recipe.architecture(MAPS * len(CLASSES)))
    optim.initialise(network, recipe)
    for node in network.graph.nodes:
        if node.op == "head":
            bias = network.layer(node).bias
            bias.zero_()
            bias[::MAPS] = recipe.head_bias
    return network
