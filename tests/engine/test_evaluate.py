"""Evaluation: the figures of the command line, from packs and COCO files, against figures worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.coco.bodies import PERSON as COCO_PERSON
from engine.errors import UserError
from engine.evaluate import evaluate
from engine.labelled import LabelError, load_labelled
from engine.schema import load_schema
from engine.types import Box
from tests.engine.blobs import BlobRuntime, schema_of, small_model
from tests.engine.packfile import blob_boxes, blob_points, write_coco, write_pack

POINTS = blob_points(6)
RUNTIME = BlobRuntime(small_model())
OFFSET = np.array([[4.0, 0.0], [0.0, 3.0], [0.0, 0.0]], np.float32)  # how far labels lie from the spots


@pytest.fixture
def shifted(tmp_path: Path) -> Path:
    """Labels that lie a known way off the spots that the runtime finds."""
    return write_pack(tmp_path / "shifted.npz", POINTS + OFFSET, POINTS)


def sizes(points: np.ndarray) -> np.ndarray:
    extent = np.ptp(points.astype(np.float64), 1)
    return np.sqrt(extent[:, 0] * extent[:, 1])


def test_perfect_model(tmp_path: Path) -> None:
    result = evaluate(RUNTIME, write_pack(tmp_path / "p.npz", POINTS))
    assert result["mean"] < 0.4 and result["failure_rate"] == 0 and result["auc"] > 94
    assert (result["metric"], result["n"], result["missed"], result["left_out"]) == ("nme", 6, 0, 0)
    json.dumps(result, allow_nan=False)


def test_nme_by_hand(shifted: Path) -> None:
    result = evaluate(RUNTIME, shifted, metric="nme", normalise="box")
    size = sizes(POINTS + OFFSET)
    errors = 100 * (4 + 3) / 3 / size
    assert result["mean"] == pytest.approx(errors.mean(), abs=0.4)
    names = list(RUNTIME.model.schema.landmarks)
    by_hand = [np.mean(100 * d / size) for d in (4, 3, 0)]
    assert [result["per_landmark"][n] for n in names] == pytest.approx(by_hand, abs=0.4)
    sure, perhaps = (100 * (errors > limit).mean() for limit in (8.6, 7.4))  # a spot at the crop's edge loses its tail
    assert sure - 0.01 <= result["failure_rate"] <= perhaps + 0.01 and 0 < result["failure_rate"] < 100


def test_pck_by_hand(shifted: Path) -> None:
    size = np.linalg.norm(np.ptp((POINTS + OFFSET).astype(np.float64), 1), axis=1)
    for threshold in (0.05, 0.1, 0.2):
        result = evaluate(RUNTIME, shifted, metric="pck", normalise="diagonal", threshold=threshold)
        hits = np.stack([d <= threshold * size for d in (4, 3, 0)], 1)
        assert result["mean"] == pytest.approx(100 * hits.mean())
        assert result["auc"] is None and result["failure_rate"] is None


def test_weights(tmp_path: Path) -> None:
    """nme counts occluded landmarks, pck only those of weight over a half; unlabelled ones count nowhere."""
    weight = np.ones((6, 3), np.float32)
    weight[:, 0], weight[:, 1] = 0.5, 0
    path = write_pack(tmp_path / "p.npz", POINTS + OFFSET, POINTS, weight=weight)
    nme = evaluate(RUNTIME, path, metric="nme", normalise="diagonal")
    first, second, third = RUNTIME.model.schema.landmarks
    assert set(nme["per_landmark"]) == {first, third}
    pck = evaluate(RUNTIME, path, metric="pck", normalise="diagonal", threshold=0.01)
    assert set(pck["per_landmark"]) == {third}
    absent = np.zeros((6, 3), bool)
    absent[:, 0] = True
    path = write_pack(tmp_path / "q.npz", POINTS, weight=weight, absent=absent)
    result = evaluate(RUNTIME, path, metric="nme", normalise="box")
    assert (result["n"], result["left_out"], result["mean"]) == (0, 6, None)


class Some:
    """A detector that gives the boxes of every second picture, and a stray one elsewhere."""

    name = "some"

    def __init__(self) -> None:
        self.turn = -1

    def detect(self, picture: np.ndarray) -> list[Box]:
        self.turn += 1
        box = Box(*(float(v) for v in blob_boxes(POINTS)[self.turn]))
        stray = Box(2.0, 2.0, 3.0, 1.0)
        return [stray, replace(box, cx=box.cx + 2)] if self.turn % 2 else [[stray], []][self.turn // 2 % 2]


def test_misses_of_a_detector_are_counted(tmp_path: Path) -> None:
    result = evaluate(RUNTIME, write_pack(tmp_path / "p.npz", POINTS), detector=Some())
    assert (result["n"], result["missed"], result["left_out"]) == (3, 3, 0)
    assert result["mean"] < 0.5


def test_detector_by_name(tmp_path: Path) -> None:
    result = evaluate(RUNTIME, write_pack(tmp_path / "p.npz", POINTS), detector="face")
    assert (result["n"], result["missed"], result["mean"], result["per_landmark"]) == (0, 6, None, {})


def body(weight: dict[int, float]) -> tuple[np.ndarray, np.ndarray]:
    """One body of MPII's 16 landmarks with the weights given, the rest 1."""
    points = (np.array(load_schema("mpii16").mean) * 60 + 10).astype(np.float32)
    w = np.ones(16, np.float32)
    for k, value in weight.items():
        w[k] = value
    return points, w


class Truth(BlobRuntime):
    """Finds what a list says, one body a run, whatever the picture shows."""

    def __init__(self, found: list[np.ndarray], boxes: np.ndarray) -> None:
        model = small_model(16, schema=load_schema("mpii16"))
        super().__init__(model)
        self.queue = list(zip(found, boxes, strict=True))

    def run(self, picture: np.ndarray, logits: bool = False) -> np.ndarray:
        points, (cx, cy, side) = self.queue.pop(0)
        cells = ((points - (cx, cy)) / (side * self.model.crop) + 0.5) * 16 - 0.5
        grid = np.arange(16)
        return np.stack([
            2 - 0.5 * ((grid[None] - x) ** 2 + (grid[:, None] - y) ** 2) for x, y in cells
        ]).astype(np.float32)  # fmt: skip


def test_bodies_by_torso(tmp_path: Path) -> None:
    """PCK over LSP's 14 of weight > 0.5; a missing diagonal gives way to the other; neither = left out."""
    rows = [body({}), body({12: 0, 0: 0.5}), body({12: 0, 2: 0}), body({7: 0})]
    points, weight = (np.stack(v) for v in zip(*rows, strict=True))
    torso = np.linalg.norm(points[0, 12] - points[0, 3])
    found = points.copy()
    found[:, 10] += (0.3 * torso, 0)  # one wrist wrong, of two pictures' 14 and of 12 where two do not count
    found[:, 6] += 30  # pelvis and thorax do not count
    pack = write_pack(tmp_path / "p.npz", points, points[:, :3], weight=weight)
    boxes = blob_boxes(points)
    result = evaluate(Truth(list(found), boxes), pack)
    assert (result["metric"], result["normalise"]) == ("pck", "torso")
    assert (result["n"], result["left_out"]) == (3, 1)
    assert result["mean"] == pytest.approx(100 * (1 - 3 / (14 + 12 + 14)))
    assert "Pelvis" not in result["per_landmark"] and result["per_landmark"]["Right wrist"] == 0
    loose = evaluate(Truth(list(found), boxes), pack, threshold=0.35)
    assert loose["mean"] == 100


def test_face_normalisers(tmp_path: Path) -> None:
    """Every landmark 2 px off: the mean is 2 over the normaliser."""
    face = load_schema("ibug68")
    points = (np.array(face.mean) * 60 + 12).astype(np.float32)[None]
    pack = write_pack(tmp_path / "p.npz", points, points[:, :3])
    eyes = [points[0, a].astype(float) for a in (36, 45)]
    centres = [points[0, s].astype(float).mean(0) for s in (slice(36, 42), slice(42, 48))]
    width, height = np.ptp(points[0].astype(float), 0)
    expected = {
        None: np.linalg.norm(eyes[0] - eyes[1]), "interocular": np.linalg.norm(eyes[0] - eyes[1]),
        "interpupil": np.linalg.norm(centres[0] - centres[1]), "box": np.sqrt(width * height),
        "diagonal": np.hypot(width, height),
    }  # fmt: skip
    for name, size in expected.items():
        runtime = Truth([points[0] + (0, 2)], blob_boxes(points))
        runtime.model = small_model(68, schema=face)
        assert evaluate(runtime, pack, normalise=name)["mean"] == pytest.approx(200 / size, rel=0.02)


def test_progress(shifted: Path) -> None:
    told: list[tuple[int, int]] = []
    evaluate(RUNTIME, shifted, progress=lambda done, total: told.append((done, total)))
    assert told == [(n, 6) for n in range(1, 7)]


@pytest.mark.parametrize(("options", "words"), [
    ({"metric": "pckh"}, "pckh"), ({"normalise": "head"}, "no head"),
    ({"metric": "best"}, "nme, pck"), ({"normalise": "length"}, "box"), ({"normalise": "torso"}, "no torso"),
    ({"normalise": "interpupil"}, "no interpupil"), ({"format": "xml"}, "300w, 300w-lp"),
    *(({"metric": "pck", "threshold": t}, "above 0") for t in (0.0, -0.2, float("nan"), float("inf"))),
    ({"detector": "dog"}, "whole"), ({"detector": "person"}, "body model"),
])  # fmt: skip
def test_what_does_not_fit(shifted: Path, options: dict, words: str) -> None:
    if options.get("detector") == "person":
        runtime = BlobRuntime(small_model(schema=schema_of(3, subject="face")))
    else:
        runtime = RUNTIME
    with pytest.raises(UserError, match=words):
        evaluate(runtime, shifted, **options)


def test_wrong_number_of_landmarks(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="3 landmarks and the model 68"):
        load_labelled(write_pack(tmp_path / "p.npz", POINTS), load_schema("ibug68"))
    empty = write_pack(tmp_path / "q.npz", POINTS)
    with np.load(empty) as data:
        fields = {k: data[k][:0] for k in ("landmarks", "box")} | {"blob": data["blob"], "offsets": np.zeros(1, int)}
    np.savez(empty, **fields)
    with pytest.raises(LabelError, match="no labelled"):
        load_labelled(empty, RUNTIME.model.schema)


def test_coco_by_name_in_any_order(tmp_path: Path) -> None:
    """The file's order of names is its own; the schema's landmarks are looked up in it."""
    schema = RUNTIME.model.schema
    order = [2, 0, 1]
    names = [schema.landmarks[k].lower() for k in order]
    places = np.concatenate([POINTS, POINTS[:1]])
    path = write_coco(tmp_path / "set", places[:, order], names, np.full((7, 3), 2))
    labelled = load_labelled(path, schema)
    np.testing.assert_allclose(labelled.points, places)
    np.testing.assert_allclose(labelled.box, blob_boxes(places), atol=1e-4)
    assert labelled.picture(0).shape == (80, 96, 3)


def test_coco_evaluation(tmp_path: Path) -> None:
    names = list(RUNTIME.model.schema.landmarks)
    visible = np.full((6, 3), 2)
    visible[0, 1], visible[1, 0] = 1, 0
    path = write_coco(tmp_path / "set", POINTS, names, visible)
    assert load_labelled(path, RUNTIME.model.schema).weight[:2].tolist() == [[1, 0.5, 1], [0, 1, 1]]
    result = evaluate(RUNTIME, path)
    assert result["mean"] < 0.6 and result["n"] == 6


def test_coco_people_become_mpii(tmp_path: Path) -> None:
    points = np.random.default_rng(0).uniform(10, 70, (2, 17, 2))
    visible = np.full((2, 17), 2)
    visible[0, 9] = 0  # left wrist
    labelled = load_labelled(write_coco(tmp_path / "set", points, list(COCO_PERSON), visible), load_schema("mpii16"))
    body_names = [n.lower().replace(" ", "_") for n in load_schema("mpii16").landmarks]
    for k, name in enumerate(body_names):
        if name in COCO_PERSON:
            np.testing.assert_allclose(labelled.points[1, k], points[1, COCO_PERSON.index(name)])
            assert labelled.weight[1, k] == 1
        else:
            assert name in ("pelvis", "thorax", "upper_neck", "head_top") and labelled.weight[1, k] == 0
    assert labelled.weight[0, body_names.index("left_wrist")] == 0


@pytest.mark.parametrize("text", [
    "", "[]", "{}", '{"images":[],"annotations":[],"categories":[]', '{"images":1,"annotations":[],"categories":[]}',
    '{"images":[],"annotations":[],"categories":[]}', "[" * 100_000,
    '{"images":[{"id":1,"file_name":"a.png"}],"categories":[{"id":1}],"annotations":[{"category_id":1,"image_id":1,'
    '"keypoints":[1,2,2,3,NaN,2,5,6,2]}]}',
    '{"images":[{"id":1,"file_name":"a.png"}],"categories":[{"id":1}],"annotations":[{"category_id":1,"image_id":1,'
    '"keypoints":[1,2,2,3,4,2,5,6]}]}',
    '{"images":[{"id":2,"file_name":"a.png"}],"categories":[{"id":1}],"annotations":[{"category_id":1,"image_id":1,'
    '"keypoints":[1,2,2,3,4,2,5,6,2]}]}',
    '{"images":[{"id":1,"file_name":"a.png"}],"categories":[{"id":1}],"annotations":[{"category_id":1,"image_id":1,'
    '"keypoints":[1,2,2,3,4,2,5,6,2]}]}',
])  # fmt: skip
def test_wrong_coco_files(tmp_path: Path, text: str) -> None:
    """Damaged, empty, not finite, of another length, or with its picture missing."""
    path = tmp_path / "labels.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"\.$"):
        load_labelled(path, RUNTIME.model.schema)


def test_crowds_and_empty_annotations_are_passed_over(tmp_path: Path) -> None:
    names = list(RUNTIME.model.schema.landmarks)
    visible = np.full((6, 3), 2)
    visible[4] = 0
    path = write_coco(tmp_path / "set", POINTS, names, visible)
    data = json.loads(path.read_text())
    data["annotations"][5]["iscrowd"] = 1
    path.write_text(json.dumps(data))
    assert len(load_labelled(path, RUNTIME.model.schema)) == 4
