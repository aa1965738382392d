"""AFLW: the database, the revised list of 19 landmarks, and PIFA's 34; values worked out by hand."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from engine.labels import ABSENT, OCCLUDED, VISIBLE
from engine.layouts import FormatError, Options, aflw, read, sniff
from engine.layouts.mirror import MirrorError, derive_flip
from engine.schema import load_schema
from tests.engine.layouts import writers

FACES = [
    {"id": 39341, "file": "image00002.jpg", "path": "0/image00002.jpg", "rect": (10, 20, 30, 40),
     "pose": (0.1, -0.2, np.pi / 4), "points": {1: (5.5, 6.5), 21: (7.0, 80.25)}},
    {"id": 39342, "file": "image00002.jpg", "path": "0/image00002.jpg", "points": {13: (0.0, 0.0)}},
    {"id": 39343, "file": "lost.jpg", "points": {}},
]  # fmt: skip


def test_the_database(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    path = writers.aflw(tmp_path / "data" / "aflw.sqlite", FACES, list(aflw.AFLW_NAMES))
    writers.picture(tmp_path / "data" / "flickr" / "0" / "image00002.jpg")
    assert sniff(path) == sniff(tmp_path) == ("aflw",)
    found = read(path)
    table = found.tables[0]
    assert len(table) == 2 and [(p.name, p.size) for p in found.pictures] == [("0/image00002.jpg", (8, 6))]
    assert found.pictures[0].path == tmp_path / "data" / "flickr" / "0" / "image00002.jpg"
    assert table.visibility[0].tolist() == [VISIBLE] + [ABSENT] * 19 + [VISIBLE]
    assert table.points[0, 0].tolist() == [5.5, 6.5] and table.points[0, 20].tolist() == [7, 80.25]
    assert table.visibility[1].tolist() == [ABSENT] * 12 + [VISIBLE] + [ABSENT] * 8  # a true landmark at (0, 0)
    assert table.box[0].tolist() == [10, 20, 40, 60] and np.isnan(table.box[1]).all()
    assert table.subject.tolist() == ["39341", "39342"]
    np.testing.assert_allclose(table.extras["yaw"][0], 45)
    np.testing.assert_allclose(np.radians([table.extras["roll"][0], table.extras["pitch"][0]]), (0.1, -0.2))
    assert [p.where for p in found.problems] == ["aflw.sqlite, face 39343"]


def test_features_go_by_their_names(tmp_path: Path) -> None:
    names = list(aflw.AFLW_NAMES)
    names[0], names[20] = names[20], names[0]
    table = read(writers.aflw(tmp_path / "aflw.sqlite", FACES[:1], names)).tables[0]
    assert table.points[0, 20].tolist() == [5.5, 6.5] and table.points[0, 0].tolist() == [7, 80.25]


def test_the_pictures_left_is_the_subjects_right() -> None:
    schema = load_schema("aflw21")
    for name, side in zip(aflw.AFLW_NAMES, schema.sides, strict=True):
        word = next((w for w in ("Left", "Right") if name.startswith(w)), "")
        assert not word or side == {"Left": "right", "Right": "left"}[word]


@pytest.mark.parametrize(
    ("statements", "match"),
    [
        (["create table Faces (face_id)"], "lacks the table FaceImages, FeatureCoords"),
        ([*writers.TABLES, "insert into FeatureCoords values (1, 1, 'x', 2, 1)"], "text for a number"),
        ([*writers.TABLES], "holds no faces"),
        ([*writers.TABLES[1:], "create view Faces as select 1"], "lacks the table Faces"),
        ([*writers.TABLES[1:], "create table Faces (face_id integer)"], "no such column"),
    ],
)  # fmt: skip
def test_other_databases_are_refused(tmp_path: Path, statements: list[str], match: str) -> None:
    path = tmp_path / "aflw.sqlite"
    with closing(sqlite3.connect(path)) as base, base:
        for statement in statements:
            base.execute(statement)
    with pytest.raises(FormatError, match=match):
        read(path, "aflw")


def test_a_cut_database_is_refused(tmp_path: Path) -> None:
    path = writers.aflw(tmp_path / "aflw.sqlite", FACES, list(aflw.AFLW_NAMES))
    path.write_bytes(path.read_bytes()[:6000])
    with pytest.raises(FormatError, match="aflw.sqlite"):
        read(path, "aflw")


def full(folder: Path, n: int = 4, **changes: object) -> Path:
    x = np.arange(19) + 10.0 * np.arange(1, n + 1)[:, None]
    mask = np.ones((n, 19))
    mask[1, 3] = 0
    held = {
        "nameList": writers.cells(*(f"0/im{k // 2}.jpg" for k in range(n))).T,
        "bbox": np.tile([5.0, 45, 10, 60], (n, 1)),
        "data": np.hstack([x, x * 2]), "mask_new": mask, "ra": np.array([[3.0, 1, 2, 4]])[:, :n],
    }  # fmt: skip
    return writers.mat(folder / "AFLWinfo_release.mat", **held | changes)


def test_the_full_list(tmp_path: Path) -> None:
    path = full(tmp_path)
    writers.picture(tmp_path / "data" / "flickr" / "0" / "im0.jpg")
    assert sniff(path) == sniff(tmp_path) == ("aflw-full",)
    found = aflw.read_full(path, Options(), train=2)
    table = found.tables[0]
    assert [found.pictures[p].split for p in table.picture] == ["train", "test", "train", "test"]  # ra: 3 and 1 learn
    assert table.points[1, 4].tolist() == [24, 48] and table.points[0, 18].tolist() == [28, 56]
    assert table.visibility[1].tolist() == [VISIBLE] * 3 + [OCCLUDED] + [VISIBLE] * 15
    assert table.extras["frontal"].tolist() == [True, False, True, True]
    assert table.box[0].tolist() == [5, 10, 45, 60]  # left, right, top, bottom in the file
    assert {p.where for p in found.problems} == {"0/im1.jpg"}
    assert {p.split for p in read(path).pictures} == {"train"}  # all four are among the first 20,000


@pytest.mark.parametrize(
    "changes", [{"ra": np.array([[1, 1, 2, 3]])}, {"data": np.zeros((4, 42))}, {"bbox": np.zeros((3, 4))},
                {"nameList": writers.cells("a", "", "c", "d")}]
)  # fmt: skip
def test_a_full_list_that_does_not_fit(tmp_path: Path, changes: dict) -> None:
    with pytest.raises(FormatError, match="AFLWinfo_release.mat"):
        read(full(tmp_path, **changes))


def pifa(folder: Path, marks: np.ndarray, boxes: np.ndarray | None = None) -> Path:
    half = len(marks) // 2
    boxes = np.tile([1.0, 2, 30, 40], (len(marks), 1)) if boxes is None else boxes
    writers.mat(folder / "BoundingBox.mat", bboxesTr=boxes[:half], bboxesT=boxes[half:])
    return writers.mat(folder / "Landmark.mat", phisTr=marks[:half], phisT=marks[half:])


def shapes(mean: np.ndarray, n: int = 60) -> np.ndarray:
    """n shapes (K, 2): the mean moved, scaled, turned to the side and disturbed."""
    rng = np.random.default_rng(1)
    turned = mean[None] * (100 + 20 * rng.random((n, 1, 1))) + rng.normal(0, 0.8, (n, len(mean), 2))
    turned[..., 0] += rng.normal(0, 0.1, (n, 1)) * (turned[..., 1] - 50)
    return turned + rng.random((n, 1, 2)) * 50


def test_pifa(tmp_path: Path) -> None:
    marks = np.zeros((4, 102))
    marks[:, :34], marks[:, 34:68] = np.arange(34), np.arange(34) * 2
    marks[:, 68:] = 1
    marks[0, 68 + 5] = 0
    path = pifa(tmp_path, marks)
    writers.picture(tmp_path / "TrainImages" / "1.jpg")
    assert sniff(path) == sniff(tmp_path) == ("aflw-pifa",)
    found = read(tmp_path)
    table = found.tables[0]
    assert [(p.name, p.split) for p in found.pictures] == [
        ("TrainImages/1.jpg", "train"), ("TrainImages/2.jpg", "train"),
        ("TestImages/1.jpg", "test"), ("TestImages/2.jpg", "test"),
    ]  # fmt: skip
    assert table.points[0, 5].tolist() == [5, 10] and table.box[0].tolist() == [1, 2, 31, 42]
    assert (table.visibility == OCCLUDED).sum() == 1 and table.visibility[0, 5] == OCCLUDED
    turned = read(path, None, Options(visible_flag=0)).tables[0]
    assert (turned.visibility == VISIBLE).sum() == 1 and turned.visibility[0, 5] == VISIBLE
    assert any("unchecked" in p.what for p in found.problems)


def test_pifa_mirror_pairs_come_from_the_shapes(tmp_path: Path) -> None:
    mean = np.array(load_schema("pifa34").mean)
    order = np.array([*range(21), 23, 21, 22, *range(24, 34)])  # the added landmarks in another order
    for permuted in (np.arange(34), order):
        marks = np.ones((60, 102))
        marks[:, :68] = shapes(mean[permuted]).transpose(0, 2, 1).reshape(60, 68)
        found = read(pifa(tmp_path, marks))
        flip = load_schema("pifa34").permutation
        wanted = np.argsort(permuted)[flip[permuted]]
        pairs = {(a, int(b)) for a, b in enumerate(wanted) if a < b}
        assert set(found.tables[0].skeleton.flip) == pairs
        assert any("other mirror pairs" in p.what for p in found.problems) == (permuted is order)


@pytest.mark.parametrize("name", ["ibug68", "aflw21", "aflw19", "wflw98", "pifa34", "mpii16", "lsp14", "coco17"])
def test_the_method_finds_the_known_pairs(name: str) -> None:
    schema = load_schema(name)
    points = shapes(np.array(schema.mean) * 3)
    np.testing.assert_array_equal(derive_flip(points, np.ones(points.shape[:2], bool)), schema.permutation)


def test_too_few_shapes() -> None:
    with pytest.raises(MirrorError, match="20 are needed"):
        derive_flip(np.zeros((30, 5, 2)), np.eye(30, 5) > 0)


def test_pifa_that_does_not_fit(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="phisTr"):
        read(pifa(tmp_path, np.zeros((4, 90))))
    path = pifa(tmp_path, np.zeros((4, 102)))
    (tmp_path / "BoundingBox.mat").unlink()
    with pytest.raises(FormatError, match="BoundingBox.mat does not lie"):
        read(path)


def test_training_mirrors_by_the_pairs_of_the_shapes(tmp_path: Path) -> None:
    """With the added landmarks in another order than our schema's; the trained model keeps the pairs."""
    pytest.importorskip("torch")
    from engine.modelfile import read_model
    from engine.train.run import run

    order = np.array([*range(21), 23, 21, 22, *range(24, 34)])
    marks = np.ones((60, 102))
    marks[:, :68] = shapes(np.array(load_schema("pifa34").mean)[order]).transpose(0, 2, 1).reshape(60, 68)
    path = pifa(tmp_path, marks)
    picture = writers.picture(tmp_path / "TrainImages" / "1.jpg", 64, 64)
    for n in range(2, 61):
        (tmp_path / "TrainImages" / f"{n}.jpg").write_bytes(picture.read_bytes())
    told: list[dict] = []

    class Orders:
        stopping, go = False, threading.Event()

    Orders.go.set()
    small = {"steps": 1, "batch": 2, "width": 32, "stem": 16, "side": 64, "exact": False}
    start = {"packs": [str(path)], "schema": "pifa34", "out": str(tmp_path / "run"), "settings": small}
    run(start, lambda type, **values: told.append({"type": type, **values}), Orders())
    wanted = np.argsort(order)[load_schema("pifa34").permutation[order]]
    np.testing.assert_array_equal(read_model(tmp_path / "run" / "model.hourbit").schema.permutation, wanted)
    assert [record["text"] for record in told if record["type"] == "notice" and "mirror pairs" in record["text"]]
