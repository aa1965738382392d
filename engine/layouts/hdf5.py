"""HDF5 files, bounded: what readers of data sets need of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from engine.label_files import FormatError
from engine.layouts.matlab import MAX_VALUES, brief

WRONG = (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError, MemoryError, OverflowError)


@contextmanager
def open_hdf5(path: Path) -> Iterator[Any]:
    """A file for reading; raises FormatError where it is none, or where reading it fails."""
    try:
        import h5py
    except ImportError as error:
        raise FormatError('HDF5 files need h5py; install it with: pip install "hourbit[formats]".') from error
    try:
        with h5py.File(path, "r") as file:
            yield file
    except WRONG as error:
        raise FormatError(f"{path.name} is no HDF5 file that can be read ({brief(error)}); get it again.") from error


def names_in(path: Path) -> set[str]:
    """Names of a file's data sets and of those in its group annot; {} where it is no HDF5 file; never raises."""
    try:
        with open_hdf5(path) as file:
            return set(annotations(file))
    except FormatError:
        return set()


def annotations(file: Any) -> Any:
    """The group that holds the labels: `annot` where there is one, else the file itself."""
    return file["annot"] if "annot" in file and hasattr(file["annot"], "keys") else file


def values(group: Any, name: str, path: Path, rows: int | None = None) -> np.ndarray:
    """A data set as an array; raises FormatError where it is missing, too large or has another number of rows."""
    if name not in group or not hasattr(group[name], "shape"):
        raise FormatError(f"{path.name} has no data set {name}; choose the hourglass's own file.")
    held = group[name]
    if np.prod([float(n) for n in held.shape]) > MAX_VALUES:
        raise FormatError(f"{name} in {path.name} claims {held.shape} values; check that the file is complete.")
    if rows is not None and held.shape[:1] != (rows,):
        raise FormatError(f"{name} in {path.name} has {held.shape} values for {rows} people; get the file again.")
    return np.asarray(held[()])


def numbers(group: Any, name: str, path: Path, rows: int | None = None) -> np.ndarray:
    """A data set as float64; raises FormatError."""
    found = values(group, name, path, rows)
    if found.dtype.kind not in "buif":
        raise FormatError(f"{name} in {path.name} holds no numbers; choose the hourglass's own file.")
    return found.astype(np.float64)


def texts(found: np.ndarray) -> list[str]:
    """Texts, however they were kept: as such, as bytes, or as rows of character codes filled up with zeros."""
    if found.dtype.kind in "buif":
        rows = found.reshape(len(found), -1)
        return ["".join(chr(int(code)) for code in row if 0 < code < 0x110000) for row in rows]
    flat = found.reshape(len(found), -1)[:, 0] if found.size else []
    return [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in flat]
