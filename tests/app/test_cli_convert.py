"""`hourbit convert` and `hourbit validate`, as people and scripts use them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from app.formats import registry
from app.formats.coco import Coco
from engine.images import encode_png
from tests.app.cli_runner import hourbit
from tests.app.labelled import labelled

CATEGORY = {"id": 1, "name": "thing", "keypoints": ["a", "b"], "skeleton": [[1, 2]]}


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Two pictures, one of them with two things; the second is not on the disk."""
    (tmp_path / "a.png").write_bytes(encode_png(np.zeros((40, 60, 3), np.uint8)))
    images = [{"id": n, "file_name": f"{name}.png", "width": 60, "height": 40} for n, name in ((1, "a"), (2, "b"))]
    annotations = [
        {"id": 1, "image_id": 1, "category_id": 1, "keypoints": [1.5, 2, 2, 3, 4, 1]},
        {"id": 2, "image_id": 1, "category_id": 1, "keypoints": [5, 6, 2, 0, 0, 0]},
    ]
    path = tmp_path / "labels.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": [CATEGORY]}))
    return path


def test_convert_says_what_was_written_and_what_was_lost(labels: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    ran = hourbit("convert", labels, out, "--to", "landmarks-csv", "--json")
    why = "CSV by landmark has no room for them"
    assert ran.code == 0 and ran.json == {
        "instances": 2, "images": 2, "lost": [{"what": "lines between landmarks", "count": 1, "why": why}]
    }  # fmt: skip
    assert "1 of 2 pictures were not found" in ran.err
    back = hourbit("convert", out, tmp_path / "back.json", "--to", "coco", "--from", "landmarks-csv")
    assert back.code == 0 and "Wrote 2 instances in 2 images" in back.out
    first, second = json.loads((tmp_path / "back.json").read_text())["annotations"]
    assert first["keypoints"] == [1.5, 2, 2, 3, 4, 1] and second["keypoints"] == [5, 6, 2, 0, 0, 0]


def test_strict_writes_nothing_where_something_would_be_lost(labels: Path, tmp_path: Path) -> None:
    ran = hourbit("convert", labels, tmp_path / "out.csv", "--to", "landmarks-csv", "--strict")
    assert ran.code == 2 and "1 lines between landmarks" in ran.err and not (tmp_path / "out.csv").exists()
    assert len(ran.err.splitlines()) == 1
    assert hourbit("convert", labels, tmp_path / "out.json", "--to", "coco", "--strict").code == 0


def test_an_offset_moves_what_is_read(labels: Path, tmp_path: Path) -> None:
    hourbit("convert", labels, tmp_path / "out.json", "--to", "coco", "--offset", "-0.5")
    assert json.loads((tmp_path / "out.json").read_text())["annotations"][0]["keypoints"][:2] == [1, 1.5]


def test_a_folder_of_pictures_may_be_named(labels: Path, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    ran = hourbit("validate", labels, "--pictures", tmp_path / "deep", "--json")
    assert ran.json == {"ok": True, "instances": 2, "images": 2, "problems": []}
    assert hourbit("validate", labels, "--pictures", tmp_path / "no").code == 2


def test_inputs_are_never_replaced(labels: Path, tmp_path: Path) -> None:
    held = {path: path.read_bytes() for path in (labels, tmp_path / "a.png")}
    for out in held:
        ran = hourbit("convert", labels, out, "--to", "coco")
        assert ran.code == 2 and "would replace" in ran.err
    assert {path: path.read_bytes() for path in held} == held


def test_validate_reads_with_problems_and_without_landmarks(labels: Path, tmp_path: Path) -> None:
    data = json.loads(labels.read_text())
    data["annotations"][0]["keypoints"][0] = True
    labels.write_text(json.dumps(data))
    ran = hourbit("validate", labels, "--json")
    assert ran.code == 0 and not ran.json["ok"] and ran.json["instances"] == 1
    what = "true is no number; it was left out"
    assert {"where": "labels.json, annotation 1.keypoints[0]", "what": what} in ran.json["problems"]
    labels.write_text(json.dumps({**data, "annotations": []}))
    ran = hourbit("validate", labels, "--json")
    assert ran.code == 0 and "it holds no landmarks" in ran.out and not ran.json["ok"]


def test_what_is_no_label_file_is_refused_in_a_sentence(labels: Path, tmp_path: Path) -> None:
    (tmp_path / "text.json").write_text("{")
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "text.json", tmp_path / "a.png", tmp_path / "nowhere.json", tmp_path / "empty"):
        for words in (("validate", path), ("convert", path, tmp_path / "out.json", "--to", "coco")):
            ran = hourbit(*words)
            assert ran.code == 2 and len(ran.err.splitlines()) == 1 and ran.out == "", (words, ran.err)
    assert hourbit("convert", labels, tmp_path / "o.json", "--to", "klingon").code == 2
    assert "only be read" in hourbit("convert", labels, tmp_path / "o.json", "--to", "project").err
    assert not (tmp_path / "o.json").exists()


def test_folders_are_recognised_and_two_answers_are_named(labels: Path, tmp_path: Path, monkeypatch) -> None:
    assert hourbit("validate", tmp_path, "--json").json["instances"] == 2
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "more.json").write_bytes(labels.read_bytes())
    ran = hourbit("validate", tmp_path)
    assert ran.code == 2 and "2 label files" in ran.err and "annotations/more.json" in ran.err

    class Twin(Coco):
        name = "twin"

    monkeypatch.setitem(registry._FORMATS, "twin", Twin())
    ran = hourbit("validate", labels)
    assert ran.code == 2 and "may be coco or twin; say which one with --from" in ran.err
    assert hourbit("validate", labels, "--from", "twin").code == 0


def test_a_project_can_be_converted(tmp_path: Path) -> None:
    document = labelled(tmp_path)
    path = document.path
    document.close()
    ran = hourbit("convert", path, tmp_path / "out.json", "--to", "coco", "--json")
    assert ran.code == 0 and (ran.json["instances"], ran.json["images"]) == (4, 4)
    assert {one["what"] for one in ran.json["lost"]} >= {"scores"}
    assert hourbit("validate", path, "--json").json["ok"]


def test_nothing_is_left_where_writing_is_stopped(labels: Path, tmp_path: Path, monkeypatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.formats.coco.write._category", stopped)
    (tmp_path / "out").mkdir()
    ran = hourbit("convert", labels, tmp_path / "out" / "labels.json", "--to", "coco")
    assert ran.code == 1 and list((tmp_path / "out").iterdir()) == []
