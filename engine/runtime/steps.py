"""The packed engine's program: steps over numbered buffers, as the C interface takes them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

ARRAYS, SIGNS = 10, 2  # HB_ARRAYS and HB_SIGNS in engine/native/hourbit.h


class PlanError(ValueError):
    """A graph that the packed engine has no steps for."""


class Op(IntEnum):
    """As enum HbOp in engine/native/hourbit.h."""

    STEM = 0
    SIGN = 1
    CONV = 2
    POOL = 3
    UP_ADD = 4
    HEAD = 5
    MEAN = 6
    AROUND = 7
    MIX = 8


@dataclass(frozen=True)
class Buffer:
    """Memory of one or more maps: bits of exactly side x side x channels, or `floats` float32 values.

    line: holds one row, which a convolution writes and the head right after it reads, in turns.
    """

    bits: bool
    side: int = 0
    channels: int = 0
    floats: int = 0
    line: bool = False


@dataclass(frozen=True)
class Sign:
    """Signs after batch-norm that a step writes: into which map of bits, scale and shift (C,) of its slice."""

    buffer: int
    scale: np.ndarray
    shift: np.ndarray
    pooled: bool = False  # of the maximum of 2 x 2


@dataclass(frozen=True)
class Step:
    """One step of the packed engine; fields as struct HbStep in engine/native/hourbit.h."""

    op: Op
    side: int
    channels: int
    kernel: int = 1
    in_channels: int = 0
    stride: int = 0
    offset: int = 0
    source: int = -1
    target: int = -1
    other: int = -1
    bits: int = -1
    relu: bool = False
    pad: int = -1
    arrays: tuple[np.ndarray | None, ...] = ()
    skip: int = -1
    skip_channels: int = 0
    up: int = -1
    pooled: int = -1
    signs: tuple[Sign, ...] = ()


@dataclass(frozen=True)
class Tap:
    """Where a graph node's map stands after the first `steps` steps: (side, side, channels) in `buffer`.

    bits: those of a sign, else floats.
    """

    name: str
    steps: int
    buffer: int
    side: int
    channels: int
    bits: bool = False


@dataclass(frozen=True)
class Plan:
    """A network for the packed engine; side is the image's, taps are in the order of steps."""

    steps: tuple[Step, ...]
    buffers: tuple[Buffer, ...]
    taps: tuple[Tap, ...]
    side: int
