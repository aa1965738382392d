"""What a format cannot hold is told with counts before anything is written, and --strict refuses."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pytest

from app.formats.builtin import BUILT_IN
from app.formats.converting import write_labels
from app.formats.registry import FormatError, Holds, WriteOptions
from app.formats.report import fitting, losses
from engine.labels import LabelSet, Picture, Skeleton, table
from tests.app.formats.documents import make_pictures, random_labels

ALL = Holds(
    several_skeletons=True, scores=True, subjects=True, flip=True, origins=True, splits=True, visited=True,
    attributes=True, extras=("area",),
)  # fmt: skip


@dataclass(frozen=True)
class Form:
    """A format that holds what a test says; it writes the number of instances."""

    holds: Holds | None
    name: str = "mine"
    title: str = "Mine"
    suffix: str = ".txt"

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        out.write_text(str(labels.instances))


def everything() -> LabelSet:
    """Two kinds in three pictures: picture 0 has two faces and a dog, 1 was looked at and is empty, 2 was not."""
    face = table(
        Skeleton("face", ("nose", "chin"), ((0, 1),), ((0, 1),)), [0, 0], [[[1, 2], [3.5, 4]], [[5, 6], [0, 0]]],
        [[2, 1], [2, 0]], score=[[np.nan, np.nan], [0.5, 0.25]], box=[[0, 0, 9, 9], [np.nan] * 4],
        hand=[True, False], subject=["p1", ""], extras={"area": [4.0, np.nan]},
    )  # fmt: skip
    dog = table(Skeleton("dog", ("1", "2", "3")), [0], [[[1, 1], [2, 2], [3, 3]]], [[2, 2, 2]])
    pictures = (
        Picture("a.png", None, (20, 10), "train", True, {"state": "reviewed"}),
        Picture("b.png", None, None, "", True, {"tag": 1}), Picture("c.png", None, (20, 10)),
    )  # fmt: skip
    return LabelSet(pictures, (face, dog))


LOST = {
    "occluded": {"occluded landmarks": 1}, "several": {"further instances": 2},
    "several_skeletons": {"subjects of another kind": 1}, "boxes": {"boxes": 1}, "names": {"names of landmarks": 2},
    "edges": {"lines between landmarks": 1},
    "any_shape": {"subjects of another kind": 1}, "order": {},
    "subpixel": {"sub-pixel places": 1, "sub-pixel boxes": 1}, "scores": {"scores": 1},
    "subjects": {"subjects": 1}, "flip": {"mirror pairs": 1}, "origins": {"origins": 1}, "splits": {"splits": 1},
    "visited": {"pictures that nobody has looked at": 1}, "attributes": {"states": 1, "attributes of pictures": 1},
    "absent": {"instances with absent landmarks": 1}, "bare": {}, "outside": {}, "empty": {}, "without_size": {},
}  # fmt: skip


def counts(labels: LabelSet, holds: Holds) -> dict[str, int]:
    told = losses(labels, Form(holds))
    assert all(one["why"].startswith("Mine ") for one in told)
    return {one["what"]: one["count"] for one in told}


def test_nothing_is_lost_where_all_is_held() -> None:
    assert counts(everything(), ALL) == {}
    assert {f.name for f in fields(Holds)} == {*LOST, "landmarks", "extras"}


@pytest.mark.parametrize("name", LOST)
def test_each_thing_that_is_not_held_is_counted(name: str) -> None:
    holds = replace(ALL, **{name: False})
    assert counts(everything(), holds) == LOST[name]
    fitted = fitting(everything(), Form(holds))
    assert losses(fitted, Form(holds)) == ()


def test_extras_and_numbers_of_landmarks_are_counted() -> None:
    assert counts(everything(), replace(ALL, extras=())) == {"area": 1}
    assert counts(everything(), replace(ALL, landmarks=(3, 68))) == {"subjects with another number of landmarks": 2}
    with pytest.raises(FormatError, match="68 landmarks"):
        fitting(everything(), Form(replace(ALL, landmarks=(68,))))
    with pytest.raises(FormatError, match="only be read"):
        losses(everything(), Form(None))


def test_landmarks_beyond_the_edge_are_counted_and_left_out() -> None:
    holds = replace(ALL, outside=False)
    faces = table(Skeleton("face", ("a", "b")), [0, 1], [[[19.5, 9.5], [19.6, 0]], [[-1, 0], [99, 9]]], [[2, 2]] * 2)
    labels = LabelSet(everything().pictures, (faces,))  # the size of the second picture is unknown
    assert counts(labels, holds) == {"landmarks outside their pictures": 2}
    assert fitting(labels, Form(holds)).tables[0].visibility.tolist() == [[2, 0], [0, 2]]


def test_instances_without_a_landmark_and_pictures_without_a_size_are_counted() -> None:
    bare = table(Skeleton("face", ("a",)), [0, 1, 1], [[[0, 0]], [[1, 1]], [[2, 2]]], [[0], [2], [2]])
    labels = LabelSet(everything().pictures, (bare,))
    assert counts(labels, replace(ALL, bare=False)) == {"instances without landmarks": 1}
    assert counts(labels, replace(ALL, order=False)).get("instances without landmarks", 0) == 0
    none = LabelSet(labels.pictures, (replace(bare, visibility=np.zeros_like(bare.visibility)),))
    assert counts(none, replace(ALL, order=False))["instances without landmarks"] == 3  # as with dlib: no names at all
    assert "instances without landmarks" not in counts(none, ALL)
    assert counts(labels, replace(ALL, without_size=False)) == {"instances": 2}
    kept = fitting(labels, Form(replace(ALL, without_size=False)))
    assert [p.name for p in kept.pictures] == ["a.png", "c.png"] and kept.tables[0].picture.tolist() == [0]


def test_what_does_not_fit_is_taken_out_and_the_rest_stays() -> None:
    kept = fitting(everything(), Form(Holds(occluded=False, several=False, boxes=False, subpixel=False, empty=False)))
    assert [p.name for p in kept.pictures] == ["a.png"] and kept.instances == 1
    face = kept.tables[0]
    assert face.points.tolist() == [[[1, 2], [4, 4]]] and face.visibility.tolist() == [[2, 2]]
    assert np.isnan(face.box).all() and face.subject.tolist() == [""] and not face.extras and face.hand.all()


def test_strict_writes_nothing_and_says_what_would_be_lost(tmp_path: Path) -> None:
    form, out = Form(replace(ALL, boxes=False)), tmp_path / "out.txt"
    with pytest.raises(FormatError, match=r"1 boxes \(Mine has no room for them\)"):
        write_labels(everything(), form, out, WriteOptions(), strict=True)
    assert not out.exists()
    written, lost = write_labels(everything(), form, out, WriteOptions())
    assert out.read_text() == "3" == str(written.instances) and [one["what"] for one in lost] == ["boxes"]


@pytest.mark.parametrize("form", [f for f in BUILT_IN if f.writes], ids=lambda f: f.name)
def test_no_format_replaces_a_picture(form, tmp_path: Path) -> None:
    pictures = make_pictures(tmp_path)
    labels = next(each for n in range(50) if (each := random_labels(n, pictures, form.holds)).instances > 3)
    held = pictures[0].path.read_bytes()
    with pytest.raises(Exception, match="would replace"):
        write_labels(labels, form, pictures[0].path, WriteOptions())
    assert pictures[0].path.read_bytes() == held


def test_landmarks_that_no_instance_has_are_told_where_names_stand_only_with_places() -> None:
    three = Skeleton("face", ("a", "b", "c"))
    labels = LabelSet((Picture("a.png"),), (table(three, [0], [[[1, 2], [0, 0], [5, 6]]], [[2, 0, 1]]),))
    holds = replace(ALL, order=False)
    assert counts(labels, holds) == {"landmarks that no instance has": 1}
    kept = fitting(labels, Form(holds)).tables[0]
    assert kept.skeleton.landmarks == ("a", "c") and kept.points.tolist() == [[[1, 2], [5, 6]]]
    assert counts(fitting(labels, Form(holds)), holds) == {}


def test_boxes_in_whole_pixels_run_along_their_edges() -> None:
    labels = everything()
    kept = fitting(labels, Form(replace(ALL, subpixel=False)))
    boxes = np.concatenate([each.box[np.isfinite(each.box).all(1)] for each in kept.tables])
    assert len(boxes) and (boxes + 0.5 == np.rint(boxes + 0.5)).all() and (boxes[:, 2:] > boxes[:, :2]).all()
