"""Cases for tests/native/replay.cpp: networks as the C interface takes them, a picture, the reference's logits."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from engine.modelfile import Model
from engine.runtime import ReferenceRuntime, compiled
from engine.runtime.fuse import fused_plan
from engine.runtime.plan import make_plan
from engine.runtime.steps import Plan


def write_cases(path: Path, cases: Iterable[tuple[Model, np.ndarray]]) -> Path:
    """Write pairs of a model and a crop (S, S, 3) uint8, with the logits that the reference gives."""
    parts = [_case(model, plan(model), crop) for model, crop in cases for plan in (make_plan, fused_plan)]
    path.write_bytes(b"".join([np.int32(len(parts)).tobytes(), *parts]))
    return path


def _case(model: Model, plan: Plan, crop: np.ndarray) -> bytes:
    arrays: list[np.ndarray] = []
    steps = [compiled.c_step(step, arrays) for step in plan.steps]
    for native in steps:
        for array in native.arrays:
            array.data = None  # the reader has memory of its own
    buffers = [compiled.c_buffer(buffer) for buffer in plan.buffers]
    logits = ReferenceRuntime(model).run(crop, logits=True)
    sizes = np.array([len(steps), len(buffers), plan.side, logits.size], np.int32)
    parts: list[ctypes.Structure | np.ndarray] = [sizes, *steps, *buffers, *arrays, np.ascontiguousarray(crop), logits]
    return b"".join(bytes(part) if isinstance(part, ctypes.Structure) else part.tobytes() for part in parts)
