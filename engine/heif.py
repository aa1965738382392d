"""What an AVIF or HEIC file says about its picture: boxes within boxes (ISO/IEC 14496-12 and 23008-12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from engine.av1 import coded_size

MOST_BOXES = 100_000
FIRST = 4096  # bytes of a picture's content, in which its own header is
AVIF = frozenset({b"avif", b"avis"})
HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
# Which stored corner comes to stand top left, top right, bottom right and bottom left, for EXIF's 1 to 8.
CORNERS = ("ABCD", "BADC", "CDAB", "DCBA", "ADCB", "DABC", "CBAD", "BCDA")
LAYERS = frozenset({b"lsel", b"a1op"})  # of a picture in several sizes, one of which counts
# Where a sequence counts its frames, each of these in the one before.
WITHIN = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


class HeifError(ValueError):
    """Not a whole AVIF or HEIC file; the message is a fragment without a file name."""


@dataclass(frozen=True)
class Heif:
    """kind: avif or heic; size as stored, pixels; orientation as EXIF counts, 1 to 8; bits of a channel."""

    kind: str
    width: int
    height: int
    orientation: int
    bits: int


def kind_of(data: bytes) -> str:
    """"avif", "heic" or "", by the brands in the first box."""
    if data[4:8] != b"ftyp":
        return ""
    (length,) = struct.unpack_from(">I", data)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, min(length, 512), 4))}
    return "avif" if brands & AVIF else "heic" if brands & HEIC else ""


def read_heif(data: bytes, whole: bool) -> Heif:
    """The header of a file whose kind is known; `whole` also checks that nothing is cut off.

    Raises HeifError, or struct.error and IndexError where a box ends too early.
    """
    meta = None
    for name, start, end in _boxes(data, 0, len(data), top=True):
        if name == b"meta" and meta is None:
            if end > len(data):
                raise HeifError("it is cut short")
            meta = start + 4, end  # behind its version
            if not whole:
                break
        if whole and end > len(data):
            raise HeifError("it is cut short")
    if meta is None:
        raise HeifError("it holds no pixels")
    return _main(data, *meta, whole)


def count_heif(data: bytes) -> int:
    """Frames of an image sequence, from its tracks' tables of samples; 0 for a still picture."""
    return _samples(data, 0, len(data), WITHIN, top=True)


def _samples(data: bytes, start: int, end: int, within: tuple[bytes, ...], top: bool = False) -> int:
    most = 0
    for name, low, high in _boxes(data, start, end, top):
        if not within and name == b"stsz":
            most = max(most, struct.unpack_from(">I", data, low + 8)[0])
        elif within and name == within[0]:
            most = max(most, _samples(data, low, high, within[1:]))
    return most


def _boxes(data: bytes, start: int, end: int, top: bool = False) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of the content of each box in a row; at the top one may reach beyond the data."""
    at = start
    for _ in range(MOST_BOXES):
        if at + 8 > end:
            if top and at < end:
                raise HeifError("it is cut short")
            return
        length, name = struct.unpack_from(">I4s", data, at)
        body = at + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, body)
            body += 8
        stop = end if length == 0 else at + length
        if stop < body or (stop > end and not top):
            raise HeifError("a box in it is damaged")
        yield name, body, stop
        at = stop


def _main(data: bytes, start: int, end: int, whole: bool) -> Heif:
    """The picture that the file puts first, by the properties that belong to it.

    Of a HEIC picture only the clean aperture counts, since its coder works in whole blocks; decoders of AVIF, whose
    pictures have any size, pass it over. These stretch pixels to the size that the file tells; `whole` refuses that.
    """
    parts = {name: (low, high) for name, low, high in _boxes(data, start, end)}
    if b"pitm" not in parts or b"iprp" not in parts:
        raise HeifError("it holds no pixels")
    low = parts[b"pitm"][0]
    (main,) = struct.unpack_from(">H" if data[low] == 0 else ">I", data, low + 4)
    properties = {name: (low, high) for name, low, high in _boxes(data, *parts[b"iprp"])}
    if b"ipco" not in properties or b"ipma" not in properties:
        raise HeifError("its size is missing")
    held = list(_boxes(data, *properties[b"ipco"]))
    own = [held[place - 1] for place in _of_item(data, *properties[b"ipma"], main) if 0 < place <= len(held)]
    kind, bits, corners = kind_of(data), 8, CORNERS[0]
    width = height = 0
    for name, low, _ in own:
        if name == b"ispe":
            width, height = struct.unpack_from(">II", data, low + 4)
        elif name == b"clap" and kind == "heic":
            across, parts_across, down, parts_down = struct.unpack_from(">IIII", data, low)
            if not parts_across or not parts_down:
                raise HeifError("its size is damaged")
            width, height = min(width, round(across / parts_across)), min(height, round(down / parts_down))
        elif name == b"pixi":
            bits = data[low + 5]
        elif name == b"irot":
            turns = data[low] & 3
            corners = corners[turns:] + corners[:turns]  # a quarter turn to the left each
        elif name == b"imir":
            a, b, c, d = corners
            corners = b + a + d + c if data[low] & 1 else d + c + b + a
    if not width or not height:
        raise HeifError("its size is missing")
    names = {name for name, _, _ in own}
    if whole and kind == "avif" and b"av1C" in names and not names & LAYERS and b"iloc" in parts:
        coded = coded_size(_first_bytes(data, *parts[b"iloc"], main, parts.get(b"idat", (0, 0))))
        if coded is not None and coded != (width, height):
            raise HeifError("its size is not that of its pixels")
    return Heif(kind, width, height, CORNERS.index(corners) + 1, bits)


def _of_item(data: bytes, start: int, end: int, item: int) -> Iterator[int]:
    """Places, from 1, of an item's properties, in the order in which they are to be applied."""
    version, wide = data[start], data[start + 3] & 1
    (entries,) = struct.unpack_from(">I", data, start + 4)
    at = start + 8
    for _ in range(min(entries, MOST_BOXES)):
        (number,) = struct.unpack_from(">I" if version else ">H", data, at)
        at += 4 if version else 2
        count, at = data[at], at + 1
        if at + count * (2 if wide else 1) > end:
            raise HeifError("a box in it is damaged")
        if number == item:
            values = struct.unpack_from(f">{count}{'H' if wide else 'B'}", data, at)
            yield from (value & (0x7FFF if wide else 0x7F) for value in values)
        at += count * (2 if wide else 1)


def _first_bytes(data: bytes, start: int, end: int, item: int, within: tuple[int, int]) -> bytes:
    """The first part of an item's content, at most FIRST bytes; empty where it lies elsewhere. within: the box of
    content beside the properties."""
    version, sizes = data[start], f"{data[start + 4]:02x}{data[start + 5]:02x}"
    wide_offset, wide_length, wide_base, wide_index = (int(size, 16) for size in sizes)
    at = start + 6

    def take(size: int) -> int:
        nonlocal at
        at += size
        if at > end:
            raise HeifError("a box in it is damaged")
        return int.from_bytes(data[at - size : at], "big")

    for _ in range(min(take(4 if version > 1 else 2), MOST_BOXES)):
        number = take(4 if version > 1 else 2)
        method = take(2) & 15 if version else 0
        elsewhere, base = take(2), take(wide_base)
        parts, indexed = take(2), wide_index if version else 0
        if number != item or not parts:
            take(parts * (indexed + wide_offset + wide_length))
            continue
        take(indexed)
        low, length = base + take(wide_offset), take(wide_length)
        if elsewhere or method > 1:
            return b""
        low, most = (low + within[0], within[1]) if method else (low, len(data))
        return data[low : min(low + min(length or FIRST, FIRST), most)]
    return b""
