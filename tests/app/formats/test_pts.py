"""300W's .pts folders and LJSON: values worked out by hand, and every trap of the formats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.formats.ljson import Ljson
from app.formats.pts import Pts
from app.formats.registry import FormatError, ReadOptions, WriteOptions
from engine.images import encode_png
from engine.labels import LabelSet, Picture, Skeleton, table
from tests.app.formats.documents import words, write

TWO = "version: 1\nn_points: 2\n{\n1 1\n3.5 4.25\n}\n"
GROUP = {"labels": [{"label": "jaw", "mask": [True, True]}],
         "landmarks": {"points": [[2.5, 1], [None, None]], "connectivity": [[0, 1]]}}  # fmt: skip


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(np.zeros((20, 30, 3), np.uint8)))
    return path


def faces(*counts: int) -> LabelSet:
    """Pictures with so many faces of two landmarks, in x.png, y.png and so on."""
    picture = np.repeat(np.arange(len(counts)), counts)
    points = np.arange(4.0 * len(picture)).reshape(-1, 2, 2)
    names = [Picture(f"{'xyz'[n]}.png", None, (30, 20)) for n in range(len(counts))]
    return LabelSet(tuple(names), (table(Skeleton("face", ("a", "b"), ((0, 1),)), picture, points,
                                         np.full((len(picture), 2), 2)),))  # fmt: skip


def test_pts_count_from_1_and_belong_to_the_picture_of_their_stem(tmp_path: Path) -> None:
    for name in ("in door/a 1.JPG", "b.png"):
        picture(tmp_path / name)
    (tmp_path / "in door/a 1.pts").write_bytes(TWO.replace("\n", "\r\n").encode())
    for n in (1, 2):
        (tmp_path / f"b_{n}.pts").write_text(TWO.replace("version: 1", "version:  1.0").replace("3.5", f"{n}"))
    assert Pts().claims(tmp_path, b"")
    labels = Pts().read(tmp_path, ReadOptions())
    found = labels.tables[0]
    assert [p.name for p in labels.pictures] == ["b.png", "in door/a 1.JPG"]
    assert [p.size for p in labels.pictures] == [(30, 20), (30, 20)]
    assert found.picture.tolist() == [0, 0, 1]
    assert found.points.tolist() == [[[0, 0], [0, 3.25]], [[0, 0], [1, 3.25]], [[0, 0], [2.5, 3.25]]]
    plain = Pts().read(tmp_path / "in door/a 1.pts", ReadOptions(offset=0.0))
    assert plain.tables[0].points.tolist() == [[[1, 1], [3.5, 4.25]]]


@pytest.mark.parametrize("text", [TWO.replace("3.5", "nan"), TWO.replace("3.5", "3,5"), TWO[:-2], "x", TWO[:-3] + "7"])
def test_damaged_pts_are_refused_alone_and_listed_among_others(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.pts").write_text(text)
    with pytest.raises(FormatError, match=r"bad\.pts"):
        Pts().read(tmp_path / "bad.pts", ReadOptions())
    (tmp_path / "good.pts").write_text(TWO)
    labels = Pts().read(tmp_path, ReadOptions())
    assert labels.instances == 1 and "bad.pts: left out" in words(labels)


def test_written_pts_add_1_and_no_name_is_that_of_another_picture(tmp_path: Path) -> None:
    labels = faces(2, 1)
    names = [picture(tmp_path / name) for name in ("a.png", "a_1.png")]
    labels = LabelSet(tuple(Picture(n.name, n, (30, 20)) for n in names), labels.tables)
    Pts().write(labels, tmp_path / "out", WriteOptions())
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "a.png", "a_1.png", "a_1.pts", "a_2.pts", "a_3.pts",
    ]  # fmt: skip
    assert (tmp_path / "out/a_2.pts").read_text() == (
        "version: 1\nn_points: 2\n{\n1.000000 2.000000\n3.000000 4.000000\n}\n"
    )
    found = Pts().read(tmp_path / "out", ReadOptions())
    places = zip(found.tables[0].picture, found.tables[0].points[:, 0].tolist(), strict=True)
    told = {(found.pictures[n].name, *xy) for n, xy in places}
    assert told == {("a.png", 0, 1), ("a.png", 4, 5), ("a_1.png", 8, 9)}


@pytest.mark.parametrize("data", [{"version": 2, **GROUP}, {"version": 3, "groups": {"LJSON": GROUP}}], ids=["2", "3"])
def test_ljson_has_y_before_x_and_null_for_absent(tmp_path: Path, data: dict) -> None:
    picture(tmp_path / "a.b.png")
    path = write(tmp_path / "a.b.ljson", data)
    assert Ljson().claims(path, path.read_bytes()) and Ljson().claims(tmp_path, b"")
    labels = Ljson().read(tmp_path, ReadOptions())
    found = labels.tables[0]
    assert found.points.tolist() == [[[1, 2.5], [0, 0]]] and found.visibility.tolist() == [[2, 0]]
    assert found.skeleton.edges == ((0, 1),) and not labels.problems
    held = labels.pictures[0]
    assert (held.name, held.path, held.size) == ("a.b.png", tmp_path / "a.b.png", (30, 20))


def test_the_first_version_has_parts_and_a_later_one_subjects(tmp_path: Path) -> None:
    parts = [{"label": "a", "connectivity": [[0, 1]], "landmarks": [{"point": [1, 2]}, {"point": [3, 4]}]},
             {"label": "b", "connectivity": [[0, 1]], "landmarks": [{"point": [5, 6]}, {"point": None}]}]  # fmt: skip
    first = Ljson().read(write(tmp_path / "a.ljson", {"version": 1, "groups": parts}), ReadOptions()).tables[0]
    assert first.points[0].tolist() == [[2, 1], [4, 3], [6, 5], [0, 0]] and first.skeleton.edges == ((0, 1), (2, 3))
    other = {"landmarks": {"points": [[9, 8]]}}
    third = Ljson().read(write(tmp_path / "b.ljson", {"version": 3, "groups": {"x": GROUP, "y": other}}), ReadOptions())
    assert [each.points.tolist() for each in third.tables] == [[[[8, 9]]], [[[1, 2.5], [0, 0]]]]


@pytest.mark.parametrize(
    "data, message",
    [
        ([], "no LJSON"), ({"version": 2}, "neither groups nor landmarks"), ("{", "no JSON"),
        ({"groups": {"x": {"landmarks": 5}}}, "groups 'x': it has no list of points"),
        ({"groups": [7]}, r"groups\[0\]"),
        ({"landmarks": {"points": [[1, 2], [1]]}}, r"point 2: .*no place \[y, x\]"),
        ({"landmarks": {"points": [[1, True]]}}, "true is no number"), ('{"landmarks": {"points": [[NaN, 1]]}}', "NaN"),
        ({"landmarks": {"points": [[1, 2, 3]]}}, "no place"),
        ({"landmarks": {"points": [["1,5", 2]]}}, "decimal comma"),
        ({"landmarks": {"points": [[1, 2]], "connectivity": [[0, 1]]}}, "names no landmark"),
        ({"landmarks": {"points": [[1, 2]], "connectivity": [3]}}, "3 is no pair"),
    ],
)  # fmt: skip
def test_bad_ljson_is_refused_alone_and_listed_among_others(tmp_path: Path, data: Any, message: str) -> None:
    with pytest.raises(FormatError, match=rf"bad\.ljson.*{message}"):
        Ljson().read(write(tmp_path / "bad.ljson", data), ReadOptions())
    write(tmp_path / "good.ljson", {"version": 2, **GROUP})
    labels = Ljson().read(tmp_path, ReadOptions())
    assert labels.instances == 1 and "bad.ljson: left out" in words(labels)


def test_written_ljson_is_of_version_3(tmp_path: Path) -> None:
    Ljson().write(faces(2, 0, 1), tmp_path / "out", WriteOptions())
    data = {p.name: json.loads(p.read_text()) for p in (tmp_path / "out").iterdir()}
    assert set(data) == {"x.ljson", "y.ljson", "z.ljson"} and data["y.ljson"] == {"version": 3, "groups": {}}
    assert list(data["x.ljson"]["groups"]) == ["1", "2"] and list(data["z.ljson"]["groups"]) == ["LJSON"]
    assert data["z.ljson"]["groups"]["LJSON"]["landmarks"] == {"points": [[9, 8], [11, 10]], "connectivity": [[0, 1]]}
