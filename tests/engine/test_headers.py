"""Files that are damaged, cut or too large are refused by their headers, with a sentence, fast."""

from __future__ import annotations

import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

from engine.headers import HeaderError, read_header
from engine.images import ImageError, decode, image_size, load_image
from tests.engine.picturefile import blocks, chunk, encoded, exif


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tiff", ".gif", ".ppm"])
def test_cut_files_are_damaged(suffix: str) -> None:
    data = encoded(blocks(), suffix)
    assert decode(data).shape == (24, 40, 3)
    for share in (0.3, 0.5, 0.8, 0.97):
        with pytest.raises(ImageError, match=r"^cut\.x is damaged.*\.$"):
            decode(data[: int(len(data) * share)], "cut.x")


def test_cut_jpeg_with_a_whole_thumbnail_is_damaged() -> None:
    """The end marker of the thumbnail inside is not the picture's."""
    thumbnail = encoded(blocks(8, 8), ".jpg")
    body = b"Exif\0\0" + exif(1) + thumbnail
    data = encoded(blocks(), ".jpg")
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]
    assert decode(data).shape == (24, 40, 3)
    with pytest.raises(ImageError, match="damaged"):
        decode(data[:-40])


@pytest.mark.parametrize("data", [b"", b"hello world", b"<svg/>", b"\x80\x04\x95", b"\x89PNG", b"BM", b"RIFF"])
def test_no_pictures(data: bytes) -> None:
    with pytest.raises(ImageError, match=r"^The picture (cannot be read|is damaged): .*get the file again\.$"):
        decode(data)


def test_wrong_checksum() -> None:
    data = bytearray(encoded(blocks()))
    data[len(data) // 2] ^= 1
    with pytest.raises(ImageError, match="checksum"):
        decode(bytes(data))


def giant(width: int, height: int) -> bytes:
    """A PNG of one colour that would unpack to width x height pixels."""
    rows = zlib.compress(bytes(min(height * (width + 1), 1 << 20)))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(20_000, 20_000), (40_000, 40_000), (70_000, 10), (10, 70_000)])
def test_giants_are_refused_by_their_header(tmp_path: Path, width: int, height: int) -> None:
    path = tmp_path / "giant.png"
    path.write_bytes(giant(width, height))
    begin = time.process_time()
    for read in (load_image, image_size):
        with pytest.raises(ImageError, match=f"{width} x {height}"):
            read(path)
    assert time.process_time() - begin < 0.1


def test_bad_chunk_length() -> None:
    data = bytearray(encoded(blocks()))
    data[33:37] = b"\x7f\xff\xff\xff"
    with pytest.raises(ImageError, match="damaged"):
        decode(bytes(data))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff", ".gif", ".bmp", ".ppm"])
def test_mutated_files_end_in_a_picture_or_a_sentence(suffix: str) -> None:
    rng = np.random.default_rng(len(suffix) * 7)
    whole = encoded(blocks(), suffix)
    for _ in range(150):
        data = bytearray(whole)
        for at in rng.integers(0, len(data), rng.integers(1, 4)):
            data[at] = rng.integers(0, 256)
        begin = time.process_time()
        try:
            shown = decode(bytes(data))
            assert shown.ndim == 3 and shown.dtype == np.uint8
        except ImageError as error:
            assert str(error).endswith(".")
        assert time.process_time() - begin < 1


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff", ".gif", ".bmp", ".ppm"])
def test_headers_of_random_bytes(suffix: str) -> None:
    """Header walks end, and raise nothing but their own error."""
    rng = np.random.default_rng(3)
    start = encoded(blocks(), suffix)[:16]
    for _ in range(300):
        data = start[: rng.integers(4, 17)] + rng.integers(0, 256, rng.integers(0, 200), np.uint8).tobytes()
        try:
            read_header(data)
        except HeaderError:
            continue
