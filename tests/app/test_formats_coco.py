"""COCO export: what another reader finds in it is what the project holds."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app import api
from app.formats.coco import Coco
from app.formats.exporting import FormatExporter
from app.plugins import load_plugins
from app.project.document import Document
from app.project.edits import Accept, PutInstance
from app.project.values import ACCEPTED, State, Visibility
from engine.errors import UserError
from tests.app.labelled import GONE, HIDDEN, labelled
from tests.app.projects import SCHEMA, K, instance, new_document


@pytest.fixture
def document(tmp_path: Path) -> Iterator[Document]:
    made = labelled(tmp_path)
    yield made
    made.close()


def refuse(value: str) -> None:
    raise AssertionError(f"{value} is not JSON")


def exported(document: Document, path: Path, states: frozenset[State] = ACCEPTED) -> dict:
    FormatExporter(Coco()).export(document, path, states)
    return json.loads(path.read_bytes().decode("utf-8"), parse_constant=refuse)


def test_pycocotools_reads_what_the_project_holds(document: Document, tmp_path: Path) -> None:
    reader = pytest.importorskip("pycocotools.coco")
    report = FormatExporter(Coco()).export(document, tmp_path / "labels.json", ACCEPTED)
    assert (report.instances, report.images, report.lost) == (3, 3, ())
    with contextlib.redirect_stdout(io.StringIO()):
        coco = reader.COCO(str(tmp_path / "labels.json"))
    by_path = {Path(image.path).name: image for image in document.images()}
    assert coco.getCatIds() == [1] and coco.loadCats(1)[0]["keypoints"] == list(SCHEMA.landmarks)
    compared = 0
    for id in coco.getImgIds():
        info = coco.loadImgs(id)[0]
        image = by_path[Path(info["file_name"]).name]
        assert (info["width"], info["height"]) == (image.width, image.height)
        found, held = coco.loadAnns(sorted(coco.getAnnIds(imgIds=id))), document.instances(image.id)
        assert len(found) == len(held)
        for annotation, truth in zip(found, held, strict=True):
            values = np.array(annotation["keypoints"]).reshape(K, 3)
            seen = truth.visibility != Visibility.ABSENT
            np.testing.assert_array_equal(values[:, 2], truth.visibility)
            np.testing.assert_allclose(values[seen, :2], truth.points[seen], atol=1e-3)
            assert annotation["num_keypoints"] == seen.sum()
            compared += 1
    assert compared == 3


def test_absent_landmarks_are_zeros_and_occluded_ones_keep_their_place(document: Document, tmp_path: Path) -> None:
    first = exported(document, tmp_path / "labels.json")["annotations"][0]
    values = np.array(first["keypoints"]).reshape(K, 3)
    assert values[GONE].tolist() == [0, 0, 0]
    assert values[HIDDEN, 2] == 1 and (values[HIDDEN, :2] > 0).all()
    assert first["num_keypoints"] == K - 1
    assert all(isinstance(v, int) for v in first["keypoints"][2::3])


def test_ids_count_from_one_and_fit_together(document: Document, tmp_path: Path) -> None:
    data = exported(document, tmp_path / "labels.json")
    assert [image["id"] for image in data["images"]] == [1, 2, 3]
    assert [annotation["id"] for annotation in data["annotations"]] == [1, 2, 3]
    assert [annotation["image_id"] for annotation in data["annotations"]] == [1, 1, 3]
    assert {a["category_id"] for a in data["annotations"]} == {1} == {c["id"] for c in data["categories"]}
    assert {a["iscrowd"] for a in data["annotations"]} == {0}


def test_the_skeleton_counts_from_one(document: Document, tmp_path: Path) -> None:
    category = exported(document, tmp_path / "labels.json")["categories"][0]
    assert category["skeleton"] == [[a + 1, b + 1] for a, b in SCHEMA.edges]
    assert min(min(pair) for pair in category["skeleton"]) == 1 and max(map(max, category["skeleton"])) <= K


def test_a_box_drawn_by_hand_is_kept(document: Document, tmp_path: Path) -> None:
    """Centre (61.25, 59.5), side 90.5; the corner of the top-left pixel is (0, 0) in COCO's boxes."""
    first = exported(document, tmp_path / "labels.json")["annotations"][0]
    assert first["bbox"] == pytest.approx([16.5, 14.75, 90.5, 90.5], abs=1e-3)
    assert first["area"] == pytest.approx(90.5**2, abs=1e-2)


def test_other_boxes_cover_the_pixels_of_the_landmarks(document: Document, tmp_path: Path) -> None:
    data = exported(document, tmp_path / "labels.json")
    for annotation in data["annotations"][1:]:
        values = np.array(annotation["keypoints"]).reshape(K, 3)[:, :2]
        low, high = values.min(0), values.max(0)
        x, y, width, height = annotation["bbox"]
        assert [x, y, width, height] == pytest.approx([*low, *(high - low + 1)], abs=1e-3)
        assert annotation["area"] == pytest.approx(width * height, abs=1e-2)


def test_one_landmark_has_a_box_of_a_pixel(tmp_path: Path) -> None:
    document = new_document(tmp_path, 1)
    id = document.images()[0].id
    seen = np.full(K, Visibility.ABSENT)
    seen[4] = Visibility.VISIBLE
    document.apply(PutInstance(replace(instance(id), visibility=seen)))
    document.apply(Accept(id))
    annotation = exported(document, tmp_path / "labels.json")["annotations"][0]
    assert annotation["bbox"][2:] == [1, 1] and annotation["area"] == 1 and annotation["num_keypoints"] == 1
    document.close()


def test_states_choose_the_images(document: Document, tmp_path: Path) -> None:
    accepted = exported(document, tmp_path / "labels.json")
    in_work = exported(document, tmp_path / "work.json", frozenset({State.IN_WORK}))
    everything = exported(document, tmp_path / "all.json", frozenset(State))
    assert [len(d["images"]) for d in (accepted, in_work, everything)] == [3, 1, 4]
    assert in_work["images"][0]["file_name"].endswith("image 4.png")
    assert len(everything["annotations"]) == 4


def test_nothing_to_export_leaves_the_old_file(tmp_path: Path) -> None:
    document = new_document(tmp_path, 2)
    (tmp_path / "labels.json").write_text("old")
    with pytest.raises(UserError, match="accept some images"):
        FormatExporter(Coco()).export(document, tmp_path / "labels.json", ACCEPTED)
    assert (tmp_path / "labels.json").read_text() == "old"
    document.close()


def test_pictures_are_named_from_the_folder_of_the_file(document: Document, tmp_path: Path) -> None:
    inside = exported(document, tmp_path / "labels.json")["images"]
    assert [image["file_name"] for image in inside] == [f"pictures/image {n}.png" for n in (1, 2, 3)]
    (tmp_path / "pictures" / "sub").mkdir()
    for out in (tmp_path / "pictures" / "labels.json", tmp_path / "pictures" / "sub" / "labels.json"):
        for image in exported(document, out)["images"]:
            assert (out.parent / image["file_name"]).resolve().is_file() and "\\" not in image["file_name"]


@pytest.mark.parametrize("exporter", ["coco", "csv", "snapshot"])
def test_no_format_replaces_the_project_or_its_pictures(document: Document, tmp_path: Path, exporter: str) -> None:
    load_plugins()
    picture = document.picture_path(document.images()[0])
    held = {path: path.read_bytes() for path in (document.path, picture)}
    for path in held:
        with pytest.raises(UserError, match="would replace"):
            api.exporter(exporter).export(document, path, ACCEPTED)
    assert {path: path.read_bytes() for path in held} == held
