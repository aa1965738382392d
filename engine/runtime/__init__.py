"""Three runtimes behind one protocol: packed (C), reference (NumPy) and onnx (ONNX Runtime).

All give the same function of the same uint8 crop; packed and reference agree bit for bit, which is
checked once for each model before packed is trusted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np

from engine import trust
from engine.errors import UserError
from engine.external import ExternalModel
from engine.graph import build
from engine.modelfile import Model
from engine.models import AnyModel
from engine.runtime.compiled import EngineError, choose_isa, library_path, supported_isas
from engine.runtime.packed import PackedRuntime
from engine.runtime.reference import ReferenceRuntime
from engine.runtime.steps import PlanError

RUNTIMES = ("packed", "reference", "onnx")
CHECK_SIDE = 64  # weights do not depend on the side, and the smallest network takes milliseconds

_checked: dict[tuple[str, str], bool] = {}


@runtime_checkable
class Runtime(Protocol):
    """A model ready to run.

    Any thread may call it, and while it computes, other Python threads go on. One packed runtime serves one crop at
    a time, so threads that shall run side by side open a runtime each; they share nothing but the model's tensors.

    name: packed, reference or onnx; isa: amx, avx512, avx512bw, avx2, neon, scalar, numpy or onnx; notice: why another
    runtime than the one asked for serves, else empty; checked: compared with the reference on this machine.
    """

    name: str
    isa: str
    threads: int
    model: AnyModel
    notice: str
    checked: bool

    def run(self, crop: np.ndarray, logits: bool = False) -> np.ndarray:
        """Heatmaps of one crop: (S, S, 3) uint8 RGB -> (K, S/4, S/4) float32, in [0, 1] unless `logits`."""

    def run_batch(self, crops: np.ndarray, logits: bool = False) -> np.ndarray:
        """Heatmaps of several crops: (N, S, S, 3) uint8 RGB -> (N, K, S/4, S/4) float32, as `run` gives them."""

    def layers(self) -> tuple[str, ...]:
        """Names of the inner layers that `tap` can show, in evaluation order."""

    def tap(self, crop: np.ndarray, names: Iterable[str]) -> dict[str, np.ndarray]:
        """What inner layers give for a crop, by name: (H, W, C), a sign's bits as bool, else float32.

        Equal in all runtimes. Costs time only when called. Raises UserError for an unknown name.
        """


def available_isas() -> list[str]:
    """Instruction sets that the compiled engine has on this machine, best first; empty without the engine."""
    try:
        return supported_isas()
    except EngineError:
        return []


def open_runtime(model: AnyModel, runtime: str = "packed", threads: int = 1, isa: str | None = None) -> Runtime:
    """A runtime for a model.

    Where the compiled engine is missing or differs from the reference, "packed" gives the reference
    with `notice` set. A model with real weights has no packed form: "packed" gives
    ONNX Runtime, or the reference where that is not installed. Networks of other makers run in ONNX Runtime
    alone. Raises UserError for an unknown runtime or instruction set.
    """
    if runtime not in RUNTIMES:
        raise UserError(f"Unknown runtime {runtime!r}; use one of {', '.join(RUNTIMES)}.")
    if threads < 1:
        raise UserError(f"A runtime needs at least one thread, not {threads}.")
    if isinstance(model, ExternalModel):
        if runtime == "reference":
            raise UserError(f"{model.name} runs in ONNX Runtime only; leave the runtime out, or name onnx.")
        from engine.runtime.onnx import ExternalRuntime

        return ExternalRuntime(model, threads)
    if runtime == "onnx":
        return _open_onnx(model, threads)
    if runtime == "reference":
        return ReferenceRuntime(model)
    if model.architecture.real:
        return _open_real(model, threads)
    return _open_packed(model, isa, threads)


def _open_onnx(model: Model, threads: int) -> Runtime:
    from engine.runtime.onnx import OnnxRuntime

    return OnnxRuntime(model, threads)


def _open_real(model: Model, threads: int) -> Runtime:
    from engine.runtime.onnx import OnnxError

    try:
        return _open_onnx(model, threads)
    except OnnxError as error:
        return _fallback(model, str(error))


def _open_packed(model: Model, isa: str | None, threads: int) -> Runtime:
    try:
        isas = supported_isas()
    except EngineError as error:
        return _fallback(model, str(error))
    if not isas:
        return _fallback(model, "The compiled engine supports no instruction set of this processor.")
    isa = choose_isa(isa)
    try:
        packed = PackedRuntime(model, isa, threads)
        same = agrees(model, isa)
    except (EngineError, PlanError) as error:
        return _fallback(model, str(error))
    if not same:
        return _fallback(model, f"The compiled engine ({isa}) differs from the reference on this machine.")
    packed.checked = True
    return packed


def _fallback(model: Model, why: str) -> Runtime:
    reference = ReferenceRuntime(model)
    reference.notice = f"{why} Predictions use the slower NumPy runtime."
    return reference


def agrees(model: Model, isa: str) -> bool:
    """Whether packed equals the reference for these weights, on one small random crop; remembered."""
    key = (model.sha256, isa)
    if key not in _checked and trust.seen(*key, library_path()):
        _checked[key] = True
    if key not in _checked:
        small = replace(model, graph=build(replace(model.architecture, side=CHECK_SIDE)))
        crop = np.random.default_rng(0).integers(0, 256, (CHECK_SIDE, CHECK_SIDE, 3), np.uint8)
        found, expected = (r.run(crop, logits=True) for r in (PackedRuntime(small, isa), ReferenceRuntime(small)))
        _checked[key] = np.array_equal(found, expected)
        if _checked[key]:
            trust.keep(*key, library_path())
    return _checked[key]
