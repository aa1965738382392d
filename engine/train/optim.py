"""The optimisers of a recipe, its learning rate over the schedule, and the start values of a network."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

from engine.train.binary import BinaryConv2d
from engine.train.hourglass import Hourglass
from engine.train.recipes import Recipe


def make_optimiser(recipe: Recipe, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The paper's RMSprop (alpha 0.99, eps 1e-8, no momentum, no weight decay), or Adam."""
    parameters = list(parameters)
    if recipe.optimiser == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=recipe.rate, alpha=0.99, eps=1e-8)
    return torch.optim.Adam(parameters, lr=recipe.rate, fused=True)


def rate(recipe: Recipe, step: int, done: float) -> float:
    """The learning rate of a step; `done` is the share of the schedule behind it."""
    warm = min(1.0, (step + 1) / max(1, recipe.warmup))
    if recipe.schedule == "steps":
        return warm * next(value for share, value in reversed(recipe.drops) if share <= done)
    return recipe.rate * warm * 0.5 * (1 + math.cos(math.pi * done))


@torch.no_grad()
def initialise(network: Hourglass, recipe: Recipe) -> None:
    """Give batch-norm and the head the recipe's start values; convolutions have He's normal already.

    Torch of the paper's time drew batch-norm's scale from 0 to 1 and left biases at 0. Most of a heatmap is
    empty: a head that starts from that, and not from 0.5, saves the first hundreds of steps.
    """
    for node in network.graph.nodes:
        layer = network.layer(node)
        if node.op == "norm" and recipe.gamma == "uniform":
            layer.weight.uniform_()
        elif node.op == "head":
            layer.bias.fill_(recipe.head_bias)


def set_procedure(network: Hourglass, recipe: Recipe, done: float = 1.0) -> None:
    """Tell binary convolutions how their weights are treated, at this share of the schedule."""
    for layer in network.modules():
        if isinstance(layer, BinaryConv2d):
            layer.centring, layer.clamp, layer.gradient = recipe.centring, recipe.clamp, recipe.gradient
            layer.real_weights = done < recipe.pretraining
