"""Doubt and the candidate peaks of a heatmap."""

from __future__ import annotations

import numpy as np
import pytest

from engine import crop, heatmaps
from engine.types import Box, Heatmaps, Prediction
from engine.uncertainty import doubt, landmark_doubts, peaks

AFFINE = crop.matrix(200, 150, 96, 64, angle=20)


def mixture(spots: list[tuple[float, float, float]], side: int = 16) -> np.ndarray:
    """One map (side, side): the highest of log-Gaussians (x, y in cells, logit at the top) over a low floor."""
    cells = np.arange(side)
    maps = [top - 0.5 * ((cells[None] - x) ** 2 + (cells[:, None] - y) ** 2) / 1.2**2 for x, y, top in spots]
    return np.maximum(np.max(maps, 0), -8).astype(np.float32)


def predicted(*maps: np.ndarray, with_maps: bool = True) -> Prediction:
    logits = np.stack(maps)
    found = heatmaps.decode(logits)
    found[:, :2] = crop.apply(crop.invert(AFFINE), heatmaps.to_crop(found[:, :2]))
    return Prediction(found, Box(200, 150, 64), "test", Heatmaps(logits, AFFINE) if with_maps else None)


def test_peaks_in_picture_pixels() -> None:
    spots = [(3.3, 4.2, 2.0), (11.6, 10.7, 0.5), (4.4, 12.0, -1.0)]
    found = peaks(Heatmaps(mixture(spots)[None], AFFINE), 0)
    expected = crop.apply(crop.invert(AFFINE), heatmaps.to_crop(np.array(spots)[:, :2]))
    np.testing.assert_allclose(found[:, :2], expected, atol=0.02)
    assert found[:, 2].tolist() == sorted(found[:, 2], reverse=True)


def test_first_peak_is_the_decoded_landmark() -> None:
    rng = np.random.default_rng(0)
    maps = rng.normal(-2, 1.5, (20, 16, 16)).astype(np.float32)
    prediction = predicted(*maps)
    for k in range(20):
        np.testing.assert_allclose(peaks(prediction.heatmaps, k, 1)[0], prediction.landmarks[k], atol=1e-5)


def test_peaks_keep_apart_and_above_noise() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        maps = Heatmaps(rng.normal(-1, 1, (1, 16, 16)), AFFINE)
        found = peaks(maps, 0, 5)
        cells = heatmaps.to_heatmap(crop.apply(AFFINE, found[:, :2]))
        gaps = np.abs(cells[:, None] - cells[None]).max(2) + 99 * np.eye(len(found))
        assert 1 <= len(found) <= 5 and gaps.min() > 1.9 and (found[1:, 2] >= 0.02).all()


def test_faint_and_flat_maps_have_one_peak() -> None:
    assert len(peaks(Heatmaps(np.full((1, 8, 8), -7.0), AFFINE), 0)) == 1
    assert len(peaks(Heatmaps(mixture([(3, 3, 2.0), (12, 12, -6.0)])[None], AFFINE), 0)) == 1


def test_doubt_rises_as_peaks_fall() -> None:
    values = [doubt(predicted(mixture([(8, 8, top)]), with_maps=False)) for top in (3.0, 0.0, -2.0, -5.0)]
    assert values == sorted(values) and values[0] == 0 and values[-1] > 0.9


def test_second_peak_adds_doubt() -> None:
    sure, torn = mixture([(4, 4, 2.0)]), mixture([(4, 4, 2.0), (12, 12, 1.9)])
    assert doubt(predicted(sure)) == 0 and doubt(predicted(torn)) > 0.5
    assert doubt(predicted(torn, with_maps=False)) == 0


def test_the_worst_quarter_decides() -> None:
    sure, lost = mixture([(4, 4, 3.0)]), mixture([(4, 4, -6.0)])
    assert doubt(predicted(*[sure] * 6, lost, lost)) == pytest.approx(1, abs=0.02)
    doubts = landmark_doubts(predicted(*[sure] * 7, lost))
    assert doubts.shape == (8,) and (doubts[:7] == 0).all() and doubts[7] > 0.95
