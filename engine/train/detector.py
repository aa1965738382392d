"""Training a detector of faces and people on scene packs: its views, loss and measurement."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.squares import CLASSES, MAPS
from engine.train import optim
from engine.train.average import Average
from engine.train.distributed import Group
from engine.train.goals import detection_loss, make_goal, stack
from engine.train.hourglass import Hourglass
from engine.train.loop import Loop
from engine.train.precision import mixed
from engine.train.recipes import Recipe
from engine.train.scenes import Scenes
from engine.train.views import View, make_view, plain_view

# Small views first: (share of the schedule, side / the recipe's side). Objects keep their size in pixels.
SIDES = ((0.0, 0.67), (0.4, 1.0))
STEP_SIDE = 64  # sides are multiples of this


@dataclass
class DetectorFit(Loop):
    """One training of a detector."""

    network: Hourglass
    training: Scenes
    holdout: Scenes
    recipe: Recipe
    folder: Path
    seed: int = 0
    group: Group = Group()
    step: int = 0
    seconds: float = 0.0
    stopping: bool = False

    def __post_init__(self) -> None:
        self.network.to(self.group.device, memory_format=torch.channels_last)
        optim.set_procedure(self.network, self.recipe)
        self.optimiser = optim.make_optimiser(self.recipe, self.network.parameters())
        self.average = Average(self.network, self.recipe.ema) if self.recipe.ema else None

    def advance(self) -> tuple[float, float]:
        """One optimiser step; returns loss and learning rate."""
        rate = self.set_rate()
        images, goal = self.batch(self.step, view_side(self.recipe.side, self.done))
        self.network.train()
        self.optimiser.zero_grad(set_to_none=True)
        with mixed(self.recipe, self.group.device):
            logits = self.network(images)
        loss = detection_loss(logits.float(), goal)
        loss.backward()
        self.optimiser.step()
        self.network.constrain()
        self.step += 1
        if self.average is not None:
            self.average.update()
        return loss.item(), rate

    def images(self, step: int) -> Tensor:
        """The views of a step at full side."""
        return self.batch(step, self.recipe.side)[0]

    def batch(self, step: int, side: int) -> tuple[Tensor, dict[str, Tensor]]:
        """The views of a step and their goals; they depend on seed, step and side alone."""
        views = [
            make_view(self.training, self.recipe, side, np.random.default_rng([self.seed, step, n]))
            for n in range(self.recipe.batch)
        ]
        return self._tensors(views, side)

    def _tensors(self, views: list[View], side: int) -> tuple[Tensor, dict[str, Tensor]]:
        images = torch.from_numpy(np.stack([view.picture for view in views])).permute(0, 3, 1, 2).to(self.group.device)
        goal = stack([make_goal(view, side // 4, 4) for view in views])
        return images, {name: values.to(self.group.device) for name, values in goal.items()}

    @torch.no_grad()
    def measure(self) -> dict[str, float]:
        """Mean loss on the held-out photographs, shown whole, with the averaged weights; empty where there are none."""
        if not len(self.holdout):
            return {}
        losses, side = [], self.recipe.side
        with self.averaged():
            self.network.train()
            for layer in self.network.modules():
                if isinstance(layer, torch.nn.BatchNorm2d):
                    layer.eval()
            for start in range(0, len(self.holdout), 16):
                views = [plain_view(scene, side) for scene in self.holdout.scenes[start : start + 16]]
                images, goal = self._tensors(views, side)
                with mixed(self.recipe, self.group.device):
                    logits = self.network(images)
                losses.append(detection_loss(logits.float(), goal).item())
        self.network.train()
        return {"loss": float(np.mean(losses))}


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
