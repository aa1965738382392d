"""A trained network as a teacher: its heatmaps become a share of the targets (knowledge distillation)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.architecture import SEGMENTATION
from engine.errors import UserError
from engine.modelfile import read_model
from engine.train import checkpoint, finish
from engine.train.hourglass import Hourglass
from engine.train.tasks import Task


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
        logits = self._logits(images, targets.shape[-1])
        parts = self.network.architecture.head == SEGMENTATION
        soft = torch.softmax(logits, 1) if parts else torch.sigmoid(logits)
        return torch.where((weight > 0)[..., None, None], targets.lerp(soft, self.share), targets)

    def _logits(self, images: Tensor, side: int) -> Tensor:
        """The teacher's logits, (N, K, side, side) float32: it sees crops of the size that it has learnt from."""
        own = self.network.architecture.side
        if images.shape[-1] == own:
            return self.network(images)
        seen = functional.interpolate(images.float(), (own, own), mode="bilinear", antialias=True)
        seen = seen.round().to(torch.uint8).contiguous(memory_format=torch.channels_last)
        return functional.interpolate(self.network(seen).float(), (side, side), mode="bilinear")


def load_teacher(path: str | Path, share: float, task: Task, device: torch.device) -> Teacher:
    """A teacher from a model file (.hourbit) or a run's checkpoint (.safetensors); raises UserError."""
    path = Path(path)
    try:
        if path.suffix == ".safetensors":
            network = checkpoint.load_network(path)
        else:
            network = finish.network_from(read_model(path))
    except OSError as error:
        raise UserError(f"The teacher {path} cannot be read ({error.strerror}); choose another one.") from error
    found, schema = network.architecture, task.output
    if found.landmarks != len(schema):
        raise UserError(
            f"The teacher has {found.landmarks} landmarks and {schema.name} {len(schema)}; choose a matching one."
        )
    if (found.head == SEGMENTATION) != (task.metric == "miou"):
        raise UserError(f"The teacher's maps are of {found.head}; choose one that was trained for the same.")
    return Teacher(network.to(device, memory_format=torch.channels_last), share)
