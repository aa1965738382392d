"""How many frames or pages a picture file has; all but the first are passed over when it is decoded."""

from __future__ import annotations

import struct

from engine.heif import HeifError, count_heif, kind_of

MOST = 100_000  # frames that are counted


def count_frames(data: bytes) -> int:
    """Frames of an animation or pages of a document, from its structure alone; 1 where that says nothing else."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return max(_png(data), 1)
        if data.startswith((b"GIF87a", b"GIF89a")):
            return max(_gif(data), 1)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return max(_webp(data), 1)
        if data.startswith((b"II*\0", b"MM\0*")):
            return max(_tiff(data), 1)
        if kind_of(data):
            return max(min(count_heif(data), MOST), 1)
    except (struct.error, IndexError, HeifError):  # what is behind the first frame may be damaged
        pass
    return 1


def _png(data: bytes) -> int:
    """The number in an animation's control chunk, which stands before the pixels."""
    at = 8
    while data[at + 4 : at + 8] not in (b"IDAT", b"IEND", b""):
        if data[at + 4 : at + 8] == b"acTL":
            return min(struct.unpack_from(">I", data, at + 8)[0], MOST)
        at += 12 + struct.unpack_from(">I", data, at)[0]
    return 1


def _gif(data: bytes) -> int:
    flags, at, frames = data[10], 13, 0
    at += 3 << (flags & 7) + 1 if flags & 0x80 else 0
    while at < len(data) and frames < MOST:
        kind, at = data[at], at + 1
        if kind == 0x2C:
            frames += 1
            flags = data[at + 8]
            at += 9 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
        elif kind != 0x21:
            break
        at += 1
        while at < len(data) and data[at]:
            at += data[at] + 1
        at += 1
    return frames


def _webp(data: bytes) -> int:
    at, frames = 12, 0
    while at + 8 <= len(data) and frames < MOST:
        name, count = struct.unpack_from("<4sI", data, at)
        frames += name == b"ANMF"
        at += 8 + count + count % 2
    return frames


def _tiff(data: bytes) -> int:
    """Directories in the chain, each met once."""
    order = "<" if data[:2] == b"II" else ">"
    at, seen = struct.unpack_from(order + "I", data, 4)[0], set()
    while at and at not in seen and len(seen) < MOST:
        (entries,) = struct.unpack_from(order + "H", data, at)
        seen.add(at)
        (at,) = struct.unpack_from(order + "I", data, at + 2 + entries * 12)
    return len(seen)
