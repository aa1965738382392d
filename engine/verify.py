"""Does every runtime of this machine give the reference's function? The proof behind `hourbit model verify`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.modelfile import Model
from engine.runtime import EngineError, PackedRuntime, ReferenceRuntime, Runtime, available_isas
from engine.runtime.compiled import ISAS, OTHERS
from engine.runtime.onnx import OnnxError, OnnxRuntime
from engine.runtime.plan import make_plan

SEED = 20170703


def verify(
    model: Model, images: int = 3, runtimes: Sequence[Runtime] | None = None, pictures: bool = True
) -> dict[str, Any]:
    """Compare runtimes on `images` random crops, and on the sample pictures where they are installed.

    Every instruction set of this machine (or every runtime of `runtimes`) must equal the reference bit
    for bit: the logits, and inside the network the residual stream and the sign bits, since a wrong weight need not
    reach the logits of a given picture. Returns compared (values of each runtime), differing (over all), by
    (instruction set -> differing), absent (instruction sets and runtimes that this machine lacks),
    onnx_max_abs (largest difference of ONNX Runtime's logits, None without it), images (crops compared).
    """
    absent: list[str] = []
    if runtimes is None:
        runtimes = _open_all(model, absent)
    by = {runtime.isa: 0 for runtime in runtimes if runtime.name != "onnx"}
    compared, onnx_max = 0, None
    crops = random_crops(model, images) + (sample_crops(model) if pictures else [])
    for crop in crops:
        expected, inner = _reference(model, crop)
        compared += expected.size + sum(values.size for values in inner.values())
        for runtime in runtimes:
            found = runtime.run(crop, logits=True)
            if runtime.name == "onnx":
                onnx_max = max(onnx_max or 0.0, float(np.abs(found - expected).max()))
                continue
            by[runtime.isa] += differing(found, expected)
            if isinstance(runtime, PackedRuntime):
                by[runtime.isa] += sum(differing(values, inner[name]) for name, values in runtime.maps(crop).items())
    return {
        "compared": compared,
        "differing": sum(by.values()),
        "by": by,
        "absent": absent,
        "onnx_max_abs": onnx_max,
        "images": len(crops),
    }


def _reference(model: Model, crop: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The reference's logits and its maps at the packed engine's taps."""
    taps = set() if model.architecture.real else {tap.name for tap in make_plan(model).taps}
    inner: dict[str, np.ndarray] = {}
    for name, values in ReferenceRuntime(model).maps(crop):
        if name in taps:
            inner[name] = values > 0 if model.graph[name].op == "sign" else values
    return np.ascontiguousarray(values.transpose(2, 0, 1)), inner


def differing(found: np.ndarray, expected: np.ndarray) -> int:
    """How many values, float32 or bool, are not the same bits."""
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return expected.size
    if found.dtype == bool:
        return int((found != expected).sum())
    return int((np.ascontiguousarray(found).view(np.uint32) != expected.view(np.uint32)).sum())


def random_crops(model: Model, count: int) -> list[np.ndarray]:
    """Crops of noise, of flat colours with noise, and of black and white, in turn: (S, S, 3) uint8."""
    rng = np.random.default_rng(SEED)
    side = model.architecture.side
    crops = []
    for index in range(count):
        noise = rng.integers(0, 256, (side, side, 3), np.uint8)
        if index % 3 == 1:
            noise = (noise // 8 + rng.integers(0, 220, 3)).astype(np.uint8)
        elif index % 3 == 2:
            noise = np.where(noise > 127, 255, 0).astype(np.uint8)
        crops.append(noise)
    return crops


def sample_crops(model: Model) -> list[np.ndarray]:
    """The sample pictures that ship, each whole, as crops of the model's side; none where they are absent."""
    try:
        from engine.samples import sample_pictures
    except ImportError:
        return []
    from engine import crop

    side = model.architecture.side
    crops = []
    for _, picture in sample_pictures():
        height, width = picture.shape[:2]
        affine = crop.matrix((width - 1) / 2, (height - 1) / 2, max(height, width), side)
        crops.append(crop.sample(picture, affine, side))
    return crops


def _open_all(model: Model, absent: list[str]) -> list[Runtime]:
    isas = available_isas()
    absent += [isa for isa in ISAS if isa not in (*isas, *OTHERS)]
    opened: list[Runtime] = []
    for isa in () if model.architecture.real else isas:
        try:
            opened.append(PackedRuntime(model, isa))
        except EngineError:
            absent.append(isa)
    try:
        opened.append(OnnxRuntime(model))
    except OnnxError:
        absent.append("onnx")
    return opened
