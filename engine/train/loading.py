"""Batches made ahead by threads; what a batch holds depends on seed and step alone, not on how many threads there are.

Decoding, warping and colouring release the interpreter's lock, so threads are enough and share the pictures.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from engine.train import augment
from engine.train.datasets import Examples
from engine.train.distributed import Group
from engine.train.recipes import Recipe

AHEAD = 2  # batches a thread


class Loader:
    """The batches of a training, in the order of its steps; `workers` threads, or none: each when it is asked for."""

    def __init__(
        self, examples: Examples, recipe: Recipe, permutation: np.ndarray, seed: int, group: Group, workers: int = 0
    ) -> None:
        self._made_of = (examples, recipe, permutation, seed)
        self._group, self._workers, self._ahead = group, workers, AHEAD * workers
        self._pool: ThreadPoolExecutor | None = None
        self._coming: dict[int, Future[tuple[Tensor, ...]]] = {}

    def batch(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """This process's part of a step's batch, on its device.

        images (n, 3, S, S) uint8; targets (n, K, S/4, S/4) float32; weight (n, K) float32.
        """
        if not self._workers:
            parts = self._make(step)
        else:
            self._pool = self._pool or ThreadPoolExecutor(self._workers, "batch")
            for stale in [s for s in self._coming if not step <= s <= step + self._ahead]:
                self._coming.pop(stale).cancel()
            for next_step in range(step, step + self._ahead + 1):
                if next_step not in self._coming:
                    self._coming[next_step] = self._pool.submit(self._make, next_step)
            parts = self._coming.pop(step).result()
        images, targets, weight = (part.to(self._group.device, non_blocking=True) for part in parts)
        return images, targets, weight

    def close(self) -> None:
        """Make no more ahead, until the next batch is asked for."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
            self._coming.clear()

    def _make(self, step: int) -> tuple[Tensor, ...]:
        made = augment.training_batch(*self._made_of, step, (self._group.rank, self._group.world))
        parts = torch.from_numpy(made.images).permute(0, 3, 1, 2), torch.from_numpy(made.targets), \
            torch.from_numpy(made.weight)  # fmt: skip
        return tuple(part.pin_memory() for part in parts) if self._group.device.type == "cuda" else parts
