"""Criteria of doubt, and how many of the worst predictions they find."""

from __future__ import annotations

import numpy as np
import pytest

from engine import crop
from engine.doubts import CRITERIA, judge, limb_difference, seconds, shape_distance, spreads, worst_of
from engine.finding import caught, doubt_figures, rank_correlation
from engine.predictor import Predictor
from engine.runtime import open_runtime
from engine.schema import load_schema
from engine.types import Box, Heatmaps, Prediction
from engine.uncertainty import peaks
from tests.engine.blobs import small_model
from tests.engine.test_uncertainty import AFFINE, mixture

SCHEMA = load_schema("ibug68")
MEAN = np.array(SCHEMA.mean)


def told(points: np.ndarray, tops: float | np.ndarray = 0.9, maps: Heatmaps | None = None, mirrored=None) -> dict:
    found = np.column_stack([points, np.broadcast_to(tops, len(points))])
    return dict(zip(CRITERIA, judge(Prediction(found, Box(0, 0, 10), "m", maps), SCHEMA, mirrored), strict=True))


def test_a_face_like_the_mean_has_no_doubt_of_shape_however_it_is_turned() -> None:
    turn = 3.0 * np.array([[np.cos(0.6), -np.sin(0.6)], [np.sin(0.6), np.cos(0.6)]])
    value = told(MEAN @ turn.T + (50, 70))
    assert value["shape"] == pytest.approx(0, abs=1e-9) and value["peak"] == 0
    assert np.isnan([value["spread"], value["second"], value["flip"]]).all() and value["overall"] == value["peak"]


def test_the_shape_distance_is_procrustes_with_a_known_offset() -> None:
    moved = MEAN.copy()
    moved[30] += (0.2, -0.1)
    from scipy.optimize import least_squares

    def residual(p: np.ndarray) -> np.ndarray:
        return ((MEAN @ np.array([[p[0], p[1]], [-p[1], p[0]]]) + p[2:]) - moved).ravel()

    fit = least_squares(residual, [1, 0, 0, 0], xtol=1e-14, ftol=1e-14, gtol=1e-14)
    rms = np.sqrt((fit.fun.reshape(-1, 2) ** 2).sum(1).mean()) / np.hypot(*fit.x[:2])
    assert shape_distance(moved, SCHEMA) == pytest.approx(rms, rel=1e-6)
    assert limb_difference(moved, SCHEMA) > limb_difference(MEAN, SCHEMA) == pytest.approx(0, abs=0.02)


def test_seconds_are_those_of_the_candidate_peaks() -> None:
    rng = np.random.default_rng(3)
    maps = Heatmaps(rng.normal(-2, 1.5, (30, 16, 16)).astype(np.float32), AFFINE)
    for k, value in enumerate(seconds(maps)):
        found = peaks(maps, k, 2)
        assert value == pytest.approx(found[1, 2] / found[0, 2] if len(found) > 1 else 0, abs=1e-6)


def test_spread_is_the_standard_deviation_of_the_map() -> None:
    logits = np.stack([mixture([(8, 8, 2.0)]), mixture([(3, 8, 2.0), (13, 8, 2.0)])])
    probability = 1 / (1 + np.exp(-logits.astype(np.float64)))
    y, x = np.mgrid[:16, :16]
    expected = []
    for p in probability:
        values, weights = np.stack([x.ravel(), y.ravel()]), p.ravel()
        expected.append(np.sqrt(np.trace(np.cov(values, aweights=weights, ddof=0))) / 8)
    np.testing.assert_allclose(spreads(Heatmaps(logits, AFFINE)), expected, rtol=1e-4)


def test_flip_is_half_at_three_hundredths_of_the_crop() -> None:
    maps = Heatmaps(np.stack([mixture([(8, 8, 2.0)])] * 68), AFFINE)
    points = crop.apply(crop.invert(AFFINE), np.tile([20.0, 20.0], (68, 1)) + 10 * MEAN)
    away = crop.apply(crop.invert(AFFINE), np.tile([20.0 + 0.03 * 64, 20.0], (68, 1)) + 10 * MEAN)
    value = told(points, 0.3, maps, away)
    assert value["flip"] == pytest.approx(0.5)
    assert value["overall"] == pytest.approx((value["flip"] + value["peak"]) / 2)


def test_an_image_is_as_doubtful_as_its_worst_subject() -> None:
    a, b = np.array([0.1, 0.8, np.nan]), np.array([0.3, 0.2, np.nan])
    assert worst_of([a, b])[:2].tolist() == [0.3, 0.8] and np.isnan(worst_of([a, b])[2])
    assert worst_of([]) is None


def test_the_predictor_judges_with_the_mirror_image() -> None:
    model = small_model()
    predictor = Predictor(open_runtime(model, "reference"), "whole")
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    box = Box(31.5, 31.5, 64 / model.crop)
    mirrored = predictor.mirrored(picture, box)
    plain = predictor.predict_box(np.ascontiguousarray(picture[:, ::-1]), box).landmarks[model.schema.permutation]
    np.testing.assert_allclose(mirrored[:, 0], 63 - plain[:, 0], atol=1e-6)
    np.testing.assert_allclose(mirrored[:, 1:], plain[:, 1:], atol=1e-6)
    doubts = predictor.doubts(picture, predictor.predict_box(picture, box, heatmaps=True))
    assert ((doubts[:6] >= 0) & (doubts[:6] <= 1)).all() and np.isnan(doubts[6])  # this schema has no lines


def test_caught_counts_the_worst_tenth_in_the_first_fifth() -> None:
    errors = np.arange(100.0)
    assert caught(errors, errors) == 1 and caught(errors, -errors) == 0
    some = np.where(np.arange(100) >= 93, 2.0, np.where(np.arange(100) < 13, 1.0, 0.0))  # 7 of the worst 10, 13 others
    assert caught(errors, some) == pytest.approx(0.7)
    assert np.isnan(caught(np.zeros(0), np.zeros(0)))


def test_rank_correlation_is_spearmans() -> None:
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 9, 60), rng.integers(0, 9, 60)
    assert rank_correlation(a, b) == pytest.approx(spearmanr(a, b).statistic)
    assert np.isnan(rank_correlation(np.ones(5), np.arange(5)))


def test_figures_leave_out_what_cannot_be_judged() -> None:
    errors = np.full((30, 2), np.nan)
    errors[:20, 0] = np.arange(20)
    judged = {n: np.array([n, -n, np.nan, 0, 0, 0, 0.0]) for n in range(25)}
    figures = doubt_figures(errors, judged)
    assert figures["n"] == 20
    assert figures["criteria"]["overall"] == {"caught": 100.0, "correlation": pytest.approx(1)}
    assert figures["criteria"]["peak"] == {"caught": 0.0, "correlation": pytest.approx(-1)}
    assert figures["criteria"]["spread"] == {"caught": None, "correlation": None}
