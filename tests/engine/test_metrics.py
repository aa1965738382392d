"""Metrics against plain loops over random data."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine import metrics

RNG = np.random.default_rng(11)
N, K = 12, 16
TRUTH = RNG.uniform(0, 100, (N, K, 2))
FOUND = TRUTH + RNG.normal(0, 8, (N, K, 2))
WEIGHT = RNG.choice([0.0, 0.5, 1.0], (N, K), p=(0.3, 0.2, 0.5))
SIZE = RNG.uniform(20, 60, N)


def gap(a: np.ndarray, b: np.ndarray) -> float:
    return math.sqrt(sum((float(p) - float(q)) ** 2 for p, q in zip(a, b, strict=True)))


def test_distances_and_pairs() -> None:
    found = metrics.distances(FOUND, TRUTH)
    pairs = metrics.pair_distance(TRUTH, (3, 7))
    for n in range(N):
        assert pairs[n] == pytest.approx(gap(TRUTH[n, 3], TRUTH[n, 7]))
        for k in range(K):
            assert found[n, k] == pytest.approx(gap(FOUND[n, k], TRUTH[n, k]))


def test_boxes() -> None:
    known = WEIGHT > 0
    masked = np.where(known[..., None], TRUTH, np.nan)
    boxes = metrics.tight_boxes(TRUTH, known)
    size, diagonal = metrics.box_size(masked), metrics.diagonal(masked)
    for n in range(N):
        xs, ys = ([p[a] for p, k in zip(TRUTH[n], known[n], strict=True) if k] for a in (0, 1))
        w, h = max(xs) - min(xs), max(ys) - min(ys)
        assert boxes[n] == pytest.approx([(max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2, max(w, h)])
        assert (size[n], diagonal[n]) == pytest.approx((math.sqrt(w * h), math.hypot(w, h)))


def test_torso() -> None:
    found = metrics.torso(TRUTH, WEIGHT)
    for n in range(N):
        sides = [gap(TRUTH[n, a], TRUTH[n, b]) for a, b in ((12, 3), (13, 2)) if WEIGHT[n, a] and WEIGHT[n, b]]
        if sides:
            assert found[n] == pytest.approx(max(sides))
        else:
            assert math.isnan(found[n])
    assert np.isnan(found).any() and np.isfinite(found).any()


def test_nme() -> None:
    weight = WEIGHT.copy()
    weight[4] = 0
    found = metrics.nme(FOUND, TRUTH, SIZE, weight)
    for n in range(N):
        single = [gap(FOUND[n, k], TRUTH[n, k]) for k in range(K) if weight[n, k] > 0]
        if n == 4:
            assert math.isnan(found[n])
        else:
            assert found[n] == pytest.approx(sum(single) / len(single) / SIZE[n])


def test_pck() -> None:
    hit = metrics.correct(FOUND, TRUTH, SIZE, 0.2)
    for n in range(N):
        for k in range(K):
            assert hit[n, k] == (gap(FOUND[n, k], TRUTH[n, k]) <= 0.2 * SIZE[n])
    assert 0 < hit.mean() < 1
    exact = np.array([[[0.0, 0.0]]]), np.array([[[3.0, 4.0]]])
    assert metrics.correct(*exact, np.array([25.0]), 0.2)[0, 0]  # the threshold itself is right


def test_auc_is_the_area_under_the_curve() -> None:
    errors = RNG.gamma(2, 0.03, 400)
    steps = np.linspace(0, 0.07, 20001)
    curve = [(errors <= t).mean() for t in steps]
    area = sum((a + b) / 2 for a, b in zip(curve, curve[1:], strict=False)) * (steps[1] - steps[0]) / 0.07
    assert metrics.auc(errors, 0.07) == pytest.approx(area, abs=1e-4)
    assert metrics.auc(np.zeros(3), 0.07) == 1 and metrics.auc(np.ones(3), 0.07) == 0
    assert math.isnan(metrics.auc([], 0.07))


def test_failures() -> None:
    assert metrics.failure_rate([0.01, 0.08, 0.081, 0.5], 0.08) == 0.5
    assert math.isnan(metrics.failure_rate([], 0.08))


def test_pupils() -> None:
    found = metrics.pupil_distance(TRUTH, [0, 1, 2], [5, 6])
    for n in range(N):
        right = [sum(TRUTH[n, k, a] for k in (0, 1, 2)) / 3 for a in (0, 1)]
        left = [sum(TRUTH[n, k, a] for k in (5, 6)) / 2 for a in (0, 1)]
        assert found[n] == pytest.approx(gap(np.array(right), np.array(left)))
