"""The decoder: every kind of pixel, every orientation, names and sizes."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from engine.images import (
    ImageError,
    decode,
    encode_jpeg,
    encode_png,
    image_size,
    load_image,
    natural_key,
    natural_order,
)
from engine.opencv import cv2
from tests.engine.picturefile import blocks, chunk, encoded, with_exif

# 16 x 8 CMYK JPEG: left half near (200, 40, 30), right half near (20, 90, 180).
CMYK = base64.b85decode(
    b'|JeWT01iQ9Z(?NtWB>pF0095n07C!*0RaI40RjO50RjR70s;gB0s;a81q1{G1O^2L1_lKN1_lQS2nGiU2L=WR3kV4c3JMAe1_%ob'
    b'3knPg3JMDUzyK5o00;mO1Va%3O%VWD5dcdO0RO}Q7XSeP0RaF20000000000000RJ00{rY02B}b00000000000000000000|Jnc!'
    b'1VaE#09gP_002J#NCfzIKZ!4PLY5i-*#'
)


def turned(stored: np.ndarray, orientation: int) -> np.ndarray:
    """What EXIF's standard says: where the stored row 0 and column 0 go, looked up pixel by pixel."""
    height, width = stored.shape[:2]
    places = {
        1: lambda y, x: (y, x), 2: lambda y, x: (y, width - 1 - x), 3: lambda y, x: (height - 1 - y, width - 1 - x),
        4: lambda y, x: (height - 1 - y, x), 5: lambda y, x: (x, y), 6: lambda y, x: (x, height - 1 - y),
        7: lambda y, x: (width - 1 - x, height - 1 - y), 8: lambda y, x: (width - 1 - x, y),
    }  # fmt: skip
    shape = (width, height, 3) if orientation >= 5 else stored.shape
    shown = np.empty(shape, stored.dtype)
    for y in range(height):
        for x in range(width):
            shown[places[orientation](y, x)] = stored[y, x]
    return shown


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(tmp_path: Path, suffix: str, orientation: int) -> None:
    options = (cv2.IMWRITE_JPEG_QUALITY, 95) if suffix == ".jpg" else (cv2.IMWRITE_WEBP_QUALITY, 101)
    data = encoded(blocks()[..., ::-1], suffix, *(options if suffix != ".png" else ()))
    stored = decode(data)
    path = tmp_path / f"turned{suffix}"
    path.write_bytes(with_exif(data, orientation, "<" if orientation % 2 else ">"))
    shown = load_image(path)
    np.testing.assert_array_equal(shown, turned(stored, orientation))
    assert image_size(path) == (shown.shape[1], shown.shape[0])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_tiff_orientation(tmp_path: Path, orientation: int) -> None:
    """The size of a turned TIFF agrees with its pixels, which the decoder turns itself."""
    stored = blocks()
    height, width = stored.shape[:2]
    tags = [(256, 3, 1, width), (257, 3, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8),
            (274, 3, 1, orientation), (277, 3, 1, 1), (278, 3, 1, height), (279, 4, 1, width * height)]  # fmt: skip
    data = b"II*\0" + struct.pack("<I", 8 + width * height) + stored[..., 0].tobytes()
    data += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *t) for t in tags) + bytes(4)
    path = tmp_path / "turned.tif"
    path.write_bytes(data)
    np.testing.assert_array_equal(load_image(path), turned(np.repeat(stored[..., :1], 3, 2), orientation))
    assert image_size(path) == ((height, width) if orientation >= 5 else (width, height))


def test_damaged_exif_is_no_reason_to_refuse() -> None:
    data = encoded(blocks())
    with_junk = data[:33] + chunk(b"eXIf", b"II*\0\xff\xff\xff\xff") + data[33:]
    np.testing.assert_array_equal(decode(with_junk), decode(data))


def test_channel_order() -> None:
    """Red stays red through our writers and reader."""
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 255
    np.testing.assert_array_equal(decode(encode_png(red)), red)
    assert np.abs(decode(encode_jpeg(red, 100)).astype(int) - red).max() <= 2


def test_grey_becomes_three_channels() -> None:
    grey = blocks()[..., 0]
    np.testing.assert_array_equal(decode(encoded(grey)), np.repeat(grey[..., None], 3, 2))


def test_sixteen_bits_are_spread_over_the_range() -> None:
    """Values under 256 in a 16-bit file are not black."""
    grey = np.arange(0, 256, dtype=np.uint16).reshape(16, 16) // 4 + 100
    shown = decode(encoded(grey))
    expected = np.floor((grey - 100.0) * 255 / 63 + 0.5)
    np.testing.assert_array_equal(shown, np.repeat(expected[..., None], 3, 2))


def test_sixteen_bit_copy_of_a_full_range_picture_is_the_same() -> None:
    pixels = blocks()
    pixels[0, 0], pixels[0, 1] = 0, 255
    np.testing.assert_array_equal(decode(encoded(pixels[..., ::-1].astype(np.uint16) * 257)), pixels)


def test_sixteen_bits_of_one_value() -> None:
    assert set(decode(encoded(np.full((3, 3), 0x8000, np.uint16))).ravel()) == {128}


def test_float_tiff_with_odd_values() -> None:
    values = np.linspace(-2, 3, 48, dtype=np.float32).reshape(6, 8)
    values[0, 1], values[0, 2], values[0, 3] = np.nan, np.inf, -np.inf
    shown = decode(encoded(values, ".tiff"))
    assert (shown[0, 0, 0], shown[0, 1, 0], shown[0, 2, 0], shown[0, 3, 0], shown[-1, -1, 0]) == (0, 0, 255, 0, 255)
    assert shown[3, 4, 0] == int((values[3, 4] + 2) / 5 * 255 + 0.5)


def test_float_tiff_without_a_finite_value() -> None:
    assert not decode(encoded(np.full((4, 4), np.nan, np.float32), ".tiff")).any()


@pytest.mark.parametrize(("suffix", "high"), [(".png", 255), (".tiff", 255), (".png", 65535)])
def test_transparent_parts_lie_over_white(suffix: str, high: int) -> None:
    pixels = np.zeros((1, 3, 4), np.uint8 if high == 255 else np.uint16)
    pixels[..., 2], pixels[0, :, 3] = high, (0, high, high // 5)
    shown = decode(encoded(pixels, suffix)).astype(int)
    tolerance = 2 if suffix == ".tiff" else 1  # OpenCV's TIFF reader multiplies by alpha, in eight bits
    assert np.abs(shown[0] - [[255, 255, 255], [255, 0, 0], [255, 204, 204]]).max() <= tolerance


def test_palette_and_one_bit() -> None:
    header = struct.pack(">IIBBBBB", 4, 1, 2, 3, 0, 0, 0)
    row = zlib.compress(b"\0\x1b")  # indices 0, 1, 2, 3
    colours = bytes([9, 8, 7, 200, 0, 0, 0, 200, 0, 0, 0, 200])
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"PLTE", colours) + chunk(b"IDAT", row)
    shown = decode(png + chunk(b"IEND", b""))
    assert shown[0].tolist() == [[9, 8, 7], [200, 0, 0], [0, 200, 0], [0, 0, 200]]
    assert decode(b"P4\n8 1\n\xaa")[0, :, 0].tolist() == [0, 255] * 4


def test_cmyk() -> None:
    shown = decode(CMYK).astype(int)
    assert np.abs(shown[:, 2:6] - [200, 40, 30]).max() <= 12 and np.abs(shown[:, 10:14] - [20, 90, 180]).max() <= 12


def test_animation_and_pages_give_the_first() -> None:
    first, second = blocks(seed=1), blocks(seed=2)
    done, pages = cv2.imencodemulti(".tiff", [first[..., ::-1], second[..., ::-1]])
    assert done
    np.testing.assert_array_equal(decode(pages.tobytes()), first)
    animation = cv2.Animation()
    animation.frames, animation.durations = [first[..., ::-1].copy(), second[..., ::-1].copy()], np.array([50, 50])
    done, data = cv2.imencodeanimation(".png", animation)
    assert done
    np.testing.assert_array_equal(decode(data.tobytes()), first)


def test_size_without_decoding(tmp_path: Path) -> None:
    """The size is read though the pixels are damaged, and from far behind a long first segment."""
    path = tmp_path / "long.jpg"
    data = encoded(blocks(), ".jpg")
    filler = (b"\xff\xe2" + struct.pack(">H", 60_002) + bytes(60_000)) * 6
    path.write_bytes(data[:2] + filler + data[2:-2])
    assert image_size(path) == (40, 24)
    with pytest.raises(ImageError, match="damaged"):
        load_image(path)


def test_names_that_are_not_ascii(tmp_path: Path) -> None:
    folder = tmp_path / "人 é [1]"
    folder.mkdir()
    path = folder / "ü x.JPG"
    path.write_bytes(encode_jpeg(blocks()))
    assert load_image(path).shape == (24, 40, 3) and image_size(path) == (40, 24)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_image(tmp_path / "none.png")


def test_natural_order() -> None:
    names = ["img10.png", "IMG2.png", "img1.png", "frame_1200", "img_1-1", "img2.png", "9", "10"]
    assert sorted(names, key=natural_key) == [
        "9", "10", "frame_1200", "img1.png", "IMG2.png", "img2.png", "img10.png", "img_1-1",
    ]  # fmt: skip
    assert [names[n] for n in natural_order(names)] == sorted(names, key=natural_key)


def test_a_name_comes_before_the_same_name_with_more() -> None:
    """As people read them: set before set 2 and set2, img before img (2) and img2, whatever follows."""
    names = [
        "p/set/2.png", "p/set/10.png", "p/set 2/1.png", "p/set-b/1.png", "p/set2/1.png", "p/set10/1.png",
        "p/setup/1.png", "q/img.png", "q/img (2).png", "q/img (10).png", "q/img-1.png", "q/img1.png", "q/img01.png",
        "q/img2.png", "q/img2a.png", "q/img010.png", "q/img99999999999999999999.png", "q/img_1.png", "q/\u0130mg.png",
    ]  # fmt: skip
    order = [names.index(name) for name in sorted(names, key=natural_key)]
    at = {names[n]: place for place, n in enumerate(order)}
    assert at.pop("q/img01.png") < at.pop("q/img1.png")  # of one value: as text
    assert list(at) == [name for name in names if name in at]


def test_the_quick_order_is_that_of_the_key() -> None:
    rng = np.random.default_rng(0)
    signs = [*"aAbB019 ._-()/\\", "10", "007", "1234567890", "0123456789", "99999999999",
             "\u00df", "ss", "\u0665", "\u00b2", "\udc80", "\n", "\0", "\1"]
    for low in (4, 0):  # without line breaks, and with
        some = [s for s in signs if not low or s != "\n"]
        names = ["".join(rng.choice(some, int(rng.integers(0, 7)))) for _ in range(400)]
        places = sorted(range(len(names)), key=lambda n: (natural_key(names[n]), n))
        assert natural_order(names) == places
    assert natural_order([]) == [] and natural_order([""]) == [0] and natural_order(["\n"]) == [0]


def test_no_other_decoder() -> None:
    """Files are read as bytes and decoded here: imread fails silently on names that are not ASCII."""
    root = Path(__file__).parents[2]
    found = [
        path.relative_to(root).as_posix()
        for room in ("app", "engine", "plugins")
        for path in (root / room).rglob("*.py")
        if re.search(r"\bim(read|write|decode)\b *\(", path.read_text("utf-8"))
    ]
    assert found == ["engine/images.py"]
