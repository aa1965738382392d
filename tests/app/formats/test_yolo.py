"""YOLO-pose: values worked out by hand, and every trap of the format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.formats.registry import FormatError, ReadOptions, WriteOptions
from app.formats.yolo import YoloPose
from engine.images import encode_jpeg, encode_png
from engine.labels import LabelSet, Picture, Skeleton, table
from tests.app.formats.documents import words

pytest.importorskip("yaml")
EXIF = b"\xff\xe1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
YAML = "train: images\nkpt_shape: [2, 3]\nnames: [face]\n"
ROW = "0 0.5 0.5 0.5 1.000000 0.25 0.5 2 1.000000 0.75 1"


def dataset(folder: Path, rows: str | None = ROW, yaml: str = YAML, pictures: tuple[str, ...] = ("a.png",)) -> Path:
    """A data set of pictures of 80 x 40; `rows` are those of the first one."""
    for name in pictures:
        place = folder / "images" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(encode_png(np.zeros((40, 80, 3), np.uint8)))
    if rows is not None:
        label = (folder / "labels" / pictures[0]).with_suffix(".txt")
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_bytes(rows.encode())
    (folder / "data.yaml").write_text(yaml, encoding="utf-8")
    return folder / "data.yaml"


def read(path: Path, **options: object) -> LabelSet:
    return YoloPose().read(path, ReadOptions(**options))


@pytest.mark.parametrize("whole", [True, False])
def test_shares_become_pixels(tmp_path: Path, whole: bool) -> None:
    file = dataset(tmp_path)
    labels = read(tmp_path if whole else file)
    one = labels.tables[0]
    assert one.points.tolist() == [[[20, 20], [80, 30]]] and one.visibility.tolist() == [[2, 1]]
    assert one.box.tolist() == [[19.5, -0.5, 59.5, 39.5]]  # from 20 to 60 of the edge's own count
    assert [(p.name, p.size, p.visited) for p in labels.pictures] == [("a.png", (80, 40), True)]
    assert not labels.problems and one.skeleton.name == "face"
    assert read(file, offset=-0.5).tables[0].points.tolist() == [[[19.5, 19.5], [79.5, 29.5]]]


@pytest.mark.parametrize(
    "names, kpts, expected",
    [
        ("[face, hand]", "[l, r]", ("l", "r")), ("{1: hand, 0: face}", "{0: l, 1: r}", ("l", "r")),
        ("[face, hand]", "{0: [l, r], 1: [a, no]}", ("l", "r")), ("[face, hand]", "{face: [l, r]}", ("l", "r")),
        ("[face, hand]", "[l]", ("1", "2")), ("[face, hand]", "[l, l]", ("1", "2")),
    ],
)  # fmt: skip
def test_names_are_lists_or_maps(tmp_path: Path, names: str, kpts: str, expected: tuple[str, ...]) -> None:
    yaml = f"train: images\nkpt_shape: [2, 3]\nnames: {names}\nkpt_names: {kpts}\n"
    labels = read(dataset(tmp_path, f"{ROW}\n{ROW.replace('0 0.5', '1 0.5', 1)}", yaml))
    assert labels.tables[0].skeleton == Skeleton("face", expected) and labels.tables[1].skeleton.name == "hand"
    if "no" in kpts:
        assert labels.tables[1].skeleton.landmarks == ("a", "no")
    assert ("kpt_names" in words(labels)) == (expected == ("1", "2"))


def test_flip_idx_must_undo_itself(tmp_path: Path) -> None:
    three, row = YAML.replace("[2, 3]", "[3, 3]"), f"{ROW} 0 0 0"
    good = read(dataset(tmp_path / "good", row, three + "flip_idx: [1, 0, 2]\n"))
    assert good.tables[0].skeleton.flip == ((0, 1),) and not good.problems
    for n, bad in enumerate(("[1, 2, 0]", "[0, 1]", "[0, 0, 2]", "[7, 1, 2]")):
        labels = read(dataset(tmp_path / str(n), row, f"{three}flip_idx: {bad}\n"))
        assert labels.tables[0].skeleton.flip == () and "flip_idx" in words(labels)


def test_two_values_cannot_tell_a_corner_from_an_absent_landmark(tmp_path: Path) -> None:
    labels = read(dataset(tmp_path, "0 .5 .5 1 1 0 0 0.5 0.25", YAML.replace("3]", "2]")))
    assert labels.tables[0].visibility.tolist() == [[0, 2]] and labels.tables[0].points[0, 1].tolist() == [40, 10]
    assert "1 landmarks at 0 0 count as absent" in words(labels)


def test_a_visible_landmark_in_the_corner_stays_and_a_hidden_place_is_dropped(tmp_path: Path) -> None:
    labels = read(dataset(tmp_path, "0 .5 .5 1 1 0 0 2 0.5 0.5 0"))
    assert labels.tables[0].visibility.tolist() == [[2, 0]] and labels.tables[0].points[0].tolist() == [[0, 0], [0, 0]]
    assert "1 landmarks with v = 0 have places" in words(labels)


def test_empty_file_is_background_and_no_file_is_unseen(tmp_path: Path) -> None:
    labels = read(dataset(tmp_path, "", pictures=("a.png", "b.png")))
    assert [(p.name, p.visited) for p in labels.pictures] == [("a.png", True), ("b.png", False)]
    assert labels.instances == 0 and not labels.problems


def test_label_without_picture_is_listed_and_found_elsewhere(tmp_path: Path) -> None:
    file = dataset(tmp_path / "set")
    (tmp_path / "set/images/a.png").rename(tmp_path / "a.png")
    lost = read(file)
    assert lost.instances == 0 and "'a.txt': its picture is not there" in words(lost)
    assert read(file, pictures=tmp_path).tables[0].points[0, 1].tolist() == [80, 30]


def test_outlines_and_bare_boxes_are_listed_with_their_lines(tmp_path: Path) -> None:
    rows = f"\ufeff{ROW}\r\n\r\n0 0.1 0.1 0.2 0.1 0.2 0.2\r\n0 .5 .5 .5 .5"
    labels = read(dataset(tmp_path, rows))
    assert labels.tables[0].visibility.tolist() == [[2, 1], [0, 0]]
    assert "a.txt, line 3: 7 values are an outline" in words(labels) and "a.txt, line 4: a box without" in words(labels)


@pytest.mark.parametrize(
    "row, message",
    [
        ("0 1 2 3", "4 values where 11"), (f"{ROW} 2", "12 values"), (ROW.replace("0.25", "0,25"), "decimal comma"),
        (ROW.replace("0.25", "345"), "345 is no share"), (ROW.replace("0.25", "nan"), "no number"),
        (ROW.replace("0 0.5", "1 0.5", 1), "class 1 has no name"), (ROW.replace(" 2 ", " 3 "), "visibility 3"),
        (ROW.replace("0 0.5", "0.5 0.5", 1), "no whole number"), (ROW.replace("0.25", "1e999"), "no number"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_read_are_refused_with_file_and_line(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(FormatError, match=rf"a\.txt, line 2.*{message}"):
        read(dataset(tmp_path, f"{ROW}\n{row}\n"))


@pytest.mark.parametrize(
    "yaml, message",
    [
        ("a: &x [1]\nb: *x\nkpt_shape: [2, 3]", "line 2.*alias"),
        ("[" * 200_000, "line 1.*(deep|depth)"), ("a: " + "[" * 70, "nested deeper"),
        ("- a", "no names"),
        ("kpt_shape: [2, 4]", "kpt_shape"), ("kpt_shape: 5", "kpt_shape"), ("kpt_shape: [a, 3]", "kpt_shape"),
        ("kpt_shape: [2, 3]\nflip_idx: [a, b]", "flip_idx"), ("kpt_shape: [2, 3\nx", "no YAML"), ("\x01", "no YAML"),
        ("kpt_shape: [1000000000, 3]", "kpt_shape"), ("kpt_shape: [2, 3]\nnc: x", "nc"),
    ],
)  # fmt: skip
def test_bad_descriptions_are_refused_with_their_place(tmp_path: Path, yaml: str, message: str) -> None:
    with pytest.raises(FormatError, match=rf"data\.yaml.*{message}"):
        read(dataset(tmp_path, yaml=yaml))


@pytest.mark.parametrize(
    "lines",
    [
        "path: .\ntrain: images", "path: C:\\data\\gone\ntrain: images", "train: ../images", "train: .\\images",
        "train: /data/other/set/images", "train: [images]", "", "train: list.txt",
    ],
)  # fmt: skip
def test_places_of_other_machines_are_found(tmp_path: Path, lines: str) -> None:
    file = dataset(tmp_path / "set", yaml=f"{lines}\nkpt_shape: [2, 3]\nnames: [face]\n")
    (tmp_path / "set/list.txt").write_text(".\\images\\a.png\n")
    labels = read(file)
    assert labels.instances == 1 and labels.pictures[0].path == tmp_path / "set/images/a.png"


def test_splits_and_a_picture_in_two_of_them(tmp_path: Path) -> None:
    yaml = "train: images/train\nval: images/val\ntest: images/train\nkpt_shape: [2, 3]\nnames: [face]\n"
    labels = read(dataset(tmp_path, yaml=yaml, pictures=("train/1.png", "val/é (2).PNG")))
    assert [(p.name, p.split) for p in labels.pictures] == [("1.png", "train"), ("é (2).PNG", "validation")]
    assert labels.instances == 1 and "'1.png': it is in test too" in words(labels)


def test_sizes_are_those_of_pictures_as_displayed(tmp_path: Path) -> None:
    file = dataset(tmp_path)
    jpeg = encode_jpeg(np.zeros((40, 80, 3), np.uint8))
    (tmp_path / "images/a.png").unlink()
    (tmp_path / "images/a.jpg").write_bytes(jpeg[:2] + EXIF + jpeg[2:])
    labels = read(file)
    assert labels.pictures[0].size == (40, 80) and labels.tables[0].points[0].tolist() == [[10, 40], [40, 60]]


def test_two_descriptions_are_named(tmp_path: Path) -> None:
    dataset(tmp_path)
    (tmp_path / "b.yaml").write_text(YAML)
    with pytest.raises(FormatError, match=r"\(b\.yaml, data\.yaml\)"):
        read(tmp_path)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(encode_png(np.zeros((40, 80, 3), np.uint8)))
    person, hand = Skeleton("person", ("l", "r", "no"), (), ((0, 1),)), Skeleton("hand", ("a", "b", "c"), (), ((0, 1),))
    points = np.array([[[1 / 3, 39.4], [0, 0], [79.4, 0]], [[5, 5], [6, 6], [7, 7.123456]]])
    pictures = (
        Picture("a.png", file, (80, 40), "train", True), Picture("../x/a.jpg", None, (6000, 4000), "test", True),
        Picture("C:\\b\\a.png", None, (50, 50), "train"),
    )  # fmt: skip
    labels = LabelSet(pictures, (
        table(person, [0, 1], points, [[2, 0, 1], [2, 2, 2]], box=[[-0.5, 0, 20, 30], [np.nan] * 4]),
        table(hand, [1], points[1:], [[1, 1, 1]]),
    ))  # fmt: skip
    YoloPose().write(labels, tmp_path / "out", WriteOptions(offset=-0.5))
    back = read(tmp_path / "out", offset=-0.5)
    assert [(p.name, p.size, p.split) for p in back.pictures] == [
        ("a.png", (80, 40), "train"), ("x/a.jpg", (6000, 4000), "test")
    ]  # fmt: skip
    for before, after in zip(labels.tables, back.tables, strict=True):
        assert after.skeleton == before.skeleton and (after.visibility == before.visibility).all()
        there = before.visibility > 0
        assert np.abs(after.points - before.points)[there].max() < 1e-5
    assert np.allclose(back.tables[0].box, [[-0.5, 0, 20, 30], [4.5, 4.5, 7.5, 7.623456]], atol=1e-4)
    assert not back.problems
    rows = (tmp_path / "out/labels/train/a.txt").read_text()
    assert "-0 " not in rows and all(len(row.split()) == 5 + 3 * 3 for row in rows.splitlines())


def test_kinds_of_other_lengths_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    kinds = [table(Skeleton(str(k), tuple("abc"[:k])), [0], np.ones((1, k, 2)), np.full((1, k), 2)) for k in (2, 3)]
    with pytest.raises(FormatError, match="one number of landmarks"):
        YoloPose().write(LabelSet((Picture("a", None, (9, 9)),), tuple(kinds)), tmp_path / "out", WriteOptions())
    gone = LabelSet((Picture("a.png", tmp_path / "gone.png", (9, 9)),), (kinds[0],))
    with pytest.raises(FormatError, match=r"gone\.png is not there"):
        YoloPose().write(gone, tmp_path / "out", WriteOptions())
    assert not list(tmp_path.iterdir())
