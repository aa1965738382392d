"""Reader of MATLAB files of versions 5 to 7, bounded: SciPy's own one crashes on damaged files.

Source: "MAT-File Format" of MathWorks, chapter 1. A file is a header of 128 bytes and one element a variable, which may
be packed by zlib. An element is a type, a number of bytes and the bytes, filled up to 8; matrices hold elements.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from engine.regular import open_regular

HEADER, MATRIX, PACKED = 128, 14, 15
CELL, STRUCT, OBJECT, CHAR = 1, 2, 3, 4
NUMERIC = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
CODES = {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "f4": "f", "f8": "d", "i8": "q", "u8": "Q"}
TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
MAX_UNPACKED, MAX_DEPTH, MAX_DIMENSIONS, MAX_FIELDS = 2 << 30, 16, 8, 4096
GLANCE = 1 << 12  # bytes of a variable in which its name and shape stand


class MatError(ValueError):
    """A damaged file; the message says what is wrong, as part of a sentence."""


class Struct:
    """One element of a struct array."""

    __slots__ = ("fields",)

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields


class Old(MatError):
    """A file of a version that is not read."""


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a file's variables; raises MatError, zlib.error."""
    found = {}
    for data, order in _variables(path, GLANCE):
        reader = _Reader(data, order, whole=False)
        _, shape, name, _ = reader.head(0, len(data))
        found[name] = shape
    return found


def load(path: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """The named variables: numbers as arrays (a single one as float), texts as arrays of str, cells as arrays of
    objects, structs as arrays of `Struct`. Raises MatError, zlib.error, MemoryError."""
    found = {}
    for data, order in _variables(path, MAX_UNPACKED):
        reader = _Reader(data, order)
        if reader.head(0, len(data))[2] in names:
            found[reader.head(0, len(data))[2]] = reader.matrix(0, len(data), 0)
    return found


def _variables(path: Path, limit: int) -> Iterator[tuple[bytes, str]]:
    """The bytes inside each variable's matrix, at most `limit` of them, and the order of bytes in the file."""
    total = 0
    with open_regular(path) as file:
        head = file.read(HEADER)
        order = {b"IM": "<", b"MI": ">"}.get(head[126:128])
        if order is None:
            raise Old("its header is not that of versions 5 to 7")
        if head[124:126] in (b"\x00\x02", b"\x02\x00"):
            raise Old("it is of version 7.3")
        while len(tag := file.read(8)) == 8:
            kind, size = struct.unpack(f"{order}II", tag)
            start = file.tell()
            data = file.read(min(size, limit if kind == MATRIX else size))
            if kind == PACKED:
                unpacker = zlib.decompressobj()
                data = unpacker.decompress(data, limit + 8)
                if limit > GLANCE and (unpacker.unconsumed_tail or not unpacker.eof):
                    raise MatError("a variable is cut off, or unpacks to more than 2 GB")
                kind, inner = struct.unpack(f"{order}II", data[:8]) if len(data) >= 8 else (0, 0)
                data = data[8 : 8 + inner]
            elif len(data) < min(size, limit):
                raise MatError("it ends inside a variable")
            total += len(data)
            if kind != MATRIX or total > MAX_UNPACKED:
                raise MatError("it holds something else than variables" if kind != MATRIX else "it holds over 2 GB")
            yield data, order
            file.seek(start + size)
        if tag:
            raise MatError("it ends inside a variable's name")


class _Reader:
    """Walks the elements of one variable; every length is checked against what is left."""

    def __init__(self, data: bytes, order: str, whole: bool = True) -> None:
        self._data, self._order, self._whole = data, order, whole
        self._tag = struct.Struct(f"{order}II").unpack_from
        self._dtypes = {kind: np.dtype(order + code) for kind, code in STORED.items()}
        self._single = {kind: struct.Struct(order + CODES[code]).unpack_from for kind, code in STORED.items()}
        self._wide = order == "<" and "utf-16-le" or "utf-16-be"

    def element(self, at: int, end: int) -> tuple[int, int, int, int]:
        """Type, first byte, number of bytes and the next element's place."""
        if at + 8 > end:
            raise MatError("an element is cut off")
        kind, size = self._tag(self._data, at)
        if kind >> 16:  # a small one: its bytes stand in the tag
            if (size_ := kind >> 16) > 4:
                raise MatError("a small element is too large")
            return kind & 0xFFFF, at + 4, size_, at + 8
        first = at + 8
        if first + size > end:
            raise MatError("an element reaches beyond its matrix")
        return kind, first, size, min(end, first + size + (-size % 8))

    def head(self, at: int, end: int) -> tuple[int, tuple[int, ...], str, int]:
        """Class, shape and name of the matrix between two places, and where its content starts."""
        kind, first, size, at = self.element(at, end)
        if kind != 6 or size < 4:
            raise MatError("a matrix has no flags")
        (flags,) = self._single[6](self._data, first)
        kind, first, size, at = self.element(at, end)
        if kind != 5 or not 8 <= size <= 4 * MAX_DIMENSIONS or size % 4:
            raise MatError("a matrix has no shape")
        shape = struct.unpack_from(f"{self._order}{size // 4}i", self._data, first)
        if min(shape) < 0:
            raise MatError("a shape is negative")
        kind, first, size, at = self.element(at, end)
        if kind not in (1, 2, 16):
            raise MatError("a matrix has no name")
        return flags & 0xFF, shape, self._data[first : first + size].decode("latin-1"), at

    def matrix(self, at: int, end: int, depth: int) -> Any:
        """The content of the matrix between two places."""
        if at == end:
            return np.zeros((0, 0))
        if depth > MAX_DEPTH:
            raise MatError("it is nested too deeply")
        kind, shape, _, at = self.head(at, end)
        count = math.prod(shape)
        if kind in NUMERIC:
            return self._numbers(at, end, shape, count)
        if kind == CHAR:
            return self._text(at, end, shape, count)
        if kind in (CELL, STRUCT, OBJECT):
            if count > (end - at) // 8 and kind == CELL:
                raise MatError("a cell array claims more elements than it has")
            return self._cells(at, end, shape, count, depth) if kind == CELL else self._structs(
                at, end, shape, count, depth, kind
            )  # fmt: skip
        raise MatError(f"it holds a value of class {kind}, which no data set has")

    def _numbers(self, at: int, end: int, shape: tuple[int, ...], count: int) -> Any:
        if count == 0:
            return np.zeros(shape)
        kind, first, size, _ = self.element(at, end)
        if kind not in STORED or size != count * self._dtypes[kind].itemsize:
            raise MatError("a matrix holds another number of values than its shape says")
        if count == 1:
            return float(self._single[kind](self._data, first)[0])
        return np.frombuffer(self._data, self._dtypes[kind], count, first).reshape(shape, order="F")

    def _text(self, at: int, end: int, shape: tuple[int, ...], count: int) -> np.ndarray:
        if count == 0:
            return np.array([""])
        kind, first, size, _ = self.element(at, end)
        while len(shape) > 2 and shape[-1] == 1:
            shape = shape[:-1]
        if kind not in TEXTS or len(shape) != 2:
            raise MatError("a text is kept in an unknown way")
        coding = TEXTS[kind].replace("utf-16", self._wide).replace("utf-32", "utf-32" + self._wide[6:])
        text = self._data[first : first + size].decode(coding, "replace")
        rows = shape[0]
        return np.array([text[row::rows] for row in range(min(rows, len(text)))])

    def _parts(self, at: int, end: int, count: int, depth: int) -> tuple[list[Any], int]:
        found = []
        for _ in range(count):
            kind, first, size, at = self.element(at, end)
            if kind != MATRIX:
                raise MatError("an array holds something else than matrices")
            found.append(self.matrix(first, first + size, depth + 1))
        return found, at

    def _cells(self, at: int, end: int, shape: tuple[int, ...], count: int, depth: int) -> np.ndarray:
        made = np.empty(count, object)
        for n, value in enumerate(self._parts(at, end, count, depth)[0]):
            made[n] = value
        return made.reshape(shape, order="F")

    def _structs(self, at: int, end: int, shape: tuple[int, ...], count: int, depth: int, kind: int) -> np.ndarray:
        if kind == OBJECT:
            *_, at = self.element(at, end)
        sort, first, size, at = self.element(at, end)
        if sort != 5 or size != 4:
            raise MatError("a struct has no lengths of names")
        (length,) = self._single[5](self._data, first)
        _, first, size, at = self.element(at, end)
        if not 0 < length <= 256 or size % length or size // length > MAX_FIELDS:
            raise MatError("a struct has no names")
        raw = [self._data[first + i : first + i + length] for i in range(0, size, length)]
        names = [name.split(b"\0", 1)[0].decode("latin-1") for name in raw]
        if count > max(1, (end - at) // 8 // max(1, len(names))):
            raise MatError("a struct array claims more elements than it has")
        made = np.empty(count, object)
        for n in range(count):
            values, at = self._parts(at, end, len(names), depth)
            made[n] = Struct(dict(zip(names, values, strict=True)))
        return made.reshape(shape, order="F")
