"""Cases for tests/native/replay.cpp: networks as the C interface takes them, a picture, the reference's logits."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from engine.modelfile import Model
from engine.runtime import ReferenceRuntime, packed
from engine.runtime.plan import make_plan


def write_cases(path: Path, cases: Iterable[tuple[Model, np.ndarray]]) -> Path:
    """Write pairs of a model and a crop (S, S, 3) uint8, with the logits that the reference gives."""
    parts = [_case(model, crop) for model, crop in cases]
    path.write_bytes(b"".join([np.int32(len(parts)).tobytes(), *parts]))
    return path


def _case(model: Model, crop: np.ndarray) -> bytes:
    plan = make_plan(model)
    arrays: list[np.ndarray] = []
    steps = [packed._c_step(step, []) for step in plan.steps]
    for step, native in zip(plan.steps, steps, strict=True):
        arrays += [np.ascontiguousarray(array) for array in step.arrays if array is not None]
        for array in native.arrays:
            array.data = None  # the reader has memory of its own
    buffers = [packed._Buffer(b.bits, b.side, b.channels, 0, b.floats) for b in plan.buffers]
    logits = ReferenceRuntime(model).run(crop, logits=True)
    sizes = np.array([len(steps), len(buffers), plan.side, logits.size], np.int32)
    parts: list[ctypes.Structure | np.ndarray] = [sizes, *steps, *buffers, *arrays, np.ascontiguousarray(crop), logits]
    return b"".join(bytes(part) if isinstance(part, ctypes.Structure) else part.tobytes() for part in parts)
