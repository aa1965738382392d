"""CVAT's XML: values worked out by hand, and every trap of the format."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import fromstring

import numpy as np
import pytest

from app.formats.cvat import Cvat
from app.formats.registry import FormatError, ReadOptions, WriteOptions
from engine.images import encode_png
from engine.labels import LabelSet, Picture, Skeleton, table
from tests.app.formats.documents import words

# Nodes 1 and 2 are the second and the first landmark of the list.
DRAWING = (
    "&lt;line x1='1' data-type='edge' data-node-from='1' data-node-to='3'&gt;&lt;/line&gt;"
    "&lt;circle r='1' data-node-id='1' data-label-name='eye'&gt;&lt;/circle&gt;"
    "&lt;circle data-node-id='2' data-label-name='nose'&gt;&lt;/circle&gt;"
    "&lt;circle data-node-id='3' data-label-name='t&amp;amp;l'&gt;&lt;/circle&gt;"
).replace("'", "&quot;")
LABELS = (
    f"<labels><label><name>dog</name><type>skeleton</type><svg>{DRAWING}</svg></label>"
    "<label><name>nose</name><type>points</type><parent>dog</parent></label>"
    "<label><name>eye</name><type>points</type><parent>dog</parent></label>"
    "<label><name>t&amp;l</name><type>points</type><parent>dog</parent></label></labels>"
)
META = (
    "<meta><task><id>7</id><owner><username>ann</username><email>ann@example.com</email></owner>"
    f"{LABELS}<original_size><width>64</width><height>48</height></original_size><source>a film.mp4</source>"
    "</task></meta>"
)
EYE, NOSE = "<points label='eye' outside='0' occluded='1' points='1.5,2.25'/>", "<points label='nose' points='0,0'/>"
TAIL = "<points label='t&amp;l' outside='1' occluded='0' points='9,9'></points>"
SKELETON = f"<skeleton label='dog' source='manual' z_order='0' group_id='4'>\n{EYE}{NOSE}{TAIL}</skeleton>"
BOX = "<box label='dog box' xtl='1' ytl='2' xbr='11' ybr='22' group_id='4' occluded='0'/>"


def image(inside: str, name: str = "x/a.png", more: str = "") -> str:
    return f"<image id='0' name='{name}' width='30' height='20'{more}>{inside}</image>"


def write(path: Path, *parts: str, meta: str = META) -> Path:
    path.write_text(f"<?xml version='1.0' encoding='utf-8'?>\n<annotations><version>1.1</version>{meta}\n"
                    + "".join(parts) + "</annotations>\n")  # fmt: skip
    return path


def read(path: Path, **options: object) -> LabelSet:
    return Cvat().read(path, ReadOptions(**options))


def test_skeletons_with_their_visibility_lines_by_node_ids_and_the_box_of_their_group(tmp_path: Path) -> None:
    (tmp_path / "images/x").mkdir(parents=True)
    (tmp_path / "images/x/a.png").write_bytes(encode_png(np.zeros((20, 30, 3), np.uint8)))
    path = write(tmp_path / "a.xml", image(BOX + SKELETON), image("", "b.png", " subset='Validation'"))
    assert Cvat().claims(path, path.read_bytes())
    labels = read(path)
    dog = labels.tables[0]
    assert dog.skeleton == Skeleton("dog", ("nose", "eye", "t&l"), ((1, 2),))
    assert dog.points.tolist() == [[[0, 0], [1.5, 2.25], [0, 0]]] and dog.visibility.tolist() == [[2, 1, 0]]
    assert dog.box.tolist() == [[0.5, 1.5, 10.5, 21.5]] and dog.hand.tolist() == [True]
    assert labels.pictures[0].path == tmp_path / "images/x/a.png" and labels.pictures[0].size == (30, 20)
    assert [p.split for p in labels.pictures] == ["", "validation"] and not labels.problems
    assert read(path, offset=-0.5).tables[0].points[0, :2].tolist() == [[-0.5, -0.5], [1.0, 1.75]]
    assert read(path, offset=-0.5).tables[0].box.tolist() == dog.box.tolist()  # along edges, whatever points are


def test_nobody_s_name_or_address_is_kept_or_written(tmp_path: Path) -> None:
    labels = read(write(tmp_path / "a.xml", image(SKELETON)))
    assert labels.info == {"source": "a film.mp4"}
    Cvat().write(labels, tmp_path / "out.xml", WriteOptions())
    text = (tmp_path / "out.xml").read_text()
    assert "ann" not in text.replace("annotation", "") and "@" not in text


def test_without_meta_landmarks_are_in_the_order_of_the_file(tmp_path: Path) -> None:
    labels = read(write(tmp_path / "a.xml", image(SKELETON), meta=""))
    assert labels.tables[0].skeleton == Skeleton("dog", ("eye", "nose", "t&l"))
    assert labels.tables[0].visibility.tolist() == [[1, 2, 0]] and "lists no skeletons" in words(labels)


def test_tracks_over_frames_have_subjects_and_sizes(tmp_path: Path) -> None:
    def at(frame: int, more: str = "", points: str = EYE + NOSE) -> str:
        return f"<skeleton frame='{frame}' keyframe='1' z_order='0'{more}>{points}</skeleton>"

    gone = EYE.replace("outside='0'", "outside='1'")
    tracks = (
        f"<track id='3' label='dog' source='auto'>{at(0)}{at(12)}{at(13, ' outside=' + repr('1'))}{at(14, '', gone)}"
        f"</track><track id='5' label='dog'>{at(12, '', NOSE)}</track>"
    )
    labels = read(write(tmp_path / "a.xml", tracks))
    dog = labels.tables[0]
    assert [p.name for p in labels.pictures] == ["frame_000000", "frame_000012"]
    assert labels.pictures[0].size == (64, 48)
    assert dog.subject.tolist() == ["3", "3", "5"] and dog.picture.tolist() == [0, 1, 1]
    assert dog.hand.tolist() == [False, False, True] and dog.visibility.tolist()[2] == [2, 0, 0]


def test_tracks_of_points_and_boxes_and_frames_that_are_images(tmp_path: Path) -> None:
    tracks = (
        "<track id='1' label='face'><points frame='0' outside='0' occluded='1' points='1,2;3,4'/>"
        "<points frame='1' outside='1' points='1,2;3,4'/></track>"
    )
    labels = read(write(tmp_path / "a.xml", image("", "real.png"), tracks))
    assert [p.name for p in labels.pictures] == ["real.png"]
    face = labels.tables[-1]
    assert face.skeleton == Skeleton("face", ("1", "2")) and face.points.tolist() == [[[1, 2], [3, 4]]]
    assert face.visibility.tolist() == [[1, 1]]


def test_points_with_several_places_are_numbered_and_other_counts_kinds_of_their_own(tmp_path: Path) -> None:
    shapes = (
        "<points label='face' occluded='0' points='1,2;3.5,4;5,6'/>"
        "<points label='face' occluded='1' points='7,8;9,10'/>"
    )
    labels = read(write(tmp_path / "a.xml", image(shapes), meta=""))
    assert [each.skeleton.landmarks for each in labels.tables] == [("1", "2", "3"), ("1", "2")]
    assert labels.tables[0].points.tolist() == [[[1, 2], [3.5, 4], [5, 6]]]
    assert labels.tables[1].visibility.tolist() == [[1, 1]] and "2 places here and 3 before" in words(labels)


def test_single_points_belong_together_by_group_box_or_picture(tmp_path: Path) -> None:
    def point(label: str, x: int, group: int = 0) -> str:
        return f"<points label='{label}' occluded='0' points='{x},1' group_id='{group}'/>"

    grouped = point("nose", 1, 1) + point("eye", 2, 1) + point("nose", 3, 2)
    boxed = "<box label='cat' xtl='0' ytl='0' xbr='10' ybr='9'/>" + point("nose", 5) + point("eye", 6)
    labels = read(write(tmp_path / "a.xml", image(grouped), image(boxed, "b.png"), image(point("eye", 8), "c.png"),
                        meta=""))  # fmt: skip
    cat = labels.tables[0]
    assert len(labels.tables) == 1 and cat.skeleton == Skeleton("cat", ("nose", "eye"))
    found = sorted(zip(cat.picture.tolist(), cat.points[..., 0].tolist(), cat.visibility.tolist(), strict=True))
    assert found == [(0, [1, 2], [2, 2]), (0, [3, 0], [2, 0]), (1, [5, 6], [2, 2]), (2, [0, 8], [0, 2])]
    assert np.isfinite(cat.box).all(1).sum() == 1


def test_other_shapes_are_counted_and_doubles_said(tmp_path: Path) -> None:
    inside = f"<polygon label='a' points='1,1;2,2;3,3'/><tag label='b'/><skeleton label='dog'>{EYE}{EYE}</skeleton>"
    labels = read(write(tmp_path / "a.xml", image(inside), image("")))
    assert labels.info["left_out"] == {"shapes of the kind 'polygon'": 1} and len(labels.pictures) == 1
    assert "'dog' has 'eye' twice" in words(labels) and "listed before" in words(labels)


@pytest.mark.parametrize(
    "inside, message",
    [
        ("<skeleton label='dog'><points label='eye' points='1;2'/></skeleton>", "'1' is no place x,y"),
        ("<skeleton label='dog'><points label='eye' points='1,2;3,4'/></skeleton>", "'eye' has 2 places"),
        ("<skeleton label='dog'><points label='eye' points='nan,2'/></skeleton>", "'nan'"),
        ("<skeleton label='dog'><points label='eye' points=''/></skeleton>", "'' is no place"),
        ("<skeleton label='dog'><points points='1,2'/></skeleton>", "'points' has no label"),
        ("<skeleton label='dog'><points label='e' outside='x' points='1,2'/></skeleton>", "neither 0 nor 1"),
        ("<skeleton/>", "'skeleton' has no label"), ("<box xtl='a' ytl='1' xbr='2' ybr='3'/>", "xtl of 'box'"),
        ("<points label='a'/>", "has no points"),
    ],
)  # fmt: skip
def test_bad_values_are_refused_with_their_line(tmp_path: Path, inside: str, message: str) -> None:
    with pytest.raises(FormatError, match=rf"a\.xml, line 3.*{message}"):
        read(write(tmp_path / "a.xml", image(inside)))


def test_bad_frames_other_roots_and_bombs_are_refused(tmp_path: Path) -> None:
    for frame, message in (("-1", "no frame"), ("x", "no number"), ("1e12", "no number|no frame")):
        with pytest.raises(FormatError, match=message):
            read(write(tmp_path / "a.xml", f"<track id='1' label='d'><skeleton frame='{frame}'/></track>"))
    bomb = "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'ha'><!ENTITY c '&b;&b;'>]><annotations>&c;</annotations>"
    (tmp_path / "b.xml").write_text(bomb)
    with pytest.raises(FormatError, match=r"b\.xml: it declares entities"):
        read(tmp_path / "b.xml")
    (tmp_path / "c.xml").write_text("<dataset><images/></dataset>")
    with pytest.raises(FormatError, match="begins with 'dataset'"):
        read(tmp_path / "c.xml")


def test_written_files_have_cvat_s_fields(tmp_path: Path) -> None:
    dog = table(Skeleton("dog", ("nose", "t&l"), ((1, 0),)), [0], [[[1 / 3, 2], [0, 0]]], [[1, 0]],
                box=[[0.5, 1.5, 10.5, 21.5]], hand=[False])  # fmt: skip
    labels = LabelSet((Picture("a.png", None, (30, 20)), Picture("b.png")), (dog,))
    Cvat().write(labels, tmp_path / "out.xml", WriteOptions())
    root = fromstring((tmp_path / "out.xml").read_bytes())
    first = root.find("image")
    assert first.attrib == {"id": "0", "name": "a.png", "width": "30", "height": "20"}
    skeleton, box = first.find("skeleton"), first.find("box")
    assert skeleton.get("source") == "auto" and skeleton.get("group_id") == box.get("group_id") == "1"
    assert [p.attrib for p in skeleton] == [
        {"label": "nose", "outside": "0", "occluded": "1", "points": "0.333333,2"},
        {"label": "t&l", "outside": "1", "occluded": "0", "points": "0,0"},
    ]
    assert [box.get(name) for name in ("xtl", "ytl", "xbr", "ybr")] == ["1", "2", "11", "22"]
    svg = root.find("meta/task/labels/label/svg").text
    assert 'data-node-from="2" data-node-to="1"' in svg and 'data-node-id="2" data-label-name="t&amp;l"' in svg
