"""MPII in its four forms: one person through all of them, with every trap; values worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.labels import ABSENT, OCCLUDED, VISIBLE
from engine.layouts import FormatError, Options, read, sniff
from engine.layouts.mpii import crop
from tests.engine.layouts import writers

SEEN = {0: (11.0, 21.0, 1), 9: (51.5, 2.25, None), 8: (50.0, 9.0, None), 10: (31.0, 41.0, "0"), 5: (7.0, 8.0, 0)}
HEAD = (40.0, 2.0, 70.0, 42.0)  # 30 by 40: diagonal 50
PERSON = {"head": HEAD, "scale": 2.0, "objpos": (100.0, 80.0), "points": SEEN}


def release(folder: Path, *more: dict) -> Path:
    other = {"scale": 1.0, "objpos": (5.0, 6.0), "points": {2: (3, 4, "1")}}
    pictures = [
        {"name": "a.jpg", "train": 1, "people": [PERSON, other], "single": [1]},
        {"name": "b.jpg", "train": 1, "people": []},
        {"name": "c.jpg", "train": 0, "people": [{"scale": 3.0, "objpos": (9.0, 9.0)}]},
        *more,
    ]  # fmt: skip
    writers.picture(folder / "images" / "a.jpg")
    return writers.mpii_mat(folder / "mpii_human_pose_v1_u12_1.mat", pictures)


def check_person(table, n: int) -> None:
    assert table.visibility[n].tolist() == [2, 0, 0, 0, 0, 1, 0, 0, 2, 2, 1, 0, 0, 0, 0, 0]
    np.testing.assert_array_equal(table.points[n, 0], (10, 20))
    np.testing.assert_array_equal(table.points[n, 9], (50.5, 1.25))
    np.testing.assert_array_equal(table.points[n, 10], (30, 40))
    np.testing.assert_allclose(table.extras["center"][n], (99, 79))
    np.testing.assert_allclose(table.extras["scale"][n], 2)
    np.testing.assert_allclose(table.box[n], (99 - 200, 79 - 200, 99 + 200, 79 + 200))


def test_the_struct(tmp_path: Path) -> None:
    path = release(tmp_path)
    assert sniff(path) == sniff(tmp_path) == ("mpii-mat",)
    found = read(path)
    table = found.tables[0]
    check_person(table, 0)
    assert table.skeleton.name == "mpii16" and len(table) == 3
    assert [(p.name, p.split, p.path is not None) for p in found.pictures] == [
        ("a.jpg", "train", True), ("b.jpg", "train", False), ("c.jpg", "test", False),
    ]  # fmt: skip
    assert table.extras["head_box"][0].tolist() == [39, 1, 69, 41] and table.extras["head_size"][0] == 30
    assert np.isnan(table.extras["head_size"][1]) and table.extras["single"].tolist() == [1, 0, 0]
    assert table.picture.tolist() == [0, 0, 2] and (table.visibility[2] == ABSENT).all()
    assert table.visibility[1, 2] == VISIBLE and table.points[1, 2].tolist() == [2, 3]
    assert {p.where for p in found.problems} == {"b.jpg", "c.jpg"}  # the missing pictures, and nothing else


def test_landmarks_without_place_and_twice_are_listed(tmp_path: Path) -> None:
    bad = {"scale": 1.0, "objpos": (1.0, 1.0), "points": {3: (1.0, 2.0, 1), 16: (1.0, 2.0, 1)}}
    found = read(release(tmp_path, {"name": "d.jpg", "train": 1, "people": [bad]}))
    assert found.tables[0].visibility[3].tolist() == [0] * 3 + [VISIBLE] + [0] * 12
    assert any("annolist(4)" in p.where and "left out" in p.what for p in found.problems)


def test_another_offset(tmp_path: Path) -> None:
    found = read(release(tmp_path), options=Options(offset=0.0))
    assert found.tables[0].points[0, 0].tolist() == [11, 21]


@pytest.mark.parametrize("source", ["valid.h5", "annot/valid.h5", "detections.mat", "mpii_annotations.json"])
def test_tompsons_validation_people(tmp_path: Path, source: str) -> None:
    """The first picture's second person validates; numbers start at 0 in the h5 file, at 1 in the others."""
    path = release(tmp_path)
    if source.endswith(".h5"):
        writers.mpii_h5(tmp_path / source, imgname=["a.jpg"], index=[0], person=[1])
    elif source.endswith(".mat"):
        writers.mat(tmp_path / source, RELEASE_img_index=[[1.0]], RELEASE_person_index=[[2.0]])
    else:
        one = {"annolist_index": 1.0, "people_index": 2.0, "isValidation": 1.0}
        writers.as_json(tmp_path / source, [one, one | {"people_index": 1.0, "isValidation": 0.0}])
    found = read(path)
    splits = [found.pictures[p].split for p in found.tables[0].picture]
    assert splits == ["train", "validation", "test"]
    assert {p.name for p in found.pictures} == {"a.jpg", "b.jpg", "c.jpg"} and len(found.pictures) == 4


@pytest.mark.parametrize("names", ["texts", "codes", "beside"])
@pytest.mark.parametrize("group", ["", "annot"])
def test_the_hourglass_file_undoes_its_adjustment(tmp_path: Path, names: str, group: str) -> None:
    """340 + 15 * 4.718488 = 410.777 and 4.718488 * 1.25 = 5.89811 stand in the published file."""
    part = np.zeros((2, 16, 2))
    part[0, 0], part[0, 3] = (12.0, 1.0), (0.0, 5.0)
    visible = np.zeros((2, 16))
    visible[0, 0] = 1
    path = writers.mpii_h5(
        tmp_path / "annot" / "valid.h5", group, names, imgname=["x.jpg", "x.jpg"], part=part, visible=visible,
        center=[[594.0, 410.77732], [101.0, 111.0]], scale=[5.89811, 2.5], index=[4, 4], person=[0, 1],
        normalize=[117.96, 50], torsoangle=[0.5, 0],
    )  # fmt: skip
    writers.picture(tmp_path / "images" / "x.jpg")
    assert sniff(path) == sniff(tmp_path) == ("mpii-h5",)
    found = read(tmp_path)
    table = found.tables[0]
    np.testing.assert_allclose(table.extras["center"][0], (593, 339), atol=1e-5)
    np.testing.assert_allclose(table.extras["scale"], (4.718488, 2))
    np.testing.assert_allclose(table.extras["center"][1], (100, 80))  # 111 - 15 * 2 - 1
    np.testing.assert_allclose(table.extras["head_size"], (25 * 4.718488, 50))
    assert table.visibility[0, :4].tolist() == [VISIBLE, ABSENT, ABSENT, OCCLUDED]
    assert table.points[0, 0].tolist() == [11, 0] and table.points[0, 3].tolist() == [-1, 4]
    assert [(p.name, p.split) for p in found.pictures] == [("x.jpg", "validation")] and not found.problems
    center, side = crop(table.extras["center"], table.extras["scale"])
    np.testing.assert_allclose(center[0], (593, 409.77732), atol=1e-4)
    np.testing.assert_allclose(side, (200 * 5.89811, 500))


def hrnet(name: str = "a.jpg") -> dict:
    joints, vis = np.full((16, 2), -1.0), [0] * 16
    for k, (x, y, seen) in SEEN.items():
        joints[k], vis[k] = (x, y), 0 if str(seen) == "0" else 1
    return {"joints_vis": vis, "joints": joints.tolist(), "image": name, "scale": 2.0, "center": [100.0, 80.0]}


def test_the_list_of_hrnet(tmp_path: Path) -> None:
    writers.picture(tmp_path / "images" / "a.jpg")
    for split in ("train", "valid"):
        path = writers.as_json(tmp_path / "annot" / f"{split}.json", [hrnet()])
    writers.as_json(tmp_path / "annot" / "test.json", [{"image": "t.jpg", "center": [-1, -1], "scale": -1}])
    assert sniff(path) == sniff(tmp_path) == ("mpii-json",)
    found = read(tmp_path)
    table = found.tables[0]
    assert [p.split for p in found.pictures] == ["train", "validation", "test"] and len(table) == 3
    check_person(table, 0)
    check_person(table, 1)
    assert (table.visibility[2] == ABSENT).all() and np.isnan(table.box[2]).all()
    assert table.extras["head_size"][0] == 50 and np.isnan(table.extras["head_size"][2])


def test_the_list_of_pytorch_pose(tmp_path: Path) -> None:
    joints = np.zeros((16, 3))
    for k, (x, y, seen) in SEEN.items():
        joints[k] = x, y, 0 if str(seen) == "0" else 1
    one = {
        "dataset": "MPI", "isValidation": 1.0, "img_paths": "a.jpg", "objpos": [100.0, 80.0], "scale_provided": 2.0,
        "joint_self": joints.tolist(), "joint_others": joints.tolist(), "numOtherPeople": 1.0, "annolist_index": 5.0,
        "people_index": 1.0,
    }  # fmt: skip
    path = writers.as_json(tmp_path / "mpii_annotations.json", [one, one | {"isValidation": 0.0}])
    assert sniff(path) == ("mpii-pose-json",)
    found = read(path)
    assert len(found.tables[0]) == 2 and [p.split for p in found.pictures] == ["validation", "train"]
    check_person(found.tables[0], 0)


BAD = {
    "x.mat": b"MATLAB 5.0 MAT-file" + b"\0" * 40,
    "valid.h5": b"\x89HDF\r\n\x1a\n" + b"\0" * 200,
    "train.json": b'[{"image": "a", "center": [1, 2], "scale": 1, "joints": [[1, 2]]}]',
    "nan.json": b'[{"image": "a", "center": [1, NaN], "scale": 1}]',
    "mpii_annotations.json": b'[{"img_paths": "a", "joint_self": "x"}]',
}


@pytest.mark.parametrize("name", BAD)
def test_damaged_files_are_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    forms = ("mpii-mat", "mpii-h5", "mpii-json", "mpii-json", "mpii-pose-json")
    form = dict(zip(BAD, forms, strict=True))[name]
    path = tmp_path / name
    path.write_bytes(BAD[name])
    with pytest.raises(FormatError) as told:
        read(path, form)
    assert name in str(told.value) and str(told.value).endswith((".", "?")) and "\n" not in str(told.value)


def test_a_mat_file_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no variable RELEASE"):
        read(writers.mat(tmp_path / "x.mat", joints=np.zeros((3, 14, 2))), "mpii-mat")
    with pytest.raises(FormatError, match="annolist"):
        read(writers.mat(tmp_path / "y.mat", RELEASE=writers.structs({"version": "12"})), "mpii-mat")
