"""The fused kernels beside PyTorch's own operations, unit by unit; a script, since Triton reads its environment once.

A whole binarized network is no fair test: where a norm is near 0, one rounding flips a sign, and a few layers later
two passes are strangers. So each unit (norm, sign or ReLU, convolution) is given the same maps in both.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from engine.graph import Architecture
from engine.train.distributed import Group
from engine.train.gpu.fit import DeviceFit
from engine.train.gpu.functions import NormActivation
from engine.train.gpu.network import FusedNetwork
from engine.train.hourglass import Hourglass
from engine.train.losses import heatmap_loss
from engine.train.recipes import with_settings
from tests.engine.train.toys import RECIPE, SCHEMA, small_network, spots

VARIANTS = {
    "as shipped": {}, "padded by 0": {"pad": 0}, "real": {"real": True}, "no power of two": {"width": 96},
    "with ReLU, stacked": {"relu": True, "stacks": 2, "block": "multiscale"},
}  # fmt: skip
UNITS = 2  # of each variant: the first of the stem and the head's
UNUSABLE = 77  # exit code
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def close(found: torch.Tensor, expected: torch.Tensor, what: str, within: float = 2e-4) -> None:
    worst = float((found.float() - expected.float()).abs().max() / expected.float().abs().max().clamp(min=1e-6))
    assert worst < within, f"{what} is off by {worst:.2e} of its largest value"


def chain(network: Hourglass, apply, norm, x: torch.Tensor) -> torch.Tensor:
    """What a unit makes of its input."""
    names, value = {norm.name}, apply(norm, [x])
    for node in network.graph.nodes:
        if node.inputs[0] in names and node.op in ("sign", "relu", "binary", "conv"):
            value = apply(node, [value])
            names = {node.name}
            if node.op in ("binary", "conv"):
                return value
    raise AssertionError(f"{norm.name} ends in no convolution")


def results(network: Hourglass, apply, norm, x: torch.Tensor, towards: torch.Tensor) -> dict[str, torch.Tensor]:
    """Output, gradients and statistics of one unit."""
    network.zero_grad()
    network.layer(norm).reset_running_stats()
    x = x.clone().requires_grad_()
    out = chain(network, apply, norm, x)
    out.backward(towards[..., : out.shape[-2], : out.shape[-1]][:, : out.shape[1]])
    gradients = {n: p.grad.clone() for n, p in network.named_parameters() if p.grad is not None}
    layer = network.layer(norm)
    return {"output": out.detach(), "input": x.grad, "mean": layer.running_mean.clone(),
            "variance": layer.running_var.clone(), **gradients}  # fmt: skip


def is_interpreted() -> bool:
    """Whether Triton's interpreter works here: some releases do not with newer NumPys."""
    zeros = torch.zeros(1, 2, 2, 2)
    one = torch.ones(2)
    try:
        NormActivation.apply(zeros, one, one, (one, one), torch.zeros(4, 2), 1, 0.0, True, 1e-5, 0.1, torch.float32)
    except Exception as error:  # it wraps what NumPy raises
        print(error, file=sys.stderr)
        return False
    return True


def check(name: str, changes: dict) -> None:
    torch.manual_seed(0)
    network = Hourglass(Architecture(3, **{"width": 32, "stem": 16, "side": 64} | changes)).to(DEVICE)
    network.to(memory_format=torch.channels_last).train()
    fused = FusedNetwork(network, torch.float32)
    norms = [network.graph.by_name[n] for n in fused.borders]
    for node in (norms[i] for i in np.linspace(0, len(norms) - 1, UNITS).astype(int)):
        source = {"image": 3} | {n.name: n.channels for n in network.graph.nodes}
        x = torch.randn(3, source[node.inputs[0]], 6, 7, device=DEVICE) * 2 + 0.5
        with torch.no_grad():
            layer = network.layer(node)
            layer.weight.uniform_(0.5, 1.5)
            layer.bias.uniform_(-0.5, 0.5)
        towards = torch.randn(3, 512, 6, 7, device=DEVICE)
        plain = results(network, network.trained, node, x, towards)
        quick = results(network, fused.apply, node, x, towards)
        fused.all_sums.zero_()
        assert plain.keys() == quick.keys() and len(plain) == 7
        for what, expected in plain.items():
            close(quick[what], expected, f"{name}: {node.name}: {what}")
    before = [torch.randn_like(weight) * 2 for weight in fused.weights[:3]]
    for weight, value in zip(fused.weights, before, strict=False):
        weight.data.copy_(value)
    network.constrain()
    expected = [weight.detach().clone() for weight in fused.weights[:3]]
    for weight, value in zip(fused.weights, before, strict=False):
        weight.data.copy_(value)
    fused.constrain()
    for weight, value in zip(fused.weights, expected, strict=False):
        close(weight.detach(), value, f"{name}: constrained weights", 1e-6)


class ExactFit(DeviceFit):
    """In float32, to be compared."""

    kind = torch.float32


def check_training(folder: Path, steps: int) -> None:
    """Whole steps: the loss of the first is the plain network's but for flipped signs; weights and rates move."""
    recipe = with_settings(RECIPE, {"steps": steps, "exact": False, "warmup": 0})
    fit = ExactFit(small_network(), spots(8), spots(1), recipe, SCHEMA, folder, group=Group(device=DEVICE))
    images, targets, weight = fit._batch(0)
    before = {name: value.clone() for name, value in fit.network.state_dict().items()}
    plain = small_network().to(DEVICE).train()
    with torch.no_grad():
        expected = float(heatmap_loss("bce", plain(images, every=True), targets, weight))
    losses = [record["loss"] for record in fit.run() if record["type"] == "progress"]
    assert len(losses) == steps and abs(losses[0] / expected - 1) < 0.1, (losses, expected)
    constrained = {name: value.clone() for name, value in fit.network.state_dict().items()}
    fit.network.constrain()
    for name, value in fit.network.state_dict().items():
        close(constrained[name], value, name, 1e-2)  # clamping leaves a mean near 0
        moved = "tracked" not in name and (value - before[name]).abs().max() > 1e-4
        assert moved or "tracked" in name, f"{name} stayed"
    again = ExactFit(small_network(7), spots(8), spots(1), recipe, SCHEMA, folder, group=Group(device=DEVICE))
    assert again.resume() and again.done == 1


if __name__ == "__main__":
    torch.set_num_threads(1)
    if DEVICE.type == "cpu" and not is_interpreted():
        raise SystemExit(UNUSABLE)
    for variant in sys.argv[1:] or VARIANTS:
        check(variant, VARIANTS[variant])
        print(variant, flush=True)
    with tempfile.TemporaryDirectory() as made:
        check_training(Path(made), 1 if DEVICE.type == "cpu" else 30)
    print("a training", flush=True)
