"""The bit-packed engine: ctypes over the C library of engine/native, which releases the GIL."""

from __future__ import annotations

import ctypes
import os
import platform
import threading
import time
from collections.abc import Iterable
from ctypes import POINTER, Structure, c_char_p, c_int32, c_int64, c_void_p
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np

from engine.errors import UserError
from engine.heatmaps import probabilities
from engine.modelfile import Model
from engine.runtime.fuse import fused_plan
from engine.runtime.inputs import check_crop, check_crops, known_layers, layer_names
from engine.runtime.plan import make_plan
from engine.runtime.steps import ARRAYS, SIGNS, Buffer, Plan, Step, Tap

ABI = 5
ISAS = ("amx", "avx512", "avx512bw", "avx2", "neon", "scalar")
ARM = platform.machine().lower() in ("arm64", "aarch64")
OTHERS = ("amx", "avx512", "avx512bw", "avx2") if ARM else ("neon",)  # of other processors
MAX_THREADS = 16  # as in engine/native/team.h
FILES = ("libhourbit.so", "hourbit.dll", "libhourbit.dylib")


class EngineError(UserError):
    """The compiled engine is missing, or cannot do what was asked; the message has a remedy."""


class _Array(Structure):
    _fields_ = [("data", c_void_p), ("bytes", c_int64)]


class _Step(Structure):
    _fields_ = [
        *((name, c_int32) for name in ("op", "side", "kernel", "in_channels", "channels", "stride", "offset")),
        *((name, c_int32) for name in ("source", "target", "other", "bits", "relu", "pad")),
        *((name, c_int32) for name in ("skip", "skip_channels", "up", "pooled")),
        ("signs", c_int32 * SIGNS), ("signs_pooled", c_int32), ("arrays", _Array * ARRAYS),
    ]


class _Buffer(Structure):
    _fields_ = [*((name, c_int32) for name in ("bits", "side", "channels", "line")), ("floats", c_int64)]


def library_path() -> Path:
    """The C library's file; raises EngineError where none is installed."""
    chosen = os.environ.get("HOURBIT_LIBRARY")
    if chosen:
        return Path(chosen)
    for name in FILES:
        path = resources.files("engine") / "native" / name
        if path.is_file():
            return Path(str(path))
    raise EngineError("The compiled engine is not installed; install Hourbit again with a C++ compiler at hand.")


@cache
def _load(path: Path) -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(str(path))
        library.hb_abi.restype = c_int32
        abi = library.hb_abi()
    except (OSError, AttributeError) as error:
        raise EngineError(f"The compiled engine cannot be loaded ({error}); install Hourbit again.") from error
    if abi != ABI:
        raise EngineError(f"The compiled engine has version {abi}, not {ABI}; install Hourbit again.")
    library.hb_isas.restype = c_char_p
    library.hb_last_error.restype = c_char_p
    library.hb_create.restype = c_void_p
    library.hb_create.argtypes = [POINTER(_Step), c_int32, POINTER(_Buffer), c_int32, c_int32, c_char_p, c_int32]
    library.hb_run.restype = c_int32
    library.hb_run.argtypes = [c_void_p, c_void_p, c_int64, c_void_p, c_int64]
    library.hb_peak.restype = c_int64
    library.hb_peak.argtypes = [c_char_p, c_int64]
    library.hb_profile.restype = c_int32
    library.hb_profile.argtypes = [c_void_p, c_void_p, c_int64, c_void_p, c_int64, c_void_p, c_int32]
    library.hb_run_part.restype = c_int32
    library.hb_run_part.argtypes = [c_void_p, c_void_p, c_int64, c_int32, c_int32]
    library.hb_read.restype = c_int32
    library.hb_read.argtypes = [c_void_p, c_int32, c_void_p, c_int64]
    library.hb_read_bits.restype = c_int32
    library.hb_read_bits.argtypes = [c_void_p, c_int32, c_void_p, c_int64]
    library.hb_memory.restype = c_int64
    library.hb_memory.argtypes = [c_void_p]
    library.hb_destroy.restype = None
    library.hb_destroy.argtypes = [c_void_p]
    return library


def library() -> ctypes.CDLL:
    """The C library, loaded once; raises EngineError where there is none that fits."""
    return _load(library_path())


def supported_isas() -> list[str]:
    """Instruction sets that the library can run on this machine, best first; raises EngineError."""
    names = library().hb_isas().decode()
    return names.split(",") if names else []


def choose_isa(isa: str | None = None) -> str:
    """The instruction set to use: `isa`, else HOURBIT_ISA, else the best; raises EngineError."""
    isas = supported_isas()
    source = "" if isa else "HOURBIT_ISA="
    isa = isa or os.environ.get("HOURBIT_ISA")
    if not isas:
        raise EngineError("The compiled engine supports no instruction set of this processor; use another runtime.")
    if not isa:
        return isas[0]
    if isa not in ISAS:
        raise EngineError(f"{source}{isa} is no instruction set; use one of {', '.join(isas)}.")
    if isa not in isas:
        raise EngineError(f"This machine cannot run {source}{isa}; use one of {', '.join(isas)}.")
    return isa


def peak_rate(isa: str, rounds: int = 500_000) -> float:
    """Billions of products of bits a second that a convolution's instructions reach on registers alone: the bound.

    The best of several short runs, in CPU time of this thread; raises EngineError without the instruction set.
    """
    best = 0.0
    for _ in range(20):
        start = time.thread_time_ns()
        products = library().hb_peak(choose_isa(isa).encode(), rounds)
        best = max(best, products / max(time.thread_time_ns() - start, 1))
    return best


class PackedRuntime:
    """A model in the C engine, whose calls let other Python threads run.

    Threads may share one; it then serves one crop at a time. To run side by side each thread opens its own.
    """

    name = "packed"

    def __init__(self, model: Model, isa: str | None = None, threads: int = 1) -> None:
        self.model = model
        self.threads = min(threads, MAX_THREADS)
        self.isa = choose_isa(isa)
        self.notice = ""
        self.checked = False
        self._library = library()
        self._lock = threading.Lock()
        self._inner: tuple[c_void_p, tuple[Tap, ...]] | None = None
        plan = fused_plan(model)
        self.steps = plan.steps
        self._handle = c_void_p(_create(self._library, plan, self.isa, self.threads))

    @property
    def memory(self) -> int:
        """Bytes that the engine holds for weights and maps."""
        return self._library.hb_memory(self._handle)

    def run(self, crop: np.ndarray, logits: bool = False) -> np.ndarray:
        """Heatmaps of one crop: (S, S, 3) uint8 RGB -> (K, S/4, S/4) float32, in [0, 1] unless `logits`."""
        check_crop(crop, self.model)
        return self.run_batch(crop[None], logits)[0]

    def run_batch(self, crops: np.ndarray, logits: bool = False) -> np.ndarray:
        """Heatmaps of several crops: (N, S, S, 3) uint8 RGB -> (N, K, S/4, S/4) float32, as `run` gives them.

        The crops go through one after the other in the memory of the first; the result is all that is new.
        """
        check_crops(crops, self.model)
        network = self.model.architecture
        out = np.empty((len(crops), network.landmarks, network.heatmap, network.heatmap), np.float32)
        for crop, target in zip(crops, out, strict=True):
            crop = np.ascontiguousarray(crop)
            with self._lock:
                failed = self._library.hb_run(
                    self._handle, crop.ctypes.data, crop.size, target.ctypes.data, target.size
                )
                self._check(failed)
        return out if logits else probabilities(out, self.model.head)

    def profile(self, crop: np.ndarray, rounds: int = 1) -> np.ndarray:
        """Time of each of `steps` for one crop on one thread: (steps,) float64 milliseconds, medians of `rounds` runs.

        CPU time where the system tells a thread's, else wall time.
        """
        check_crop(crop, self.model)
        crop = np.ascontiguousarray(crop)
        architecture = self.model.architecture
        out = np.empty((architecture.landmarks, architecture.heatmap, architecture.heatmap), np.float32)
        times = np.zeros((rounds, len(self.steps)), np.int64)
        with self._lock:
            for row in times:
                self._check(
                    self._library.hb_profile(
                        self._handle, crop.ctypes.data, crop.size, out.ctypes.data, out.size, row.ctypes.data, len(row)
                    )
                )
        return np.median(times, axis=0) / 1e6

    def layers(self) -> tuple[str, ...]:
        """Names of the graph's nodes in evaluation order: what `tap` takes."""
        return layer_names(self.model)

    def tap(self, crop: np.ndarray, names: Iterable[str]) -> dict[str, np.ndarray]:
        """What inner layers give for a crop, by name: (H, W, C), a sign's bits as bool, else float32.

        Sign bits and sums are the engine's own. What it never writes down, since it is fused with its neighbours,
        follows from these by the reference's operations. Raises UserError for an unknown name.
        """
        from engine.runtime.taps import complete

        names = known_layers(self.model, names)
        return complete(
            self.model, crop, names, [tap.name for tap in self._inner_net()[1]], lambda wanted: self.maps(crop, wanted)
        )

    def maps(self, crop: np.ndarray, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
        """What the engine writes down on its way, by graph node: (H, W, C), bool for signs, else float32.

        All of it, or only `names`; the network is run no further than the last of them.
        """
        check_crop(crop, self.model)
        crop = np.ascontiguousarray(crop)
        wanted = None if names is None else set(names)
        found: dict[str, np.ndarray] = {}
        first = 0
        with self._lock:
            handle, taps = self._inner_net()
            for tap in taps:
                if wanted is None or tap.name in wanted:
                    self._check(self._library.hb_run_part(handle, crop.ctypes.data, crop.size, first, tap.steps))
                    first = tap.steps
                    found[tap.name] = self._read(handle, tap)
        return found

    def _inner_net(self) -> tuple[c_void_p, tuple[Tap, ...]]:
        """A second net, made when it is first asked for: its steps are not fused, so that it keeps its inner maps."""
        if self._inner is None:
            plan = make_plan(self.model)
            self._inner = c_void_p(_create(self._library, plan, self.isa)), plan.taps
        return self._inner

    def _read(self, handle: c_void_p, tap: Tap) -> np.ndarray:
        shape = (tap.side, tap.side)
        if not tap.bits:
            values = np.empty((*shape, tap.channels), np.float32)
            self._check(self._library.hb_read(handle, tap.buffer, values.ctypes.data, values.size))
            return values
        words = np.empty((*shape, -(-tap.channels // 32)), "<u4")
        self._check(self._library.hb_read_bits(handle, tap.buffer, words.ctypes.data, words.size))
        bits = np.unpackbits(words.view(np.uint8), axis=2, bitorder="little")
        return bits[:, :, : tap.channels].astype(bool)

    def _check(self, failed: int) -> None:
        if failed:
            raise RuntimeError(self._library.hb_last_error().decode())

    def __del__(self) -> None:
        inner = getattr(self, "_inner", None)
        for handle in (getattr(self, "_handle", None), inner[0] if inner else None):
            if handle:
                self._library.hb_destroy(handle)


def _create(lib: ctypes.CDLL, plan: Plan, isa: str, threads: int = 1) -> int:
    kept: list[np.ndarray] = []  # the C side copies, so these need to live until it returns
    steps = (_Step * len(plan.steps))(*(_c_step(step, kept) for step in plan.steps))
    buffers = (_Buffer * len(plan.buffers))(*(_c_buffer(buffer) for buffer in plan.buffers))
    handle = lib.hb_create(steps, len(steps), buffers, len(buffers), plan.side, isa.encode(), threads)
    if not handle:
        raise EngineError(f"The compiled engine refused the model ({lib.hb_last_error().decode()}); use another one.")
    return handle


def _c_buffer(buffer: Buffer) -> _Buffer:
    return _Buffer(buffer.bits, buffer.side, buffer.channels, buffer.line, buffer.floats)


def _c_step(step: Step, kept: list[np.ndarray]) -> _Step:
    arrays = (_Array * ARRAYS)()
    norms = [array for sign in step.signs for array in (sign.scale, sign.shift)]
    for slot, array in (*enumerate(step.arrays), *enumerate(norms, ARRAYS - 2 * SIGNS)):
        if array is not None:
            array = np.ascontiguousarray(array)
            kept.append(array)
            arrays[slot] = _Array(array.ctypes.data, array.nbytes)
    signs = (ctypes.c_int32 * SIGNS)(*[sign.buffer for sign in step.signs], *[-1] * (SIGNS - len(step.signs)))
    return _Step(
        step.op, step.side, step.kernel, step.in_channels, step.channels, step.stride, step.offset, step.source,
        step.target, step.other, step.bits, step.relu, step.pad, step.skip, step.skip_channels, step.up, step.pooled,
        signs, sum(sign.pooled << i for i, sign in enumerate(step.signs)), arrays,
    )  # fmt: skip
