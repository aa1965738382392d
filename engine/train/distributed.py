"""Several processes training one network (torchrun): who this one is, and what they exchange.

Every process runs the same steps on its part of each batch, and measures its part of the hold-out; only the
first one (rank 0) writes files and says anything. One process alone is a group of one.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from engine.errors import UserError
from engine.train.exact import make_exact, share_norms

PATIENCE = timedelta(days=7)  # a pause on rank 0 keeps the others waiting


@dataclass(frozen=True)
class Group:
    """The processes of one training: this one's number, how many there are, and the device it uses."""

    rank: int = 0
    world: int = 1
    device: torch.device = torch.device("cpu")

    @property
    def first(self) -> bool:
        """Whether this process writes files and reports."""
        return self.rank == 0

    def agree(self, *values: float) -> list[float]:
        """What rank 0 says, on all."""
        if self.world == 1:
            return list(values)
        told = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.broadcast(told, 0)
        return told.tolist()

    def total(self, value: torch.Tensor) -> torch.Tensor:
        """The sum over all processes."""
        value = value.detach().clone()
        if self.world > 1:
            distributed.all_reduce(value)
        return value

    def rows(self, count: int) -> np.ndarray:
        """Which of `count` rows are this process's."""
        return np.arange(self.rank, count, self.world)

    def gathered(self, mine: np.ndarray, count: int) -> np.ndarray:
        """All `count` rows in order, of which each process has computed its own."""
        if self.world == 1:
            return mine
        parts: list[np.ndarray] = [mine] * self.world
        distributed.all_gather_object(parts, mine)
        whole = np.empty((count, *mine.shape[1:]), mine.dtype)
        for rank, part in enumerate(parts):
            whole[rank :: self.world] = part
        return whole

    def shared(self, network: nn.Module, exact: bool, batch: int) -> nn.Module:
        """The network as it is trained, with batch-norm and gradients over all processes.

        `exact` gives the same weights for any number of processes (`engine.train.exact`); else PyTorch's
        DistributedDataParallel averages the gradients.
        """
        if exact:
            make_exact(network, batch)
            return network
        if self.world == 1:
            return network
        share_norms(network, False, batch)
        warnings.filterwarnings("ignore", "Grad strides do not match")  # of 1 x 1 kernels: one order in memory
        return DistributedDataParallel(network, device_ids=[self.device.index] if self.device.type == "cuda" else None)


def choose_device(wanted: str = "auto") -> torch.device:
    """`auto` takes a CUDA device where there is one; raises UserError for one that is not there."""
    name = ("cuda" if torch.cuda.is_available() else "cpu") if wanted in ("", "auto") else wanted
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f"There is no device {name!r}; choose auto, cpu or cuda.") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UserError("PyTorch finds no CUDA device here; train with --device cpu.")
    if device.type not in ("cpu", "cuda"):
        raise UserError(f"Training runs on cpu or cuda, not {device.type}; choose one of these.")
    return device


def join(wanted: str = "auto") -> Group:
    """The group that torchrun's environment names, else a group of one."""
    device, world = choose_device(wanted), int(os.environ.get("WORLD_SIZE", "1"))
    if device.type == "cuda":
        local = int(os.environ.get("LOCAL_RANK", "0")) if device.index is None else device.index
        device = torch.device("cuda", local % torch.cuda.device_count())
        torch.cuda.set_device(device)
    if world == 1:
        return Group(device=device)
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    return Group(distributed.get_rank(), distributed.get_world_size(), device)


def leave() -> None:
    """Take leave of the others, where there are any."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
