"""VIA 1, 2 and 3: every trap of the formats, with values worked out by hand."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.formats.registry import FormatError, ReadOptions, WriteOptions
from app.formats.via import Via, ViaCsv, ViaThird
from engine.images import encode_png
from engine.labels import LabelSet, Picture, Skeleton, table
from tests.app.formats.documents import words, write

PNG = encode_png(np.zeros((20, 30, 3), np.uint8))
HEAD = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"


def point(x: Any, y: Any, **attributes: Any) -> dict[str, Any]:
    return {"shape_attributes": {"name": "point", "cx": x, "cy": y}, "region_attributes": attributes}


def rect(x: Any, y: Any, wide: Any, high: Any, **attributes: Any) -> dict[str, Any]:
    shape = {"name": "rect", "x": x, "y": y, "width": wide, "height": high}
    return {"shape_attributes": shape, "region_attributes": attributes}


def project(*regions: Any, name: str = "a.png", size: Any = -1, **more: Any) -> dict[str, Any]:
    held = {f"{name}{size}": {"filename": name, "size": size, "regions": list(regions), "file_attributes": {}}}
    return {"_via_settings": {}, "_via_img_metadata": held, "_via_attributes": {}} | more


def read(path: Path, **options: object) -> LabelSet:
    return Via().read(path, ReadOptions(**options))


@pytest.mark.parametrize(
    "attributes, landmark, seen",
    [
        ({"landmark": "nose"}, "nose", 2), ({"Name": " nose "}, "nose", 2), ({"face part": "nose"}, "nose", 2),
        ({"type": {"eye": False, "nose": True}}, "nose", 2), ({}, "1", 2), ({"a": "x", "b": "y"}, "1", 2),
        ({"name": "nose", "visibility": "occluded"}, "nose", 1), ({"name": "nose", "visibility": "0"}, "nose", 0),
        ({"name": "nose", "occluded": {"yes": True}}, "nose", 1), ({"name": "nose", "visible": "no"}, "nose", 1),
        ({"name": "nose", "visible": "yes", "occluded": "false"}, "nose", 2), ({"id": 7}, "7", 2),
        ({"name": "nose", "occluded": {"occluded": True}}, "nose", 1),
    ],
)  # fmt: skip
def test_attributes_may_have_any_names(tmp_path: Path, attributes: dict, landmark: str, seen: int) -> None:
    found = read(write(tmp_path / "a.json", project(point(3, 4.5, **attributes)))).tables[0]
    assert found.skeleton.landmarks == (landmark,) and found.visibility.tolist() == [[seen]]
    assert found.points.tolist() == [[[3, 4.5] if seen else [0, 0]]]


def test_subjects_by_attribute_by_rectangle_and_by_repeated_names(tmp_path: Path) -> None:
    named = [point(1, 1, name="nose", person="ann"), point(9, 1, name="nose", person="bob"),
             rect(0, 0, 4, 5, person="ann", name="face")]  # fmt: skip
    face = read(write(tmp_path / "a.json", project(*named))).tables[0]
    assert face.skeleton.name == "face" and face.subject.tolist() == ["ann", "bob"]
    assert face.box[0].tolist() == [-0.5, -0.5, 3.5, 4.5] and np.isnan(face.box[1]).all()
    boxed = [rect(0, 0, 4, 5), rect(6, 0, 4, 5), point(9, 1, name="nose"), point(1, 1, name="nose")]
    assert read(write(tmp_path / "a.json", project(*boxed))).tables[0].points[:, 0].tolist() == [[1, 1], [9, 1]]
    twice = read(write(tmp_path / "a.json", project(point(1, 1, name="nose"), point(2, 2, name="nose"))))
    assert twice.instances == 2 and "more than once" in words(twice)
    plain = read(write(tmp_path / "a.json", project(point(1, 1), point(2, 2)))).tables[0]
    assert plain.skeleton.landmarks == ("1", "2")


def test_pictures_by_name_and_size(tmp_path: Path) -> None:
    (tmp_path / "pics").mkdir()
    (tmp_path / "pics/a.png").write_bytes(PNG)
    data = project(point(1, 1), size=len(PNG), _via_settings={"core": {"default_filepath": "pics/"}})
    labels = read(write(tmp_path / "p.json", data))
    assert labels.pictures[0].path == tmp_path / "pics/a.png" and labels.pictures[0].name == "a.png"
    assert labels.pictures[0].size == (30, 20) and not labels.problems
    data = project(point(1, 1), size=7, _via_settings={"core": {"default_filepath": "pics\\"}})
    data["_via_img_metadata"] |= project(size=8)["_via_img_metadata"]
    labels = read(write(tmp_path / "p.json", data))
    assert [p.path is not None for p in labels.pictures] == [True, False]
    assert f"it has {len(PNG)} bytes and had 7" in words(labels) and "that of another entry too" in words(labels)
    labels = read(write(tmp_path / "p.json", project(name="http://x.org/b/a.png?v=1")), pictures=tmp_path / "pics")
    assert labels.pictures[0].path == tmp_path / "pics/a.png"


def test_other_regions_are_counted(tmp_path: Path) -> None:
    ring = {"shape_attributes": {"name": "circle", "cx": 1, "cy": 2, "r": 3}, "region_attributes": {"person": "x"}}
    labels = read(write(tmp_path / "p.json", project(ring, point(1, 1))))
    assert labels.instances == 1 and labels.info["left_out"] == {"regions that are neither points nor rectangles": 1}


@pytest.mark.parametrize(
    "data, message",
    [
        (project(point("NaN", 2)), "region 0, cx: 'NaN'"), (project(point(True, 2)), "true is no number"),
        (project(point("1,5", 2)), "decimal comma"), (project(point(None, 2)), "null is no number"),
        (project(rect(1, 2, "x", 4)), "region 0, width"), (project(5), "region 0: it has no shape"),
        (project({"shape_attributes": {}, "region_attributes": [1]}), "are no object"),
        ({"_via_img_metadata": [1]}, "is no object"), ({"a": {"filename": ""}}, "picture 'a': it has no filename"),
        ({"a": {"filename": "x", "regions": 5}}, "neither a list nor an object"), ([], "no VIA file"),
        (project(size="big"), "size: 'big'"), ("{", "no JSON"), ('{"a": 1, "a": 2}', "stands twice"),
    ],
)  # fmt: skip
def test_bad_values_are_refused_with_their_place(tmp_path: Path, data: Any, message: str) -> None:
    with pytest.raises(FormatError, match=rf"p\.json.*{message}"):
        read(write(tmp_path / "p.json", data))


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "empty"), ("a,b\n1,2\n", "does not name VIA's columns"), (f"{HEAD}\na.png,1\n", "line 2: it has 2 cells"),
        (HEAD + '\na.png,1,{},1,0,"{""name"": NaN}",{}\n', "line 2, region_shape_attributes"),
        (HEAD + '\na.png,1,{},1,0,"[1]",{}\n', "line 2: it has no shape"),
        (f"{HEAD}\n,1,{{}},0,0,{{}},{{}}\n", "no filename"),
        (HEAD + '\na.png,x,{},0,0,"{}",{}\n', "size"),
    ],
)  # fmt: skip
def test_bad_tables_are_refused_with_their_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=rf"p\.csv.*{message}"):
        ViaCsv().read(write(tmp_path / "p.csv", text), ReadOptions())


def test_tables_of_the_spreadsheet_s_kind_and_of_via_3(tmp_path: Path) -> None:
    cells = ["a.png", "-1", "{}", "1", "0", '{"name":"point","cx":1.5,"cy":2}', '{"name":"nose"}']
    with (tmp_path / "s.csv").open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=";").writerows([HEAD.split(","), cells])
    assert ViaCsv().read(tmp_path / "s.csv", ReadOptions()).tables[0].points.tolist() == [[[1.5, 2]]]
    third = write(tmp_path / "t.csv", "\n".join((
        "# Exported using VGG Image Annotator", '# SHAPE_ID = {"POINT":1,"RECTANGLE":2}',
        '# ATTRIBUTE = {"1":{"aname":"name","options":{"0":"nose","1":"eye"}}}',
        "# CSV_HEADER = metadata_id,file_list,flags,temporal_coordinates,spatial_coordinates,metadata",
        '"1_a","[""a.png""]",0,"[]","[1,10.5,20]","{""1"":""1""}"',
        '"1_b","[""f.mp4""]",0,"[1.5]","[1,3,4]","{""1"":""0""}"', '"1_c","[""f.mp4""]",0,"[1.5,2]","[]","{}"',
    )))  # fmt: skip
    assert ViaCsv().claims(third, third.read_bytes())
    labels = ViaCsv().read(third, ReadOptions())
    assert [p.name for p in labels.pictures] == ["a.png", "f.mp4#t=1.5"]
    assert labels.tables[0].skeleton.landmarks == ("eye", "nose")
    assert labels.tables[0].points.tolist() == [[[10.5, 20], [0, 0]], [[0, 0], [3, 4]]]


THIRD = {
    "project": {"vid_list": ["1", "2"]}, "attribute": {"1": {"aname": "landmark", "options": {"0": "nose"}}},
    "file": {"1": {"fid": "1", "fname": "a.png", "type": 2}, "2": {"fid": "2", "fname": "f.mp4", "type": 4}},
    "view": {"1": {"fid_list": ["1"]}, "2": {"fid_list": ["2"]}},
    "metadata": {
        "a": {"vid": "1", "flg": 0, "z": [], "xy": [1, 3.5, 4], "av": {"1": "0"}},
        "b": {"vid": "1", "flg": 0, "z": [], "xy": [2, 1, 2, 10, 11], "av": {}},
        "c": {"vid": "2", "flg": 0, "z": [0.25], "xy": [1, 5, 6], "av": {"1": "0"}},
        "d": {"vid": "2", "flg": 0, "z": [1, 2], "xy": [], "av": {}},
    },
}  # fmt: skip


def test_via_3_has_options_by_number_and_moments_of_videos(tmp_path: Path) -> None:
    path = write(tmp_path / "p.json", THIRD)
    assert ViaThird().claims(path, path.read_bytes()) and not Via().claims(path, path.read_bytes())
    labels = ViaThird().read(path, ReadOptions())
    assert [p.name for p in labels.pictures] == ["a.png", "f.mp4#t=0.25"]
    (one,) = labels.tables
    assert one.skeleton.landmarks == ("nose",) and one.points.tolist() == [[[3.5, 4]], [[5, 6]]]
    assert one.box[0].tolist() == [0.5, 1.5, 10.5, 12.5]


@pytest.mark.parametrize(
    "part, value, message",
    [
        ("a", 5, "metadata 'a': 5 is no object"), ("a", {"vid": "1", "xy": [1, 2]}, "1 numbers are no place"),
        ("a", {"vid": "1", "xy": "x"}, "no list of numbers"),
        ("a", {"vid": "1", "xy": [1, None, 2]}, "null is no number"),
        ("a", {"vid": "1", "xy": [1, 1, 2], "z": ["x"]}, "z: 'x'"),
    ],
)  # fmt: skip
def test_bad_values_of_via_3_are_refused_with_their_place(tmp_path: Path, part: str, value: Any, message: str) -> None:
    data = THIRD | {"metadata": {**THIRD["metadata"], part: value}}
    with pytest.raises(FormatError, match=rf"p\.json, .*{message}"):
        ViaThird().read(write(tmp_path / "p.json", data), ReadOptions())


def dogs(tmp_path: Path) -> LabelSet:
    (tmp_path / "a.png").write_bytes(PNG)
    dog = table(Skeleton("dog", ("nose", "eye")), [0], [[[1.25, 2], [0, 0]]], [[1, 0]], box=[[0.5, 1.5, 9.5, 8.5]],
                subject=["ann"])  # fmt: skip
    return LabelSet((Picture("a.png", tmp_path / "a.png", (30, 20)), Picture("é,b.png")), (dog,))


def test_written_projects_have_via_s_keys(tmp_path: Path) -> None:
    Via().write(dogs(tmp_path), tmp_path / "p.json", WriteOptions())
    data = json.loads((tmp_path / "p.json").read_text())
    assert data["_via_image_id_list"] == [f"a.png{len(PNG)}", "é,b.png-1"] == list(data["_via_img_metadata"])
    box, nose = data["_via_img_metadata"][f"a.png{len(PNG)}"]["regions"]
    assert box["shape_attributes"] == {"name": "rect", "x": 1, "y": 2, "width": 9, "height": 7}
    assert nose["shape_attributes"] == {"name": "point", "cx": 1.25, "cy": 2}
    assert nose["region_attributes"] == {
        "kind": "dog", "instance": "1", "subject": "ann", "landmark": "nose", "visibility": "1",
    }  # fmt: skip
    assert set(data["_via_attributes"]["region"]) >= set(nose["region_attributes"])


def test_written_tables_and_projects_of_version_3(tmp_path: Path) -> None:
    ViaCsv().write(dogs(tmp_path), tmp_path / "p.csv", WriteOptions())
    with (tmp_path / "p.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert ",".join(rows[0]) == HEAD and [row[0] for row in rows[1:]] == ["a.png", "a.png", "é,b.png"]
    assert rows[2][3:5] == ["2", "1"] and json.loads(rows[2][5]) == {"name": "point", "cx": 1.25, "cy": 2}
    ViaThird().write(dogs(tmp_path), tmp_path / "p.json", WriteOptions())
    data = json.loads((tmp_path / "p.json").read_text())
    assert [one["xy"] for one in data["metadata"].values()] == [[2, 1, 2, 9, 7], [1, 1.25, 2]]
    assert data["project"]["vid_list"] == ["1", "2"] and data["file"]["2"]["fname"] == "é,b.png"
