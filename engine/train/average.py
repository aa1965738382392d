"""A moving average of a network's weights, which often measures better than the last weights do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """The mean of weights and buffers, older ones weighing less by `decay` a step (Polyak averaging).

    At the start the decay is smaller, (1 + n) / (10 + n) after n steps, or the mean would be of random weights.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network, self.decay, self.steps = network, decay, 0
        self.values = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights after a step."""
        self.steps += 1
        share = 1 - min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                self.values[name].lerp_(value, share)
            else:
                self.values[name].copy_(value)

    @torch.no_grad()
    def load(self, values: dict[str, Tensor], steps: int) -> None:
        """Go on from a checkpoint."""
        self.steps = steps
        for name, value in values.items():
            self.values[name].copy_(value)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The network with the averaged weights, for as long as the context lasts."""
        own = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        self.network.load_state_dict(self.values)
        try:
            yield
        finally:
            self.network.load_state_dict(own)
