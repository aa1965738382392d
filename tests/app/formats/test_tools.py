"""dlib, labelme and VIA: hand-written files with values worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from app.formats.dlib import Dlib
from app.formats.labelme import Labelme
from app.formats.registry import FormatError, ReadOptions
from app.formats.via import Via, ViaCsv, ViaThird

READ = ReadOptions()

DLIB = """<?xml version='1.0' encoding='ISO-8859-1'?>
<?xml-stylesheet type='text/xsl' href='image_metadata_stylesheet.xsl'?>
<dataset><name>caf\xe9</name><images>
<image file='a b.jpg' width='40' height='30'>
  <box top='2' left='3' width='10' height='8' difficult='1'><label>face</label>
    <part name='10' x='4' y='5'/><part name='2' x='-1' y='0'/></box>
  <box top='0' left='0' width='4' height='4' ignore='1'><part name='2' x='1' y='1'/></box>
</image></images></dataset>"""


def test_dlib_takes_parts_in_the_text_order_of_their_names(tmp_path: Path) -> None:
    file = tmp_path / "x.xml"
    file.write_bytes(DLIB.encode("latin-1"))
    found = Dlib().read(file, READ)
    face = found.tables[0]
    assert face.skeleton.name == "face" and face.skeleton.landmarks == ("10", "2")
    assert face.points[0].tolist() == [[4, 5], [-1, 0]] and face.visibility.tolist() == [[2, 2]]
    assert face.box[0].tolist() == [2.5, 1.5, 12.5, 9.5]
    assert found.pictures[0].size == (40, 30) and "ignored" in found.problems[-1].what


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("name='2'", "name='10'"), "stands twice"),
        (("x='4'", "x='4,5'"), "decimal comma"),
        (("y='5'", "y='nan'"), "no number"),
        (("<dataset>", "<!DOCTYPE d [<!ENTITY a 'aa'>]><dataset>"), "entities"),
        (("</dataset>", ""), "no XML"),
    ],
)
def test_dlib_says_where_a_file_is_wrong(tmp_path: Path, change, says: str) -> None:
    file = tmp_path / "x.xml"
    file.write_bytes(DLIB.replace(*change).encode("latin-1"))
    with pytest.raises(FormatError, match=says):
        Dlib().read(file, READ)


def shape(label: str, kind: str, points: list, group=None, **more) -> dict:
    return {"label": label, "points": points, "group_id": group, "shape_type": kind, "flags": {}} | more


def labelme(folder: Path, name: str, shapes: list, **more) -> Path:
    data = {"version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": "..\\pics\\a.jpg", "imageData": None,
            "imageHeight": 30, "imageWidth": 40} | more  # fmt: skip
    file = folder / name
    file.write_text(json.dumps(data), "utf-8-sig")
    return file


def test_labelme_groups_by_id_with_the_rectangle_as_box(tmp_path: Path) -> None:
    labelme(tmp_path, "a.json", [
        shape("nose", "point", [[4.25, 5]], 1), shape("eye", "point", [[6, 7]], 1, flags={"occluded": True}),
        shape("dog", "rectangle", [[9, 8], [3, 2]], 1), shape("nose", "point", [[14, 15]], 2),
        shape("tail", "polygon", [[0, 0], [1, 1], [2, 0]]),
    ])  # fmt: skip
    found = Labelme().read(tmp_path, READ)
    (dog,) = found.tables  # what has no rectangle is a dog too: it has a dog's landmarks, and there is no other kind
    assert dog.skeleton.name == "dog" and dog.points.tolist() == [[[4.25, 5], [6, 7]], [[14, 15], [0, 0]]]
    assert dog.visibility.tolist() == [[2, 1], [2, 0]] and dog.subject.tolist() == ["1", "2"]
    assert dog.box[0].tolist() == [2.5, 1.5, 8.5, 7.5] and np.isnan(dog.box[1]).all()
    assert found.info["left_out"] == {"shapes that are neither points nor rectangles": 1} and not found.problems
    assert Labelme().read(tmp_path, ReadOptions(offset=-0.5)).tables[0].points[0, 0].tolist() == [3.75, 4.5]


def test_labelme_without_groups_goes_by_the_rectangle_around(tmp_path: Path) -> None:
    file = labelme(tmp_path, "a.json", [
        shape("face", "rectangle", [[0, 0], [10, 10]]), shape("face", "rectangle", [[20, 0], [30, 10]]),
        shape("nose", "point", [[25, 5]]), shape("nose", "point", [[5, 4]]),
    ])  # fmt: skip
    face = Labelme().read(file, READ).tables[0]
    order = np.argsort(face.box[:, 0])
    assert face.points[order].tolist() == [[[5, 4]], [[25, 5]]] and face.box[order, 0].tolist() == [-0.5, 19.5]


@pytest.mark.parametrize("bad", [[["x", 1]], [[1]], 5, [[True, 1]], [[1e30, 0]]])
def test_labelme_refuses_points_that_are_none(tmp_path: Path, bad) -> None:
    file = labelme(tmp_path, "a.json", [shape("nose", "point", bad)])
    with pytest.raises(FormatError, match=r"a\.json, shapes\[0\]"):
        Labelme().read(file, READ)


def region(shape: dict, **attributes) -> dict:
    return {"shape_attributes": shape, "region_attributes": attributes}


POINT = region({"name": "point", "cx": 3, "cy": 4}, landmark="nose")


@pytest.mark.parametrize("regions", [[POINT], {"0": POINT}], ids=["version 2", "version 1"])
@pytest.mark.parametrize("project", [True, False])
def test_via_takes_lists_objects_and_projects(tmp_path: Path, regions, project: bool) -> None:
    held = {"a.jpg123": {"filename": "a.jpg", "size": 123, "regions": regions, "file_attributes": {}}}
    data = {"_via_settings": {}, "_via_img_metadata": held, "_via_attributes": {}} if project else held
    file = tmp_path / "via.json"
    file.write_text(json.dumps(data), "utf-8-sig")
    found = Via().read(file, READ)
    assert found.tables[0].skeleton.landmarks == ("nose",) and found.tables[0].points.tolist() == [[[3, 4]]]
    assert found.pictures[0].name == "a.jpg" and Via().claims(file, file.read_bytes())


def test_via_csv_has_json_in_quotes(tmp_path: Path) -> None:
    file = tmp_path / "via.csv"
    file.write_text(
        "#filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\r\n"
        'a.jpg,9,"{}",2,0,"{""name"":""point"",""cx"":1,""cy"":2}","{""name"":""chin"",""person"":""7""}"\r\n'
        'a.jpg,9,"{}",2,1,"{""name"":""rect"",""x"":0,""y"":1,""width"":4,""height"":5}","{""person"":""7""}"\r\n'
        'b.jpg,9,"{}",0,0,"{}","{}"',
        "utf-8",
    )
    found = ViaCsv().read(file, READ)
    assert [p.name for p in found.pictures] == ["a.jpg", "b.jpg"] and len(found.tables) == 1
    assert found.tables[0].points.tolist() == [[[1, 2]]] and found.tables[0].box.tolist() == [[-0.5, 0.5, 3.5, 5.5]]


def test_via_3_tells_shapes_by_their_first_number(tmp_path: Path) -> None:
    data = {
        "project": {}, "config": {}, "attribute": {"1": {"aname": "landmark"}},
        "file": {"5": {"fid": "5", "fname": "a.jpg", "type": 2}}, "view": {"9": {"fid_list": ["5"]}},
        "metadata": {"m": {"vid": "9", "xy": [1, 6.5, 7], "av": {"1": "nose"}},
                     "n": {"vid": "9", "xy": [7, 1, 2, 3, 4], "av": {}}},
    }  # fmt: skip
    file = tmp_path / "via3.json"
    file.write_text(json.dumps(data))
    found = ViaThird().read(file, READ)
    assert found.tables[0].points.tolist() == [[[6.5, 7]]] and sum(found.info["left_out"].values()) == 1
