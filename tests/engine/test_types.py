"""Values that cross borders: checked once, and read-only."""

from __future__ import annotations

import numpy as np
import pytest

from engine.types import Box, Frame, Heatmaps, Prediction, check_picture, frozen

PICTURE = np.zeros((4, 6, 3), np.uint8)


@pytest.mark.parametrize("pixels", [
    PICTURE[..., 0], PICTURE.astype(np.float32), PICTURE[..., :2], PICTURE[:0], np.zeros((4, 6, 4), np.uint8),
])  # fmt: skip
def test_wrong_pictures(pixels: np.ndarray) -> None:
    for check in (check_picture, Frame):
        with pytest.raises(ValueError, match="uint8"):
            check(pixels)


def test_frames_are_read_only() -> None:
    frame = Frame(PICTURE.copy())
    with pytest.raises(ValueError, match="read-only"):
        frame.pixels[0, 0] = 1
    with pytest.raises(AttributeError):
        frame.time = 2.0


def test_frozen_keeps_the_callers_array_writeable() -> None:
    mine = np.zeros(3)
    held = frozen(mine)
    mine[0] = 1
    assert held[0] == 1 and not held.flags.writeable
    assert frozen(np.zeros((3, 3))[:, ::2], np.float32).flags.c_contiguous


@pytest.mark.parametrize("values", [(0, 0, 0), (0, 0, -1), (np.nan, 0, 1), (0, np.inf, 1), (0, 0, np.nan)])
def test_wrong_boxes(values: tuple) -> None:
    with pytest.raises(ValueError, match="box"):
        Box(*values)


def test_corners() -> None:
    assert Box(10, 20, 6).corners == (7, 17, 13, 23)


def test_heatmaps() -> None:
    maps = Heatmaps(np.zeros((2, 4, 4)), np.eye(2, 3))
    assert maps.logits.dtype == np.float32 and (maps.probabilities == 0.5).all()
    for logits, affine in ((np.zeros((4, 4)), np.eye(2, 3)), (np.zeros((2, 4, 4)), np.eye(3))):
        with pytest.raises(ValueError, match="heatmaps"):
            Heatmaps(logits, affine)


def test_predictions() -> None:
    found = Prediction(np.array([[1, 2, 0.25], [3, 4, 0.75]]), Box(0, 0, 1), "model")
    assert found.score == 0.5
    with pytest.raises(ValueError, match="read-only"):
        found.landmarks[0, 0] = 9
    with pytest.raises(ValueError, match=r"\(K, 3\)"):
        Prediction(np.zeros((3, 2)), Box(0, 0, 1), "model")
