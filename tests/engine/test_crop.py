"""The affine between picture and crop, and the sampler."""

from __future__ import annotations

import numpy as np
import pytest

from engine import crop
from engine.opencv import cv2


@pytest.mark.parametrize("size", [64, 128, 192, 256])
def test_formula(size: int) -> None:
    """x = c + ((i + 0.5) / S - 0.5) * h for crop pixel i."""
    affine = crop.matrix(31.25, 17.5, 80.0, size)
    i = np.array([0.0, 1.0, size - 1.0])
    expected = np.stack([31.25 + ((i + 0.5) / size - 0.5) * 80, 17.5 + ((i + 0.5) / size - 0.5) * 80], 1)
    np.testing.assert_allclose(crop.apply(crop.invert(affine), np.stack([i, i], 1)), expected, atol=1e-12)


def test_turn_is_clockwise_on_screen() -> None:
    """What lies to the right of the centre of a square turned by 90 degrees was below it in the picture."""
    affine = crop.matrix(50, 50, 100, 100, angle=90)
    np.testing.assert_allclose(crop.apply(affine, np.array([50.0, 80.0])), [79.5, 49.5], atol=1e-9)


def test_inverse() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        centre, flip = rng.normal(0, 100, 2), bool(rng.random() < 0.5)
        affine = crop.matrix(*centre, rng.uniform(1, 900), 128, rng.uniform(-180, 180), flip)
        points = rng.normal(0, 300, (7, 2))
        np.testing.assert_allclose(crop.apply(crop.invert(affine), crop.apply(affine, points)), points, atol=1e-8)


def test_mirrored_crop_is_the_mirror_image() -> None:
    rng = np.random.default_rng(1)
    picture = cv2.GaussianBlur(rng.integers(0, 256, (90, 120, 3), np.uint8), (0, 0), 2)
    plain = crop.sample(picture, crop.matrix(60, 40, 70, 64), 64)
    mirrored = crop.sample(picture, crop.matrix(60, 40, 70, 64, flip=True), 64)
    assert np.abs(plain[:, ::-1].astype(int) - mirrored).max() <= 2


def test_identity_keeps_every_pixel() -> None:
    picture = np.random.default_rng(2).integers(0, 256, (64, 64, 3), np.uint8)
    np.testing.assert_array_equal(crop.sample(picture, crop.matrix(31.5, 31.5, 64, 64), 64), picture)


def test_edges_repeat_outside() -> None:
    picture = np.full((10, 10, 3), 77, np.uint8)
    assert (crop.sample(picture, crop.matrix(-40, 300, 30, 64), 64) == 77).all()


@pytest.mark.parametrize("factor", [2, 3, 4.6, 8])
def test_shrinking_averages(factor: float) -> None:
    """A fine chequerboard becomes grey instead of aliasing, and a ramp keeps its place."""
    size = int(64 * factor)
    board = np.indices((size, size)).sum(0) % 2 * 255
    picture = np.repeat(board[..., None], 3, 2).astype(np.uint8)
    small = crop.sample(picture, crop.matrix((size - 1) / 2, (size - 1) / 2, size, 64), 64)
    assert np.abs(small[4:-4, 4:-4].astype(float) - 127.5).max() < 45
    ramp = np.repeat(np.tile(np.linspace(0, 255, size), (size, 1))[..., None], 3, 2).round().astype(np.uint8)
    shrunk = crop.sample(ramp, crop.matrix((size - 1) / 2, (size - 1) / 2, size, 64), 64)
    expected = (((np.arange(64) + 0.5) * size / 64 - 0.5) / (size - 1) * 255)[4:-4]
    assert np.abs(shrunk[32, 4:-4, 0] - expected).max() < 2.2


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (3, 2)])
def test_tiny_pictures(shape: tuple[int, int]) -> None:
    picture = np.full((*shape, 3), 9, np.uint8)
    for side in (0.5, 3.0, 5000.0):
        assert (crop.sample(picture, crop.matrix(0, 0, side, 64), 64) == 9).all()


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.7, 3.2])
def test_a_crop_of_a_very_wide_picture_is_that_of_its_part(scale: float) -> None:
    """OpenCV warps no picture of 32,767 pixels or more; labels and predictions there are as anywhere."""
    rng = np.random.default_rng(0)
    part = rng.integers(0, 256, (90, 400, 3), np.uint8)
    wide = np.zeros((90, 40_000, 3), np.uint8)
    wide[:, 34_998:35_398] = part
    near, far = (crop.matrix(x, 45, 64 * scale, 64, 12) for x in (200, 35_198))
    one, other = crop.sample(part, near, 64), crop.sample(wide, far, 64)
    assert np.abs(one.astype(int) - other).max() <= 1
    at_the_end = crop.sample(wide, crop.matrix(39_990, 45, 64, 64), 64)
    assert at_the_end.shape == (64, 64, 3) and not at_the_end.any()
