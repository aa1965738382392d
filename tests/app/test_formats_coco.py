"""COCO keypoints: what pycocotools reads is what the project holds, and the file is strict JSON."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.formats.coco import Coco
from app.formats.pack import SnapshotPack
from app.project.document import Document
from app.project.edits import Accept, AddImages, NewImage, PutInstance, Reject, SetState
from app.project.values import ACCEPTED, Box, State, Visibility
from engine.errors import UserError
from engine.packs import load_pack
from tests.app.projects import SCHEMA, K, instance, new_document, put
from tests.app.test_store import change_file


@pytest.fixture
def document(tmp_path: Path) -> Document:
    made = new_document(tmp_path)
    yield made
    made.close()


def refuse(value: str) -> None:
    raise AssertionError(f"{value} is no JSON")


def exported(document: Document, path: Path, states=ACCEPTED) -> dict:
    Coco().export(document, path, states)
    return json.loads(path.read_bytes(), parse_constant=refuse)


def test_pycocotools_reads_what_was_labelled(document: Document, tmp_path: Path, capsys) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    first, second, third = (i.id for i in document.images())
    labels = [put(document, first, 1), put(document, first, 2), put(document, second, 3)]
    put(document, third, 4)  # never accepted
    seen = labels[1].visibility.copy()
    seen[3], seen[5] = Visibility.OCCLUDED, Visibility.ABSENT
    document.apply(PutInstance(replace(labels[1], visibility=seen)))
    for image in (first, second):
        document.apply(Accept(image))
    report = Coco().export(document, tmp_path / "out.json", ACCEPTED)
    assert (report.instances, report.images, report.lost) == (3, 2, ())
    read = coco.COCO(str(tmp_path / "out.json"))
    assert read.getImgIds() == [1, 2] and read.getCatIds() == [1] and sorted(read.anns) == [1, 2, 3]
    (category,) = read.loadCats([1])
    assert tuple(category["keypoints"]) == SCHEMA.landmarks
    assert [(a - 1, b - 1) for a, b in category["skeleton"]] == list(SCHEMA.edges)
    stored = [*document.instances(first), *document.instances(second)]
    for label, found in zip(stored, read.loadAnns(read.getAnnIds()), strict=True):
        triples = np.array(found["keypoints"]).reshape(K, 3)
        known = label.visibility > 0
        np.testing.assert_allclose(triples[known, :2], label.points[known], atol=0.001)
        assert triples[:, 2].tolist() == label.visibility.tolist()
        assert (triples[~known] == 0).all() and found["num_keypoints"] == known.sum()
        low, high = label.points[known].min(0), label.points[known].max(0)
        np.testing.assert_allclose(found["bbox"], [*low, *(high - low + 1)], atol=0.001)
        assert found["area"] == pytest.approx(found["bbox"][2] * found["bbox"][3], abs=0.001)
        assert found["iscrowd"] == 0
    assert [a["image_id"] for a in read.loadAnns([1, 2, 3])] == [1, 1, 2]
    picture = read.loadImgs([2])[0]
    assert (picture["file_name"], picture["width"], picture["height"]) == ("pictures/image 2.png", 160, 120)


@pytest.mark.parametrize(
    ("origin", "visible", "wanted"),
    [
        ("face", [0], [30.0, 40.0, 1.0, 1.0]),
        ("face", [0, 1], [30.0, 40.0, 5.0, 1.0]),
        ("face", [], [10.5, 20.5, 60.0, 60.0]),
        ("hand", [0, 1], [10.5, 20.5, 60.0, 60.0]),
    ],
)
def test_the_box_is_the_drawn_one_or_covers_the_landmarks(document, tmp_path, origin, visible, wanted) -> None:
    image = document.images()[0].id
    seen, points = np.zeros(K, int), np.full((K, 2), 99.0)
    seen[visible] = Visibility.VISIBLE
    points[0], points[1] = (30.0, 40.0), (34.0, 40.0)
    box = Box(40.0, 50.0, 60.0, 1.0, origin)
    document.apply(PutInstance(replace(instance(image), visibility=seen, points=points, box=box)))
    document.apply(Accept(image))
    (found,) = exported(document, tmp_path / "out.json")["annotations"]
    assert found["bbox"] == wanted and found["num_keypoints"] == len(visible)


def test_only_the_chosen_states_are_written(document: Document, tmp_path: Path) -> None:
    done, rejected, empty = (i.id for i in document.images())
    put(document, done), put(document, rejected, 1)
    document.apply(Accept(done))
    document.apply(Reject(rejected))
    document.apply(Accept(empty))
    data = exported(document, tmp_path / "out.json")
    assert [i["file_name"] for i in data["images"]] == ["pictures/image 1.png", "pictures/image 3.png"]
    assert len(data["annotations"]) == 1
    data = exported(document, tmp_path / "out.json", {State.REJECTED})
    assert [i["id"] for i in data["images"]] == [1] and data["annotations"][0]["image_id"] == 1
    document.apply(SetState(done, State.REVIEWED))
    assert len(exported(document, tmp_path / "out.json")["annotations"]) == 1


@pytest.mark.parametrize("states", [ACCEPTED, {State.REJECTED}])
def test_nothing_to_export_is_a_sentence_and_leaves_the_old_file(document: Document, tmp_path: Path, states) -> None:
    put(document, document.images()[0].id)
    document.apply(Accept(document.images()[1].id))
    (tmp_path / "out.json").write_text("old")
    with pytest.raises(UserError, match="no"):
        Coco().export(document, tmp_path / "out.json", states)
    assert (tmp_path / "out.json").read_text() == "old"


def test_all_of_a_project_may_be_empty(document: Document, tmp_path: Path) -> None:
    assert exported(document, tmp_path / "out.json", frozenset(State))["annotations"] == []


def test_file_names_lead_from_the_export_to_the_pictures(document: Document, tmp_path: Path) -> None:
    put(document, document.images()[0].id)
    document.apply(Accept(document.images()[0].id))
    (tmp_path / "exports").mkdir()
    (image,) = exported(document, tmp_path / "exports" / "out.json")["images"]
    assert image["file_name"] == "../pictures/image 1.png"
    assert (tmp_path / "exports" / image["file_name"]).is_file()


@pytest.mark.skipif(os.name == "nt", reason="names there are text")
def test_a_name_that_is_no_text_leaves_the_file_readable(document: Document, tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xe4\xff.png")
    image = document.apply(AddImages((NewImage(name, 160, 120, "d"),))).created
    put(document, image)
    document.apply(Accept(image))
    (found,) = exported(document, tmp_path / "out.json")["images"]
    assert found["file_name"] == os.fsdecode(b"\xe4\xff.png")


def test_damaged_labels_are_told(document: Document, tmp_path: Path) -> None:
    image = document.images()[0].id
    held, _ = put(document, image), put(document, image, 1)
    document.apply(Accept(image))
    document.close()
    change_file(document.path, f"UPDATE instances SET crc = 0 WHERE id = {held.id}")
    again = Document.open(document.path)
    report = Coco().export(again, tmp_path / "out.json", ACCEPTED)
    again.close()
    assert report.instances == 1 and report.lost[0]["count"] == 1


def test_a_target_that_cannot_be_written_is_a_sentence(document: Document, tmp_path: Path) -> None:
    put(document, document.images()[0].id)
    document.apply(Accept(document.images()[0].id))
    with pytest.raises(UserError, match="cannot be written"):
        Coco().export(document, tmp_path / "no folder" / "out.json", ACCEPTED)


def test_a_snapshot_is_a_format_too(document: Document, tmp_path: Path) -> None:
    put(document, document.images()[0].id)
    document.apply(Accept(document.images()[0].id))
    report = SnapshotPack().export(document, tmp_path / "s.npz", ACCEPTED)
    assert (report.instances, report.images) == (1, 1) and len(load_pack(tmp_path / "s.npz")) == 1
    with pytest.raises(UserError, match="accepted labels only"):
        SnapshotPack().export(document, tmp_path / "s.npz", frozenset(State))
