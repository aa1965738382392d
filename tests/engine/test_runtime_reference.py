"""The reference's operations against the plainest possible definitions."""

from __future__ import annotations

import numpy as np
import pytest

from engine.graph import Architecture
from engine.heatmaps import sigmoid
from engine.random_model import random_model
from engine.runtime import reference


def test_sign_of_zero_is_minus_one() -> None:
    x = np.array([-0.0, 0.0, 1e-45, -1e-45, 3.0], np.float32)
    assert reference.sign(x).tolist() == [-1, -1, 1, -1, 1]


@pytest.mark.parametrize("pad", [-1, 0])
@pytest.mark.parametrize("kernel", [1, 3])
def test_binary_convolution_pads_with_what_it_is_told(pad: int, kernel: int) -> None:
    rng = np.random.default_rng(2)
    x = rng.choice(np.float32([-1, 1]), (3, 4, 8))
    signs = rng.choice(np.float32([-1, 1]), (5, kernel, kernel, 8))
    alpha = rng.uniform(0.1, 2, 5).astype(np.float32)
    found = reference.binary(x, signs, alpha, pad)
    half = kernel // 2
    for o in range(5):
        for row in range(3):
            for column in range(4):
                total = 0
                for ky in range(kernel):
                    for kx in range(kernel):
                        at = row + ky - half, column + kx - half
                        inside = 0 <= at[0] < 3 and 0 <= at[1] < 4
                        seen = x[at] if inside else np.full(8, pad)
                        total += int((seen * signs[o, ky, kx]).sum())
                assert found[row, column, o] == np.float32(total) * alpha[o]


def test_stem_sums_integers_exactly() -> None:
    image = np.full((64, 64, 3), 255, np.uint8)
    weight = np.full((16, 7, 7, 3), 32767, np.int16)
    one, zero = np.ones(16, np.float32), np.zeros(16, np.float32)
    found = reference.stem(image, weight, one, zero)
    assert found.shape == (32, 32, 16)
    assert found[10, 10, 0] == np.float32(147 * 255 * 32767)
    assert found[0, 0, 0] == np.float32(4 * 4 * 3 * 255 * 32767)


def test_head_adds_channel_by_channel() -> None:
    x = np.array([[[1, 1e8, -1e8]]], np.float32)
    found = reference.head(x, np.ones((1, 3), np.float32), np.zeros(1, np.float32))
    assert found[0, 0, 0] == 0  # 1 + 1e8 has lost the 1; any other order keeps it


def test_heatmaps_are_the_sigmoid_of_the_logits() -> None:
    model = random_model("m", Architecture(4, width=32, stem=16, side=64))
    runtime = reference.ReferenceRuntime(model)
    crop = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    heatmaps = runtime.run(crop)
    assert heatmaps.shape == (4, 16, 16) and heatmaps.dtype == np.float32
    assert np.array_equal(heatmaps, sigmoid(runtime.run(crop, logits=True)))
    assert 0 <= heatmaps.min() < heatmaps.max() <= 1


def test_a_crop_of_another_size_is_refused() -> None:
    runtime = reference.ReferenceRuntime(random_model("m", Architecture(4, width=32, stem=16, side=64)))
    with pytest.raises(ValueError, match="64 x 64, not 128 x 128"):
        runtime.run(np.zeros((128, 128, 3), np.uint8))
    with pytest.raises(ValueError, match="uint8"):
        runtime.run(np.zeros((64, 64, 3), np.float32))
