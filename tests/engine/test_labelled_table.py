"""Labels of any format as subjects: order of landmarks, weights, splits, extras, and what is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.coco.bodies import PERSON as COCO_PERSON
from engine.images import encode_png
from engine.labelled import LabelError
from engine.labelled_table import from_labels
from engine.labels import LabelSet, Picture, Skeleton, table
from engine.schema import load_schema
from tests.engine.blobs import schema_of

SCHEMA = schema_of(3)
POINTS = np.arange(24, dtype=float).reshape(4, 3, 2) ** 1.5


def label_set(folder: Path, skeleton: Skeleton | None = None, **changes) -> LabelSet:
    """Four instances in three pictures, the landmarks in reverse order; the third picture is the validation split."""
    pictures = []
    for n, split in enumerate(("train", "train", "validation")):
        path = folder / f"{n}.png"
        path.write_bytes(encode_png(np.full((20, 30, 3), 40 * n, np.uint8)))
        pictures.append(Picture(path.name, path, (30, 20), split))
    seen = np.array([[2, 2, 2], [0, 1, 2], [2, 0, 0], [2, 2, 2]])
    columns = {
        "extras": {"yaw": np.array([1.0, 2, 3, 4]), "head_box": np.array([[0, 0, 3.0, 4]] * 4)},
        "box": np.array([[0, 0, 2.0, 8]] * 4), "subject": ["a", "", "c", "d"],
    }  # fmt: skip
    made = table(
        skeleton or Skeleton("x", SCHEMA.landmarks[::-1]), [0, 0, 1, 2], POINTS[:, ::-1], seen, **columns | changes
    )
    return LabelSet(tuple(pictures), (made,))


def test_order_weights_and_extras(tmp_path: Path) -> None:
    found = from_labels(label_set(tmp_path), SCHEMA)
    assert len(found) == 3  # the third instance has one landmark
    np.testing.assert_array_equal(found.points[0], POINTS[0])
    assert found.weight.tolist() == [[1, 1, 1], [1, 0.5, 0], [1, 1, 1]]
    np.testing.assert_array_equal(found.points[1, :2], POINTS[1, :2])
    assert found.extras["yaw"].tolist() == [1, 2, 4] and found.extras["head_size"].tolist() == [3, 3, 3]
    assert found.extras["box_size"].tolist() == [4, 4, 4] and found.ids == ("0.png#a", "0.png#1", "2.png#d")
    assert found.image == (0, 0, 2) and found.scenes.count == 3
    assert (found.picture(2) == 80).all() and (found.scenes.load(1) == 40).all()


def test_one_split(tmp_path: Path) -> None:
    found = from_labels(label_set(tmp_path), SCHEMA, "validation")
    assert found.ids == ("2.png#d",) and found.image == (0,) and found.scenes.count == 1
    assert (found.picture(0) == 80).all()
    with pytest.raises(LabelError, match="split test"):
        from_labels(label_set(tmp_path), SCHEMA, "test")


def test_crowds_are_regions_to_ignore(tmp_path: Path) -> None:
    found = from_labels(label_set(tmp_path, extras={"crowd": np.array([True, False, False, False])}), SCHEMA)
    ignored = ((0, (0, 0, 2, 8), True), (1, (0, 0, 2, 8), False))
    assert found.ids == ("0.png#1", "2.png#d") and found.scenes.ignored == ignored


def test_the_skeleton_that_fits_is_taken(tmp_path: Path) -> None:
    good, strange = label_set(tmp_path), label_set(tmp_path, Skeleton("y", ("wing", "beak", "claw")))
    both = LabelSet(good.pictures, (*strange.tables, *good.tables))
    assert len(from_labels(both, SCHEMA)) == 3
    with pytest.raises(LabelError, match="wing"):
        from_labels(strange, SCHEMA)
    with pytest.raises(LabelError, match="no labelled subjects"):
        from_labels(LabelSet(good.pictures, ()), SCHEMA)


def test_a_person_of_whom_only_the_face_is_labelled_has_no_body_to_measure(tmp_path: Path) -> None:
    points = np.random.default_rng(0).uniform(0, 20, (2, 17, 2))
    seen = np.full((2, 17), 2)
    seen[0, 5:] = 0
    picture = label_set(tmp_path).pictures
    people = table(Skeleton("p", COCO_PERSON), [0, 1], points, seen)
    found = from_labels(LabelSet(picture, (people,)), load_schema("mpii16"))
    assert len(found) == 1 and np.isfinite(found.box).all()
    np.testing.assert_array_equal(found.points[0, 9 + 4], points[1, 5])  # left shoulder


def test_a_missing_picture_is_a_sentence(tmp_path: Path) -> None:
    labels = label_set(tmp_path)
    lost = (Picture("gone.png"), *labels.pictures[1:])
    with pytest.raises(LabelError, match="gone.png was not found"):
        from_labels(LabelSet(lost, labels.tables), SCHEMA)
    assert len(from_labels(LabelSet(lost, labels.tables), SCHEMA, "validation")) == 1
