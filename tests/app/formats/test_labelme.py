"""labelme's JSON: every trap of the format, with values worked out by hand."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.formats.labelme import Labelme
from app.formats.layouts import INSIDE
from app.formats.registry import FormatError, ReadOptions, WriteOptions
from engine.images import encode_png
from engine.labels import LabelSet, Picture, Skeleton, table
from tests.app.formats.documents import words


def shape(label: str, points: list[list[float]], group: Any = None, kind: str = "point", **more: Any) -> dict:
    return {"label": label, "points": points, "group_id": group, "shape_type": kind, "flags": {}, **more}


def write(path: Path, *shapes: Any, **more: Any) -> Path:
    data = {"version": "5.5.0", "flags": {}, "shapes": list(shapes), "imagePath": "a.png", "imageData": None,
            "imageHeight": 20, "imageWidth": 30}  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data | more))
    return path


def read(path: Path, **options: object) -> LabelSet:
    return Labelme().read(path, ReadOptions(**options))


PNG = encode_png(np.zeros((20, 30, 3), np.uint8))


def test_without_groups_and_shapes_a_repeated_name_begins_another_subject(tmp_path: Path) -> None:
    four = [shape(name, [[x, 1]]) for name, x in (("nose", 1), ("eye", 2), ("nose", 3), ("eye", 4))]
    labels = read(write(tmp_path / "a.json", *four))
    assert labels.tables[0].points[:, :, 0].tolist() == [[1, 2], [3, 4]]
    assert "'nose' stands more than once" in words(labels)


def test_without_groups_the_smallest_shape_around_counts_also_an_outline(tmp_path: Path) -> None:
    big, small = shape("cow", [[0, 0], [29, 19]], None, "rectangle"), shape("cow", [[9, 9], [4, 4]], None, "rectangle")
    ring = shape("cow", [[20, 10], [25, 10]], None, "circle")
    labels = read(write(tmp_path / "a.json", big, small, shape("nose", [[5, 5]]), shape("nose", [[15, 15]])))
    found = {tuple(box): xy for box, xy in zip(labels.tables[0].box.tolist(), labels.tables[0].points[:, 0].tolist(),
                                               strict=True)}  # fmt: skip
    assert found == {(-0.5, -0.5, 28.5, 18.5): [15, 15], (3.5, 3.5, 8.5, 8.5): [5, 5]}
    labels = read(write(tmp_path / "a.json", ring, shape("nose", [[24, 10]])))
    assert labels.tables[0].box.tolist() == [[14.5, 4.5, 24.5, 14.5]] and labels.tables[0].skeleton.name == "cow"


@pytest.mark.parametrize("name", ["D:\\set\\a.png", "/srv/x/set/a.png", "..\\set\\a.png", "../set/a.png"])
def test_names_with_drives_back_slashes_and_steps_upwards(tmp_path: Path, name: str) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set/a.png").write_bytes(PNG)
    labels = read(write(tmp_path / "json/a.json", imagePath=name), pictures=tmp_path / "set")
    assert labels.pictures[0].path == tmp_path / "set/a.png" and labels.pictures[0].visited


def test_a_picture_that_stands_only_in_the_file(tmp_path: Path) -> None:
    data = base64.b64encode(PNG).decode()
    held = read(write(tmp_path / "a.json", imageData=data, imageHeight=None, imageWidth=None)).pictures[0]
    assert (held.path, held.size, dict(held.attributes)) == (None, (30, 20), {INSIDE: "a.json"})
    (tmp_path / "a.png").write_bytes(encode_png(np.zeros((9, 8, 3), np.uint8)))
    labels = read(write(tmp_path / "a.json", imageData=data))
    assert labels.pictures[0].size == (8, 9) and "picture inside is 30 x 20" in words(labels)
    assert "says 30 x 20 and the picture shows 8 x 9" in words(labels)
    assert read(write(tmp_path / "b.json", imageData="no base64 %", imagePath="b.png")).pictures[0].size == (30, 20)


def test_x_anylabeling_has_scores_and_difficult(tmp_path: Path) -> None:
    more = {"attributes": {}, "kie_linking": [], "description": ""}
    labels = read(write(
        tmp_path / "a.json", shape("nose", [[1, 2]], 7, score=0.5, difficult=True, **more),
        shape("eye", [[3, 4]], 7, score=None, difficult=False, **more),
        shape("dog", [[0, 0], [9, 0], [9, 9], [0, 9]], 7, "rectangle", score=0.75, **more), checked=True,
    ))  # fmt: skip
    dog = labels.tables[0]
    assert dog.visibility.tolist() == [[1, 2]] and dog.hand.tolist() == [False] and dog.subject.tolist() == ["7"]
    assert dog.score[0, 0] == 0.5 and np.isnan(dog.score[0, 1]) and dog.box.tolist() == [[-0.5, -0.5, 8.5, 8.5]]


def test_old_files_without_kinds_and_what_is_no_landmark(tmp_path: Path) -> None:
    old = {"label": "nose", "points": [[1, 2]], "line_color": None}
    line = shape("x", [[1, 1], [2, 2]], None, "linestrip")
    labels = read(write(tmp_path / "a.json", old, line, shape("p", [[1, 1], [2, 2]], 1), imagePath=""))
    assert labels.tables[0].points.tolist() == [[[1, 2]]] and labels.pictures[0].name == "a"
    assert labels.info["left_out"] == {"shapes that are neither points nor rectangles": 1}
    assert "a point of 2 corners" in words(labels) and "it names no picture" in words(labels)


def test_a_folder_lists_damaged_files_and_reads_the_rest(tmp_path: Path) -> None:
    write(tmp_path / "set/deep/a.json", shape("nose", [[1, 2]]), imagePath="../../a.png")
    write(tmp_path / "set/b.json", shape("nose", [[1, "x"]]))
    (tmp_path / "set/c.json").write_text("{")
    (tmp_path / "a.png").write_bytes(PNG)
    assert Labelme().claims(tmp_path / "set", b"")
    labels = read(tmp_path / "set")
    assert labels.instances == 1 and labels.pictures[0].path == tmp_path / "a.png"
    assert "b.json: left out" in words(labels) and "c.json: left out" in words(labels)
    (tmp_path / "set/deep/a.json").unlink()
    with pytest.raises(FormatError, match=r"b\.json, shapes\[0\].points: 'x'"):
        read(tmp_path / "set")


@pytest.mark.parametrize(
    "more, message",
    [
        ({"shapes": 5}, "no list of shapes"), ({"shapes": ["x"]}, r"shapes\[0\]: 'x' is no object"),
        ({"imageHeight": 20.5}, "no whole number"), ({"imageWidth": True}, "true is no number"),
        ({"imageWidth": -3}, "no size of a picture"), ({"shapes": [shape("n", [[1, 2]], 1.5)]}, "group_id"),
        ({"shapes": [shape("n", [[1, 2]], True)]}, "group_id: true"),
        ({"shapes": [shape("n", [[1, 2]], score="x")]}, "score"),
    ],
)  # fmt: skip
def test_wrong_kinds_of_values_are_refused_with_their_place(tmp_path: Path, more: dict, message: str) -> None:
    with pytest.raises(FormatError, match=rf"a\.json.*{message}"):
        read(write(tmp_path / "a.json", **more))


def test_written_files_are_labelme_s(tmp_path: Path) -> None:
    dog = table(Skeleton("dog", ("nose", "eye")), [0, 0, 1], [[[1 / 3, 2], [4, 5]], [[6, 7], [0, 0]], [[8, 9], [0, 0]]],
                [[1, 2], [2, 0], [2, 0]], box=[[0.5, 1.5, 9.5, 8.5], [np.nan] * 4, [np.nan] * 4],
                subject=["2", "ann", ""])  # fmt: skip
    (tmp_path / "x").mkdir()
    (tmp_path / "x/a.png").write_bytes(PNG)
    pictures = (Picture("x/a.png", tmp_path / "x/a.png", (30, 20)), Picture("y/a.png", None, None))
    Labelme().write(LabelSet(pictures, (dog,)), tmp_path / "out", WriteOptions())
    data = json.loads((tmp_path / "out/x/a.json").read_text())
    assert data["imagePath"] == "../../x/a.png" and (data["imageWidth"], data["imageHeight"]) == (30, 20)
    told = [(s["label"], s["shape_type"], s["group_id"], s.get("subject"), s["points"]) for s in data["shapes"]]
    assert told == [
        ("dog", "rectangle", 2, None, [[1, 2], [10, 9]]), ("nose", "point", 2, None, [[0.333333, 2]]),
        ("eye", "point", 2, None, [[4, 5]]), ("dog", "rectangle", 1, "ann", [[6, 7], [7, 8]]),
        ("nose", "point", 1, "ann", [[6, 7]]),
    ]  # fmt: skip
    assert data["shapes"][1]["flags"] == {"occluded": True} and data["imageData"] is None
    assert json.loads((tmp_path / "out/y/a.json").read_text())["imagePath"] == "y/a.png"


def test_labelme_s_own_reader_takes_what_is_written(tmp_path: Path) -> None:
    own = pytest.importorskip("labelme._label_file", exc_type=ImportError)  # of labelme 6
    (tmp_path / "a.png").write_bytes(PNG)
    face = table(Skeleton("face", ("nose",)), [0], [[[1.25, 2.5]]], [[1]], subject=["ann"])
    labels = LabelSet((Picture("a.png", tmp_path / "a.png", (30, 20)),), (face,))
    Labelme().write(labels, tmp_path / "o", WriteOptions())
    read = own.read_label_file(str(tmp_path / "o/a.json"))
    told = [(s["label"], s["points"], s["group_id"], s["flags"], s["other_data"]) for s in read.shapes]
    assert told[1] == ("nose", [[1.25, 2.5]], 1, {"occluded": True}, {"subject": "ann"})
