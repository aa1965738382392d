"""An AVIF picture's size is that of its pixels: read from their own header, worked out here by hand."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from engine.av1 import coded_size
from engine.headers import HeaderError, read_header
from engine.images import DamagedPictureError, decode
from engine.opencv import cv2
from tests.engine.picturefile import blocks, encoded

SIZE = "0101" + "0100" + f"{63:06b}" + f"{20:05b}"  # 6 and 5 bits: 64 x 21
REDUCED = "000" + "11" + "01000" + SIZE
FULL = "000" + "00" + "0" + "0" + "00000" + 12 * "0" + "00100" + SIZE
POINTS = 12 * "0" + "01000" + "1" + "1" + "0101" + 12 * "1" + "00111" + "0"  # one of a high level, one of a low
TWO_POINTS = "001" + "00" + "0" + "1" + "00001" + POINTS + SIZE
TIMED = "000" + "00" + "1" + 80 * "0"


def packed(bits: str) -> bytes:
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def unit(kind: int, content: bytes, extended: bool = False) -> bytes:
    return bytes([kind << 3 | extended << 2 | 2, *([0] if extended else []), len(content)]) + content


@pytest.mark.parametrize("bits", [REDUCED, FULL, TWO_POINTS])
def test_the_size_is_found_behind_what_stands_before_it(bits: str) -> None:
    held = packed(bits)
    assert coded_size(unit(2, b"") + unit(1, held) + unit(6, b"\xff" * 9)) == (64, 21)
    assert coded_size(unit(5, bytes(99), extended=True) + unit(1, held, extended=True)) == (64, 21)
    assert coded_size(bytes([1 << 3]) + held) == (64, 21)  # without a length, to the end


@pytest.mark.parametrize("data", [
    b"", b"\x0a", bytes(5000), b"\xff" * 5000, unit(1, packed(TIMED)), unit(1, packed(REDUCED)[:3]), unit(2, b"") * 99,
])  # fmt: skip
def test_what_has_no_size_says_so(data: bytes) -> None:
    assert coded_size(data) is None


def files() -> list[bytes]:
    """Pictures of 40 x 32 by two writers: still, deep, clear in parts, and of several frames."""
    plain, made = blocks(32, 40), []
    for options in ({"quality": 50}, {"save_all": True, "append_images": [Image.fromarray(255 - plain)]}):
        file = io.BytesIO()
        Image.fromarray(plain).save(file, "AVIF", speed=10, **options)
        made.append(file.getvalue())
    clear = np.dstack([plain, plain[..., 0]])
    made += [encoded(clear, ".avif"), encoded(plain.astype(np.uint16) << 2, ".avif", cv2.IMWRITE_AVIF_DEPTH, 10)]
    return made


@pytest.mark.parametrize("data", files(), ids=["still", "frames", "clear", "deep"])
def test_a_size_that_is_not_that_of_the_pixels_is_refused_before_they_are_stretched(data: bytes) -> None:
    assert decode(data).shape == (32, 40, 3)
    at = data.index(b"ispe") + 8
    assert data[at : at + 8] == struct.pack(">II", 40, 32)
    for told in ((9000, 9000), (32, 40), (39, 32), (40, 31), (1, 1)):
        lying = data.replace(data[at - 4 : at + 8], data[at - 4 : at] + struct.pack(">II", *told))
        with pytest.raises(DamagedPictureError, match=r"^a\.avif is damaged: its size is not that of its pixels; get"):
            decode(lying, "a.avif")
        assert read_header(lying, whole=False).upright == told


def test_where_a_picture_says_that_its_content_is_may_be_anything() -> None:
    data = files()[0]
    at, rng = data.index(b"iloc"), np.random.default_rng(3)
    for _ in range(400):
        other = bytearray(data)
        for place in rng.integers(at + 4, at + 26, 3):
            other[place] = rng.integers(0, 256)
        try:
            assert read_header(bytes(other)).upright == (40, 32)
        except HeaderError as error:
            assert "size" in str(error) or "damaged" in str(error) or "cut short" in str(error)
