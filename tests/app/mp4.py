"""Changes an mp4 file's boxes as editors and telephones write them: edit lists and display matrices."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

HOLD_BOXES = (b"moov", b"trak", b"mdia")


def edited(path: Path, name: str, parts: Sequence[tuple[float, float]]) -> Path:
    """The same file that shows only these parts, each so many seconds (at most) from so many seconds on."""
    data = path.read_bytes()
    movie, media = _scale(data, b"mvhd"), _scale(data, b"mdhd")
    first = _edits(data)[0][1]  # where the first frame is
    rows = [(round(lasts * movie), first + round(begin * media), 1 << 16) for lasts, begin in parts]
    elst = struct.pack(">II", 0, len(rows)) + b"".join(struct.pack(">Iii", *row) for row in rows)
    return _written(path, name, _changed(data, b"edts", lambda body: _box(b"elst", elst)))


def turned(path: Path, name: str, matrix: tuple[int, int, int, int]) -> Path:
    """The same file, to be shown with a point at (a x + c y, b x + d y), of `matrix` (a, b, c, d)."""
    a, b, c, d = (v << 16 for v in matrix)
    packed = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    data = _changed(path.read_bytes(), b"tkhd", lambda body: body[:40] + packed + body[76:])
    return _written(path, name, data)


def _written(path: Path, name: str, data: bytes) -> Path:
    other = path.with_name(name)
    other.write_bytes(data)
    return other


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    while place < len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        yield kind, data[place + 8 : place + size]
        place += size


def _changed(data: bytes, wanted: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """With `change` done to all boxes of one kind. The pictures must come before what is changed."""
    out = b""
    for kind, body in _boxes(data):
        body = _changed(body, wanted, change) if kind in HOLD_BOXES else body
        out += _box(kind, change(body) if kind == wanted else body)
    return out


def _found(data: bytes, wanted: bytes) -> bytes:
    found: list[bytes] = []
    _changed(data, wanted, lambda body: found.append(body) or body)
    return found[0]


def _scale(data: bytes, kind: bytes) -> int:
    return struct.unpack_from(">I", _found(data, kind), 12)[0]


def _edits(data: bytes) -> list[tuple[int, int]]:
    body = _found(data, b"edts")[8:]
    count = struct.unpack_from(">I", body, 4)[0]
    return [struct.unpack_from(">Ii", body, 8 + 12 * n) for n in range(count)]
