"""A trained network as a teacher: its heatmaps become a share of the targets (knowledge distillation)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from engine.errors import UserError
from engine.modelfile import read_model
from engine.schema import Schema
from engine.train import checkpoint, finish
from engine.train.hourglass import Hourglass


class Teacher:
    """A network that no longer learns; usually a real-valued one of the student's shape."""

    def __init__(self, network: Hourglass, share: float) -> None:
        self.network, self.share = network.requires_grad_(False), share
        network.train()  # the quick path, not the exact one of the engine
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()

    @torch.no_grad()
    def mixed(self, images: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
        """Targets with the teacher's share, (N, K, h, w) float32; unlabelled landmarks keep their own."""
        soft = torch.sigmoid(self.network(images))
        return torch.where((weight > 0)[..., None, None], targets.lerp(soft, self.share), targets)


def load_teacher(path: str | Path, share: float, schema: Schema, device: torch.device) -> Teacher:
    """A teacher from a model file (.hourbit) or a run's checkpoint (.safetensors); raises UserError."""
    path = Path(path)
    try:
        if path.suffix == ".safetensors":
            network = checkpoint.load_network(path)
        else:
            network = finish.network_from(read_model(path))
    except OSError as error:
        raise UserError(f"The teacher {path} cannot be read ({error.strerror}); choose another one.") from error
    count = network.architecture.landmarks
    if count != len(schema):
        raise UserError(f"The teacher has {count} landmarks and {schema.name} {len(schema)}; choose a matching one.")
    return Teacher(network.to(device, memory_format=torch.channels_last), share)
