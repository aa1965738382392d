"""Curves, bodies, faces by yaw, similarity and boxes against plain loops over random data."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine import metrics
from engine.schema import load_schema

RNG = np.random.default_rng(23)
N, K = 40, 16
TRUTH = RNG.uniform(0, 100, (N, K, 2))
FOUND = TRUTH + RNG.normal(0, 9, (N, K, 2))
WEIGHT = RNG.choice([0.0, 0.5, 1.0], (N, K), p=(0.3, 0.2, 0.5))


def gap(a: np.ndarray, b: np.ndarray) -> float:
    return math.hypot(float(a[0]) - float(b[0]), float(a[1]) - float(b[1]))


def test_curve_counts_errors_up_to_each_threshold() -> None:
    errors = RNG.gamma(2, 0.03, 200).round(2)  # rounded: thresholds hit errors exactly
    thresholds = np.arange(0, 0.2, 0.01).round(2)
    found = metrics.ced(errors, thresholds)
    for threshold, share in zip(thresholds, found, strict=True):
        assert share == sum(e <= threshold for e in errors) / len(errors)
    assert np.isnan(metrics.ced([], thresholds)).all()


def test_area_in_a_thousand_steps() -> None:
    """Thresholds 0 to 1 in 1000 steps, the share of errors strictly below each, averaged up to 7 %."""
    errors = RNG.gamma(2, 0.03, 150)
    steps = [i / 999 for i in range(1000)]
    curve = [sum(e < t for e in errors) / len(errors) for t in steps if t <= 0.07]
    assert metrics.auc_steps(errors, 0.07) == pytest.approx(sum(curve) / len(curve))
    assert abs(metrics.auc_steps(errors, 0.07) - metrics.auc(errors, 0.07)) < 0.01
    assert math.isnan(metrics.auc_steps([], 0.07)) and metrics.auc_steps([1.0], 0.07) == 0


def test_pckh_shares_means_and_columns() -> None:
    boxes = np.concatenate([RNG.uniform(0, 50, (N, 2)), RNG.uniform(60, 100, (N, 2))], 1)
    size = metrics.head_size(boxes)
    known = WEIGHT > 0
    known[:, 3] = False  # nobody labels the left hip
    share, number = metrics.shares(metrics.correct(FOUND, TRUTH, size, 0.5), known)
    right, total = [0] * K, [0] * K
    for n in range(N):
        head = 0.6 * math.hypot(boxes[n, 2] - boxes[n, 0], boxes[n, 3] - boxes[n, 1])
        assert size[n] == pytest.approx(head)
        for k in range(K):
            if known[n, k]:
                total[k] += 1
                right[k] += gap(FOUND[n, k], TRUTH[n, k]) / head <= 0.5
    assert number.tolist() == total and math.isnan(share[3])
    each = {k: right[k] / total[k] for k in range(K) if total[k]}
    assert all(share[k] == pytest.approx(v) for k, v in each.items())
    counted = [k for k in range(K) if k not in (3, 6, 7)]
    plain, weighted = metrics.means(share, number)
    assert plain == pytest.approx(sum(each[k] for k in counted) / 13)
    assert weighted == pytest.approx(sum(right[k] for k in counted) / sum(total[k] for k in counted))
    assert plain != pytest.approx(weighted, abs=1e-4)
    columns = metrics.columns(share)
    assert columns["Head (top)"] == pytest.approx(each[9])
    assert columns["Head (neck and top)"] == pytest.approx((each[8] + each[9]) / 2)
    assert columns["Hip"] == pytest.approx(each[2])  # of the one side that is labelled
    assert columns["Wrist"] == pytest.approx((each[10] + each[15]) / 2)
    assert [math.isnan(v) for v in metrics.means(share, np.zeros(K))] == [True, True]


def test_yaw_bins_hold_their_upper_ends() -> None:
    yaw = np.array([0, 30, 30.001, -30, -60, 60.5, 90, -90.01, 95, np.nan, -0.0])
    assert metrics.yaw_bins(yaw).tolist() == [0, 0, 1, 0, 1, 2, 2, -1, -1, -1, 0]


def test_mean_of_bins_is_no_mean_of_faces() -> None:
    yaw, errors = RNG.uniform(-100, 100, 300), RNG.uniform(1, 9, 300)
    errors[5] = np.nan
    bins = metrics.yaw_bins(yaw)
    means, mean = metrics.by_yaw(errors, bins)
    by_hand = []
    for low, high in ((-1, 30), (30, 60), (60, 90)):
        part = [e for y, e in zip(yaw, errors, strict=True) if low < abs(y) <= high and not math.isnan(e)]
        by_hand.append(sum(part) / len(part))
    assert means == pytest.approx(by_hand) and mean == pytest.approx(sum(by_hand) / 3)
    assert math.isnan(metrics.by_yaw(errors[bins == 0], bins[bins == 0])[1])


def test_balanced_subset_of_696() -> None:
    """1306, 462 and 232 faces, as AFLW2000-3D has by AFLW's yaw, give 3 x 232, the same ones every time."""
    bins = RNG.permutation(np.repeat([0, 1, 2, -1], [1306, 462, 232, 50]))
    subset = metrics.balanced_subset(bins)
    assert len(subset) == len(set(subset.tolist())) == 696
    assert [int((bins[subset] == b).sum()) for b in range(3)] == [232, 232, 232]
    assert (metrics.balanced_subset(bins) == subset).all()
    assert (metrics.balanced_subset(bins, seed=1) != subset).any()
    assert not len(metrics.balanced_subset(np.array([0, 1])))


def test_similarity() -> None:
    area = RNG.uniform(500, 5000, N)
    sigma = metrics.sigmas(load_schema("mpii16").sigmas, K)
    found = metrics.object_similarity(FOUND, TRUTH, area, sigma)
    whole = metrics.oks(found, WEIGHT)
    for n in range(N):
        own = []
        for k in range(K):
            d = gap(FOUND[n, k], TRUTH[n, k])
            value = math.exp(-(d**2) / (2 * area[n] * (2 * sigma[k]) ** 2))
            assert found[n, k] == pytest.approx(value)
            own += [value] if WEIGHT[n, k] > 0 else []
        assert whole[n] == pytest.approx(sum(own) / len(own))
    assert math.isnan(metrics.oks(found[:1], np.zeros((1, K)))[0])


def iou(a: list[float], b: list[float]) -> float:
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(w, 0) * max(h, 0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def squared(box: np.ndarray) -> list[float]:
    x0, y0, x1, y1 = (float(v) for v in box)
    half = max(x1 - x0, y1 - y0) / 2
    return [(x0 + x1) / 2 - half, (y0 + y1) / 2 - half, (x0 + x1) / 2 + half, (y0 + y1) / 2 + half]


def some_boxes(count: int) -> np.ndarray:
    low = RNG.uniform(-5, 60, (count, 2))
    return np.concatenate([low, low + RNG.uniform(8, 40, (count, 2))], 1)


def test_boxes_by_the_rule_of_the_scene_packs() -> None:
    scores, alarms, doubles, hit_human, hit, human_boxes, overlaps = [], 0, 0, 0, 0, 0, []
    for _ in range(60):
        labelled, ignored = some_boxes(RNG.integers(0, 5)), some_boxes(RNG.integers(0, 3))
        near = labelled + RNG.normal(0, 4, labelled.shape)
        detected = np.concatenate([near, near[:1] + 1, some_boxes(3), ignored[:1] + 3])
        human = RNG.random(len(labelled)) < 0.5
        scores.append(metrics.score_boxes(detected, labelled, human, ignored))
        found, claims = set(), []
        for d in map(squared, detected):
            to = [iou(d, squared(b)) for b in labelled]
            found |= {m for m, v in enumerate(to) if v >= 0.5}
            if to and max(to) >= 0.5:
                claims.append(to.index(max(to)))
                continue
            area = (d[2] - d[0]) * (d[3] - d[1])
            passed = False
            for other in ignored:
                w = min(d[2], other[2]) - max(d[0], other[0])
                h = min(d[3], other[3]) - max(d[1], other[1])
                passed |= max(w, 0) * max(h, 0) > area / 2 or iou(d, list(other)) >= 0.3
            alarms += not passed
        doubles += len(claims) - len(set(claims))
        hit += len(found)
        human_boxes += int(human.sum())
        hit_human += sum(bool(human[m]) for m in found)
        overlaps += [max(iou(d, squared(labelled[m])) for d in map(squared, detected)) for m in found if human[m]]
    total = metrics.join_scores(scores)
    assert (total.alarms, total.doubles, total.found_every, total.found_human) == (alarms, doubles, hit, hit_human)
    assert (total.human, total.pictures) == (human_boxes, 60) and min(alarms, doubles, hit_human) > 5
    assert sorted(total.iou) == pytest.approx(sorted(overlaps))


def test_an_ignored_region_cancels_no_labelled_box_and_a_double_is_no_alarm() -> None:
    box = np.array([[0.0, 0, 10, 10]])
    none = np.zeros((0, 4))
    score = metrics.score_boxes(np.repeat(box, 3, 0), box, np.ones(1, bool), box)
    assert (score.found_every, score.alarms, score.doubles) == (1, 0, 2)
    assert metrics.score_boxes(none, box, np.ones(1, bool), box).found_every == 0
    assert metrics.score_boxes(box, none, np.zeros(0, bool), none).alarms == 1
    assert metrics.score_boxes(box, none, np.zeros(0, bool), box).alarms == 0
    wide = metrics.score_boxes(np.array([[-5.0, -5, 15, 15]]), np.array([[-5.0, 0, 15, 10]]), np.ones(1, bool), none)
    assert wide.iou == (1.0,)  # both are squares of the longer side
