"""One optimiser step on buffers that stay where they are: on a GPU captured once as a CUDA graph, then replayed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor

from engine.train.hourglass import Hourglass
from engine.train.losses import heatmap_loss

WARM_UP = 3  # steps before the capture: they compile kernels and choose convolutions' algorithms

Batch = tuple[Tensor, Tensor, Tensor]  # images, targets, weight, as `DeviceBatches.batch` makes them


class Pass(Protocol):
    """A network as it is trained: `FusedNetwork`. kind: of the maps between its layers."""

    network: Hourglass
    kind: torch.dtype

    def __call__(self, image: Tensor) -> list[Tensor]: ...

    def constrain(self) -> None: ...


class Step:
    """Forward and backward pass, optimiser and constraint of weights.

    On a CPU, where Triton interprets the kernels, it runs as it stands.
    """

    def __init__(self, network: Pass, optimiser: torch.optim.Optimizer, loss: str, device: torch.device) -> None:
        self.network, self.optimiser, self.loss, self.device = network, optimiser, loss, device
        self.rate = torch.zeros((), device=device)
        self._graph: torch.cuda.CUDAGraph | None = None
        self._buffers: Batch | None = None
        self._out = torch.zeros((), device=device)

    def take(self, batch: Batch, rate: float) -> Tensor:
        """One step; returns its loss, which on a GPU is not waited for and holds until the next step."""
        if self.device.type != "cuda":
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            self._buffers = batch
            return self._run()
        if self._buffers is None:
            self._buffers = tuple(part.clone() for part in batch)
        for buffer, part in zip(self._buffers, batch, strict=True):
            buffer.copy_(part)
        self.rate.fill_(rate)
        if self._graph is None:
            self._capture()
        self._graph.replay()
        return self._out

    def _run(self) -> Tensor:
        images, targets, weight = self._buffers
        self.optimiser.zero_grad(set_to_none=True)
        half = self.network.kind == torch.bfloat16
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half, cache_enabled=False):
            outputs = self.network(images)
        loss = heatmap_loss(self.loss, outputs, targets, weight)
        loss.backward()
        self.optimiser.step()
        self.network.constrain()
        return loss.detach()

    def _capture(self) -> None:
        """Record one step; what the steps before it have changed is put back."""
        for group in self.optimiser.param_groups:
            group["lr"], group["capturable"] = self.rate, True
        self.network.network.train()
        before = [(value, value.detach().clone()) for value in self._state()]
        with torch.backends.cudnn.flags(enabled=True, benchmark=True, deterministic=False, allow_tf32=True):
            side = torch.cuda.Stream(self.device)
            side.wait_stream(torch.cuda.current_stream(self.device))
            with torch.cuda.stream(side):
                for _ in range(WARM_UP):
                    self._run()
            torch.cuda.current_stream(self.device).wait_stream(side)
            torch.cuda.synchronize(self.device)
            self.optimiser.zero_grad(set_to_none=True)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self._out = self._run()
        self._graph = graph
        put_back(before, self._state())

    def _state(self) -> Iterator[Tensor]:
        """All that a step changes: parameters, statistics, moments."""
        yield from self.network.network.parameters()
        yield from self.network.network.buffers()
        for values in self.optimiser.state.values():
            yield from (value for value in values.values() if isinstance(value, Tensor))


@torch.no_grad()
def put_back(before: list[tuple[Tensor, Tensor]], now: Iterator[Tensor]) -> None:
    """Give tensors the values they had, in place; those that were not there yet, an optimiser's moments, become 0."""
    known = {id(value) for value, _ in before}
    for value in now:
        if id(value) not in known:
            value.zero_()
    for value, former in before:
        value.copy_(former)
