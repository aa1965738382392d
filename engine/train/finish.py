"""From a model to a network that trains, and from a trained network to a model file with its latents."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine import lower
from engine.graph import Architecture
from engine.modelfile import Model, make_model, write_model
from engine.schema import Schema
from engine.train import checkpoint
from engine.train.hourglass import Hourglass

LATENTS = ".latents.safetensors"


def latents_path(model: Path) -> Path:
    """Where the real weights of a model file lie."""
    return model.with_name(model.stem + LATENTS)


def finish(
    network: Hourglass, schema: Schema, name: str, card: Mapping[str, Any], path: Path, crop: float
) -> Model:
    """Write the model file and, beside it, its latent weights; returns the model as read back."""
    network.eval()
    model = make_model(name, network.architecture, schema, network.lowered(), card, crop)
    checkpoint.save_latents(latents_path(path), network)
    return write_model(path, model)


def network_of_run(folder: Path, architecture: Architecture) -> Hourglass:
    """The network of a run's last checkpoint, finished or not; raises CheckpointError where there is none."""
    network = Hourglass(architecture)
    path = folder / "latest.safetensors"
    checkpoint.load_checkpoint(path, network, torch.optim.Adam(network.parameters()))
    return network


def network_from(model: Model, calibration: Tensor) -> Hourglass:
    """A network to go on training from a model: from its latents, or else from alpha * sign.

    calibration (N, 3, S, S) uint8: crops that show what batch-norm's inputs look like; without latents a
    model knows only scale and shift. Raises CheckpointError where the latents beside the model are not its own.
    """
    network = Hourglass(model.architecture)
    latents = latents_path(model.path) if model.path is not None else None
    if latents is None or not latents.is_file():
        _from_signs(network, model)
        _fit_norms(network, calibration)
        return network
    checkpoint.load_latents(latents, network)
    mine = network.lowered()
    if any(not np.array_equal(mine[name], model.tensors[name]) for name in mine if name.endswith(".bits")):
        raise checkpoint.CheckpointError(
            f"{latents.name} belongs to another model; remove it to go on from the model's signs alone."
        )
    _match_alphas(network, model, mine)
    return network


@torch.no_grad()
def _match_alphas(network: Hourglass, model: Model, mine: Mapping[str, np.ndarray]) -> None:
    """Scale filters whose int8 latents round to another alpha, so that the network computes the model's function."""
    for node in network.graph.nodes:
        if node.op == "binary":
            name = f"{node.name}.alpha"
            ratio = torch.from_numpy(model.tensors[name] / np.maximum(mine[name], np.float32(1e-12)))
            network.layer(node).weight.mul_(ratio[:, None, None, None])


@torch.no_grad()
def _from_signs(network: Hourglass, model: Model) -> None:
    """Latents of a model that has none: alpha * sign, and scale and shift as if the inputs had mean 0, variance 1."""
    channels = {"image": 3} | {node.name: node.channels for node in network.graph.nodes}
    for node in network.graph.nodes:
        layer = network.layer(node)
        if layer is None:
            continue
        held = {part: torch.from_numpy(model.tensors[f"{node.name}.{part}"].copy()) for part in _parts(node.op)}
        if node.op == "stem":
            weight = held["weight"].double() * held["scale"].double()[:, None, None, None] * 255
            layer.weight.copy_(weight.permute(0, 3, 1, 2))
            layer.bias.copy_(held["bias"])
        elif node.op == "norm":
            layer.weight.copy_(held["scale"])
            layer.bias.copy_(held["shift"])
            layer.running_mean.zero_()
            layer.running_var.fill_(1 - lower.EPSILON)
        elif node.op == "binary":
            signs = lower.unpack_weights(held["bits"].numpy(), channels[node.inputs[0]], node.kernel)
            weight = torch.from_numpy(signs.transpose(0, 3, 1, 2).astype(np.float32))
            layer.weight.copy_(weight * held["alpha"][:, None, None, None])
        elif node.op == "conv":
            layer.weight.copy_(held["kernel"].float())
        else:
            layer.weight.copy_(held["weight"][:, :, None, None])
            layer.bias.copy_(held["bias"])


def _parts(op: str) -> tuple[str, ...]:
    return {"stem": ("weight", "scale", "bias"), "norm": ("scale", "shift"), "binary": ("bits", "alpha"),
            "conv": ("kernel",), "head": ("weight", "bias"), "mix": ("weight", "bias")}[op]  # fmt: skip


@torch.no_grad()
def _fit_norms(network: Hourglass, calibration: Tensor) -> None:
    """Give each batch-norm the statistics of its real inputs without changing the function that it computes."""
    norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]

    def watch(norm: torch.nn.BatchNorm2d, inputs: tuple[Tensor, ...]) -> None:
        x = inputs[0].float()
        scale = norm.weight.clone()
        mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
        norm.weight.copy_(scale * (variance + lower.EPSILON).sqrt())
        norm.bias.add_(mean * scale)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)

    handles = [norm.register_forward_pre_hook(watch) for norm in norms]
    network.train()
    for norm in norms:
        norm.eval()
    network(calibration)
    for handle in handles:
        handle.remove()
    network.train()
