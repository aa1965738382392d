"""Where the packed engine's time goes: each kind of step, its rate, and its share of what the processor could do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from engine.graph import STEM_KERNEL
from engine.runtime.compiled import peak_rate
from engine.runtime.packed import PackedRuntime
from engine.runtime.steps import Op, Step


@dataclass
class Stage:
    """Steps of one shape: how many, milliseconds of all of them, their multiply-accumulates.

    rate: billions of multiply-accumulates a second; share: of the bound, None for real arithmetic.
    """

    name: str
    count: int
    ms: float
    macs: int
    rate: float = 0.0
    share: float | None = None


def stages(runtime: PackedRuntime, crop: np.ndarray, rounds: int = 9) -> dict[str, Any]:
    """Stages with their medians of `rounds` runs on one thread, the slowest first, and the bound itself.

    The bound is what a convolution's instructions reach on registers alone, measured on this core in the same
    minute: xor, population count and addition, or their equal (AMX: products of bytes in tiles). A stage's work
    besides these, its scale, additions, maxima, signs and stores, is why it stays below.
    """
    times = runtime.profile(crop, rounds)
    bound = peak_rate(runtime.isa)
    found: dict[str, Stage] = {}
    for step, ms in zip(runtime.steps, times, strict=True):
        stage = found.setdefault(_name(step), Stage(_name(step), 0, 0.0, 0))
        stage.count += 1
        stage.ms += float(ms)
        stage.macs += _macs(step)
    for stage in found.values():
        stage.rate = stage.macs / max(stage.ms, 1e-6) / 1e6
        if stage.name.startswith("conv"):
            stage.share = stage.rate / bound
    ordered = sorted(found.values(), key=lambda stage: -stage.ms)
    return {"isa": runtime.isa, "bound": bound, "stages": [asdict(stage) for stage in ordered]}


def _name(step: Step) -> str:
    shape = f"{step.in_channels}->{step.channels} @{step.side}"
    if step.op != Op.CONV:
        return f"{step.op.name.lower()} {shape}"
    extras = [f"skip {step.skip_channels}"] if step.skip >= 0 else []
    extras += ["pool"] if step.pooled >= 0 or any(sign.pooled for sign in step.signs) else []
    extras += ["up"] if step.up >= 0 else []
    return " + ".join([f"conv {step.kernel}x{step.kernel} {shape}", *extras])


def _macs(step: Step) -> int:
    if step.op == Op.CONV:
        return step.side**2 * step.channels * (step.kernel**2 * step.in_channels + step.skip_channels)
    if step.op == Op.STEM:
        return step.side**2 * step.channels * STEM_KERNEL**2 * 3
    return step.side**2 * step.channels * step.in_channels if step.op == Op.HEAD else 0
