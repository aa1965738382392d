"""Whether a training can run through the fused kernels, and if not, why; without importing Triton."""

from __future__ import annotations

from importlib.util import find_spec

import torch

from engine.train.datasets import Examples
from engine.train.distributed import Group
from engine.train.fit import Fit
from engine.train.hourglass import Hourglass
from engine.train.precision import has_bf16
from engine.train.recipes import Recipe

SHARE = 0.25  # of the device's memory, for pictures
LARGEST = 2  # times the side of a crop that pictures of it may have: they are not area-averaged
MOST = 2**31 - 1  # values of a map that the kernels can count

USED = "Training runs through fused kernels on {}; two runs differ by rounding."
NOT_USED = "Training runs without the fused kernels for GPUs, and slower: {}."


def fit_class(network: Hourglass, examples: Examples, recipe: Recipe, group: Group) -> tuple[type[Fit], str]:
    """How a training runs on this device, and what to tell of it, which on a CPU is nothing."""
    if group.device.type != "cuda":
        return Fit, ""
    reason = obstacle(network, recipe, group.world) or missing(group.device) or too_large(
        examples, recipe, int(torch.cuda.get_device_properties(group.device).total_memory * SHARE)
    )  # fmt: skip
    if reason:
        return Fit, NOT_USED.format(reason)
    from engine.train.gpu.fit import DeviceFit

    return DeviceFit, USED.format(torch.cuda.get_device_name(group.device))


def obstacle(network: Hourglass, recipe: Recipe, world: int) -> str:
    """What of a training the kernels have no form of; empty where they have all."""
    binary = not network.architecture.real
    values = recipe.batch * max(node.channels * (node.side + 2) ** 2 for node in network.graph.nodes)
    tests = {
        "several processes share a batch": world > 1,
        "the setting fused is off": not recipe.fused,
        "the setting bf16 is off": not recipe.bf16,
        "it learns parts and not landmarks": bool(recipe.parts),
        "its optimiser is not Adam": recipe.optimiser != "adam",
        "the model came without latent weights": network.frozen,
        "weights are not centred and clamped": binary and not (recipe.centring and recipe.clamp),
        "the gradient of weights is not that of autograd": binary and recipe.gradient != "autograd",
        "weights are real at first": binary and recipe.pretraining > 0,
        "a map of a batch has too many values": values > MOST,
    }  # fmt: skip
    return next((reason for reason, holds in tests.items() if holds), "")


def missing(device: torch.device) -> str:
    """What this machine lacks for the kernels; empty where they run."""
    if not has_bf16(device):
        return "this GPU has no bfloat16"
    if find_spec("triton") is None:
        return "Triton is not installed"
    try:
        from engine.train.gpu.functions import constrain

        probe = torch.tensor([[[[3.0]], [[1.0]]]], device=device)
        constrain(probe)
        right = probe.flatten().tolist() == [1.0, -1.0]
    except Exception as error:  # Triton raises many kinds, such as for a missing C compiler or an old driver
        return f"Triton does not work here ({' '.join(str(error).split())[:120]})"
    return "" if right else "Triton computes wrongly here"


def too_large(examples: Examples, recipe: Recipe, budget: int) -> str:
    """Whether the pictures, in `budget` bytes of memory, are small enough to be kept on the device; empty if so."""
    if (examples.box[:, 2] * recipe.crop > LARGEST * recipe.side).mean() > 0.5:
        return f"most pictures are more than {LARGEST} times as large as the network's"
    height = width = 0
    for picture in examples.images:
        height, width = max(height, picture.shape[0]), max(width, picture.shape[1])
        if len(examples) * height * width * 3 > budget:
            return "the pictures do not fit into a quarter of its memory"
    return ""
