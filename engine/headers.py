"""What a picture file says about itself, and whether it is whole, found without decoding a pixel.

Decoders take hostile or cut files at their word: a PNG's chunk length costs gigabytes, half a JPEG
comes back as a full picture. These walks read sizes and marks only, cost microseconds, and refuse both.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine.heif import HeifError, kind_of, read_heif

MAX_PIXELS = 100_000_000
MAX_SIDE = 65_535
MAX_ENTRIES = 4096  # tags of a TIFF directory, chunks before a WebP's picture
MAX_STRIPS = 1 << 20


class HeaderError(ValueError):
    """Not a known picture, cut short or damaged; the message is a fragment without a file name."""


@dataclass(frozen=True)
class Header:
    """kind: png, jpeg, webp, tiff, gif, bmp, pnm, avif or heic; size as stored, pixels; orientation: EXIF's 1 to 8;
    bits of a channel, where the decoder does not spread them over its numbers."""

    kind: str
    width: int
    height: int
    orientation: int = 1
    bits: int = 0

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height as displayed."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)


def read_header(data: bytes, whole: bool = True) -> Header:
    """The header of a picture file; raises HeaderError.

    `whole` also checks what can be checked without decoding: that nothing is cut off, and a PNG's checksums.
    """
    walk = _walk_of(data)
    if walk is None:
        raise HeaderError("it is no picture of a known kind" if data else "it is empty")
    try:
        header = walk(data, whole)
    except (struct.error, IndexError) as error:
        raise HeaderError("it is cut short") from error
    if header.width < 1 or header.height < 1:
        raise HeaderError("it has no pixels")
    return header


def _walk_of(data: bytes) -> Callable[[bytes, bool], Header] | None:
    """What reads the header of a file that begins so."""
    if kind_of(data):
        return _heif
    for marks, walk in _KINDS:
        if data.startswith(marks) and (walk is not _webp or data[8:12] == b"WEBP"):
            return walk
    return None


def _png(data: bytes, whole: bool) -> Header:
    width, height, orientation = 0, 0, 1
    at, seen = 8, set()
    while b"IEND" not in seen:
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise HeaderError("it is cut short")
        if not seen and (name != b"IHDR" or length != 13):
            raise HeaderError("its header is missing")
        if whole and zlib.crc32(memoryview(data)[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            raise HeaderError("a checksum in it is wrong")
        if name == b"IHDR":
            width, height = struct.unpack_from(">II", data, at + 8)
        elif name == b"eXIf":
            orientation = _orientation(data[at + 8 : end - 4])
        seen.add(name)
        at = end
    if b"IDAT" not in seen:
        raise HeaderError("it holds no pixels")
    return Header("png", width, height, orientation)


_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}


def _jpeg(data: bytes, whole: bool) -> Header:
    size, orientation, scanned = None, 1, False
    at = 2
    while True:
        if data[at] != 0xFF:
            raise HeaderError("a segment in it is damaged")
        while data[at] == 0xFF:
            at += 1
        marker = data[at]
        at += 1
        if marker == 0xD9:
            break
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:
            continue
        (length,) = struct.unpack_from(">H", data, at)
        if length < 2 or at + length > len(data):
            raise HeaderError("it is cut short")
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 3)
            size = size or (width, height)
        elif marker == 0xE1 and data[at + 2 : at + 8] == b"Exif\0\0" and not scanned:
            orientation = _orientation(data[at + 8 : at + length])
        at += length
        if marker == 0xDA:
            scanned = True
            if not whole:
                break
            found = _SCAN_END.search(data, at)
            if found is None:
                raise HeaderError("its end is missing")
            at = found.start()
    if size is None or not scanned:
        raise HeaderError("it holds no pixels")
    return Header("jpeg", *size, orientation)


def _webp(data: bytes, whole: bool) -> Header:
    (length,) = struct.unpack_from("<I", data, 4)
    if whole and length + 8 > len(data):
        raise HeaderError("it is cut short")
    size, orientation, at = None, 1, 12
    for _ in range(MAX_ENTRIES):
        if at + 8 > min(len(data), length + 8):
            break
        name, count = struct.unpack_from("<4sI", data, at)
        body = at + 8
        if name == b"VP8X":
            parts = data[body + 4 : body + 10]
            size = (int.from_bytes(parts[:3], "little") + 1, int.from_bytes(parts[3:], "little") + 1)
        elif name == b"VP8L" and size is None:
            (bits,) = struct.unpack_from("<I", data, body + 1)
            size = ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        elif name == b"VP8 " and size is None:
            width, height = struct.unpack_from("<HH", data, body + 6)
            size = (width & 0x3FFF, height & 0x3FFF)
        elif name == b"EXIF":
            orientation = _orientation(data[body : body + count].removeprefix(b"Exif\0\0"))
        at = body + count + count % 2
    if size is None:
        raise HeaderError("it holds no pixels")
    return Header("webp", *size, orientation)


def _gif(data: bytes, whole: bool) -> Header:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    while whole:
        kind, at = data[at], at + 1
        if kind == 0x3B:
            raise HeaderError("it holds no pixels")
        if kind == 0x2C:
            flags = data[at + 8]
            at += 9 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
        elif kind != 0x21:
            raise HeaderError("a block in it is damaged")
        at += 1
        while data[at]:
            at += data[at] + 1
        at += 1
        if kind == 0x2C:
            break
    return Header("gif", width, height)


def _bmp(data: bytes, whole: bool) -> Header:
    start, header = struct.unpack_from("<II", data, 10)
    if header == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = 0
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    height = abs(height)
    if whole and compression in (0, 3) and start + (width * bits + 31) // 32 * 4 * height > len(data):
        raise HeaderError("it is cut short")
    return Header("bmp", width, height)


def _pnm(data: bytes, whole: bool) -> Header:
    words = re.match(rb"P([1-6])" + rb"(?:\s|#[^\n]*\n)+(\d{1,9})" * 2, data)
    if words is None:
        raise HeaderError("its header is damaged")
    return Header("pnm", int(words[2]), int(words[3]))


def _tiff(data: bytes, whole: bool) -> Header:
    tags = dict(_directory(data, (256, 257, 273, 274, 279, 324, 325)))
    if 256 not in tags or 257 not in tags:
        raise HeaderError("its size is missing")
    offsets, counts = tags.get(273) or tags.get(324) or (), tags.get(279) or tags.get(325) or ()
    if whole and (not offsets or any(o + c > len(data) for o, c in zip(offsets, counts, strict=False))):
        raise HeaderError("it is cut short")
    return Header("tiff", tags[256][0], tags[257][0], _valid((tags.get(274) or (1,))[0]))


def _heif(data: bytes, whole: bool) -> Header:
    try:
        told = read_heif(data, whole)
    except HeifError as error:
        raise HeaderError(str(error)) from error
    return Header(told.kind, told.width, told.height, told.orientation, told.bits)


def _directory(data: bytes, wanted: tuple[int, ...]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Whole-number tags of a TIFF's first directory, also those of EXIF; BigTIFF too."""
    order = {b"II": "<", b"MM": ">"}[data[:2]]
    big = struct.unpack_from(order + "H", data, 2)[0] == 43
    at = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
    entries = struct.unpack_from(order + ("Q" if big else "H"), data, at)[0]
    at += 8 if big else 2
    for n in range(min(entries, MAX_ENTRIES)):
        entry = at + n * (20 if big else 12)
        tag, kind, count = struct.unpack_from(order + ("HHQ" if big else "HHI"), data, entry)
        code = {1: "B", 3: "H", 4: "I", 16: "Q"}.get(kind)
        if tag not in wanted or code is None or not 0 < count <= MAX_STRIPS:
            continue
        place, room = entry + (12 if big else 8), 8 if big else 4
        if struct.calcsize(code) * count > room:
            place = struct.unpack_from(order + ("Q" if big else "I"), data, place)[0]
        yield tag, struct.unpack_from(f"{order}{count}{code}", data, place)


def _valid(orientation: int) -> int:
    return orientation if 1 <= orientation <= 8 else 1


def _orientation(exif: bytes) -> int:
    """The orientation in an EXIF block; 1 where it has none or is damaged, since the picture itself may be whole."""
    try:
        return _valid(dict(_directory(exif, (274,)))[274][0])
    except (KeyError, struct.error):
        return 1


_KINDS: tuple[tuple[bytes | tuple[bytes, ...], Callable[[bytes, bool], Header]], ...] = (
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"\xff\xd8\xff", _jpeg),
    (b"RIFF", _webp),
    ((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _tiff),
    ((b"GIF87a", b"GIF89a"), _gif),
    (b"BM", _bmp),
    (tuple(b"P%d" % n for n in range(1, 7)), _pnm),
)
