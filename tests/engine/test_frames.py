"""How many frames a file has, and what can be seen of damaged ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.frames import count_frames
from engine.images import DamagedPictureError, ImageError, load_image, load_shown
from engine.opencv import cv2
from tests.engine.picturefile import blocks, encoded, with_exif

SUFFIXES = (".png", ".jpg", ".webp", ".tiff", ".gif", ".bmp", ".ppm")


def animated(suffix: str, count: int) -> bytes:
    animation = cv2.Animation()
    animation.frames = [blocks(seed=n)[..., ::-1].copy() for n in range(count)]
    animation.durations = np.full(count, 50)
    done, data = cv2.imencodeanimation(suffix, animation)
    assert done
    return data.tobytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_plain_pictures_have_one(suffix: str) -> None:
    assert count_frames(encoded(blocks(), suffix)) == 1


@pytest.mark.parametrize("suffix", [".png", ".webp", ".gif"])
@pytest.mark.parametrize("count", [2, 5])
def test_frames_of_animations_are_counted(suffix: str, count: int) -> None:
    assert count_frames(animated(suffix, count)) == count


def test_pages_are_counted_and_a_ring_of_them_ends() -> None:
    done, data = cv2.imencodemulti(".tiff", [blocks(seed=n) for n in range(3)])
    assert done and count_frames(data.tobytes()) == 3
    ring = b"II*\0\x08\0\0\0" + b"\0\0" + b"\x08\0\0\0"
    assert count_frames(ring) == 1


@pytest.mark.parametrize("suffix", [".png", ".webp", ".gif", ".tiff"])
def test_damage_ends_the_count_and_raises_nothing(suffix: str) -> None:
    if suffix == ".tiff":
        whole = cv2.imencodemulti(".tiff", [blocks(), blocks(seed=1)])[1].tobytes()
    else:
        whole = animated(suffix, 4)
    rng = np.random.default_rng(0)
    for n in range(0, len(whole), max(len(whole) // 60, 1)):
        assert count_frames(whole[:n]) >= 1
        damaged = bytearray(whole)
        damaged[n] = rng.integers(256)
        assert count_frames(bytes(damaged)) >= 1
    for _ in range(200):
        assert count_frames(whole[:16] + rng.integers(0, 256, 60, np.uint8).tobytes()) >= 1


def test_a_cut_photograph_is_shown_as_far_as_it_goes_and_kept_from_training(tmp_path: Path) -> None:
    """B3: its beginning can be looked at; whoever learns or measures gets a sentence."""
    pixels = blocks(160, 240)
    whole = encoded(pixels[..., ::-1], ".jpg")
    path = tmp_path / "cut.jpg"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(DamagedPictureError, match="damaged"):
        load_image(path)
    shown = load_shown(path)
    assert shown.pixels.shape == pixels.shape and "damaged" in shown.damage
    assert np.abs(shown.pixels[:16].astype(int) - pixels[:16]).mean() < 10  # what is there is right
    path.write_bytes(with_exif(whole, 6)[: len(whole) * 2 // 3])
    assert load_shown(path).pixels.shape == (240, 160, 3)  # and upright


@pytest.mark.parametrize("suffix", [".png", ".webp", ".bmp", ".gif"])
def test_other_kinds_that_are_cut_are_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(encoded(blocks(), suffix)[:-30])
    with pytest.raises(ImageError):
        load_shown(path)


def test_a_photograph_without_any_pixels_left_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "head.jpg"
    path.write_bytes(encoded(blocks(), ".jpg")[:30])
    with pytest.raises(ImageError):
        load_shown(path)


def test_a_whole_file_says_how_many_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "moving.webp"
    path.write_bytes(animated(".webp", 3))
    shown = load_shown(path)
    assert (shown.frames, shown.damage) == (3, "") and np.array_equal(shown.pixels, load_image(path))
