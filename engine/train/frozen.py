"""Training on from a model that has no latents: its signs are frozen at first, then all weights are freed.

All weights of a filter begin at the same distance from 0, alpha, so the first steps could only flip whole
filters. Therefore alphas, batch-norm and the head train alone for a while, from exactly the
model's function.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine import lower
from engine.modelfile import Model
from engine.train.binary import BinaryConv2d
from engine.train.hourglass import Hourglass


@torch.no_grad()
def from_signs(network: Hourglass, model: Model) -> None:
    """Freeze the network with latents of a model that has none, so that `lowered` gives the model's very tensors.

    Latents are alpha * sign; scale and shift stand as if the inputs of batch-norm had mean 0 and variance 1.
    """
    channels = {"image": 3} | {node.name: node.channels for node in network.graph.nodes}
    for node in network.graph.nodes:
        layer = network.layer(node)
        if layer is None:
            continue
        held = {part: torch.from_numpy(model.tensors[f"{node.name}.{part}"].copy()) for part in _parts(node.op)}
        if node.op == "stem":
            weight = _stem(held["weight"].numpy(), held["scale"].numpy())
            layer.weight.copy_(torch.from_numpy(weight.transpose(0, 3, 1, 2)))
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
    network.freeze(True)


def _parts(op: str) -> tuple[str, ...]:
    return {"stem": ("weight", "scale", "bias"), "norm": ("scale", "shift"), "binary": ("bits", "alpha"),
            "conv": ("kernel",), "head": ("weight", "bias"), "mix": ("weight", "bias")}[op]  # fmt: skip


def _stem(integers: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Real weights (O, k, k, I) float64 that `lower.stem_weights` rounds to these integers and scales.

    It divides a filter's float32 peak by 32767 * 255 and rounds, so the peak is looked for among the float32
    numbers around the product.
    """
    factor = lower.STEM_LEVELS * 255
    peak = (scale.astype(np.float64) * factor).astype(np.float32)
    for side in (-np.inf, np.inf):
        near = np.nextafter(peak, np.float32(side))
        fits = (near.astype(np.float64) / lower.STEM_LEVELS / 255).astype(np.float32) == scale
        peak = np.where(fits, near, peak)
    return integers * (peak.astype(np.float64) / lower.STEM_LEVELS)[:, None, None, None]


@torch.no_grad()
def free(network: Hourglass, calibration: Tensor) -> None:
    """Let all weights of a frozen network train, without changing the function that it computes.

    calibration (N, 3, S, S) uint8: crops that show what batch-norm's inputs look like.
    """
    for layer in network.layers.values():
        if isinstance(layer, BinaryConv2d):
            layer.settle()
    network.freeze(False)
    _fit_norms(network, calibration)


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
