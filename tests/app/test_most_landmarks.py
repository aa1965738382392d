"""More landmarks than a schema holds are refused at once, whatever file names them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.plugins import load_plugins
from app.services.own_schemas import write_schema
from app.services.schemas import read_schemas
from engine.coco.categories import category_of
from engine.errors import UserError
from engine.labels import MOST_LANDMARKS, Problems, Skeleton
from engine.schema import load_schema
from tests.app.cli_runner import hourbit

MANY = 20_000


def coco(path: Path, names: list[str], count: int) -> Path:
    path.write_text(json.dumps({
        "images": [{"id": 1, "file_name": "a.png", "width": 60, "height": 40}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "keypoints": [1, 2, 2] * count}],
        "categories": [{"id": 1, "name": "fly", "keypoints": names}],
    }))  # fmt: skip
    return path


def named(folder: Path, count: int) -> Path:
    return coco(folder / "labels.json", [f"k{n}" for n in range(count)], count)


def nameless(folder: Path, count: int) -> Path:
    return coco(folder / "labels.json", [], count)


def alike(folder: Path, count: int) -> Path:
    return coco(folder / "labels.json", ["a"] * count, count)


def labelme(folder: Path, count: int) -> Path:
    shapes = [{"label": f"k{n}", "points": [[1, 2]], "shape_type": "point", "group_id": None} for n in range(count)]
    path = folder / "labels.json"
    path.write_text(json.dumps({"version": "5", "flags": {}, "shapes": shapes, "imagePath": "a.png", "imageData": None,
                                "imageWidth": 60, "imageHeight": 40}))  # fmt: skip
    return path


@pytest.mark.parametrize("make", [named, nameless, alike, labelme])
def test_too_many_landmarks_are_refused_in_one_sentence(make: Callable[[Path, int], Path], tmp_path: Path) -> None:
    ran = hourbit("import", make(tmp_path, MANY), tmp_path / "p.hourbit-project")
    assert ran.code == 2 and ran.err.strip() == (
        f"These labels name {MANY} landmarks of one subject and at most {MOST_LANDMARKS} can be held; "
        "leave out those that are not needed."
    )
    assert len(list(tmp_path.iterdir())) == 1


def test_as_many_as_a_schema_holds_are_taken(tmp_path: Path) -> None:
    load_plugins()
    (made,) = read_schemas(named(tmp_path, MOST_LANDMARKS))
    assert len(made) == MOST_LANDMARKS == 1000
    with pytest.raises(UserError, match="1001 landmarks"):
        Skeleton("fly", tuple(map(str, range(MOST_LANDMARKS + 1))))


def test_a_schema_of_our_own_kind_is_refused_as_well(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    write_schema(path, load_schema("mpii16"))
    data = json.loads(path.read_text("utf-8"))
    data |= {"landmarks": [str(n) for n in range(1001)], "sides": ["centre"] * 1001, "mean": [[0.5, 0.5]] * 1001}
    path.write_text(json.dumps({key: value for key, value in data.items() if key != "sigmas"}))
    with pytest.raises(UserError, match="s.json names 1001 landmarks and a schema holds at most 1000; leave out"):
        read_schemas(path)


def test_names_that_stand_often_are_numbered_in_order() -> None:
    problems = Problems()
    found = category_of({"name": "fly", "keypoints": ["a", "a", "a 3", "a", "b", "b"]}, 1, "categories[0]", problems)
    assert found.landmarks == ("a", "a 2", "a 3", "a 4", "b", "b 2") and len(problems) == 3
