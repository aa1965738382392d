"""Checkpoints and latent weights: safetensors files, written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from engine.architecture import Architecture
from engine.errors import UserError
from engine.modelfile import write_whole
from engine.train.average import Average
from engine.train.binary import BinaryConv2d
from engine.train.hourglass import FROZEN, Hourglass


class CheckpointError(UserError):
    """A checkpoint that cannot be used; the message is one sentence with a remedy."""


def _write(path: Path, tensors: dict[str, Tensor], state: dict) -> None:
    data = save({name: t.contiguous().cpu() for name, t in tensors.items()}, {"state": json.dumps(state)})
    write_whole(path, data)  # not safetensors' save_file, which would let nobody but the owner read it


def save_checkpoint(
    path: Path, network: Hourglass, optimiser: torch.optim.Optimizer, state: dict, average: Average | None = None
) -> None:
    """Everything that a resumed run needs; `state` is JSON (step, seconds, best, ...)."""
    tensors = {f"network.{name}": value for name, value in network.snapshot().items()}
    state = state | {"architecture": network.architecture.to_json(), "optimiser": type(optimiser).__name__}
    if average is not None:
        tensors |= {f"average.{name}": value for name, value in average.values.items()}
        state |= {"averaged": average.steps}
    for index, values in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": torch.as_tensor(value) for name, value in values.items()}
    _write(path, tensors, state)


def load_checkpoint(
    path: Path, network: Hourglass, optimiser: torch.optim.Optimizer | None, average: Average | None = None
) -> dict:
    """Restore network, optimiser and average in place; returns `state`. Raises CheckpointError where it does not fit.

    Without an optimiser only the network is wanted.
    """
    try:
        tensors, state = _read(path)
        network.restore(_below("network.", tensors))
        if optimiser is None:
            return state
        if state.get("optimiser", "Adam") != type(optimiser).__name__:
            raise ValueError(f"it was trained with {state['optimiser']}")
        if average is not None:
            average.load(_below("average.", tensors), int(state["averaged"]))
        moments = _moments(tensors, [p for group in optimiser.param_groups for p in group["params"]])
        optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})
    except Exception as error:  # safetensors and torch raise several kinds; each means an unusable file
        reason = " ".join(str(error).split())[:120]  # torch writes a line for each layer
        raise CheckpointError(f"{path.name} does not fit this training ({reason}); start anew.") from error
    return state


def load_network(path: Path) -> Hourglass:
    """The network of a checkpoint, which says its own architecture; raises CheckpointError."""
    try:
        architecture = Architecture.from_json(_read(path)[1].get("architecture"))
    except Exception as error:  # safetensors raises several kinds; each means an unusable file
        raise CheckpointError(f"{path.name} is no checkpoint of a network ({error}); choose another file.") from error
    network = Hourglass(architecture)
    load_checkpoint(path, network, None)
    return network


def _read(path: Path) -> tuple[dict[str, Tensor], dict]:
    with safe_open(path, "pt") as file:
        state = json.loads(file.metadata()["state"])
    return load_file(path), state


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def save_best(path: Path, weights: dict[str, Tensor], state: dict) -> None:
    """The best weights of a run so far, so that a resumed run still has them; `state` is JSON."""
    _write(path, weights, state)


def load_best(path: Path, network: Hourglass) -> tuple[dict[str, Tensor], dict]:
    """What `save_best` wrote; raises CheckpointError where it does not fit the network."""
    try:
        tensors, state = _read(path)
    except Exception as error:  # safetensors raises several kinds; each means an unusable file
        raise CheckpointError(f"{path.name} cannot be read ({error}); start anew.") from error
    expected = network.state_dict()
    names = set(tensors) - {FROZEN}
    if names != set(expected) or any(tensors[n].shape != value.shape for n, value in expected.items()):
        raise CheckpointError(f"{path.name} does not fit this training; start anew.")
    return tensors, state


def _moments(tensors: dict[str, Tensor], parameters: list[Tensor]) -> dict[int, dict[str, Tensor]]:
    """The optimiser's state by parameter, laid out in memory as the parameters are.

    The fused optimiser walks both through memory as they lie, and a file knows one layout only.
    """
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimiser."):
            _, index, key = name.split(".", 2)
            parameter = parameters[int(index)].detach()
            if key != "step" and tensor.shape != parameter.shape:
                raise ValueError(f"{name} has the shape {tuple(tensor.shape)}")
            placed = tensor if key == "step" else torch.empty_like(parameter).copy_(tensor)
            moments.setdefault(int(index), {})[key] = placed
    return moments


def save_latents(path: Path, network: Hourglass) -> None:
    """The real weights behind a model, from which fine-tuning goes on.

    Binary weights as int8 with a scale per filter (`NAME.q`, `NAME.scale`), the rest as float32.
    """
    tensors = network.snapshot()
    for key, layer in network.layers.items():
        if isinstance(layer, BinaryConv2d):
            weight = tensors.pop(f"layers.{key}.weight")
            scale = weight.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-8) / 127
            q = (weight / scale).round()
            q = torch.where(q == 0, torch.where(weight > 0, 1.0, -1.0), q)  # keep every sign
            tensors[f"layers.{key}.q"] = q.to(torch.int8)
            scale = weight.abs().mean((1, 2, 3)) / q.abs().mean((1, 2, 3))  # keep every filter's alpha
            tensors[f"layers.{key}.scale"] = scale.clamp(min=1e-8 / 127)
    _write(path, tensors, {})


def load_latents(path: Path, network: Hourglass) -> None:
    """Restore what `save_latents` wrote; raises CheckpointError where names, shapes or values do not fit."""
    try:
        tensors = load_file(path)
        for name in [n for n in tensors if n.endswith(".q")]:
            base = name.removesuffix(".q")
            tensors[f"{base}.weight"] = tensors.pop(name).float() * tensors.pop(f"{base}.scale")[:, None, None, None]
    except Exception as error:  # safetensors raises its own and OSError; a scale may be missing or of another shape
        raise CheckpointError(f"{path.name} cannot be read ({error}); train from the model alone.") from error
    expected = network.state_dict()
    for name, value in expected.items():
        found = tensors.get(name)
        if found is None or found.shape != value.shape or not np.isfinite(found.double().sum().item()):
            raise CheckpointError(f"{path.name} does not hold this network's {name}; pick the matching latents.")
    network.restore({name: tensors[name] for name in (*expected, FROZEN) if name in tensors})
