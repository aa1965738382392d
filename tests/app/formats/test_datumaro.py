"""Datumaro: values worked out by hand, and every trap of the format."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.formats.datumaro import Datumaro
from app.formats.registry import FormatError, ReadOptions, WriteOptions
from engine.images import encode_png
from engine.labels import LabelSet, Picture, Skeleton, table
from tests.app.formats.documents import words

DATA = {
    "info": {}, "categories": {
        "label": {"labels": [{"name": "cat", "parent": "", "attributes": []}, {"name": "dog"}]},
        "points": {"items": [{"label_id": 1, "labels": ["nose", "tail"], "joints": [[1, 2]]}]},
    },
    "items": [{
        "id": "x/a", "image": {"path": "a.png", "size": [20, 30]}, "annotations": [
            {"id": 1, "type": "skeleton", "label_id": 1, "points": [0, 0, 2, 1.5, 2.25, 1], "group": 3},
            {"id": 2, "type": "points", "label_id": 1, "points": [4, 5, 6, 7], "visibility": [2, 0], "group": 0},
            {"id": 3, "type": "bbox", "label_id": 1, "bbox": [1, 2, 10, 5], "group": 3},
        ],
    }],
}  # fmt: skip


def write(path: Path, data: Any = DATA) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def changed(place: str, value: Any) -> dict[str, Any]:
    """DATA with another value at a place like items.0.id."""
    data = copy.deepcopy(DATA)
    held: Any = data
    *way, last = [int(part) if part.isdecimal() else part for part in place.split(".")]
    for part in way:
        held = held[part]
    held[last] = value
    return data


def read(path: Path, **options: object) -> LabelSet:
    return Datumaro().read(path, ReadOptions(**options))


def test_points_skeletons_and_the_box_of_their_group(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.png").write_bytes(encode_png(np.zeros((20, 30, 3), np.uint8)))
    path = write(tmp_path / "annotations/train.json")
    assert Datumaro().claims(path, path.read_bytes())
    labels = read(path)
    one = labels.tables[0]
    assert one.skeleton == Skeleton("dog", ("nose", "tail"), ((0, 1),))
    assert one.points.tolist() == [[[0, 0], [1.5, 2.25]], [[4, 5], [0, 0]]]
    assert one.visibility.tolist() == [[2, 1], [2, 0]]
    assert one.box[0].tolist() == [0.5, 1.5, 10.5, 6.5] and np.isnan(one.box[1]).all()
    picture = labels.pictures[0]
    assert (picture.size, picture.split, picture.path) == ((30, 20), "train", tmp_path / "images/a.png")
    assert not labels.problems


def test_joints_from_0_are_noticed_and_strangers_left_out(tmp_path: Path) -> None:
    labels = read(write(tmp_path / "a.json", changed("categories.points.items.0.joints", [[0, 1], [1, 7]])))
    assert labels.tables[0].skeleton.edges == ((0, 1),)
    assert "counts from 0" in words(labels) and "1 pairs name no landmark" in words(labels)


def test_items_without_a_path_are_found_by_their_ids(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x/a.JPG").write_bytes(encode_png(np.zeros((20, 30, 3), np.uint8)))
    labels = read(write(tmp_path / "a.json", changed("items.0.image", {})))
    assert labels.pictures[0].name == "x/a" and labels.pictures[0].path == tmp_path / "x/a.JPG"


def test_other_numbers_of_landmarks_other_kinds_and_ids_given_twice(tmp_path: Path) -> None:
    data = changed("items.0.annotations.1.points", [1, 2])
    data["items"][0]["annotations"][1]["visibility"] = [2]
    data["items"][0]["annotations"].append({"type": "mask", "group": 0})
    data["items"].append(data["items"][0])
    labels = read(write(tmp_path / "a.json", data))
    assert [len(each.skeleton) for each in labels.tables] == [2, 1] and len(labels.pictures) == 1
    for word in ("1 landmarks where 'dog' has 2", "1 annotations are no landmarks", "given to an item before"):
        assert word in words(labels)


def test_skeletons_of_elements(tmp_path: Path) -> None:
    data = changed("categories.label.labels", [{"name": "tail"}, {"name": "dog"}, {"name": "nose"}, {"name": "ear"}])
    data["items"][0]["annotations"] = [{"type": "skeleton", "label_id": 1, "group": 0, "elements": [
        {"type": "points", "label_id": 0, "points": [1, 2], "visibility": [1]},
        {"type": "points", "label_id": 3, "points": [9, 9], "visibility": [2]},
    ]}]  # fmt: skip
    labels = read(write(tmp_path / "a.json", data))
    assert labels.tables[0].points[0, 1].tolist() == [1, 2] and labels.tables[0].visibility.tolist() == [[0, 1]]
    assert "'ear' is no landmark" in words(labels)


@pytest.mark.parametrize(
    "data, message",
    [
        ({"items": 5}, "no list of items"), ([], "no list of items"), ("{", "no JSON"),
        (changed("items", [7]), r"items\[0\]"), (changed("items.0.annotations", {}), r"items\[0\].annotations"),
        (changed("items.0.image.size", [20]), "image.size"), (changed("items.0.image.size", ["a", 3]), "image.size"),
        (changed("items.0.annotations.0.points", [1, 2]), r"annotations\[0\].points: 2 numbers"),
        (changed("items.0.annotations.0.points", [1, True, 2]), "true is no number"),
        (changed("items.0.annotations.0.points", [1, 1, 7]), "neither 0, 1 nor 2"),
        (changed("items.0.annotations.1.visibility", [2]), r"annotations\[1\].visibility"),
        (changed("items.0.annotations.2.bbox", [2]), r"annotations\[2\].bbox"),
        (changed("categories.points.items.0.joints", [1]), "joints: 1 is no pair"),
        (changed("categories.label.labels", "x"), "categories.label"), (json.dumps(DATA).replace("1.5", "NaN"), "NaN"),
    ],
)  # fmt: skip
def test_bad_values_are_refused_with_their_place(tmp_path: Path, data: Any, message: str) -> None:
    with pytest.raises(FormatError, match=rf"a\.json.*{message}"):
        read(write(tmp_path / "a.json", data))


def test_written_files_have_the_fields_of_the_format(tmp_path: Path) -> None:
    dog = table(Skeleton("dog", ("nose", "tail"), ((0, 1),)), [0], [[[1 / 3, 2], [0, 0]]], [[1, 0]], box=[[0, 0, 5, 6]])
    labels = LabelSet((Picture("a.b.png", None, (30, 20)),), (dog,))
    Datumaro().write(labels, tmp_path / "out.json", WriteOptions())
    data = json.loads((tmp_path / "out.json").read_text())
    assert data["items"][0]["id"] == "a.b" and data["items"][0]["image"] == {"path": "a.b.png", "size": [20, 30]}
    assert data["categories"]["points"]["items"][0] == {"label_id": 0, "labels": ["nose", "tail"], "joints": [[1, 2]]}
    points, box = data["items"][0]["annotations"]
    assert points["points"] == [0.333333, 2, 0, 0] and points["visibility"] == [1, 0]
    assert box["bbox"] == [0.5, 0.5, 5, 6] and box["group"] == points["group"] == 1


def test_two_pictures_of_one_stem_are_refused(tmp_path: Path) -> None:
    labels = LabelSet((Picture("a.png", None, (3, 3)), Picture("a.jpg", None, (3, 3))), ())
    with pytest.raises(FormatError, match="'a' without their suffixes"):
        Datumaro().write(labels, tmp_path / "out.json", WriteOptions())
