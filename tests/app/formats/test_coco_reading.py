"""COCO keypoints as tools really write them: every value worked out by hand, every trap said or refused."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.formats.coco import Coco
from app.formats.registry import FormatError, ReadOptions, WriteOptions
from engine.coco import stream as streaming
from engine.coco.bodies import PARTS
from engine.images import encode_png
from engine.labels import LabelSet, Picture, Skeleton, table

IMAGE = {"id": 7, "file_name": "a.png", "width": 100, "height": 80}
CATEGORY = {"id": 3, "name": "thing", "keypoints": ["a", "b", "c"], "skeleton": [[1, 2], [2, 3]]}
ONE = {"id": 1, "image_id": 7, "category_id": 3, "keypoints": [10, 20.5, 2, 0, 0, 0, 0, 0, 1], "bbox": [4, 6, 20, 30],
       "area": 123.5, "iscrowd": 0, "num_keypoints": 2}  # fmt: skip


def file(folder: Path, annotations: list[Any], images: Any = (IMAGE,), categories: Any = (CATEGORY,), **more) -> Path:
    path = folder / "labels.json"
    data = {"images": list(images), "annotations": annotations, "categories": list(categories), **more}
    path.write_text(json.dumps(data))
    return path


def read(path: Path) -> LabelSet:
    return Coco().read(path, ReadOptions())


def said(labels: LabelSet) -> str:
    return "\n".join(f"{problem.where}: {problem.what}" for problem in labels.problems)


def test_values_are_read_as_they_stand(tmp_path: Path) -> None:
    labels = read(file(tmp_path, [ONE]))
    (found,) = labels.tables
    assert found.skeleton == Skeleton("thing", ("a", "b", "c"), ((0, 1), (1, 2)))
    assert found.points.tolist() == [[[10, 20.5], [0, 0], [0, 0]]]  # the last one is there, at the corner
    assert found.visibility.tolist() == [[2, 0, 1]]
    assert found.box.tolist() == [[3.5, 5.5, 23.5, 35.5]]  # COCO's boxes count from the pixel's corner
    assert found.extras["area"].tolist() == [123.5] and found.hand.all()
    assert labels.pictures == (Picture("a.png", None, (100, 80)),) and not labels.problems


def test_an_offset_moves_landmarks_alone(tmp_path: Path) -> None:
    (found,) = Coco().read(file(tmp_path, [ONE]), ReadOptions(offset=-0.5)).tables
    assert found.points[0, 0].tolist() == [9.5, 20] and found.box[0].tolist() == [3.5, 5.5, 23.5, 35.5]


def test_lists_may_come_in_any_order_and_ids_may_be_anything(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    data = {
        "annotations": [{"image_id": "x/1", "category_id": 90.0, "keypoints": [1, 2, 2]}],
        "categories": [{"id": 90, "name": "dot", "keypoints": ["p"]}, {"id": 0, "name": "no", "keypoints": ["q", "r"]}],
        "images": [{"id": 0, "file_name": "z.png"}, {"id": "x/1", "file_name": "sub/a.png"}],
    }  # fmt: skip
    path.write_text(json.dumps(data), "utf-8-sig")
    labels = read(path)
    assert labels.tables[0].picture.tolist() == [1] and labels.tables[0].skeleton.name == "dot"
    assert [p.size for p in labels.pictures] == [None, None] and not labels.problems


def test_several_categories_are_several_tables_and_empty_keypoints_belong_to_theirs(tmp_path: Path) -> None:
    other = {"id": 9, "name": "dog", "keypoints": ["nose"]}
    one = [ONE, {**ONE, "id": 2, "category_id": 9, "keypoints": [1, 1, 2]}, {**ONE, "id": 3, "keypoints": []}]
    labels = read(file(tmp_path, one, categories=[CATEGORY, other]))
    assert [(t.skeleton.name, len(t)) for t in labels.tables] == [("thing", 2), ("dog", 1)]
    assert labels.tables[0].visibility.tolist() == [[2, 0, 1], [0, 0, 0]]


def test_names_that_are_missing_are_numbers(tmp_path: Path) -> None:
    labels = read(file(tmp_path, [ONE], categories=[{"id": 3, "name": "face", "keypoints": []}]))
    assert labels.tables[0].skeleton == Skeleton("face", ("1", "2", "3"))


def test_pairs_that_count_from_zero_are_known_by_their_zero(tmp_path: Path) -> None:
    labels = read(file(tmp_path, [ONE], categories=[{**CATEGORY, "skeleton": [[0, 1], [1, 2]]}]))
    assert labels.tables[0].skeleton.edges == ((0, 1), (1, 2)) and not labels.problems
    labels = read(file(tmp_path, [ONE], categories=[{**CATEGORY, "skeleton": [[1, 2], [3, 4]]}]))
    assert labels.tables[0].skeleton.edges == ((0, 1),) and "lines lead to landmarks" in said(labels)


def test_mirror_pairs_are_read_where_they_mirror(tmp_path: Path) -> None:
    labels = read(file(tmp_path, [ONE], categories=[{**CATEGORY, "flip_idx": [1, 0, 2]}]))
    assert labels.tables[0].skeleton.flip == ((0, 1),)
    labels = read(file(tmp_path, [ONE], categories=[{**CATEGORY, "flip_idx": [1, 2, 0]}]))
    assert labels.tables[0].skeleton.flip == () and "mirror of the mirror" in said(labels)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"keypoints": [1, 2, 2, True, 2, 2, 3, 4, 2]}, r"annotation 1.keypoints\[3\]: true is no number"),
        ({"keypoints": [1, 2, 2, "3,5", 2, 2, 3, 4, 2]}, "decimal comma"),
        ({"keypoints": [1, 2, 2, 1e12, 2, 2, 3, 4, 2]}, "no number that a picture has"),
        ({"keypoints": [1, 2, 2, None, 2, 2, 3, 4, 2]}, "null is no number"),
        ({"keypoints": [1, 2, 2, 4]}, "4 numbers are no x, y, v"),
        ({"keypoints": [1, 2, 2]}, "1 landmarks and the category 3"),
        ({"keypoints": {"a": 1}}, "no list of numbers"),
        ({"image_id": 8}, "image 8: the file lacks it"),
        ({"image_id": None}, "null is no id"),
        ({"category_id": 4}, "category 4: 1 annotations belong to it"),
        ({"bbox": [1, 2, 3]}, "3 numbers are no box"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_left_out_and_said_with_its_place(tmp_path: Path, change: dict, words: str) -> None:
    labels = read(file(tmp_path, [{**ONE, **change}, {**ONE, "id": 2}]))
    assert labels.instances == 1 and labels.tables[0].points[0, 0].tolist() == [10, 20.5]
    assert len(labels.problems) == 1
    assert re.search(words, said(labels)), said(labels)


def test_numbers_as_text_and_v_as_float_are_read(tmp_path: Path) -> None:
    labels = read(file(tmp_path, [{**ONE, "keypoints": ["1.5", "2", "2", 3, 4, 1.0, 5, 6, 2.0]}]))
    assert labels.tables[0].points.tolist() == [[[1.5, 2], [3, 4], [5, 6]]]
    assert labels.tables[0].visibility.tolist() == [[2, 1, 2]] and not labels.problems


def test_odd_values_of_v_are_said(tmp_path: Path) -> None:
    labels = read(file(tmp_path, [{**ONE, "keypoints": [1, 2, 0, 3, 4, 0.25, 5, 6, 3]}]))
    assert labels.tables[0].visibility.tolist() == [[0, 2, 2]]
    assert "1 landmarks with v = 0 have places" in said(labels) and "2 landmarks have a v" in said(labels)
    assert labels.tables[0].score[0, 1] == 0.25
    always = [{**ONE, "id": n, "keypoints": [1, 2, 1, 3, 4, 1, 5, 6, 1]} for n in (1, 2)]
    assert "v is 1, hidden, for every landmark" in said(read(file(tmp_path, always)))


def test_ids_that_stand_twice_are_said_and_both_are_read(tmp_path: Path) -> None:
    labels = read(file(tmp_path, [ONE, ONE], images=[IMAGE, {**IMAGE, "file_name": "b.png"}]))
    assert labels.instances == 2 and len(labels.pictures) == 1
    assert "both were read" in said(labels) and "the id 7 was given to an image before" in said(labels)


def test_crowds_boxes_of_nothing_and_outlines_are_kept(tmp_path: Path) -> None:
    crowd = {**ONE, "iscrowd": 1, "keypoints": [0] * 9, "bbox": [1, 1, 0, 0], "segmentation": {"counts": [1, 2]}}
    labels = read(file(tmp_path, [crowd, {**ONE, "id": 2, "segmentation": [[1, 2, 3, 4, 5, 6]]}]))
    (found,) = labels.tables
    assert found.extras["crowd"].tolist() == [True, False] and np.isnan(found.box[0]).all()
    Coco().write(labels, tmp_path / "out.json", WriteOptions())
    written = json.loads((tmp_path / "out.json").read_text())["annotations"]
    assert [a["segmentation"] for a in written] == [{"counts": [1, 2]}, [[1, 2, 3, 4, 5, 6]]]
    assert [a["iscrowd"] for a in written] == [1, 0] and written[1]["area"] == 123.5


def test_a_list_of_results_is_a_models_work(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    person = [v for n in range(17) for v in (n + 0.5, 2 * n, 1)]
    path.write_text(json.dumps([
        {"image_id": 42, "category_id": 1, "keypoints": person, "score": 0.75},
        {"image_id": 42, "category_id": 1, "keypoints": [0, 0, 0, *person[3:-1], 0.5], "score": 0.5},
    ]))  # fmt: skip
    labels = read(path)
    (found,) = labels.tables
    assert found.skeleton.name == "person" and found.skeleton.landmarks[0] == "nose"
    assert not found.hand.any() and found.extras["score"].tolist() == [0.75, 0.5]
    assert found.visibility[0].tolist() == [2] * 17 and found.visibility[1].tolist() == [0, *[2] * 16]
    assert found.score[1, 16] == 0.5 and labels.pictures[0].name == "42" and "by their ids alone" in said(labels)


def test_whole_bodies_go_in_and_out(tmp_path: Path) -> None:
    body = [v for n in range(17) for v in (n, n, 2)]
    parts = {part: [v for n in range(len(names)) for v in (n + 0.25, 50, 2)] for part, names in PARTS.items()}
    valid = {part.replace("_kpts", "_valid"): part != "face_kpts" for part in PARTS}
    one = {"id": 1, "image_id": 7, "category_id": 1, "keypoints": body, **parts, **valid}
    names = [f"n{n}" for n in range(17)]
    path = file(tmp_path, [one], categories=[{"id": 1, "name": "person", "keypoints": names, "skeleton": [[1, 2]]}])
    labels = read(path)
    (found,) = labels.tables
    assert len(found.skeleton) == 133 and found.skeleton.landmarks[17] == "left_big_toe" and not labels.problems
    assert found.points[0, 17].tolist() == [0.25, 50] and (found.visibility[0, 23:91] == 0).all()
    Coco().write(labels, tmp_path / "out.json", WriteOptions())
    written = json.loads((tmp_path / "out.json").read_text())
    (again,) = written["annotations"]
    assert len(again["keypoints"]) == 51 and again["num_keypoints"] == 17 and not again["face_valid"]
    assert again["righthand_kpts"] == parts["righthand_kpts"] and written["categories"][0]["keypoints"] == names
    np.testing.assert_array_equal(read(tmp_path / "out.json").tables[0].points, found.points)


def test_a_category_a_landmark_is_recognised(tmp_path: Path) -> None:
    kinds = [{"id": n + 1, "name": name, "keypoints": []} for n, name in enumerate(("nose", "chin", "ear"))]
    labels = read(file(tmp_path, [], categories=kinds))
    assert labels.instances == 0 and "as CVAT writes loose points" in said(labels)
    loose = [
        {"id": n + 1, "image_id": 7, "category_id": n + 1, "keypoints": [n, 2 * n, 2]} for n in range(3)
    ]  # fmt: skip
    labels = read(file(tmp_path, loose, categories=kinds))
    (found,) = labels.tables
    assert found.skeleton.landmarks == ("nose", "chin", "ear") and found.points.tolist() == [[[0, 0], [1, 2], [2, 4]]]
    assert "became one subject" in said(labels)
    labels = read(file(tmp_path, [*loose, {**loose[0], "id": 9}], categories=kinds))
    assert len(labels.tables) == 3 and "is not said" in said(labels)


@pytest.mark.parametrize(
    "text, words",
    [
        ('{"images": [\n{"id": 1,\n"id": 2}]}', r"line \d+: it is no strict JSON \('id' stands twice"),
        ('{"images": [], "images": []}', "'images' stands twice"),
        ('{"images": [],\n "annotations": [NaN]}', "line 2: it is no strict JSON \\(NaN"),
        ('{"images": [],\n "annotations": [{"id": 1}', "line 2: .* the end of the file"),
        ('{"images": [], "annotations": {"a": 1}}', r"'\[' is expected"),
        ('{"images": [], "annotations": []} x', "something follows"),
        ('{"a": 1}', "neither images nor annotations"), ("12", "no JSON object"), ("", "no JSON object"),
        ('{"annotations": [' + "[" * 100_000, "nested too deeply"),
        ('{"images": [], "annotations": [1' + "0" * 5000 + "]}", "no strict JSON"),
    ],
)  # fmt: skip
def test_what_is_no_coco_file_is_refused_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "labels.json"
    path.write_text(text)
    with pytest.raises(FormatError, match=words):
        read(path)
    path.write_bytes(text.encode() + b"\xff\xff\x80")
    with pytest.raises(FormatError):
        read(path)


@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_file_is_read_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    many = [{**ONE, "id": n, "keypoints": [n, -1.5e1, 2, 0, 0, 0, 12.25, n, 1]} for n in range(20)]
    path = file(tmp_path, many, info={"year": 2017, "x": "ä\u4eba", "y": 1.5}, other=12.5, flag=True)
    whole = read(path)
    monkeypatch.setattr(streaming, "CHUNK", size)
    pieces = read(path)
    np.testing.assert_array_equal(pieces.tables[0].points, whole.tables[0].points)
    assert pieces.pictures == whole.pictures and pieces.info == whole.info and pieces.instances == 20


def test_reading_can_be_stopped(tmp_path: Path) -> None:
    def stop(done: float, total: float | None) -> None:
        assert total and 0 < done <= total
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Coco().read(file(tmp_path, [ONE] * 50), ReadOptions(progress=stop))


def test_pycocotools_reads_the_same(tmp_path: Path) -> None:
    reader = pytest.importorskip("pycocotools.coco")
    (tmp_path / "a b.png").write_bytes(encode_png(np.zeros((80, 100, 3), np.uint8)))
    pictures = (Picture("a b.png", tmp_path / "a b.png", (100, 80)), Picture("none.png", None, (10, 10)))
    kind, other = Skeleton("face", ("l", "r"), ((0, 1),), ((0, 1),)), Skeleton("dot", ("p",))
    faces = table(
        kind, [0, 0], [[[1.23456, 0], [50, 60.5]], [[0, 0], [2, 3]]], [[2, 1], [0, 2]],
        box=[[0, 0, 99, 79], [np.nan] * 4], subject=["7", ""], hand=[True, False], score=[[np.nan] * 2, [0.5, 0.25]],
    )  # fmt: skip
    labels = LabelSet(pictures, (faces, table(other, [0], [[[9, 9]]], [[2]])))
    Coco().write(labels, tmp_path / "out.json", WriteOptions())
    with contextlib.redirect_stdout(io.StringIO()):
        coco = reader.COCO(str(tmp_path / "out.json"))
    one, two, three = coco.loadAnns([1, 2, 3])
    assert one["keypoints"] == [1.2346, 0, 2, 50, 60.5, 1] and one["bbox"] == [0.5, 0.5, 99, 79]
    assert two["keypoints"] == [0, 0, 0, 2, 3, 2] and two["bbox"] == [2, 3, 1, 1] and two["score"] == 0.375
    assert one["track_id"] == 7 and "track_id" not in two and "score" not in one
    assert [a["category_id"] for a in (one, two, three)] == [1, 1, 2]
    assert coco.loadCats(1)[0]["skeleton"] == [[1, 2]] and coco.loadCats(1)[0]["flip_idx"] == [1, 0]
    assert [i["file_name"] for i in coco.loadImgs([1, 2])] == ["a b.png", "none.png"]
