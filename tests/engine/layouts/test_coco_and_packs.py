"""COCO keypoints, packs and snapshots through the one value of labels, and how layouts are told apart."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.coco.bodies import PERSON as COCO_PERSON
from engine.images import encode_png
from engine.labels import ABSENT, OCCLUDED, VISIBLE
from engine.layouts import LAYOUTS, FormatError, convert_table, in_schema, pixels, read, sniff
from engine.packs import PackError
from engine.schema import load_schema
from tests.engine.layouts import writers


def person(image: int, number: int, points: dict[int, tuple], **more: object) -> dict:
    values = np.zeros((17, 3))
    for k, told in points.items():
        values[k] = told
    return {
        "id": number, "image_id": image, "category_id": 1, "keypoints": values.ravel().tolist(),
        "bbox": [10, 20, 30, 40],
        "area": 500.5, "iscrowd": 0, "num_keypoints": len(points), **more,
    }  # fmt: skip


def coco(folder: Path, annotations: list, split: str = "val2017", **more: object) -> Path:
    data = {
        "info": {"year": 2017},
        "images": [{"id": 7, "file_name": "000007.jpg", "width": 8, "height": 6}, {"id": 9, "file_name": "b.jpg"}],
        "categories": [{"id": 1, "name": "person", "keypoints": list(COCO_PERSON), "skeleton": [[16, 14], [14, 12]]}],
        "annotations": annotations,
    }  # fmt: skip
    return writers.as_json(folder / "annotations" / f"person_keypoints_{split}.json", data | more)


def test_people(tmp_path: Path) -> None:
    points = {5: (1, 2, 2), 6: (3, 4, 1), 11: (5, 6, 2.0), 12: (9, 10, 2)}
    path = coco(tmp_path, [
        person(7, 1, points, yaw=30.0, head_box=[1, 2, 3, 4]), person(9, 2, {}, iscrowd=1, keypoints=[0] * 51),
        person(8, 3, {}), person(7, 4, {0: (1, 1, 2)}, keypoints=[1, 2, 3, 4]),
        {"id": 5, "image_id": 7, "category_id": 1},
        person(7, 6, {}, keypoints=[None] * 51),
    ])  # fmt: skip
    writers.picture(tmp_path / "val2017" / "000007.jpg")
    assert sniff(path) == sniff(tmp_path) == ("coco",)
    found = read(path)
    table = found.tables[0]
    assert len(table) == 2 and (table.skeleton.name, table.skeleton.edges) == ("coco17", ((15, 13), (13, 11)))
    assert [(p.name, p.split, p.size, p.path is not None) for p in found.pictures] == [
        ("000007.jpg", "validation", (8, 6), True), ("b.jpg", "validation", None, False),
    ]  # fmt: skip
    seen = [ABSENT] * 17
    seen[5], seen[6], seen[11], seen[12] = VISIBLE, OCCLUDED, VISIBLE, VISIBLE
    assert table.visibility.tolist() == [seen, [ABSENT] * 17] and table.points[0, 6].tolist() == [3, 4]
    assert table.box[0].tolist() == [9.5, 19.5, 39.5, 59.5]
    assert table.extras["crowd"].tolist() == [False, True] and table.extras["area"][0] == 500.5
    assert table.extras["yaw"][0] == 30 and table.extras["head_box"][0].tolist() == [1, 2, 4, 6]
    where = [p.where.partition(", ")[2] for p in found.problems]
    assert where == ["annotation 4.keypoints", "annotation 6.keypoints[0]", "image 8", ""]
    body = convert_table(table, "mpii16")
    assert body.points[0, 6].tolist() == [7, 8] and body.points[0, 7].tolist() == [2, 3]  # middles of hips, shoulders
    assert body.visibility[0].tolist() == [0, 0, 2, 2, 0, 0, 2, 1, 0, 0, 0, 0, 1, 2, 0, 0]


def test_categories_without_names_and_pairs_from_0(tmp_path: Path) -> None:
    category = {"id": 0, "name": "fly", "keypoints": ["head", "tail"], "skeleton": [[0, 1]]}
    bare = {"id": 3, "name": "face", "keypoints": []}
    path = coco(tmp_path, [
        {"id": 1, "image_id": 7, "category_id": 0, "keypoints": [1, 2, 2, 0, 0, 0]},
        {"id": 2, "image_id": 7, "category_id": 3, "keypoints": [1, 2, 1] * 3},
    ], categories=[category, bare])  # fmt: skip
    fly, face = read(path).tables
    assert (fly.skeleton.landmarks, fly.skeleton.edges) == (("head", "tail"), ((0, 1),))
    assert (face.skeleton.landmarks, face.visibility.tolist()) == (("1", "2", "3"), [[OCCLUDED] * 3])


@pytest.mark.parametrize("text", ["[]", "{}", "nonsense", '{"images": [], "annotations": [], "categories": [1]}',
                                  '{"images": [{"id": 1, "file_name": "a", "width": NaN}]}', "[" * 100000])  # fmt: skip
def test_no_coco_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(FormatError, match="x.json"):
        read(path, "coco")


def pack(path: Path, **more: object) -> Path:
    blob = encode_png(np.full((6, 8, 3), 50, np.uint8)), encode_png(np.full((6, 8, 3), 80, np.uint8))
    points = np.zeros((2, 16, 2), np.float32) + 3
    points[1, 0] = -1
    weight = np.ones((2, 16))
    weight[0, 1], weight[1, 0] = 0.5, 0
    absent = np.zeros((2, 16), bool)
    absent[1, 2] = True
    held = {
        "blob": np.frombuffer(b"".join(blob), np.uint8), "offsets": np.cumsum([0, *map(len, blob)]), "joints": points,
        "weight": weight, "absent": absent, "box": np.array([[4, 3, 4], [5, 3, 2.0]]), "id": np.array([b"a", b"b"]),
        "source": np.array([b"s", b"s"]), "kind": np.array([b"human", b"teacher"]), "holdout": np.array([False, True]),
    }  # fmt: skip
    np.savez(path, **held | more)
    return path


def test_packs(tmp_path: Path) -> None:
    path = pack(tmp_path / "p.npz")
    assert sniff(path) == ("pack",)
    found = read(path)
    table = found.tables[0]
    assert table.skeleton.name == "mpii16" and table.hand.tolist() == [True, False]
    assert table.visibility[0].tolist() == [VISIBLE, OCCLUDED] + [VISIBLE] * 14
    assert table.visibility[1].tolist() == [ABSENT, VISIBLE, ABSENT] + [VISIBLE] * 13
    assert table.extras["outside"][1].nonzero()[0].tolist() == [2]
    assert table.box.tolist() == [[2, 1, 6, 5], [4, 2, 6, 4]]
    assert [(p.name, p.split) for p in found.pictures] == [("s/a", "train"), ("s/b", "validation")]
    assert (pixels(found.pictures[1]) == 80).all() and (pixels(found.pictures[0]) == 50).all()


def test_a_snapshot_names_its_landmarks(tmp_path: Path) -> None:
    schema = load_schema("mpii16").to_json() | {"name": "mine", "landmarks": [f"m{k}" for k in range(16)]}
    told = np.frombuffer(json.dumps(schema).encode(), np.uint8)
    found = read(pack(tmp_path / "p.npz", schema=told))
    assert found.tables[0].skeleton.name == "mine" and found.tables[0].skeleton.landmarks[15] == "m15"
    with pytest.raises(PackError, match="schema inside p.npz"):
        read(pack(tmp_path / "p.npz", schema=np.frombuffer(b"{", np.uint8)))


def test_the_right_landmarks_are_chosen(tmp_path: Path) -> None:
    found = read(coco(tmp_path, [person(7, 1, {5: (1, 2, 2)})]))
    assert in_schema(found, "mpii16").tables[0].skeleton.name == "mpii16"
    assert in_schema(found, "wflw98") is found


def test_telling_layouts_apart(tmp_path: Path) -> None:
    for name, text in (("a.txt", "hello"), ("b.json", "{}"), ("c.mat", "x"), ("d.h5", "x"), ("e.sqlite", "x")):
        (tmp_path / name).write_text(text)
        assert sniff(tmp_path / name) == ()
    assert sniff(tmp_path) == ()
    with pytest.raises(FormatError, match="of no known layout"):
        read(tmp_path / "a.txt")
    with pytest.raises(FormatError, match="no layout 'x'"):
        read(tmp_path / "a.txt", "x")
    with pytest.raises(FormatError, match="holds no file"):
        read(tmp_path, "wflw")
    for name in LAYOUTS:
        with pytest.raises((FormatError, PackError, FileNotFoundError)):
            read(tmp_path / "absent", name)
        with pytest.raises((FormatError, PackError)):
            read(tmp_path / "a.txt", name)
