"""Labels into a project: what is added, what a hand's labels keep, and that it is one step or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.project.document import Document
from app.project.edits import Accept, Outdated, PutInstance
from app.project.imports import Wishes, apply_import, plan_import, schema_for
from app.project.imports.matching import match
from app.project.imports.sides import look_at_sides
from app.project.values import Origin, State
from app.services.projects import Cancelled
from engine.errors import UserError
from engine.images import encode_png
from engine.labels import LabelSet, Picture, Skeleton, Table, table
from engine.naming import words_of
from engine.schema import load_schema
from tests.app.cli_runner import hourbit
from tests.app.projects import SCHEMA, K, new_document, put

MPII = Skeleton("person", SCHEMA.landmarks)


@pytest.fixture
def document(tmp_path: Path) -> Document:
    made = new_document(tmp_path)
    yield made
    made.close()


def of_points(document: Document, points: np.ndarray, seen: np.ndarray | int = 2, **columns: object) -> LabelSet:
    """Labels of one subject in the project's first picture."""
    image = document.images()[0]
    pictures = (Picture("image 1.png", Path(image.path), (160, 120), visited=True),)
    return LabelSet(pictures, (rows(points[None], np.broadcast_to(seen, (1, K)), **columns),))


def rows(points: np.ndarray, seen: np.ndarray, **columns: object) -> Table:
    return table(MPII, np.zeros(len(points), int), points, seen, **columns)


def places(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(20, 100, (K, 2)).round(2)


def test_labels_by_hand_are_added_to_the_last_bit_and_accepted(document: Document) -> None:
    seen = np.array([2, 1, 0, *[2] * (K - 3)])
    plan = plan_import(document, of_points(document, places(), seen, box=[[10, 20, 110, 80]]), Wishes(annotator="Ann"))
    assert document.revision == plan.revision and not document.instances(document.images()[0].id)
    change = apply_import(document, plan)
    image = document.images()[0]
    (held,) = document.instances(image.id)
    assert (held.points[seen > 0] == places()[seen > 0]).all() and (held.visibility == seen).all()
    assert set(held.origin[seen > 0]) == {Origin.HAND} and image.state is State.DONE and held.annotator == "Ann"
    assert (held.box.cx, held.box.cy, held.box.side, held.box.origin) == (60, 50, 100, "hand")
    assert plan.instances["added"] == 1 and plan.landmarks["added"] == K - 1 and plan.states == {State.DONE: 1}
    assert change.images == {image.id} and document.undo_title == "Import labels"
    document.undo()
    assert not document.instances(image.id) and document.images()[0].state is State.NEW


def test_a_second_import_changes_nothing(document: Document) -> None:
    labels = of_points(document, places())
    apply_import(document, plan_import(document, labels))
    revision = document.revision
    plan = plan_import(document, labels)
    apply_import(document, plan)
    assert plan.instances["unchanged"] == 1 and plan.landmarks["kept"] == 0 and document.revision == revision


def test_a_hands_landmarks_are_kept_and_its_gaps_filled(document: Document) -> None:
    """Landmark 0 differs, 1 is missing in the project, 2 is missing in the file."""
    image = document.images()[0].id
    old = put(document, image, 0, Origin.HAND)
    seen, origin = old.visibility.copy(), old.origin.copy()
    seen[1], origin[1] = 0, Origin.NONE
    document.apply(PutInstance(replace(old, visibility=seen, origin=origin)))
    document.apply(Accept(image))
    new, told = old.points.copy(), np.full(K, 2)
    new[0] += 3
    told[2] = 0
    plan = plan_import(document, of_points(document, new, told))
    assert plan.landmarks == {"added": 1, "replaced": 0, "kept": 1, "removed": 0} and plan.lost == 0
    apply_import(document, plan)
    (held,) = document.instances(image)
    assert (held.points[0] == old.points[0]).all() and held.visibility[1] == 2 and held.visibility[2] == 2
    assert document.image(image).state is State.DONE

    plan = plan_import(document, of_points(document, new, told), Wishes(replacing=True))
    assert plan.landmarks == {"added": 0, "replaced": 1, "kept": 0, "removed": 1} and plan.lost == 2
    apply_import(document, plan)
    (held,) = document.instances(image)
    assert (held.points[0] == old.points[0] + 3).all() and held.visibility[2] == 0
    document.undo()
    assert document.instances(image)[0].visibility[2] == 2


def test_a_models_landmarks_give_way_to_a_hands_and_are_never_lost(document: Document) -> None:
    image = document.images()[0].id
    old = put(document, image, 0, Origin.MODEL)
    told = np.full(K, 2)
    told[5] = 0
    apply_import(document, plan_import(document, of_points(document, old.points + 1, told)))
    (held,) = document.instances(image)
    assert (held.points[told > 0] == old.points[told > 0] + 1).all() and held.origin[5] == Origin.MODEL
    assert held.visibility[5] == 2 and document.image(image).state is State.IN_WORK and held.id == old.id


def test_a_files_predictions_are_a_models_and_keep_away_from_a_hands(document: Document) -> None:
    image = document.images()[0].id
    predicted = of_points(document, places(), hand=np.array([False]), score=np.full((1, K), 0.75))
    plan = plan_import(document, predicted)
    apply_import(document, plan)
    (held,) = document.instances(image)
    assert set(held.origin) == {Origin.MODEL} and document.image(image).state is State.PREDICTED
    assert document.image(image).doubt == 0.25 and held.score[0] == 0.75 and not held.touched
    assert plan_import(document, predicted).edits == ()
    document.apply(PutInstance(held.with_point(0, 1, 2)))
    other = of_points(document, places() + 2, hand=np.array([False]))
    far = of_points(document, places() + 1000, hand=np.array([False]))
    apply_import(document, plan_import(document, other))
    assert (document.instances(image)[0].points[0] == (1, 2)).all()
    assert plan_import(document, far).instances["left out"] == 1


def test_pictures_are_known_by_their_bytes_and_by_the_end_of_the_name(document: Document, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere.png"
    other.write_bytes(encode_png(np.full((30, 50, 3), 9, np.uint8)))
    twin = tmp_path / "twin.png"
    twin.write_bytes(other.read_bytes())
    wrong = tmp_path / "pictures" / "image 2.png"
    pictures = (
        Picture("elsewhere.png", other, (50, 30)), Picture("twin.png", twin, (50, 30)),
        Picture("D:\\data\\pictures\\image 1.png"), Picture("gone.png"), Picture("image 2.png", wrong, (10, 10)),
    )  # fmt: skip
    held = table(MPII, np.arange(5), np.stack([places(n) for n in range(5)]), np.full((5, K), 2))
    plan = plan_import(document, LabelSet(pictures, (held,)))
    assert plan.pictures == {"found": 3, "missing": 1, "refused": 1, "new": 1, "known": 1}
    assert plan.instances["left out"] == 2 and plan.instances["added"] == 3
    told = [problem.what for problem in plan.problems]
    assert any("same picture" in what for what in told) and any("160 x 120" in what for what in told)
    apply_import(document, plan)
    assert len(document.images()) == 4 and len(document.instances(document.images()[-1].id) or ()) in (0, 2)
    added = next(image for image in document.images() if image.path == str(other))
    assert len(document.instances(added.id)) == 2 and (added.width, added.height) == (50, 30) and added.digest


def test_duplicates_count_once_and_empty_pictures_stay_empty(document: Document) -> None:
    labels = of_points(document, places())
    twice = replace(labels, tables=(rows(np.stack([places()] * 2), np.full((2, K), 2)),))
    assert plan_import(document, twice).instances["duplicates"] == 1
    empty = replace(labels, tables=())
    apply_import(document, plan_import(document, empty))
    assert document.images()[0].state is State.DONE_EMPTY
    apply_import(document, plan_import(document, labels))
    assert document.images()[0].state is State.IN_WORK  # a hand said that it is empty


def test_nothing_happens_where_the_project_changed_or_reading_is_stopped(document: Document) -> None:
    labels = of_points(document, places())
    plan = plan_import(document, labels)
    put(document, document.images()[1].id)
    revision = document.revision
    with pytest.raises(Outdated):
        apply_import(document, plan)

    def stop(done: float, total: float | None) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        plan_import(document, labels, progress=stop)
    assert document.revision == revision and not document.instances(document.images()[0].id)


@pytest.mark.parametrize(
    ("name", "words"),
    [("l_eye", ("eye", "left")), ("LeftEye", ("eye", "left")), ("eye-left", ("eye", "left")),
     ("R Knee", ("knee", "right")),
     ("Jaw 12", ("12", "jaw")), ("jaw12", ("12", "jaw"))],
)  # fmt: skip
def test_names_are_compared_by_their_words(name: str, words: tuple[str, ...]) -> None:
    assert words_of(name) == words


def test_landmarks_match_by_name_by_number_or_as_told() -> None:
    schema = load_schema("coco17")
    found = match(Skeleton("x", ("nose", "r_eye", "tail")), schema)
    assert found.target == (0, 2, -1) and found.left_out == ("tail",)
    assert match(Skeleton("x", ("nose", "tail")), schema, {"tail": "left ear", "nose": ""}).target == (-1, 3)
    assert match(Skeleton("x", ("nose", "tail")), schema, {"tail": "Nose"}).target == (-1, 0)
    numbered = match(Skeleton("x", tuple(str(n + 1) for n in range(17))), schema)
    assert numbered.by_number and numbered.target == tuple(range(17))
    with pytest.raises(UserError, match="has no landmark 'wing'"):
        match(Skeleton("x", ("tail",)), schema, {"tail": "wing"})


def test_sides_are_told_by_the_shape() -> None:
    """Faces of the mean shape, turned and scaled; half of them with the pairs exchanged."""
    schema = load_schema("ibug68")
    mean = np.asarray(schema.mean)
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    faces = np.stack([mean @ turn.T * 90 + 7, mean * 50])
    there = np.ones((2, 68), bool)
    assert look_at_sides(faces, there, schema).agree == 2
    found = look_at_sides(faces[:, schema.permutation], there, schema)
    assert found.contradict == 2 and found.swapped


def test_a_new_project_has_the_schema_of_its_labels(document: Document) -> None:
    coco = Skeleton("person", tuple(name.lower().replace(" ", "_") for name in load_schema("coco17").landmarks))
    assert schema_for(LabelSet((), (table(coco, [], [], []),))).name == "coco17"
    mouse = Skeleton("mouse", ("snout", "ear_left", "ear_right"), ((0, 1),))
    own = schema_for(LabelSet((), (table(mouse, [0], [[[5, 10], [0, 0], [10, 0]]], [[2, 2, 2]]),)))
    assert own.name == "mouse3" and own.flip == ((1, 2),) and own.sides == ("centre", "left", "right")
    assert own.mean == ((0.5, 1), (0, 0), (1, 0)) and own.normaliser in ((0, 1), (0, 2)) and own.edges == ((0, 1),)


# ---- the command


@pytest.fixture
def coco(tmp_path: Path) -> Callable[..., Path]:
    (tmp_path / "a.png").write_bytes(encode_png(np.zeros((40, 60, 3), np.uint8)))

    def make(keypoints: list[float], name: str = "labels.json") -> Path:
        path = tmp_path / name
        path.write_text(json.dumps({
            "images": [{"id": 1, "file_name": "a.png", "width": 60, "height": 40},
                       {"id": 2, "file_name": "b.png", "width": 60, "height": 40}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "keypoints": keypoints},
                            {"id": 2, "image_id": 2, "category_id": 1, "keypoints": keypoints}],
            "categories": [{"id": 1, "name": "fly", "keypoints": ["head", "left_wing", "right_wing"]}],
        }))  # fmt: skip
        return path

    return make


def test_the_command_makes_a_project_and_merges_into_it(coco: Callable[..., Path], tmp_path: Path) -> None:
    project = tmp_path / "flies.hourbit-project"
    labels = coco([1.5, 2, 2, 3, 4, 1, 0, 0, 0])
    dry = hourbit("import", labels, project, "--dry-run", "--json")
    assert dry.code == 0 and dry.json["applied"] is False and not project.exists()
    ran = hourbit("import", labels, project, "--json")
    assert ran.code == 0, ran.err
    told = ran.json
    assert told["pictures"] == {"found": 1, "missing": 1, "refused": 0, "new": 1, "known": 0}
    assert told["instances"]["added"] == 1 and told["instances"]["left out"] == 1 and told["states"] == {"done": 1}
    assert told["schema"] == "fly3" and told["mapping"][1] == {"file": "left_wing", "project": "left_wing"}
    assert "1 of 2 pictures were not found" in ran.err
    more = coco([9, 9, 2, 3, 4, 1, 5, 6, 2], "more.json")
    ran = hourbit("import", more, project)
    assert ran.code == 0 and "Landmarks of a hand that differ and were kept: 1; --replace" in ran.out
    assert hourbit("export", project, tmp_path / "out.json", "--format", "coco").code == 0
    (back,) = json.loads((tmp_path / "out.json").read_text())["annotations"]
    assert back["keypoints"] == [1.5, 2, 2, 3, 4, 1, 5, 6, 2]
    ran = hourbit("import", more, project, "--replace", "--json")
    assert ran.json["landmarks"] == {"added": 0, "replaced": 1, "kept": 0, "removed": 0}


def test_the_command_maps_names_and_leaves_nothing_behind_where_it_fails(
    coco: Callable[..., Path], tmp_path: Path
) -> None:
    labels, project = coco([1.5, 2, 2, 3, 4, 1, 0, 0, 0]), tmp_path / "p.hourbit-project"
    refused = hourbit("import", labels, project, "--schema", "coco17")
    assert refused.code == 2 and "No landmark of these labels" in refused.err and not project.exists()
    ran = hourbit(
        "import", labels, project, "--schema", "coco17", "--map", "head=nose,left_wing=left shoulder", "--json"
    )
    assert ran.code == 0 and [row["project"] for row in ran.json["mapping"]] == ["Nose", "Left shoulder", None]
    for wrong, told in (("head", "is no pair"), ("tail=nose", "no landmark 'tail'"), ("head=tail", "'tail'"),
                        ("head=nose,left_wing=nose", "both become")):  # fmt: skip
        ran = hourbit("import", labels, project, "--map", wrong)
        assert ran.code == 2 and told in ran.err and len(ran.err.splitlines()) == 1
    assert hourbit("import", labels, tmp_path / "plain").code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "labels.json", "p.hourbit-project"]
