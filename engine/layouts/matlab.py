"""MATLAB files, bounded, with the many ways in which one value can be wrapped."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from engine.layouts.values import LayoutError

MAX_FILE, MAX_VALUES = 1 << 30, 1 << 28
WRONG = (
    ValueError, TypeError, KeyError, IndexError, OverflowError, EOFError, OSError, AttributeError, AssertionError,
    NotImplementedError, MemoryError, RecursionError, UnboundLocalError, struct.error, zlib.error,
)  # fmt: skip


def scipy_io() -> Any:
    """SciPy's reader, loaded when it is needed."""
    try:
        import scipy.io
    except ImportError as error:
        raise LayoutError('MATLAB files need SciPy; install it with: pip install "hourbit[formats]".') from error
    return scipy.io


def wrong() -> tuple[type[Exception], ...]:
    """What SciPy raises for damaged files."""
    try:
        from scipy.io.matlab import MatReadError
    except ImportError:
        return WRONG
    return (*WRONG, MatReadError)


def variables(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes in a MATLAB file of versions 4 to 7, {} where it is none; never raises for its content."""
    try:
        io = scipy_io()
        return {name: tuple(shape) for name, shape, _ in io.whosmat(path)} if path.stat().st_size <= MAX_FILE else {}
    except (LayoutError, *wrong()):
        return {}


def load_mat(path: Path, *names: str, squeeze: bool = False) -> dict[str, Any]:
    """The named variables of a MATLAB file (all where none is named), structs as objects.

    Raises LayoutError for what is no such file, lacks a variable, or is too large.
    """
    io = scipy_io()
    try:
        if path.stat().st_size > MAX_FILE:
            raise LayoutError(f"{path.name} is larger than 1 GB; split it.")
        shapes = {name: shape for name, shape, _ in io.whosmat(path)}
        missing = [name for name in names if name not in shapes]
        if missing:
            raise LayoutError(f"{path.name} has no variable {missing[0]}; choose the data set's own file.")
        wanted = names or tuple(shapes)
        if any(np.prod([float(n) for n in shapes[name]]) > MAX_VALUES for name in wanted):
            raise LayoutError(f"{path.name} claims more values than any data set has; check that it is complete.")
        return io.loadmat(path, variable_names=list(wanted), struct_as_record=False, squeeze_me=squeeze)
    except NotImplementedError as error:
        raise LayoutError(f'{path.name} is a MATLAB 7.3 file; save it in MATLAB with the option "-v7".') from error
    except wrong() as error:
        raise LayoutError(f"{path.name} is no MATLAB file that can be read ({brief(error)}); get it again.") from error


def brief(error: Exception) -> str:
    """An error's first line, short enough for a sentence."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:120].rstrip(".")


def array(path: Path, value: Any, name: str) -> np.ndarray:
    """A variable as float64; raises LayoutError where it holds no numbers."""
    found = np.asarray(value)
    if found.dtype == object and found.size == 1:  # a cell that holds the matrix
        found = np.asarray(found.flat[0])
    if found.dtype.kind not in "buif":
        raise LayoutError(f"{name} in {path.name} holds no numbers; choose the data set's own file.")
    return found.astype(np.float64)


def items(value: Any) -> list[Any]:
    """The elements of a struct array or cell array, whether it came as none, one or several."""
    if value is None:
        return []
    if isinstance(value, np.ndarray):
        return list(value.flat)
    return list(value) if isinstance(value, (list, tuple)) else [value]


def field(value: Any, name: str) -> Any:
    """A struct's field, None where it is missing or empty; structs in arrays of one element count as themselves."""
    found = getattr(unwrap(value), name, None)
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
    if isinstance(found, bytes):
        return found.decode("utf-8", "replace")
    return str(found) if isinstance(found, (str, np.str_)) else ""


def number(value: Any) -> float | None:
    """A number, also where it was written as text; None where there is none. Raises ValueError for other text."""
    found = unwrap(value)
    if isinstance(found, (str, bytes)):
        found = found.strip()
        return float(found) if found else None
    if isinstance(found, (bool, int, float, np.number, np.bool_)):
        return float(found) if np.isfinite(found) else None
    return None
