"""The compiled engine's library (engine/native): found, loaded, asked for instruction sets, and its C structures."""

from __future__ import annotations

import ctypes
import os
import platform
import time
from ctypes import POINTER, Structure, c_char_p, c_int32, c_int64, c_void_p
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np

from engine.errors import UserError
from engine.runtime.steps import ARRAYS, SIGNS, Buffer, Plan, Step

ABI = 5
ISAS = ("amx", "avx512", "avx512bw", "avx2", "neon", "scalar")
ARM = platform.machine().lower() in ("arm64", "aarch64")
OTHERS = ("amx", "avx512", "avx512bw", "avx2") if ARM else ("neon",)  # of other processors
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


def create(lib: ctypes.CDLL, plan: Plan, isa: str, threads: int = 1) -> int:
    """A handle of a net for a plan, which the caller destroys; raises EngineError where the library refuses it."""
    kept: list[np.ndarray] = []  # the C side copies, so these need to live until it returns
    steps = (_Step * len(plan.steps))(*(c_step(step, kept) for step in plan.steps))
    buffers = (_Buffer * len(plan.buffers))(*(c_buffer(buffer) for buffer in plan.buffers))
    handle = lib.hb_create(steps, len(steps), buffers, len(buffers), plan.side, isa.encode(), threads)
    if not handle:
        raise EngineError(f"The compiled engine refused the model ({lib.hb_last_error().decode()}); use another one.")
    return handle


def c_buffer(buffer: Buffer) -> _Buffer:
    """A buffer as the library takes it."""
    return _Buffer(buffer.bits, buffer.side, buffer.channels, buffer.line, buffer.floats)


def c_step(step: Step, kept: list[np.ndarray]) -> _Step:
    """A step as the library takes it; `kept` gets the arrays that must live as long."""
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
