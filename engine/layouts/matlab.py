"""MATLAB files as readers of data sets need them, with the many ways in which one value can be wrapped."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from engine.label_files import FormatError
from engine.layouts import mat5
from engine.layouts.mat5 import Struct

MAX_FILE, MAX_VALUES = 1 << 30, 1 << 28
WRONG = (mat5.MatError, ValueError, struct.error, zlib.error, MemoryError, OverflowError)


def variables(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes in a MATLAB file, {} where it is none that can be read; never raises for its content."""
    try:
        return mat5.shapes(path) if path.stat().st_size <= MAX_FILE else {}
    except (OSError, *WRONG):
        return {}


def load_mat(path: Path, *names: str) -> dict[str, Any]:
    """The named variables of a MATLAB file, all where none is named.

    Raises FormatError for what is no such file, lacks a variable, or is too large.
    """
    try:
        if path.stat().st_size > MAX_FILE:
            raise FormatError(f"{path.name} is larger than 1 GB; split it.")
        known = mat5.shapes(path)
        missing = [name for name in names if name not in known]
        if missing:
            raise FormatError(f"{path.name} has no variable {missing[0]}; choose the data set's own file.")
        return mat5.load(path, names or tuple(known))
    except mat5.Old as error:
        raise FormatError(f'{path.name} is no MATLAB file that can be read ({error}); save it with "-v7".') from error
    except (OSError, *WRONG) as error:
        raise FormatError(f"{path.name} is no MATLAB file that can be read ({brief(error)}); get it again.") from error


def brief(error: Exception) -> str:
    """An error's first line, short enough for a sentence."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:120].rstrip(".")


def array(path: Path, value: Any, name: str) -> np.ndarray:
    """A variable as float64; raises FormatError where it holds no numbers."""
    found = np.asarray(value)
    if found.dtype == object and found.size == 1:  # a cell that holds the matrix
        found = np.asarray(found.flat[0])
    if found.dtype.kind not in "buif":
        raise FormatError(f"{name} in {path.name} holds no numbers; choose the data set's own file.")
    return found.astype(np.float64)


def items(value: Any) -> list[Any]:
    """The elements of a struct array or cell array, whether it came as none, one or several."""
    if value is None:
        return []
    if isinstance(value, np.ndarray):
        return list(value.ravel(order="F"))
    return [value]


def field(value: Any, name: str) -> Any:
    """A struct's field, None where it is missing or empty; structs in arrays of one element count as themselves."""
    held = unwrap(value)
    found = held.fields.get(name) if isinstance(held, Struct) else None
    return None if isinstance(found, np.ndarray) and found.size == 0 else found


def unwrap(value: Any) -> Any:
    """What is inside arrays of one element; None for empty ones."""
    for _ in range(8):
        if not isinstance(value, np.ndarray) or value.size > 1:
            return value
        value = value.flat[0] if value.size else None
    return value


def text(value: Any) -> str:
    """A text, "" where there is none."""
    found = unwrap(value)
    return str(found) if isinstance(found, (str, np.str_)) else ""


def number(value: Any) -> float | None:
    """A number, also where it was written as text; None where there is none. Raises ValueError for other text."""
    found = unwrap(value)
    if isinstance(found, str):
        found = float(found) if found.strip() else None
    if isinstance(found, (bool, int, float, np.number, np.bool_)):
        return float(found) if np.isfinite(found) else None
    return None
