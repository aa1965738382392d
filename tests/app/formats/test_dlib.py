"""dlib's XML: values worked out by hand, and every trap of the format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.formats.dlib import Dlib
from app.formats.registry import FormatError, ReadOptions, WriteOptions
from engine.images import encode_png
from engine.labels import LabelSet, Picture, Skeleton, table
from tests.app.formats.documents import words

BOX = "<box top='20' left='10' width='30' height='40'{}>{}</box>"
PARTS = "<part name='2' x='12' y='22'/><part name='10' x='15' y='25'/><part name='1' x='11' y='21'/>"


def write(path: Path, images: str, encoding: str = "UTF-8", head: str = "") -> Path:
    text = f"<?xml version='1.0' encoding='{encoding}'?>\n{head}<dataset>\n<name>n</name>\n<images>\n{images}"
    path.write_bytes(f"{text}\n</images>\n</dataset>\n".encode(encoding))
    return path


def one(inside: str, given: str = "") -> str:
    return f"<image file='a.png'>{BOX.format(given, inside)}</image>"


def read(path: Path, **options: object) -> LabelSet:
    return Dlib().read(path, ReadOptions(**options))


def test_parts_are_in_the_text_order_of_their_names_and_boxes_cover_pixels(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x/a.png").write_bytes(encode_png(np.zeros((90, 70, 3), np.uint8)))
    path = write(tmp_path / "a.xml", one(PARTS).replace("a.png", "x\\a.png"))
    assert Dlib().claims(path, path.read_bytes())
    labels = read(path)
    found = labels.tables[0]
    assert found.skeleton.landmarks == ("1", "10", "2")
    assert found.points.tolist() == [[[11, 21], [15, 25], [12, 22]]] and found.visibility.tolist() == [[2, 2, 2]]
    assert found.box.tolist() == [[9.5, 19.5, 39.5, 59.5]]
    assert labels.pictures[0].path == tmp_path / "x/a.png" and labels.pictures[0].size == (70, 90)
    assert not labels.problems
    assert read(path, offset=-1.0).tables[0].points[0, 0].tolist() == [10, 20]


def test_a_latin_1_header_with_a_style_sheet_and_accents(tmp_path: Path) -> None:
    head = "<?xml-stylesheet type='text/xsl' href='image_metadata_stylesheet.xsl'?>\n"
    inside = "<label>tête</label><part name='nez é' x='1' y='2'/>"
    labels = read(write(tmp_path / "a.xml", one(inside), "ISO-8859-1", head))
    assert labels.tables[0].skeleton == Skeleton("tête", ("nez é",))


def test_absent_parts_boxes_without_parts_and_what_a_box_says(tmp_path: Path) -> None:
    said = " difficult='1' occluded='0' truncated='1' age='32' gender='female' pose='2' angle='0.5'"
    said += " detection_score='1.25'"
    boxes = BOX.format("", PARTS) + BOX.format(said, "") + BOX.format("", "<part name='2' x='0' y='0'/>")
    labels = read(write(tmp_path / "a.xml", f"<image file='a.png' width='100' height='90'>{boxes}</image>"))
    found = labels.tables[0]
    assert found.visibility.tolist() == [[2, 2, 2], [0, 0, 0], [0, 0, 2]]  # a true part at 0, 0
    extras = {name: column[1] for name, column in found.extras.items()}
    assert extras == {
        "difficult": True, "truncated": True, "age": 32, "gender": "female", "pose": 2, "angle": 0.5,
        "detection_score": 1.25,
    }  # fmt: skip
    assert found.extras["difficult"].tolist() == [False, True, False] and np.isnan(found.extras["age"][0])
    assert labels.pictures[0].size == (100, 90) and labels.pictures[0].path is None


def test_labels_are_kinds_and_kinds_without_landmarks_are_counted(tmp_path: Path) -> None:
    boxes = BOX.format("", f"<label>cat</label>{PARTS}") + BOX.format("", "<label>car</label>")
    labels = read(write(tmp_path / "a.xml", f"<image file='a.png'>{boxes}</image>"))
    assert [each.skeleton.name for each in labels.tables] == ["cat"]
    assert labels.info["left_out"] == {"boxes without landmarks": 1}


def test_ignored_boxes_are_left_out_and_a_part_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    labels = read(write(tmp_path / "a.xml", one(PARTS, " ignore='1'") + one(PARTS).replace("a.png", "b.png")))
    assert labels.instances == 1 and "a.xml, line 5: the box is marked to be ignored" in words(labels)
    with pytest.raises(FormatError, match=r"a\.xml, line 6: the part '1' stands twice"):
        read(write(tmp_path / "a.xml", one(PARTS + "\n<part name='1' x='99' y='99'/>")))


def test_a_picture_listed_twice_is_one_picture(tmp_path: Path) -> None:
    labels = read(write(tmp_path / "a.xml", one(PARTS) + one(PARTS)))
    assert len(labels.pictures) == 1 and labels.tables[0].picture.tolist() == [0, 0]
    assert "listed before" in words(labels)


@pytest.mark.parametrize(
    "images, message",
    [
        (one("<part name='1' x='1,5' y='2'/>"), "line 5, x of 'part'.*decimal comma"),
        (one("<part name='1' x='nan' y='2'/>"), "x of 'part'"), (one("<part name='1' x='true' y='2'/>"), "'true'"),
        (one("<part x='1' y='2'/>"), "'part' has no name"), (one("<part name='1' x='1'/>"), "'part' has no y"),
        (one(PARTS, " difficult='maybe'"), "neither 0 nor 1"), ("<image/>", "'image' has no file"),
        (one(PARTS).replace("top='20' ", ""), "'box' has no top"), ("<image file='a.png'><box></image>", "no XML"),
        ("<image file='a.png' width='0' height='1'/>", "no size of a picture"), ("<b>" * 100, "nested deeper"),
        ("&bomb;", "no XML"),
    ],
)  # fmt: skip
def test_bad_values_are_refused_with_their_line(tmp_path: Path, images: str, message: str) -> None:
    with pytest.raises(FormatError, match=rf"a\.xml, line \d.*{message}|a\.xml.*{message}"):
        read(write(tmp_path / "a.xml", images))


def test_entity_bombs_and_other_roots_are_refused(tmp_path: Path) -> None:
    inner = "".join(f"<!ENTITY a{n + 1} '&a{n};&a{n};'>" for n in range(30))
    bomb = write(tmp_path / "a.xml", "&a30;", head=f"<!DOCTYPE d [<!ENTITY a0 'ha'>{inner}]>")
    with pytest.raises(FormatError, match=r"a\.xml: it declares entities"):
        read(bomb)
    outside = write(tmp_path / "b.xml", "&x;", head="<!DOCTYPE d [<!ENTITY x SYSTEM 'file:///etc/hostname'>]>")
    with pytest.raises(FormatError, match="entities"):
        read(outside)
    (tmp_path / "c.xml").write_text("<annotations/>")
    with pytest.raises(FormatError, match="begins with 'annotations'"):
        read(tmp_path / "c.xml")


def test_written_files_are_what_dlib_reads(tmp_path: Path) -> None:
    face = table(Skeleton("a<b&", ("p2", "p10")), [0, 1], [[[12, 22], [15, 25]], [[3, 4], [0, 0]]], [[2, 2], [2, 0]],
                 box=[[9.5, 19.5, 39.5, 59.5], [np.nan] * 4])  # fmt: skip
    labels = LabelSet((Picture("a 'x'.png", None, (100, 90)), Picture("b.png")), (face,))
    Dlib().write(labels, tmp_path / "out.xml", WriteOptions())
    text = (tmp_path / "out.xml").read_text()
    assert "<image file=\"a 'x'.png\" width='100' height='90'>" in text and '<image file="b.png">' in text
    assert "<box top='20' left='10' width='30' height='40'>" in text and "<label>a&lt;b&amp;</label>" in text
    assert text.index('name="p10"') < text.index('name="p2"')
    assert text.index('name="p10" x=\'15\' y=\'25\'') < text.index('name="p2" x=\'12\'')
    assert "<box top='4' left='3' width='1' height='1'>" in text  # the pixel of its only landmark
    with pytest.raises(FormatError, match="XML cannot hold"):
        Dlib().write(LabelSet((Picture("a\x01.png"),), ()), tmp_path / "no.xml", WriteOptions())
    assert not (tmp_path / "no.xml").exists()
