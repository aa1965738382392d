"""pandas tables in HDF5 files, read only where nothing in them can run code.

pandas keeps names in pickles, which may call any function when they are loaded. They are looked at first: what calls
or names anything is refused. Sizes are looked at, too, since a small file can declare a table of any size.
"""

from __future__ import annotations

import pickletools
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from app.formats.extras import needs
from engine.label_reading import refuse

MAX_BYTES = 1 << 30
CALLS = {"GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4",
         "PERSID", "BINPERSID"}  # fmt: skip
KEY = "df_with_missing"
WRONG = (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError, MemoryError, OverflowError, IndexError,
         NotImplementedError, LookupError, SyntaxError, AssertionError)  # fmt: skip


def read_frame(path: Path) -> tuple[dict[str, list[str]], list[str], np.ndarray]:
    """Column levels by name, names of the rows (parts joined by /) and values (rows, columns) float64, NaN missing."""
    with needs("h5py", f"Reading {path.name}"):
        import h5py
    with needs("pandas with PyTables", f"Reading {path.name}"):
        import pandas
        import tables
    try:
        with h5py.File(path, "r") as file:
            key = _checked(file, path)
    except WRONG as error:
        refuse(path, "", f"it is no HDF5 file that can be read ({_brief(error)})", "use the CSV file beside it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frame = pandas.read_hdf(path, key=key)
            if not isinstance(frame, pandas.DataFrame) or frame.columns.nlevels < 3:
                refuse(path, key, "it is no table of landmarks", "choose a CollectedData file")
            columns = frame.columns
            keys = [str(n if name is None else name) for n, name in enumerate(columns.names)]
            levels = {key: [str(v) for v in columns.get_level_values(n)] for n, key in enumerate(keys)}
            values = frame.to_numpy(np.float64, na_value=np.nan)
            index = ["/".join(map(str, one)) if isinstance(one, tuple) else str(one) for one in frame.index]
    except (*WRONG, tables.HDF5ExtError, tables.exceptions.NodeError) as error:
        refuse(path, key, f"it is no table that pandas can read ({_brief(error)})", "use the CSV file beside it")
    return levels, index, values


def _checked(file: Any, path: Path) -> str:
    """The key of the table; raises FormatError where the file is too large or may run code."""
    import h5py

    size = 0

    def look(name: str, node: Any) -> None:
        nonlocal size
        if isinstance(node, h5py.Dataset):
            size += node.size * max(node.dtype.itemsize, 1)
            if "PSEUDOATOM" in node.attrs or node.dtype.kind == "O":
                refuse(path, name, "it holds objects of Python, which are not loaded", "use the CSV file beside it")
        _look_at_attributes(node, name, path)
        if size > MAX_BYTES:
            refuse(path, name, f"it claims more than {MAX_BYTES >> 30} GB", "check that the file is complete")

    _look_at_attributes(file, "/", path)
    file.visititems(look)
    keys = list(file)
    key = KEY if KEY in keys else keys[0] if len(keys) == 1 else ""
    if not key:
        names = ", ".join(keys[:5])
        refuse(path, "", f"it has no table {KEY} and not just one other ({names})", "choose a CollectedData file")
    return key


def _look_at_attributes(node: Any, name: str, path: Path) -> None:
    for key in node.attrs:
        value = node.attrs[key]
        data = value.encode("latin-1", "replace") if isinstance(value, str) else value
        if isinstance(value, np.ndarray):
            data = value.tobytes()
        if not isinstance(data, bytes):
            continue
        if data.rstrip(b"\0").endswith(b".") and _calls(bytes(data)):
            refuse(path, f"{name}.{key}", "it would run code when it is loaded", "use the CSV file beside it")


def _calls(data: bytes) -> bool:
    """Whether a pickle calls or names anything, up to the first byte that is no pickle: loading runs that part."""
    try:
        return any(code.name in CALLS for code, _, _ in pickletools.genops(data))
    except (ValueError, IndexError):
        return False


def _brief(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
