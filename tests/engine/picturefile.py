"""Encoded pictures for tests of the decoder."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from engine.opencv import cv2


def blocks(height: int = 24, width: int = 40, seed: int = 0) -> np.ndarray:
    """A picture of flat 8 x 8 blocks, which JPEG keeps nearly as it is."""
    few = np.random.default_rng(seed).integers(20, 236, (height // 8, width // 8, 3), np.uint8)
    return np.kron(few, np.ones((8, 8, 1), np.uint8))


def encoded(pixels: np.ndarray, suffix: str = ".png", *options: int) -> bytes:
    """A file of pixels in OpenCV's channel order."""
    done, data = cv2.imencode(suffix, pixels, options)
    assert done
    return data.tobytes()


def exif(orientation: int, order: str = "<") -> bytes:
    """A TIFF block that holds nothing but the orientation."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(order + "IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)


def with_exif(data: bytes, orientation: int, order: str = "<") -> bytes:
    """A JPEG, PNG or WebP file with an orientation put in."""
    block = exif(orientation, order)
    if data[:2] == b"\xff\xd8":
        body = b"Exif\0\0" + block
        return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]
    if data[:4] == b"RIFF":
        height, width = cv2.imdecode(np.frombuffer(data, np.uint8), 1).shape[:2]
        size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        chunks = b"VP8X" + struct.pack("<I", 10) + b"\x08\0\0\0" + size + data[12:] + b"EXIF"
        chunks += struct.pack("<I", len(block)) + block
        return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks
    return data[:33] + chunk(b"eXIf", block) + data[33:]


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
