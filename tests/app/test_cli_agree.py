"""`hourbit agree` on two projects, and on a project and a model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.modelfile import write_model
from engine.schema import load_schema
from tests.app.cli_runner import hourbit
from tests.app.views.bench import SCHEMA, guessed, moved_project
from tests.app.views.small import small_model
from tests.engine.blobs import small_model as blob_model
from tests.engine.packfile import blob_points, write_coco, write_pack


def test_two_projects_and_a_model(tmp_path: Path) -> None:
    one, other = moved_project(tmp_path / "one", 0), moved_project(tmp_path / "two", 2)
    value = hourbit("agree", one, other, "--json").json
    assert value["instances"] == 2 and value["pixels"] == pytest.approx(2) and len(value["worst"]) == 2
    points = guessed(1).points
    size = np.sqrt(np.prod(np.ptp(np.concatenate([points, points + (2, 0)]), axis=0)))
    assert value["landmarks"][SCHEMA.landmarks[0]]["sigma"] == pytest.approx(2 / size / np.sqrt(2))
    assert "sigma" in hourbit("agree", one, other).out
    write_model(tmp_path / "m.hourbit", small_model(SCHEMA))
    against = hourbit("agree", one, tmp_path / "m.hourbit", "--json")
    assert against.code == 0 and against.json["against_model"] and against.json["instances"] == 2
    assert against.json["only_first"] == 0 and against.json["pixels"] > 0
    wrong = hourbit("agree", one, tmp_path / "none.json")
    assert wrong.code == 2 and "Traceback" not in wrong.err


def test_samples_and_packs_beside_a_model(tmp_path: Path) -> None:
    write_model(tmp_path / "faces.hourbit", small_model(load_schema("ibug68")))
    value = hourbit("agree", "samples", tmp_path / "faces.hourbit", "--json", "--worst", "3").json
    assert value["instances"] == 24 and value["against_model"] and len(value["worst"]) == 3
    refused = hourbit("agree", "samples", moved_project(tmp_path / "one", 0))
    assert refused.code == 2 and "model alone" in refused.err
    write_model(tmp_path / "blobs.hourbit", blob_model())
    value = hourbit("agree", write_pack(tmp_path / "p.npz", blob_points(3)), tmp_path / "blobs.hourbit", "--json").json
    assert value["instances"] == 3 and set(value["landmarks"]) == set(blob_model().schema.landmarks)


def test_a_list_of_results_is_told_to_be_predictions(tmp_path: Path) -> None:
    """COCO's results are a model's: agreement with them is not that of two people."""
    hand = write_coco(tmp_path / "set", blob_points(2), ["a", "b", "c"], np.full((2, 3), 2))
    labels = json.loads(hand.read_text())
    for image in labels["images"]:
        image["file_name"] = str(image["id"])  # results name pictures by their ids alone
    hand.write_text(json.dumps(labels))
    results = tmp_path / "results.json"
    keys = ("image_id", "category_id", "keypoints")
    results.write_text(json.dumps([{key: one[key] for key in keys} | {"score": 1} for one in labels["annotations"]]))
    ran = hourbit("agree", hand, results, "--json")
    assert (ran.json["instances"], ran.json["pixels"], ran.json["predicted"]) == (2, 0, [False, True])
    assert "names its pictures by their ids alone" in ran.err
    lines = hourbit("agree", hand, results).out.splitlines()
    assert [line.split()[-2:] for line in lines if "model placed" in line] == [["the", "second"]]
    assert "model placed" not in hourbit("agree", hand, hand).out


def test_an_empty_file_and_one_that_is_not_there_are_sentences(tmp_path: Path) -> None:
    empty, gone = tmp_path / "empty.json", tmp_path / "gone.json"
    empty.touch()
    project = moved_project(tmp_path / "one", 0)
    for first, second in ((empty, project), (project, empty), (empty, "face68")):
        told = hourbit("agree", first, second)
        assert told.code == 2 and "empty.json is empty" in told.err
    assert "gone.json" in hourbit("agree", gone, project).err
