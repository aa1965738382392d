"""A training of landmarks on one GPU: as `Fit`, with steps and batches of this package."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.train import optim
from engine.train.fit import Fit
from engine.train.gpu.batches import DeviceBatches
from engine.train.gpu.step import Batch, Pass, Step
from engine.train.precision import mixed


class DeviceFit(Fit):
    """Schedule, measurements, checkpoints and going on are `Fit`'s; see `engine.train.gpu.choice` for what it can.

    While the device takes a step, the next batch is asked for, so that it does not wait for Python. Sums are made in
    no fixed order: two runs differ by rounding.
    """

    kind = torch.bfloat16
    recalibration = (7680, 60)  # as the shipped models had: 60 batches of 128, which cost a GPU a second
    _batches: DeviceBatches | None = None
    _coming: tuple[int, Batch] | None = None

    def _begin(self) -> None:
        fused = self.training_pass()  # before the optimiser: it lays out weights
        super()._begin()
        self._step = Step(fused, self.optimiser, self.recipe.loss, self.group.device)

    def training_pass(self) -> Pass:
        """The network as it is trained."""
        from engine.train.gpu.network import FusedNetwork  # which needs Triton

        return FusedNetwork(self.network, self.kind)

    def advance(self) -> tuple[float, float]:
        """Take one step; returns its loss and learning rate."""
        rate = optim.rate(self.recipe, self.step, self.done)
        loss = self._step.take(self._batch(self.step), rate)
        if self.average is not None:
            self.average.update()
        self.step += 1
        self._coming = self.step, self._batch(self.step)
        return float(loss), rate

    def images(self, step: int) -> Tensor:
        """Of a step's batch."""
        return self._made().batch(step)[0]

    def _batch(self, step: int) -> Batch:
        if self._coming is not None and self._coming[0] == step:
            return self._coming[1]
        images, targets, weight = self._made().batch(step)
        if self.teacher is not None:
            with torch.no_grad(), mixed(self.recipe, self.group.device):
                targets = self.teacher.mixed(images, targets, weight)
        return images, targets, weight

    def _made(self) -> DeviceBatches:
        if self._batches is None:  # the pictures go to the device when they are wanted
            self._batches = DeviceBatches(
                self.training, self.recipe, self.schema.permutation, self.seed, self.group.device
            )
        return self._batches
