"""Mixed precision: bfloat16 for convolutions where the machine has it, float32 everywhere else."""

from __future__ import annotations

import torch

from engine.train.recipes import Recipe


def has_bf16(device: torch.device) -> bool:
    """Whether the device computes in bfloat16 itself; emulated, it is slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    known = torch.cpu.get_capabilities()
    return bool(known.get("avx512_bf16") or known.get("amx_bf16") or known.get("bf16"))


def mixed(recipe: Recipe, device: torch.device) -> torch.autocast:
    """The context of a forward pass."""
    return torch.autocast(device.type, torch.bfloat16, enabled=recipe.bf16 and has_bf16(device))


def is_exact(recipe: Recipe, device: torch.device) -> bool:
    """Whether sums over pictures do not depend on the number of processes: on CPUs, where asked for.

    A schedule in minutes cannot repeat itself anyway, so that speed goes first there.
    """
    return recipe.exact and device.type == "cpu" and not recipe.minutes


def notice(recipe: Recipe, device: torch.device) -> str:
    """What to tell where the recipe wants bfloat16 and the machine has none; else empty."""
    if not recipe.bf16 or has_bf16(device):
        return ""
    return "This machine has no bfloat16; training runs in float32, which takes longer."
