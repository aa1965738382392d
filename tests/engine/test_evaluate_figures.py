"""PCKh, OKS, yaw, visible landmarks and the rest of an evaluation's figures, against naive loops."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import UserError
from engine.evaluate import Options, measure
from engine.labelled import LabelError, Labelled, load_labelled
from engine.schema import load_schema
from engine.types import Box
from tests.engine.blobs import BlobRuntime, small_model
from tests.engine.packfile import blob_boxes, blob_points, write_coco, write_pack
from tests.engine.test_evaluate import Truth

RNG = np.random.default_rng(5)
BODY = load_schema("mpii16")
N = 12
BODIES = (np.array(BODY.mean) * 60 + 10)[None] + RNG.normal(0, 2, (N, 16, 2))
FOUND = BODIES + RNG.normal(0, 5, BODIES.shape)
WEIGHT = RNG.choice([0.0, 0.5, 1.0], (N, 16), p=(0.2, 0.2, 0.6))
BLANK = np.zeros((90, 90, 3), np.uint8)


def bodies(**extras: np.ndarray) -> Labelled:
    return Labelled(lambda n: BLANK, BODIES, WEIGHT, blob_boxes(BODIES), extras)


def runtime(found: np.ndarray = FOUND) -> Truth:
    """Finds `found`, one body a run."""
    return Truth(list(found), blob_boxes(BODIES))


def test_pckh_by_hand() -> None:
    head = RNG.uniform(8, 16, N)
    head[2] = np.nan
    done = measure(runtime(), bodies(head_size=head), Options(metric="pckh"))
    points = done.seen.points  # what the runtime was read to have found
    right, total = np.zeros(16), np.zeros(16)
    for n in range(N):
        for k in range(16):
            if n != 2 and WEIGHT[n, k] > 0:
                total[k] += 1
                right[k] += math.dist(points[n, k], BODIES[n, k]) / head[n] <= 0.5
    counted = [k for k in range(16) if k not in (6, 7)]
    figures = done.figures
    share = right / total
    assert np.median(np.abs(points - FOUND)) < 1e-3  # those outside the crop are pulled to its edge
    assert (figures["normalise"], figures["n"], figures["left_out"]) == ("head", N - 1, 1)
    assert figures["mean"] == figures["means"]["plain_14"] == pytest.approx(100 * share[counted].mean())
    assert figures["means"]["weighted_14"] == pytest.approx(100 * right[counted].sum() / total[counted].sum())
    assert figures["per_landmark"]["Head top"] == pytest.approx(100 * share[9])
    assert figures["columns"]["Head (top)"] == pytest.approx(100 * share[9])
    assert figures["columns"]["Head (neck and top)"] == pytest.approx(100 * share[[8, 9]].mean())
    assert figures["columns"]["Ankle"] == pytest.approx(100 * share[[0, 5]].mean())
    assert figures["curve"]["threshold"][-1] == 50 and figures["curve"]["share"][-1] == pytest.approx(figures["mean"])
    shares = figures["curve"]["share"]
    assert shares == sorted(shares) and 0 < figures["mean"] < 100


def test_pckh_needs_head_sizes_and_a_body(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no head sizes"):
        measure(runtime(), bodies(), Options(metric="pckh"))
    pack = write_pack(tmp_path / "p.npz", blob_points(3))
    with pytest.raises(UserError, match="no head size"):
        measure(BlobRuntime(small_model()), pack, Options(metric="pckh"))


def test_extras_of_a_pack_and_of_a_coco_file(tmp_path: Path) -> None:
    points = blob_points(3)
    schema = small_model().schema
    boxes = np.array([[0, 0, 3, 4], [0, 0, 6, 8], [1, 1, 1, 1]], float)
    path = write_pack(tmp_path / "p.npz", points, head_box=boxes, yaw=np.array([5.0, -50, 100]))
    extras = load_labelled(path, schema).extras
    assert extras["head_size"].tolist() == [3, 6, 0] and extras["yaw"].tolist() == [5, -50, 100]
    bad = write_pack(tmp_path / "q.npz", points, yaw=np.zeros(2))
    with pytest.raises(UserError, match="yaw"):
        load_labelled(bad, schema)
    with pytest.raises(LabelError, match="yaw"):
        Labelled(lambda n: BLANK, points, np.ones((3, 3)), blob_boxes(points), {"yaw": np.zeros(2)})
    coco = write_coco(tmp_path / "set", points, list(schema.landmarks), np.full((3, 3), 2))
    data = json.loads(coco.read_text())
    data["annotations"][0] |= {"head_box": [1, 2, 3, 4], "yaw": 7, "area": 50, "bbox": [0, 0, 8, 2]}
    coco.write_text(json.dumps(data))
    extras = load_labelled(coco, schema).extras
    assert extras["head_size"][0] == 3 and extras["yaw"][0] == 7 and np.isnan(extras["yaw"][1])
    assert extras["area"][0] == 50 and extras["area"][1] == pytest.approx(np.ptp(points[1], 0).prod(), rel=1e-5)
    assert extras["box_size"][0] == 4


def test_visible_and_all(tmp_path: Path) -> None:
    """PIFA's two scores: visible landmarks only, and all; divided by the data's own box."""
    size = RNG.uniform(30, 60, N)
    done = measure(runtime(), bodies(box_size=size), Options(metric="nme", normalise="file"))
    by_hand: dict[str, list[float]] = {"visible": [], "all": []}
    for n in range(N):
        for name, least in (("visible", 0.6), ("all", 0.1)):
            own = [math.dist(done.seen.points[n, k], BODIES[n, k]) for k in range(16) if WEIGHT[n, k] >= least]
            by_hand[name].append(100 * sum(own) / len(own) / size[n])
    for name, values in by_hand.items():
        assert done.figures[name] == pytest.approx(sum(values) / N)
    assert done.figures["mean"] == done.figures["all"] != done.figures["visible"]


def test_yaw_and_the_balanced_subset() -> None:
    yaw = np.array([0, 10, -20, 30, 15, 40, -45, 60, 70, -90, 95, np.nan])
    done = measure(runtime(), bodies(yaw=yaw), Options(metric="nme", normalise="box"))
    told = done.figures["yaw"]
    means = [np.nanmean(done.errors[n]) for n in range(N)]
    groups = {"0-30": range(5), "30-60": (5, 6, 7), "60-90": (8, 9)}
    for name, members in groups.items():
        assert told["bins"][name] == pytest.approx(np.mean([means[n] for n in members]))
        assert told["n"][name] == len(members)
    assert told["mean_of_bins"] == pytest.approx(np.mean(list(told["bins"].values()))) and told["outside"] == 2
    assert told["balanced"]["n"] == dict.fromkeys(groups, 2) and told["balanced"]["subjects"] == 6
    front = measure(runtime(), bodies(yaw=np.zeros(N)), Options(metric="nme", normalise="box")).figures["yaw"]
    assert front["mean_of_bins"] is None and front["bins"]["60-90"] is None
    json.dumps(front, allow_nan=False)


def test_limits_of_area_and_failure() -> None:
    done = measure(runtime(), bodies(), Options(metric="nme", normalise="box", auc_limit=0.2, failure_limit=0.1))
    means = [np.nanmean(done.errors[n]) / 100 for n in range(N)]
    assert done.figures["auc"] == pytest.approx(100 * np.mean([max(0.2 - m, 0) / 0.2 for m in means]))
    assert done.figures["failure_rate"] == pytest.approx(100 * np.mean([m > 0.1 for m in means]))
    curve = done.figures["curve"]
    for at in (10, 50, 100):
        expected = 100 * np.mean([100 * m <= curve["threshold"][at] for m in means])
        assert curve["share"][at] == pytest.approx(expected, abs=1e-3)
    for name in ("auc_limit", "failure_limit"):
        with pytest.raises(UserError, match="above 0"):
            measure(runtime(), bodies(), replace(Options(), **{name: 0.0}))


def test_decoding_by_quarters_is_coarser() -> None:
    """A spot 0.1 cells off a cell's centre: the parabola finds it, the quarter step overshoots by 0.15 cells."""
    points = np.array([[[12.0, 12], [22, 20], [30, 14]]])
    box = blob_boxes(points)
    size = box[0, 2] * small_model().crop
    run = Fixed((np.array([[4.1, 8], [8, 8], [11, 8]]) + 0.5) / 16)
    labelled = Labelled(lambda n: BLANK, points, np.ones((1, 3)), box)
    exact, coarse = (measure(run, labelled, Options(decode=how)).seen.points for how in ("parabola", "quarter"))
    assert coarse[0, 0, 0] - exact[0, 0, 0] == pytest.approx(0.15 * size / 16, rel=1e-3)
    np.testing.assert_allclose(coarse[0, 1:], exact[0, 1:])
    with pytest.raises(UserError, match="parabola, quarter"):
        measure(run, labelled, Options(decode="guess"))


def test_speed_names_the_runtime() -> None:
    told = measure(runtime(), bodies()).figures["speed"]
    assert told["runtime"] == "blobs" and told["ms_per_crop"] > 0 and told["pictures_per_second"] > 0


def similarity(found: np.ndarray, truth: np.ndarray, weight: np.ndarray, area: float, sigma: list[float]) -> float:
    own = [
        math.exp(-(math.dist(f, t) ** 2) / (2 * area * (2 * s) ** 2))
        for f, t, w, s in zip(found, truth, weight, sigma, strict=True) if w > 0
    ]  # fmt: skip
    return sum(own) / len(own)


def precision_by_hand(scored: list[tuple[float, bool]], truths: int) -> float:
    """COCO's interpolated precision at 101 recalls: (score, right) of every detection."""
    right, points = 0, []
    for n, (_, ok) in enumerate(sorted(scored, key=lambda s: -s[0])):
        right += ok
        points.append((right / truths, right / (n + 1)))
    at = [max((p for r, p in points if r >= level / 100 - 1e-12), default=0) for level in range(101)]
    return sum(at) / 101


def test_oks_and_average_precision_with_one_subject_a_picture() -> None:
    pytest.importorskip("pycocotools")
    area = RNG.uniform(1500, 2500, N)
    done = measure(runtime(), bodies(area=area), Options(metric="oks"))
    sigma = [0.089, 0.087, 0.107, 0.107, 0.087, 0.089, *[0.079] * 4, 0.062, 0.072, 0.079, 0.079, 0.072, 0.062]
    each = [similarity(done.seen.points[n], BODIES[n], WEIGHT[n], area[n], sigma) for n in range(N)]
    assert done.figures["oks"] == pytest.approx(100 * np.mean(each))
    levels = [
        precision_by_hand([(done.seen.score[n], each[n] >= 0.5 + 0.05 * step) for n in range(N)], N)
        for step in range(10)
    ]
    assert done.figures["ap50"] == pytest.approx(100 * levels[0], abs=1e-6)
    assert done.figures["ap"] == done.figures["mean"] == pytest.approx(100 * np.mean(levels), abs=1e-6)
    assert 0 < done.figures["ap"] < 100
    json.dumps(done.figures, allow_nan=False)


def test_a_subject_without_labels_neither_counts_nor_costs_precision() -> None:
    """Nobody can tell whether what was found there is right, even if its box and head are known."""
    pytest.importorskip("pycocotools")
    labelled = bodies(area=np.full(N, 2000.0), head_size=np.full(N, 10.0))
    weight = WEIGHT.copy()
    weight[:3] = 0
    some = measure(runtime(BODIES), replace(labelled, weight=weight), Options(metric="oks"))
    assert some.figures["ap50"] == pytest.approx(100) and (some.figures["n"], some.figures["left_out"]) == (N - 3, 3)
    head = measure(runtime(), replace(labelled, weight=weight), Options(metric="pckh")).figures
    assert (head["n"], head["left_out"]) == (N - 3, 3)


class Both:
    """Detects both subjects of a picture, and something where there is nobody."""

    name = "both"

    def __init__(self, boxes: np.ndarray, stray: bool) -> None:
        self.boxes = [Box(*(float(v) for v in b), score=0.5) for b in boxes]
        self.stray = [Box(45.0, 45.0, 8.0, 1.0)] if stray else []

    def detect(self, picture: np.ndarray) -> list[Box]:
        return self.boxes if picture.any() else self.stray


def crowd(tmp_path: Path) -> Path:
    """Two subjects in one picture, nobody in another."""
    schema = small_model().schema
    points = np.array([[[12, 12], [22, 20], [30, 14]], [[60, 50], [70, 58], [78, 52]]], float)
    path = write_coco(tmp_path / "set", points, list(schema.landmarks), np.full((2, 3), 2))
    data = json.loads(path.read_text())
    data["annotations"][1]["image_id"] = 1
    (path.parent / "images" / "1.png").write_bytes(blank_png())
    path.write_text(json.dumps(data))
    return path


def blank_png() -> bytes:
    from engine.images import encode_png

    return encode_png(np.zeros((80, 96, 3), np.uint8))


class Fixed(BlobRuntime):
    """Finds the landmarks of a box at fixed places of its crop, whatever it shows."""

    def __init__(self, places: np.ndarray) -> None:
        super().__init__(small_model())
        self.places = places

    def run(self, crop: np.ndarray, logits: bool = False) -> np.ndarray:
        grid = np.arange(16)
        cells = self.places * 16 - 0.5
        return np.stack([2 - 0.5 * ((grid[None] - x) ** 2 + (grid[:, None] - y) ** 2) for x, y in cells])


def test_average_precision_with_several_subjects_in_a_picture(tmp_path: Path) -> None:
    """Both found; a surer detection in the empty picture costs precision: 2 of 3 are right at every recall."""
    pytest.importorskip("pycocotools")
    path = crowd(tmp_path)
    labelled = load_labelled(path, small_model().schema)
    assert labelled.image == (0, 0) and labelled.scenes is not None and labelled.scenes.count == 2
    size = labelled.box[0, 2] * small_model().crop
    run = Fixed((labelled.points[0] - labelled.box[0, :2]) / size + 0.5)
    clean = measure(run, labelled, Options(metric="oks", detector=Both(labelled.box, stray=False))).figures
    assert clean["n"] == 2 and clean["detections"] == 2 and clean["ap50"] == pytest.approx(100)
    stray = measure(run, labelled, Options(metric="oks", detector=Both(labelled.box, stray=True))).figures
    assert stray["detections"] == 3 and stray["ap50"] == pytest.approx(200 / 3) and stray["ar50"] == pytest.approx(100)
    nobody = measure(run, labelled, Options(metric="oks", detector=Both(labelled.box[:0], stray=False))).figures
    assert (nobody["mean"], nobody["n"], nobody["missed"], nobody["oks"]) == (0, 0, 2, None)


def test_crowds_neither_help_nor_cost_precision(tmp_path: Path) -> None:
    pytest.importorskip("pycocotools")
    path = crowd(tmp_path)
    data = json.loads(path.read_text())
    data["annotations"].append({
        "id": 9, "image_id": 2, "category_id": 1, "iscrowd": 1, "keypoints": [0] * 9, "num_keypoints": 0,
        "bbox": [20, 20, 60, 50], "area": 3000,
    })  # fmt: skip
    path.write_text(json.dumps(data))
    labelled = load_labelled(path, small_model().schema)
    assert len(labelled) == 2 and len(labelled.scenes.ignored) == 1
    size = labelled.box[0, 2] * small_model().crop
    run = Fixed((labelled.points[0] - labelled.box[0, :2]) / size + 0.5)
    figures = measure(run, labelled, Options(metric="oks", detector=Both(labelled.box, stray=True))).figures
    assert figures["detections"] == 3 and figures["ap50"] == pytest.approx(100)
