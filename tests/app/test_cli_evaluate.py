"""`hourbit evaluate`: models on sample pictures and packs, detectors on scenes, tables, and wrong use."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from engine.doubts import CRITERIA
from engine.modelfile import write_model
from engine.paper import Run, beside, paper_rows
from tests.app.cli_runner import hourbit
from tests.engine.blobs import small_model
from tests.engine.packfile import blob_points, write_coco, write_pack
from tests.engine.test_scene_detector import small_detector
from tests.engine.test_scenes import scene_pack


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.hourbit"
    write_model(path, small_model())
    return path


def test_figures_speed_and_table(model: Path, tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "p.npz", blob_points(3), id=np.array([b"a", b"b", b"c"]))
    ran = hourbit("evaluate", model, pack, "--csv", tmp_path / "errors.csv", "--json")
    value = ran.json
    keys = {"metric", "mean", "per_landmark", "auc", "failure_rate", "n", "missed", "left_out"}
    assert ran.code == 0 and keys <= set(value)
    assert value["speed"]["runtime"] in ("packed", "reference") and value["speed"]["ms_per_crop"] > 0
    with open(tmp_path / "errors.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["subject"] for row in rows] == ["a", "b", "c"] and {row["state"] for row in rows} == {"measured"}
    assert np.mean([float(row["mean_percent"]) for row in rows]) == pytest.approx(value["mean"], abs=1e-3)
    names = list(value["per_landmark"])
    for name in names:
        assert np.mean([float(row[name]) for row in rows]) == pytest.approx(value["per_landmark"][name], abs=1e-3)
    text = hourbit("evaluate", model, pack).out
    assert "ms a crop" in text and names[0] in text


def test_doubt_tells_what_each_criterion_finds(model: Path, tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "p.npz", blob_points(12))
    value = hourbit("evaluate", model, pack, "--doubt", "--json").json
    assert value["doubt"]["n"] == 12 and set(value["doubt"]["criteria"]) == set(CRITERIA)
    caught = {told["caught"] for told in value["doubt"]["criteria"].values()}
    assert caught <= {0, 100, None}  # the worst tenth is one subject
    assert "doubt" not in hourbit("evaluate", model, pack, "--json").json
    assert "first fifth by doubt" in hourbit("evaluate", model, pack, "--doubt").out


def test_missed_and_left_out_subjects_have_empty_cells(model: Path, tmp_path: Path) -> None:
    weight = np.ones((3, 3), np.float32)
    weight[0] = 0
    pack = write_pack(tmp_path / "p.npz", blob_points(3), weight=weight)
    ran = hourbit("evaluate", model, pack, "--detector", "face", "--csv", tmp_path / "e.csv", "--json")
    assert (ran.json["n"], ran.json["missed"], ran.json["left_out"], ran.json["mean"]) == (0, 2, 1, None)
    with open(tmp_path / "e.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["state"] for row in rows] == ["left out", "missed", "missed"]
    assert {row["mean_percent"] for row in rows} == {""}


def test_detector_on_scenes(tmp_path: Path) -> None:
    pack = scene_pack(tmp_path / "s.npz")
    ran = hourbit("evaluate", "face", pack, "--json")
    value = ran.json
    assert ran.code == 0 and value["person"] is None and value["ms"] > 0
    assert {"recall", "false_alarms_per_picture", "n"} <= set(value["face"])
    assert "false alarms a picture" in hourbit("evaluate", "face", pack).out
    wrong = hourbit("evaluate", "face", write_pack(tmp_path / "p.npz", blob_points(2)))
    assert wrong.code == 2 and "no scene pack" in wrong.err


def test_a_detectors_file_on_scenes(tmp_path: Path) -> None:
    """Both classes, each with its own threshold; a landmark model's file is none."""
    pack, file = scene_pack(tmp_path / "s.npz"), tmp_path / "mine.hourbit"
    write_model(file, small_detector(thresholds={"face": 0.25, "person": 0.75}))
    value = hourbit("evaluate", file, pack, "--json").json
    assert value["detector"] == str(file) and value["face"]["threshold"] == 0.25
    assert value["person"]["threshold"] == 0.75 and value["person"]["n"] == 1
    write_model(file, small_model())
    wrong = hourbit("evaluate", file, pack)
    assert wrong.code == 2 and "choose a detector" in wrong.err


def test_paper_beside(model: Path, tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "p.npz", blob_points(2))
    ran = hourbit("evaluate", model, pack, "--paper", "--json")
    rows = ran.json["paper"]
    assert {row["paper"] for row in rows} >= {76.5, 67.2, 76.0, 89.3, 78.1, 85.5, 89.8, 3.26}
    assert all(row["ours"] is None and row["run"].startswith("not run") for row in rows)
    assert "not run: needs MPII" in hourbit("evaluate", model, pack, "--paper").out


def test_the_papers_columns_have_the_means_that_were_read_elsewhere() -> None:
    means = {row.figure: sum(row.columns) / 7 for row in paper_rows() if row.columns}
    known = {76.5: 77.19, 67.2: 67.57, 89.3: 89.27, 78.1: 78.31, 85.5: 85.77, 89.8: 89.89}
    assert set(means) == set(known)
    for figure, mean in known.items():
        assert means[figure] == pytest.approx(mean, abs=0.005)


def test_our_figure_stands_in_the_row_of_the_same_network_only() -> None:
    from engine.graph import Architecture

    figures = {"metric": "pckh", "normalise": "head", "mean": 70.0}
    rows = beside(Run(Architecture(16), figures, "val.npz", "mpii"))
    filled = [row for row in rows if row.ours is not None]
    assert [row.paper.figure for row in filled] == [76.0] and filled[0].run == "run, on the paper's data"
    assert not [row for row in beside(Run(Architecture(16, width=128), figures, "x")) if row.ours is not None]
    yaw = {"bins": {"0-30": 1.0, "30-60": 2.0, "60-90": 6.0}, "mean_of_bins": 3.0}
    faces = {"metric": "nme", "normalise": "box", "mean": 1.5, "yaw": yaw}
    ours = [row.ours for row in beside(Run(Architecture(68), faces, "x")) if row.ours is not None]
    assert ours == [1.0, 2.0, 6.0, 3.0]


def test_the_papers_own_data_is_told_from_other_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By layout and number of subjects: here three faces of AFLW-PIFA, which has 1,299 of them."""
    from engine import paper
    from engine.graph import Architecture
    from engine.random_model import random_model
    from engine.schema import load_schema
    from tests.engine.layouts import writers

    pytest.importorskip("scipy")
    faces = np.concatenate([np.random.default_rng(0).uniform(1, 60, (3, 68)), np.ones((3, 34))], 1)
    writers.mat(tmp_path / "pifa" / "Landmark.mat", phisT=faces)
    writers.mat(tmp_path / "pifa" / "BoundingBox.mat", bboxesT=np.tile([1.0, 1, 60, 60], (3, 1)))
    for n in range(3):
        writers.picture(tmp_path / "pifa" / "TestImages" / f"{n + 1}.jpg", 64, 64)
    model = tmp_path / "net.hourbit"
    write_model(model, random_model("net", Architecture(34, width=32, stem=16, side=64), load_schema("pifa34"), 0))
    monkeypatch.setattr(paper, "same_net", lambda architecture, row: row.data == "pifa")

    def told() -> list[str]:
        ran = hourbit("evaluate", model, tmp_path / "pifa", "--normalise", "file", "--paper", "--json")
        return [row["run"] for row in ran.json["paper"] if row["ours"] is not None]

    assert told() == ["run, on other data (pifa)"]
    monkeypatch.setitem(paper.TEST_SETS, "pifa", ({"aflw-pifa"}, 3))
    assert told() == ["run, on the paper's data"]
    sets = {("mpii-h5", 2958): "mpii", ("aflw2000", 2000): "aflw2000-3d", ("pack", 2958): "", ("mpii-mat", 2957): ""}
    for (layout, count), name in sets.items():
        assert paper.known_as((layout,), count) == name


def test_names_that_the_model_lacks_are_a_sentence(model: Path, tmp_path: Path) -> None:
    path = write_coco(tmp_path / "set", blob_points(2), ["wing", "beak", "claw"], np.full((2, 3), 2))
    ran = hourbit("evaluate", model, path)
    assert ran.code == 2 and "wing, beak, claw" in ran.err and len(ran.err.strip().splitlines()) == 1


def test_annotations_that_were_left_out_are_told_with_the_reason(model: Path, tmp_path: Path) -> None:
    names = small_model().schema.landmarks
    path = write_coco(tmp_path / "set", blob_points(3), list(names), np.full((3, 3), 2))
    labels = json.loads(path.read_text())
    labels["annotations"][1]["keypoints"][0] = "here"
    path.write_text(json.dumps(labels))
    ran = hourbit("evaluate", model, path, "--json")
    assert (ran.code, ran.json["n"], ran.json["predicted"]) == (0, 2, False) and len(ran.json["problems"]) == 1
    assert "is no number; it was left out" in ran.json["problems"][0]["what"]
    assert "annotation" in ran.err and "it was left out" in ran.err
    assert "problems in the labels" in hourbit("evaluate", model, path).out


def test_labels_that_a_model_placed_are_told(model: Path, tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "p.npz", blob_points(2), kind=np.array([b"teacher", b"teacher"]))
    assert hourbit("evaluate", model, pack, "--json").json["predicted"]
    assert "a model, not people" in hourbit("evaluate", model, pack).out
    assert not hourbit("evaluate", model, write_pack(tmp_path / "q.npz", blob_points(2)), "--json").json["predicted"]


def test_a_class_without_labels_is_told(tmp_path: Path) -> None:
    pack = scene_pack(tmp_path / "s.npz")
    with np.load(pack) as data:
        held = {name: data[name] for name in data.files if not name.startswith("person")}
    np.savez(pack, **held)
    assert "these pictures have no labels of it" in hourbit("evaluate", "person", pack).out
    assert "no labels of it" not in hourbit("evaluate", "face", pack).out


@pytest.mark.parametrize("words", [
    ("--metric", "pckh"), ("--auc-to", "0"), ("--failure-over", "nan"), ("--runtime", "fast"), ("--decode", "guess"),
    ("--metric", "best"),
    ("--csv", "no-such-folder/x.csv"), ("--csv", "p.npz"), ("--format", "csv"),
])  # fmt: skip
def test_wrong_use_is_one_sentence(model: Path, tmp_path: Path, words: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_pack(tmp_path / "p.npz", blob_points(2))
    before = (tmp_path / "p.npz").read_bytes()
    ran = hourbit("evaluate", model, "p.npz", *words)
    assert ran.code == 2 and len(ran.err.strip().splitlines()) == 1 and "Traceback" not in ran.err
    assert (tmp_path / "p.npz").read_bytes() == before


def test_samples_are_for_face_models(model: Path) -> None:
    ran = hourbit("evaluate", model, "samples")
    assert ran.code == 2 and "68 landmarks" in ran.err
