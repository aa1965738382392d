"""From a model to a network that trains, and from a trained network to a model file with its latents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.modelfile import Model, make_model, write_model
from engine.schema import Schema
from engine.train import checkpoint
from engine.train.frozen import from_signs
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


def network_from(model: Model, side: int = 0) -> Hourglass:
    """A network to go on training from a model: from its latents, or else from alpha * sign, and then frozen.

    `side` gives it an input of other pixels, which its weights do not depend on; 0 leaves the model's. Raises
    CheckpointError where the latents beside the model are not its own, and GraphError for a side that cannot be.
    """
    network = Hourglass(replace(model.architecture, side=side or model.side))
    latents = latents_path(model.path) if model.path is not None else None
    if latents is None or not latents.is_file():
        from_signs(network, model)
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
