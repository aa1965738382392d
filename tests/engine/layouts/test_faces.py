"""Faces: 300W, 300W-LP, AFLW2000-3D and WFLW; values worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.labels import ABSENT, VISIBLE
from engine.layouts import FormatError, Options, convert_table, in_schema, read, sniff
from tests.engine.layouts import writers

FACE = np.stack([np.arange(68) + 1.0, np.arange(68) * 2 + 1.5], 1)


def test_300w_is_one_based_and_folders_tell_its_parts(tmp_path: Path) -> None:
    places = {
        "afw/a.pts": ("a.jpg", "train", ""), "helen/trainset/b.pts": ("b.jpg", "train", ""),
        "lfpw/testset/c.pts": ("c.png", "test", "common"), "ibug/d e.pts": ("d e.JPG", "test", "challenging"),
        "300W/01_Indoor/indoor_001.pts": ("indoor_001.png", "test", "indoor"),
    }  # fmt: skip
    for place, (picture, _, _) in places.items():
        writers.pts(tmp_path / place, FACE)
        writers.picture((tmp_path / place).with_name(picture))
    assert sniff(tmp_path) == ("300w",)
    found = read(tmp_path)
    assert not found.problems and len(found.tables[0]) == 5 and found.tables[0].skeleton.name == "ibug68"
    np.testing.assert_array_equal(found.tables[0].points[0], FACE - 1)
    told = {p.name: (p.split, p.attributes.get("subset", "")) for p in found.pictures}
    assert told == {f"{Path(k).parent.as_posix()}/{p}": (s, part) for k, (p, s, part) in places.items()}
    assert all(p.path is not None and p.path.name == Path(p.name).name for p in found.pictures)


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\nn_points:  2\n{\n2 3\n4.5 6\n}\n", "version: 1.0\r\nn_points: 2\r\n{\r\n2   3\r\n4.5\t6\r\n}",
        "\ufeffVERSION: 1\nN_POINTS:2\n\n{\n 2 3 \n\n4.5 6\n}\n\n",
    ],
)  # fmt: skip
def test_spellings_of_pts(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.pts"
    path.write_bytes(text.encode())
    assert read(path).tables[0].points.tolist() == [[[1, 2], [3.5, 5]]]


def test_two_faces_of_one_picture_and_other_numbers(tmp_path: Path) -> None:
    writers.picture(tmp_path / "p.JPG")
    writers.pts(tmp_path / "p_1.pts", FACE)
    writers.pts(tmp_path / "p_2.pts", FACE + 5, "version: 1.0", "\r\n")
    writers.pts(tmp_path / "q.pts", FACE[:19])
    writers.pts(tmp_path / "zero.pts", [(1, 1)] * 19)
    found = read(tmp_path)
    assert [(len(t.skeleton), len(t)) for t in found.tables] == [(19, 2), (68, 2)]
    both = found.tables[1]
    assert found.pictures[both.picture[0]].name == "p.JPG" and both.picture[0] == both.picture[1]
    assert (found.tables[0].points[1] == 0).all() and (found.tables[0].visibility == VISIBLE).all()
    assert {p.where for p in found.problems} == {"q", "zero"}


BROKEN = {
    "n_points": "version: 1\nn_points: 3\n{\n1 1\n2 2\n}", "brace": "version: 1\nn_points: 2\n{\n1 1\n2 2\n",
    "comma": "version: 1\nn_points: 1\n{\n1,5 2,5\n}", "nan": "n_points: 1\n{\nnan 1\n}", "three": "{\n1 2 3\n}",
    "words": "hello", "many": "n_points: 99999999999\n{\n}",
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_pts(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.pts"
    path.write_text(BROKEN[name])
    with pytest.raises(FormatError, match=f"{name}.pts"):
        read(path)
    writers.pts(tmp_path / "good.pts", FACE)
    found = read(tmp_path)
    assert len(found.tables[0]) == 1 and any(p.where == path.name for p in found.problems)


def test_two_pictures_of_one_stem_are_said(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg"):
        writers.picture(tmp_path / name)
    writers.pts(tmp_path / "a.pts", FACE)
    found = read(tmp_path)
    assert found.pictures[0].name == "a.jpg" and "fits 2 pictures" in found.problems[0].what


def pose(pitch: float, yaw: float, roll: float) -> list[list[float]]:
    return [[*np.radians([pitch, yaw, roll]), 10, 20, 0, 0.001]]


def test_300w_lp(tmp_path: Path) -> None:
    for n in (0, 1):
        writers.picture(tmp_path / "AFW" / f"AFW_1_1_{n}.jpg")
        path = tmp_path / "AFW" / f"AFW_1_1_{n}.mat"
        writers.mat(path, pt2d=FACE.T + n, Pose_Para=pose(5, -60, 10), roi=[[1, 1, 450, 450]])
        other = {"pts_2d": FACE + 100, "pts_3d": FACE + 200}
        writers.mat(tmp_path / "landmarks" / "AFW" / f"AFW_1_1_{n}_pts.mat", **other)
    writers.mat(tmp_path / "Code" / "Model.mat", mu=np.zeros(3))
    assert sniff(tmp_path) == ("300w-lp",)
    found = read(tmp_path)
    table = found.tables[0]
    assert not found.problems and len(table) == 2
    np.testing.assert_array_equal(table.points[1], FACE + 1)
    np.testing.assert_allclose(table.extras["yaw"], (-60, -60))
    np.testing.assert_allclose((table.extras["pitch"][0], table.extras["roll"][0]), (5, 10))
    assert {p.attributes["group"] for p in found.pictures} == {"AFW_1_1"} and found.pictures[0].split == "train"
    assert found.pictures[1].name == "AFW/AFW_1_1_1.jpg" and found.pictures[1].path is not None
    for places, add in (("pts_2d", 100), ("pts_3d", 200)):
        np.testing.assert_array_equal(read(tmp_path, None, Options(places=places)).tables[0].points[0], FACE + add)
    np.testing.assert_array_equal(read(tmp_path, None, Options(offset=-1)).tables[0].points[0], FACE - 1)
    with pytest.raises(FormatError, match="pts_2d or pts_3d"):
        read(tmp_path, None, Options(places="pts"))


def test_aflw2000(tmp_path: Path) -> None:
    sparse = np.full((2, 21), -1.0)
    sparse[:, 20] = 33, 44
    deep = np.vstack([FACE.T, np.full((1, 68), 7.0)])
    writers.picture(tmp_path / "image00002.jpg")
    writers.mat(tmp_path / "image00002.mat", pt2d=sparse, pt3d_68=deep, Pose_Para=pose(0, 75, 0))
    writers.mat(tmp_path / "image00004.mat", pt2d=sparse, Pose_Para=pose(0, 1, 0))
    writers.mat(tmp_path / "odd.mat", pt3d_68=np.zeros((3, 5)))
    assert sniff(tmp_path) == ("aflw2000",)
    found = read(tmp_path)
    whole, few = found.tables
    assert (whole.skeleton.name, few.skeleton.name, len(whole), len(few)) == ("ibug68", "aflw21", 1, 2)
    np.testing.assert_array_equal(whole.points[0], FACE)
    np.testing.assert_allclose(whole.extras["yaw"], [75])
    assert few.visibility[0].tolist() == [ABSENT] * 20 + [VISIBLE] and few.points[0, 20].tolist() == [33, 44]
    assert [p.split for p in found.pictures] == ["test", "test"]
    assert {p.where for p in found.problems} == {"odd.mat", "image00004"}
    assert in_schema(found, "ibug68").tables == (whole,)
    fewer = in_schema(found, "aflw19").tables
    assert len(fewer) == 1 and fewer[0].skeleton.name == "aflw19"


def test_landmarks_of_aflw_from_68(tmp_path: Path) -> None:
    """3DDFA's list, counted from 1: eyes' centres are means of 37 to 42 and 43 to 48, the mouth's of 61 to 68."""
    writers.pts(tmp_path / "a.pts", FACE, "version: 1")
    table = read(tmp_path).tables[0]
    few = convert_table(table, "aflw21")
    wanted = [18, 20, 22, 23, 25, 27, 37, 39.5, 40, 43, 45.5, 46, 3, 32, 31, 36, 15, 49, 64.5, 55, 9]
    assert (few.points[0, :, 0] + 1).tolist() == wanted  # the x of landmark n is n, less 1 for the base
    fewer = convert_table(table, "aflw19")
    assert (fewer.points[0, :, 0] + 1).tolist() == [w for w in wanted if w not in (3, 15)]
    assert convert_table(few, "aflw19").points.tolist() == fewer.points.tolist()
    with pytest.raises(FormatError, match="no way"):
        convert_table(table, "mpii16")


WFLW = np.stack([np.arange(98) + 0.25, 200 - np.arange(98) * 1.5], 1)


def wflw_line(points: np.ndarray, path: str, box: str = "1 2 90 210", flags: str = " 1 0 0 1 0 0") -> str:
    return " ".join(f"{v:.6f}" for v in points.ravel()) + f" {box}{flags} {path}".replace("  ", " ")


def test_wflw(tmp_path: Path) -> None:
    writers.picture(tmp_path / "WFLW_images" / "0--Parade" / "a b.jpg")
    folder = tmp_path / "WFLW_annotations" / "list_98pt_rect_attr_train_test"
    folder.mkdir(parents=True)
    lines = [wflw_line(WFLW, "0--Parade/a b.jpg"), wflw_line(WFLW + 1, "0--Parade/a b.jpg"), ""]
    (folder / "list_98pt_rect_attr_train.txt").write_text("\r\n".join(lines))
    (folder / "list_98pt_rect_attr_test.txt").write_text(wflw_line(WFLW, "x.jpg") + "\n1 2 3 y.jpg\n")
    assert sniff(folder / "list_98pt_rect_attr_test.txt") == ("wflw",) == sniff(tmp_path)
    found = read(tmp_path, None, Options(pictures=tmp_path / "WFLW_images"))
    table = found.tables[0]
    assert len(table) == 3 and table.skeleton.name == "wflw98"
    splits = {p.name: p.split for p in found.pictures}
    assert splits == {"0--Parade/a b.jpg": "train", "x.jpg": "test"}
    train = [i for i in range(3) if found.pictures[table.picture[i]].split == "train"]
    np.testing.assert_allclose(table.points[train], [WFLW, WFLW + 1])
    assert table.box[0].tolist() == [1, 2, 90, 210]
    flags = [table.extras[n][0] for n in ("pose", "expression", "illumination", "make_up", "occlusion", "blur")]
    assert flags == [1, 0, 0, 1, 0, 0]
    assert {p.where for p in found.problems} == {"x.jpg", "list_98pt_rect_attr_test.txt, line 2"}


@pytest.mark.parametrize(("box", "flags"), [("", ""), ("1 2 3 4", "")])
def test_short_wflw_lists_and_68(tmp_path: Path, box: str, flags: str) -> None:
    path = tmp_path / "list_98pt_test.txt"
    path.write_text(wflw_line(WFLW, "7 up 1 2 3 4/c.jpg", box, flags))
    found = read(path)
    assert found.pictures[0].name == "7 up 1 2 3 4/c.jpg"
    table = convert_table(found.tables[0], "ibug68")
    x = table.points[0, :, 0] - 0.25
    assert x[:17].tolist() == list(range(0, 33, 2)) and x[[36, 39, 42, 45]].tolist() == [60, 64, 68, 72]
    assert x[[30, 33, 48, 54, 60, 64]].tolist() == [54, 57, 76, 82, 88, 92]


def test_lists_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("1 2 3\n")
    assert sniff(path) == ()
    with pytest.raises(FormatError, match="Line 1 of list.txt"):
        read(path, "wflw")
    path.write_text("")
    with pytest.raises(FormatError, match="holds no faces"):
        read(path, "wflw")
