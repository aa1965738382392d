"""Targets, decoding and the merge of the flip test."""

from __future__ import annotations

import numpy as np
import pytest

from engine import heatmaps
from engine.schema import load_schema


def logs(centres: np.ndarray, side: int = 32, sigma: float = 1.3) -> np.ndarray:
    """Maps whose logits are log-Gaussians, so that a parabola is exact."""
    cells = np.arange(side)
    return np.stack([
        3 - 0.5 * ((cells[None] - x) ** 2 + (cells[:, None] - y) ** 2) / sigma**2 for x, y in centres
    ]).astype(np.float32)  # fmt: skip


def test_coordinates() -> None:
    """Cell j lies at crop pixel 4 (j + 0.5) - 0.5: cell 0 between pixels 1 and 2."""
    np.testing.assert_allclose(heatmaps.to_crop(np.array([0.0, 1.0])), [1.5, 5.5])
    points = np.random.default_rng(0).normal(0, 50, (9, 2))
    np.testing.assert_allclose(heatmaps.to_heatmap(heatmaps.to_crop(points)), points, atol=1e-12)


def test_targets() -> None:
    centres = np.array([[3.25, 5.75], [0.0, 7.0], [4.0, 4.0]])
    maps = heatmaps.gaussian_targets(centres, np.array([True, True, False]), 8, 1.2)
    assert maps.shape == (3, 8, 8) and maps.dtype == np.float32
    for k in (0, 1):
        for y in range(8):
            for x in range(8):
                squared = (x - centres[k, 0]) ** 2 + (y - centres[k, 1]) ** 2
                assert maps[k, y, x] == pytest.approx(np.exp(-squared / 2 / 1.44), abs=1e-6)
    assert not maps[2].any()


def test_parabola_is_exact_on_a_log_gaussian() -> None:
    centres = np.random.default_rng(1).uniform(1, 30, (40, 2))
    found = heatmaps.decode(logs(centres))
    np.testing.assert_allclose(found[:, :2], centres, atol=1e-3)


def test_quarter() -> None:
    found = heatmaps.decode(logs(np.array([[10.2, 11.9], [10.0, 12.0]])), "quarter")
    np.testing.assert_allclose(found[:, :2], [[10.25, 11.75], [10.0, 12.0]])


def test_first_maximum_and_borders() -> None:
    maps = np.zeros((3, 8, 8), np.float32)
    maps[1, 0, 7], maps[2, 7, 3], maps[2, 7, 2] = 5, 5, 4
    found = heatmaps.decode(maps)
    assert found[0, :2].tolist() == [0, 0]
    assert found[1, :2].tolist() == [7, 0]
    assert found[2, 1] == 7 and 2.5 <= found[2, 0] < 3
    np.testing.assert_allclose(found[1:, 2], 1 / (1 + np.exp(-5.0)), rtol=1e-6)


def test_plateau_and_one_cell() -> None:
    maps = np.zeros((1, 8, 8), np.float32)
    maps[0, 3, 3:6] = 1
    assert np.isfinite(heatmaps.decode(maps)).all()
    assert heatmaps.decode(np.zeros((2, 1, 1), np.float32))[:, :2].tolist() == [[0, 0], [0, 0]]


def test_sigmoid() -> None:
    values = heatmaps.sigmoid(np.array([-1e30, -3, 0, 3, 1e30], np.float32))
    np.testing.assert_allclose(values, [0, 1 / (1 + np.e**3), 0.5, 1 / (1 + np.e**-3), 1], atol=1e-6)


def test_flip_merge() -> None:
    """Maps of the mirror image, mirrored back and with sides swapped, add nothing new where they agree."""
    permutation = load_schema("mpii16").permutation
    maps = np.random.default_rng(2).normal(size=(16, 8, 8)).astype(np.float32)
    mirrored = np.empty_like(maps)
    for k in range(16):
        mirrored[permutation[k]] = maps[k][:, ::-1]
    np.testing.assert_array_equal(heatmaps.merge_flip(maps, mirrored, permutation), maps)
