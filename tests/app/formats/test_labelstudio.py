"""Label Studio's exports: values worked out by hand, and every trap of the format."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.formats.labelstudio import LabelStudio
from app.formats.labelstudio.places import picture_names, picture_of
from app.formats.registry import FormatError, ReadOptions, WriteOptions
from engine.images import encode_png
from engine.labels import LabelSet, Picture, Skeleton, table
from tests.app.formats.documents import words, write

SIZE = {"original_width": 200, "original_height": 100, "image_rotation": 0}


def point(id: str, label: str, x: float, y: float, parent: str | None = None, **more: Any) -> dict[str, Any]:
    value = {"x": x, "y": y, "width": 0.5, "keypointlabels": [label]}
    held = {**SIZE, "id": id, "type": "keypointlabels", "from_name": "kp", "to_name": "img", "value": value}
    return held | ({"parentID": parent} if parent else {}) | more


def box(id: str, label: str, x: float, y: float, wide: float, high: float, **more: Any) -> dict[str, Any]:
    value = {"x": x, "y": y, "width": wide, "height": high, "rotation": 0, "rectanglelabels": [label]}
    return {**SIZE, "id": id, "type": "rectanglelabels", "from_name": "b", "to_name": "img", "value": value} | more


def task(*regions: dict[str, Any], image: str = "/data/upload/3/0a1b2c3d-a.png", **more: Any) -> dict[str, Any]:
    held = {"id": 1, "data": {"img": image}, "annotations": [
        {"id": 5, "completed_by": 1, "was_cancelled": False, "result": list(regions)},
    ]}  # fmt: skip
    return held | more


def read(path: Path, **options: object) -> LabelSet:
    return LabelStudio().read(path, ReadOptions(**options))


def test_percent_of_the_picture_with_parents_and_the_box_along_edges(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(np.zeros((100, 200, 3), np.uint8)))
    hidden = {**SIZE, "id": "e", "type": "choices", "value": {"choices": ["Occluded"]}}
    regions = (box("b", "dog", 5, 10, 20, 50), point("n", "nose", 10, 25, "b"), point("e", "eye", 0, 0, "b"), hidden)
    path = write(tmp_path / "p.json", [task(*regions)])
    assert LabelStudio().claims(path, path.read_bytes())
    labels = read(path)
    dog = labels.tables[0]
    assert dog.skeleton == Skeleton("dog", ("nose", "eye"))
    assert dog.points.tolist() == [[[20, 25], [0, 0]]] and dog.visibility.tolist() == [[2, 1]]
    assert dog.box.tolist() == [[9.5, 9.5, 49.5, 59.5]] and dog.hand.tolist() == [True]
    assert labels.pictures[0].path == tmp_path / "a.png" and labels.pictures[0].visited and not labels.problems
    exact = read(path, offset=-0.5).tables[0]
    assert exact.points[0, 0].tolist() == [19.5, 24.5] and exact.box.tolist() == dog.box.tolist()


@pytest.mark.parametrize(
    "turn, shown, place",
    # The place (20, 25) of a picture of 200 x 100, in percent of what was shown: 100 x 200 after a quarter turn.
    [(0, (10, 25), (20, 25)), (90, (75, 10), (20, 25)), (180, (90, 75), (20, 25)), (270, (25, 90), (20, 25))],
)
def test_places_are_turned_back(tmp_path: Path, turn: int, shown: tuple[float, float], place: tuple) -> None:
    labels = read(write(tmp_path / "p.json", [task(point("n", "nose", *shown, image_rotation=turn))]))
    assert labels.tables[0].points[0, 0].tolist() == pytest.approx(place)
    assert labels.pictures[0].size == (200, 100)


def test_relations_join_and_the_rest_goes_by_the_box_around_it(tmp_path: Path) -> None:
    relation = {"type": "relation", "from_id": "n1", "to_id": "e1", "direction": "right"}
    labels = read(write(tmp_path / "p.json", [task(
        point("n1", "nose", 80, 50), point("e1", "eye", 81, 50), point("n2", "nose", 10, 20), relation,
        box("b", "dog", 5, 10, 20, 50),
    )]))  # fmt: skip
    dog = labels.tables[0]
    assert len(labels.tables) == 1 and not labels.problems
    found = sorted(dog.points[:, 0, 0].tolist())
    assert found == [20, 160] and sorted(dog.visibility.tolist()) == [[2, 0], [2, 2]]
    assert np.isfinite(dog.box[dog.points[:, 0, 0] == 20]).all()


def test_cancelled_and_older_annotations_are_left_out_and_predictions_are_a_model_s(tmp_path: Path) -> None:
    def annotation(x: float, **more: Any) -> dict[str, Any]:
        return {"result": [point("n", "nose", x, 50)], **more}

    made = task(annotations=[
        annotation(90, was_cancelled=True), annotation(20, updated_at="2024-02-01"),
        annotation(10, updated_at="2024-01-01"),
    ], predictions=[{"result": [point("p", "nose", 30, 50, score=0.75)]}])  # fmt: skip
    labels = read(write(tmp_path / "p.json", [made, task(image="b.png", annotations=[])]))
    found = labels.tables[0]
    assert found.points[:, 0, 0].tolist() == [40, 60] and found.hand.tolist() == [True, False]
    assert np.isnan(found.score[0, 0]) and found.score[1, 0] == 0.75
    assert [p.visited for p in labels.pictures] == [True, False]
    for said in ("1 cancelled", "2 annotations; the latest", "predictions besides annotations"):
        assert said in words(labels)


def test_json_min_has_regions_by_control_and_no_ids(tmp_path: Path) -> None:
    def bare(region: dict[str, Any]) -> dict[str, Any]:
        return region["value"] | {key: SIZE[key] for key in ("original_width", "original_height")}

    data = [{
        "image": "s3://bucket/pictures/a%20b.png?x=1", "id": 3, "annotator": 1, "annotation_id": 9, "created_at": "",
        "kp": [bare(point("n", "nose", 10, 25)), bare(point("e", "eye", 20, 50))],
        "box": [bare(box("b", "dog", 5, 10, 20, 50))], "visible": "no",
    }]  # fmt: skip
    path = write(tmp_path / "min.json", data)
    assert LabelStudio().claims(path, path.read_bytes())
    labels = read(path)
    dog = labels.tables[0]
    assert dog.skeleton == Skeleton("dog", ("nose", "eye")) and dog.points.tolist() == [[[20, 25], [40, 50]]]
    assert labels.pictures[0].name == "pictures/a b.png" and labels.pictures[0].size == (200, 100)


def test_of_several_records_of_json_min_the_latest_counts(tmp_path: Path) -> None:
    made = []
    for n, when in ((1, "2024-01-02"), (2, "2024-01-03"), (3, "2024-01-01")):
        value = point("n", "nose", 10 * n, 25)["value"] | {"original_width": 200, "original_height": 100}
        made.append({"image": "a.png", "kp": [value], "annotation_id": n, "updated_at": when})
    labels = read(write(tmp_path / "min.json", made))
    assert labels.tables[0].points.tolist() == [[[40, 25]]] and len(labels.problems) == 2


CONFIG = """<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image"><Label value="dog"/>
</RectangleLabels><KeyPointLabels name="landmark" toName="image"><Label value="nose" model_index="0"/>
<Label value="eye" model_index="1"/></KeyPointLabels></View>"""


def test_label_studio_s_own_converter_takes_what_is_written(tmp_path: Path) -> None:
    converter = pytest.importorskip("label_studio_sdk.converter.converter", exc_type=ImportError).Converter
    dog = table(Skeleton("dog", ("nose", "eye")), [0], [[[20, 25], [60, 70]]], [[2, 2]], box=[[9.5, 9.5, 49.5, 59.5]])
    labels = LabelSet((Picture("a.png", None, (200, 100)),), (dog,))
    LabelStudio().write(labels, tmp_path / "o.json", WriteOptions())
    converter(CONFIG, str(tmp_path)).convert_to_json_min(str(tmp_path / "o.json"), str(tmp_path / "min"), is_dir=False)
    path = tmp_path / "min/result.json"
    assert LabelStudio().claims(path, path.read_bytes())
    found = read(path).tables[0]
    np.testing.assert_allclose(found.points, dog.points, atol=1e-6)
    np.testing.assert_allclose(found.box, dog.box, atol=1e-6)


@pytest.mark.parametrize(
    "word, names",
    [
        ("/data/local-files/?d=set/a%20b.jpg", ["set/a b.jpg"]), ("x\\a.jpg", ["x\\a.jpg"]),
        ("/data/upload/12/0a1b2c3d-a%20b.jpg", ["upload/12/0a1b2c3d-a b.jpg", "0a1b2c3d-a b.jpg", "a b.jpg"]),
        ("https://x.org/p/a.jpg?s=1", ["p/a.jpg", "a.jpg"]), ("0a1b2c3d-a.jpg", ["0a1b2c3d-a.jpg", "a.jpg"]),
    ],
)
def test_names_of_pictures_come_from_addresses(word: str, names: list[str]) -> None:
    assert picture_names(word) == names


def test_the_picture_s_key_may_have_any_name() -> None:
    assert picture_of({"text": "x", "photo": "/data/a.JPG?v=2"}) == "/data/a.JPG?v=2"
    assert picture_of({"a": "/data/local-files/?d=x.png"}) == "/data/local-files/?d=x.png"
    assert picture_of({"image": "no-suffix", "b": "x.png"}) == "no-suffix" and picture_of({"a": "b"}) is None


def test_one_annotation_of_a_storage_and_other_regions(tmp_path: Path) -> None:
    polygon = {"id": "p", "type": "polygonlabels", "value": {"points": [[1, 1]]}}
    data = {"id": 5, "result": [point("n", "nose", 10, 25), polygon], "task": {"id": 1, "data": {"image": "a.png"}}}
    labels = read(write(tmp_path / "5.json", data))
    assert labels.instances == 1 and labels.info["left_out"] == {"regions of the kind 'polygonlabels'": 1}


def test_without_a_stated_size_that_of_the_picture_counts(tmp_path: Path) -> None:
    region = point("n", "nose", 10, 25)
    del region["original_width"]
    path = write(tmp_path / "p.json", [task(region, image="a.png")])
    labels = read(path)
    assert not labels.instances and "result[0]: the picture's size is unknown" in words(labels)
    (tmp_path / "a.png").write_bytes(encode_png(np.zeros((50, 40, 3), np.uint8)))
    assert read(path).tables[0].points[0, 0].tolist() == [4, 12.5]


def changed(place: str, value: Any) -> list[Any]:
    data: Any = [task(point("n", "nose", 10, 25), box("b", "dog", 5, 10, 20, 50))]
    data = held = copy.deepcopy(data)
    *way, last = [int(part) if part.isdecimal() else part for part in place.split(".")]
    for part in way:
        held = held[part]
    held[last] = value
    return data


REGION = "0.annotations.0.result.0"


@pytest.mark.parametrize(
    "data, message",
    [
        (changed(f"{REGION}.value.x", "NaN"), r"result\[0\].value.x"),
        (changed(f"{REGION}.value.y", True), "true is no"),
        (changed(f"{REGION}.value.x", None), "null is no number"),
        (changed(f"{REGION}.image_rotation", 45), "no quarter"),
        (changed(f"{REGION}.original_width", 0), "no size of a picture"), (changed(REGION, 5), "5 is no region"),
        (changed("0.annotations.0.result", {}), "no list of regions"), (changed("0.annotations", 7), "7 is no list"),
        (changed("0.data", {"text": "x"}), "names no picture"), ([5], "5 is no task"), ("[{", "no JSON"),
        (changed("0.annotations.0.result.1.value.width", "a"), r"result\[1\].value.width"),
        (changed(f"{REGION}.score", "x"), "score"),
        (json.dumps(changed(f"{REGION}.id", "N")).replace("25", "NaN"), "NaN"),
    ],
)  # fmt: skip
def test_bad_values_are_refused_with_their_place(tmp_path: Path, data: Any, message: str) -> None:
    with pytest.raises(FormatError, match=rf"p\.json.*{message}"):
        read(write(tmp_path / "p.json", data))


def test_written_tasks_have_label_studio_s_fields(tmp_path: Path) -> None:
    dog = table(Skeleton("dog", ("nose", "eye")), [0, 0], [[[20, 25], [0, 0]], [[40, 50], [60, 70]]], [[2, 0], [1, 2]],
                box=[[9.5, 9.5, 49.5, 59.5], [np.nan] * 4], hand=[True, False],
                score=[[np.nan, np.nan], [0.5, 0.25]])  # fmt: skip
    LabelStudio().write(LabelSet((Picture("a.png", None, (200, 100)),), (dog,)), tmp_path / "o.json", WriteOptions())
    (made,) = json.loads((tmp_path / "o.json").read_text())
    assert made["data"] == {"image": "a.png"}
    rect, nose = made["annotations"][0]["result"]
    assert rect["value"] == {"x": 5, "y": 10, "width": 20, "height": 50, "rotation": 0, "rectanglelabels": ["dog"]}
    assert nose["parentID"] == rect["id"] and nose["value"]["x"] == 10 and nose["value"]["keypointlabels"] == ["nose"]
    around, first, choice, second = made["predictions"][0]["result"]
    assert around["value"] == {  # around the pixels 40 to 60 and 50 to 70
        "x": 20, "y": 50, "width": 10.5, "height": 21, "rotation": 0, "rectanglelabels": ["dog"],
    }  # fmt: skip
    assert choice["id"] == first["id"] and choice["value"]["choices"] == ["occluded"]
    assert (first["score"], second["score"]) == (0.5, 0.25)
