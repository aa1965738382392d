"""LSP and LSP-extended: one name, other axes, the opposite flag."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.labels import ABSENT, OCCLUDED, VISIBLE
from engine.layouts import FormatError, Options, convert_table, read, sniff
from tests.engine.layouts import writers

# (picture, landmark, x y flag): the second landmark of the first picture has the flag.
JOINTS = np.zeros((3, 14, 3))
JOINTS[..., 0] = np.arange(14) + [[0.5], [20], [40]]
JOINTS[..., 1] = np.arange(14) * 2
JOINTS[0, 1, 2] = 1


def test_lsp_flags_the_occluded(tmp_path: Path) -> None:
    path = writers.mat(tmp_path / "joints.mat", joints=JOINTS.transpose(2, 1, 0))
    writers.picture(tmp_path / "images" / "im0002.jpg")
    assert sniff(path) == sniff(tmp_path) == ("lsp",)
    found = read(path)
    table = found.tables[0]
    assert table.visibility[0].tolist() == [VISIBLE, OCCLUDED] + [VISIBLE] * 12
    assert (table.visibility[1:] == VISIBLE).all()
    assert table.points[0, 1].tolist() == [1.5, 2] and table.points[2, 13].tolist() == [53, 26]
    assert [p.name for p in found.pictures] == ["im0001.jpg", "im0002.jpg", "im0003.jpg"]
    assert [p.path is None for p in found.pictures] == [True, False, True]
    assert {p.where for p in found.problems} == {"im0001.jpg", "im0003.jpg"}
    assert table.skeleton.landmarks[12:] == ("Neck", "Head top")


def test_lsp_extended_flags_the_given(tmp_path: Path) -> None:
    joints = JOINTS.copy()
    joints[1, :, 2], joints[2, :3, 2] = 1, 1
    joints[0, 0, :2] = -250, -322  # junk of a landmark that was not given
    path = writers.mat(tmp_path / "joints.mat", joints=joints.transpose(1, 2, 0))
    assert sniff(path) == ("lsp-extended",)
    found = read(path)
    table = found.tables[0]
    assert table.visibility[0].tolist() == [ABSENT, VISIBLE] + [ABSENT] * 12
    assert (table.visibility[1] == VISIBLE).all() and table.points[0, 0].tolist() == [0, 0]
    assert found.pictures[2].name == "im00003.jpg" and {p.split for p in found.pictures} == {"train"}


def test_the_name_decides_where_axes_do_not(tmp_path: Path) -> None:
    """LSP's axes with the other set's flags, as a converter left them: told by name."""
    path = writers.mat(tmp_path / "joints.mat", joints=JOINTS.transpose(2, 1, 0))
    assert read(path, "lsp-extended").tables[0].visibility[0].tolist() == [ABSENT, VISIBLE] + [ABSENT] * 12
    path = writers.mat(tmp_path / "joints.mat", joints=np.zeros((20, 14, 3)))
    assert sniff(path) == ("lsp", "lsp-extended")
    with pytest.raises(FormatError, match="lsp or lsp-extended"):
        read(path)
    assert (read(path, "lsp").tables[0].visibility == VISIBLE).all()
    assert (read(path, "lsp-extended").tables[0].visibility == ABSENT).all()


def test_the_first_thousand_are_for_training(tmp_path: Path) -> None:
    path = writers.mat(tmp_path / "joints.mat", joints=np.zeros((3, 14, 2000)))
    splits = [p.split for p in read(path).pictures]
    assert splits == ["train"] * 1000 + ["test"] * 1000


def test_flags_that_look_like_the_other_set_are_said(tmp_path: Path) -> None:
    joints = np.ones((3, 14, 200))
    found = read(writers.mat(tmp_path / "joints.mat", joints=joints))
    assert any("lsp-extended?" in p.what for p in found.problems)


def test_one_picture_loses_its_axis_and_offset_is_a_setting(tmp_path: Path) -> None:
    path = writers.mat(tmp_path / "joints.mat", joints=JOINTS[0].T)
    found = read(path, options=Options(offset=-1))
    assert found.tables[0].points[0, 1].tolist() == [0.5, 1]


def test_as_mpii(tmp_path: Path) -> None:
    path = writers.mat(tmp_path / "joints.mat", joints=JOINTS.transpose(2, 1, 0))
    table = convert_table(read(path).tables[0], "mpii16")
    x = table.points[0, :, 0] - 0.5
    # LSP: ankles 0 5, knees 1 4, hips 2 3, wrists 6 11, elbows 7 10, shoulders 8 9, neck 12, head 13
    assert x.tolist() == [0, 1, 2, 3, 4, 5, 2.5, 8.5, 12, 13, 6, 7, 8, 9, 10, 11]
    assert table.visibility[0, 1] == OCCLUDED
    back = convert_table(table, "lsp14")
    np.testing.assert_array_equal(back.points[0], JOINTS[0, :, :2])


@pytest.mark.parametrize("joints", [np.zeros((3, 13, 4)), np.zeros(7), np.full((3, 14, 2), 0.5), "text"])
def test_other_matrices_are_refused(tmp_path: Path, joints: object) -> None:
    with pytest.raises(FormatError, match="joints"):
        read(writers.mat(tmp_path / "joints.mat", joints=joints), "lsp")
