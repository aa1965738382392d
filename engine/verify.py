"""Does every runtime of this machine give the reference's function? The proof behind `hourbit model verify`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.modelfile import Model
from engine.runtime import EngineError, PackedRuntime, ReferenceRuntime, Runtime, available_isas
from engine.runtime.onnx import OnnxError, OnnxRuntime
from engine.runtime.packed import ISAS

SEED = 20170703


def verify(
    model: Model, images: int = 3, runtimes: Sequence[Runtime] | None = None, pictures: bool = True
) -> dict[str, Any]:
    """Compare logits on `images` random crops, and on the sample pictures where they are installed.

    Every instruction set of this machine (or every runtime of `runtimes`) must equal the reference bit
    for bit. Returns compared (logits of one runtime), differing (over all), by (instruction set ->
    differing), absent (instruction sets and runtimes that this machine lacks, or refuse the model),
    onnx_max_abs (largest difference of ONNX Runtime's logits, None without it), images (crops compared).
    """
    absent: list[str] = []
    if runtimes is None:
        runtimes = _open_all(model, absent)
    exact = {runtime.isa: runtime for runtime in runtimes if runtime.name != "onnx"}
    floats = [runtime for runtime in runtimes if runtime.name == "onnx"]
    reference = ReferenceRuntime(model)
    by, compared, onnx_max = dict.fromkeys(exact, 0), 0, None
    crops = random_crops(model, images) + (sample_crops(model) if pictures else [])
    for crop in crops:
        expected = reference.run(crop, logits=True)
        compared += expected.size
        for isa, runtime in exact.items():
            by[isa] += differing(runtime.run(crop, logits=True), expected)
        for runtime in floats:
            onnx_max = max(onnx_max or 0.0, float(np.abs(runtime.run(crop, logits=True) - expected).max()))
    return {
        "compared": compared,
        "differing": sum(by.values()),
        "by": by,
        "absent": absent,
        "onnx_max_abs": onnx_max,
        "images": len(crops),
    }


def differing(found: np.ndarray, expected: np.ndarray) -> int:
    """How many float32 values are not the same bits."""
    if found.shape != expected.shape or found.dtype != np.float32:
        return expected.size
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
    absent += [isa for isa in ISAS if isa not in isas]
    opened: list[Runtime] = []
    for isa in isas:
        try:
            opened.append(PackedRuntime(model, isa))
        except EngineError:
            absent.append(isa)
    try:
        opened.append(OnnxRuntime(model))
    except OnnxError:
        absent.append("onnx")
    return opened
