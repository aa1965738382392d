"""Reader of Torch7's binary serialization, bounded in every direction: the values of a .t7 file.

Layout (torch/torch7 File.lua, native little-endian): int = 4, long = 8, double = 8 bytes. An
object is an int that says its kind, then what the kind holds. Tables and Torch objects carry a number; where it
was read before, the record ends and means the same object, so objects may be shared and may hold themselves.

Nothing in a file is executed: functions, which are compiled Lua, are refused. Sizes, strides and offsets are
checked against what the file holds before anything of that size is made, and arrays are views into its bytes.
"""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import UserError
from engine.regular import read_regular

MAX_FILE = 128 << 20
MAX_OBJECTS = 200_000
MAX_DEPTH = 200  # tables and objects within each other; each level takes two of Python's frames
MAX_DIMENSIONS = 16
MAX_ELEMENTS = 1 << 31
MAX_NAME = 256

NIL, NUMBER, STRING, TABLE, TORCH, BOOLEAN, FUNCTIONS = 0, 1, 2, 3, 4, 5, (6, 7, 8)
# What "torch.<name>Tensor" and "torch.<name>Storage" hold. Cuda alone means float.
ELEMENTS = {
    "Byte": "<u1", "Char": "<i1", "Short": "<i2", "Int": "<i4", "Long": "<i8", "Half": "<f2", "Float": "<f4",
    "Double": "<f8",
}  # fmt: skip
ELEMENTS |= {f"Cuda{name if name != 'Float' else ''}": kind for name, kind in ELEMENTS.items()}
ARRAY = re.compile(r"torch\.(\w+)(Tensor|Storage)")
VERSION = re.compile(r"V (\d{1,9})")


class Torch7Error(UserError):
    """A Torch7 file that cannot be read or used; the message is one sentence with a remedy."""


@dataclass(eq=False)
class Torch7Object:
    """An object of a Torch class: its class, the version it was written with (0 in old files), its fields."""

    kind: str
    version: int
    fields: dict[str | float, Any] = field(default_factory=dict)


def read_torch7(path: str | Path) -> tuple[Any, bytes]:
    """The object in a .t7 file and the file's bytes; raises Torch7Error, or OSError where it cannot be opened."""
    path = Path(path)
    if path.stat().st_size > MAX_FILE:
        raise Torch7Error(f"{path.name} is larger than {MAX_FILE >> 20} MB and no model of this kind; choose another.")
    data = read_regular(path)
    try:
        return parse_torch7(data), data
    except Torch7Error as error:
        raise Torch7Error(f"{path.name} is no Torch7 file that can be read: {error}; get the file again.") from error


def parse_torch7(data: bytes) -> Any:
    """The one object that the bytes hold.

    nil, numbers, strings, booleans -> None, float, str (one letter a byte), bool; tables -> dict by string and
    number keys (others are read and left out); tensors and storages -> read-only NumPy views; all other classes
    -> Torch7Object. Raises Torch7Error with the place and the fault, without a remedy.
    """
    reader = _Reader(data)
    value = reader.value(0)
    if reader.at != len(data):
        raise Torch7Error(f"{len(data) - reader.at} bytes follow its object")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.objects = data, 0, 0
        self.known: dict[int, tuple[int, Any]] = {}  # number -> kind of record, object

    def fail(self, fault: str) -> Torch7Error:
        return Torch7Error(f"at byte {self.at} {fault}")

    def take(self, form: str) -> Any:
        """Unpack one value of a struct format."""
        size = struct.calcsize(form)
        self.need(size)
        (value,) = struct.unpack_from(form, self.data, self.at)
        self.at += size
        return value

    def need(self, size: int) -> None:
        if size > len(self.data) - self.at:
            raise self.fail("it ends too early")

    def integer(self) -> int:
        return self.take("<i")

    def longs(self, count: int) -> tuple[int, ...]:
        self.need(8 * count)
        return tuple(self.take("<q") for _ in range(count))

    def text(self, limit: int | None = None) -> str:
        size = self.integer()
        if size < 0 or (limit is not None and size > limit):
            raise self.fail(f"a name or text is {size} bytes long")
        self.need(size)
        self.at += size
        return self.data[self.at - size : self.at].decode("latin-1")

    def value(self, depth: int) -> Any:
        """The next object, whatever it is."""
        self.objects += 1
        if self.objects > MAX_OBJECTS:
            raise self.fail(f"it holds more than {MAX_OBJECTS:,} objects")
        if depth > MAX_DEPTH:
            raise self.fail(f"its objects lie more than {MAX_DEPTH} deep in each other")
        kind = self.integer()
        if kind == NIL:
            return None
        if kind == NUMBER:
            return self.take("<d")
        if kind == STRING:
            return self.text()
        if kind == BOOLEAN:
            return self.boolean()
        if kind == TABLE:
            return self.table(depth)
        if kind == TORCH:
            return self.torch(depth)
        if kind in FUNCTIONS:
            raise self.fail("it holds a Lua function, which is never run")
        raise self.fail(f"stands {kind}, which is no kind of object")

    def boolean(self) -> bool:
        value = self.integer()
        if value not in (0, 1):
            raise self.fail(f"a truth value is {value}")
        return bool(value)

    def seen(self, kind: int) -> tuple[int, Any]:
        """The number of the next table or object, and that object where it was read before, else None."""
        number = self.integer()
        before = self.known.get(number)
        if before is None:
            return number, None
        if before[0] != kind:
            raise self.fail(f"object {number} is named as another kind than it was")
        if before[1] is None:
            raise self.fail(f"object {number} holds itself where it cannot")
        return number, before[1]

    def table(self, depth: int) -> dict[str | float, Any]:
        number, found = self.seen(TABLE)
        if found is not None:
            return found
        pairs = self.integer()
        if pairs < 0:
            raise self.fail(f"a table has {pairs} entries")
        self.need(8 * pairs)  # a key and a value begin with an int each
        table: dict[str | float, Any] = {}
        self.known[number] = TABLE, table
        for _ in range(pairs):
            key, value = self.value(depth + 1), self.value(depth + 1)
            if type(key) in (str, float):
                if key in table:
                    raise self.fail(f"a table has the key {str(key)[:40]!r} twice")
                table[key] = value
        return table

    def torch(self, depth: int) -> Any:
        number, found = self.seen(TORCH)
        if found is not None:
            return found
        header = self.text(MAX_NAME)
        version = VERSION.fullmatch(header)
        name = self.text(MAX_NAME) if version else header  # before versions, the class stood here
        if not name.isascii() or not name.isprintable() or not name:
            raise self.fail("a class has no name")
        array = ARRAY.fullmatch(name)
        if array and array[1] in ELEMENTS:
            self.known[number] = TORCH, None  # no array holds itself
            value = self.tensor(array[1], depth) if array[2] == "Tensor" else self.storage(array[1])
            self.known[number] = TORCH, value
            return value
        made = Torch7Object(name, int(version[1]) if version else 0)
        self.known[number] = TORCH, made
        fields = self.value(depth + 1)
        if type(fields) is not dict:
            raise self.fail(f"an object of the class {name} has no table of fields")
        made.fields = fields
        return made

    def storage(self, name: str) -> np.ndarray:
        kind = np.dtype(ELEMENTS[name])
        (count,) = self.longs(1)
        if count < 0:
            raise self.fail(f"a storage has {count} elements")
        self.need(count * kind.itemsize)
        values = np.frombuffer(self.data, kind, count, self.at)
        self.at += count * kind.itemsize
        return values

    def tensor(self, name: str, depth: int) -> np.ndarray:
        count = self.integer()
        if not 0 <= count <= MAX_DIMENSIONS:
            raise self.fail(f"a tensor has {count} dimensions")
        sizes, strides, (offset,) = self.longs(count), self.longs(count), self.longs(1)
        storage = self.value(depth + 1)
        kind = np.dtype(ELEMENTS[name])
        if storage is None:
            storage = np.empty(0, kind)
        elif not isinstance(storage, np.ndarray) or storage.ndim != 1 or storage.dtype != kind:
            raise self.fail(f"a tensor of the kind {name} has a storage of another kind")
        if min(sizes, default=0) < 0 or min(strides, default=0) < 0 or offset < 0:
            raise self.fail("a tensor has a negative size, stride or offset")
        if not count or 0 in sizes:
            return np.empty(0, kind)
        last = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
        if offset < 1 or last > len(storage) or math.prod(sizes) > MAX_ELEMENTS:
            raise self.fail("a tensor reaches beyond its storage")
        steps = [stride * kind.itemsize if size > 1 else 0 for size, stride in zip(sizes, strides, strict=True)]
        return np.lib.stride_tricks.as_strided(storage[offset - 1 :], sizes, steps, writeable=False)
