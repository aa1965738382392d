"""What edits do: predictions keep away from hands, batches are whole, undo is exact whatever came between."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.project.document import Document
from app.project.edits import Accept, AddImages, Batch, NewImage, Predicted, PutInstance, Reject, RemoveInstance
from app.project.values import Box, Instance, Origin, State, Visibility
from engine.errors import UserError
from tests.app.projects import K, instance, put


@pytest.mark.parametrize("change", ["point", "visibility", "box", "accepted", "rejected", "emptied", "one of two"])
def test_predictions_never_touch_what_a_hand_did(document: Document, image: int, change: str) -> None:
    document.apply(Predicted(image, (instance(image, 1), instance(image, 4))[: 2 if change == "one of two" else 1]))
    held = document.instances(image)[0]
    seen = held.visibility.copy()
    seen[2] = Visibility.OCCLUDED
    document.apply({
        "point": PutInstance(held.with_point(3, 1.5, 2.5)),
        "visibility": PutInstance(replace(held, visibility=seen)),
        "box": PutInstance(replace(held, box=Box(50.0, 50.0, 30.0))),
        "accepted": Accept(image),
        "rejected": Reject(image),
        "emptied": RemoveInstance(held.id),
        "one of two": RemoveInstance(held.id),
    }[change])  # fmt: skip
    before, facts = document.instances(image), (document.undo_title, document.image(image), document.revision)
    heard: list = []
    document.subscribe(heard.append)
    change = document.apply(Predicted(image, (instance(image, 2), instance(image, 3)), 0.1))
    assert document.instances(image) == before
    assert (document.undo_title, document.image(image), document.revision) == facts
    assert change.images == frozenset() and heard == []


def test_a_prediction_replaces_the_models_own(document: Document, image: int) -> None:
    document.apply(Predicted(image, (instance(image, 1), instance(image, 2))))
    document.apply(Predicted(image, (instance(image, 3),), 0.25))
    (held,) = document.instances(image)
    assert np.array_equal(held.points, instance(image, 3).points)
    assert document.image(image).doubt == 0.25
    assert document.undo_title == "Add 3 images"


def test_pictures_go_and_come_back_with_what_models_found_in_them(document: Document, image: int) -> None:
    document.apply(Predicted(image, (instance(image, 1),), 0.5))
    before = document.images(), document.instances(image)
    assert document.undo().kind == "undo"
    assert document.images() == [] and document.instances(image) == ()
    document.redo()
    assert (document.images(), document.instances(image)) == before and document.check() == []


def test_undo_of_an_edit_is_exact_after_other_images_were_predicted(document: Document, image: int) -> None:
    other = document.images()[1].id
    document.apply(Predicted(image, (instance(image, 1),), 0.5))
    before = document.instances(image), document.image(image)
    document.apply(PutInstance(before[0][0].with_point(0, 9.0, 9.0), "Move"))
    document.apply(Predicted(other, (instance(other, 2),), 0.5))
    document.undo()
    assert (document.instances(image), document.image(image)) == before
    document.redo()
    assert document.instances(image)[0].points[0].tolist() == [9.0, 9.0]
    assert len(document.instances(other)) == 1


def test_a_new_prediction_ends_the_redo_of_what_it_replaces_and_no_other(document: Document, image: int) -> None:
    other = document.images()[1].id
    document.apply(Predicted(image, (instance(image, 1),)))
    document.apply(PutInstance(document.instances(image)[0].with_point(0, 9.0, 9.0), "Move"))
    document.undo()
    document.apply(Predicted(other, (instance(other, 2),)))
    assert document.redo_title == "Move"
    document.apply(Predicted(image, (instance(image, 5),)))
    assert document.redo_title is None and document.redo() is None
    (held,) = document.instances(image)
    assert np.array_equal(held.points, instance(image, 5).points)


def test_an_edit_that_changes_nothing_is_no_step(document: Document, image: int) -> None:
    document.apply(Accept(image))
    revision, title = document.revision, document.undo_title
    document.apply(Accept(image))
    document.apply(AddImages((NewImage(document.image(image).path, 160, 120, "other"),)))
    assert (document.revision, document.undo_title) == (revision, title)


def test_a_batch_is_one_step_and_reaches_its_new_image(document: Document, tmp_path: Path) -> None:
    added = AddImages((NewImage(str(tmp_path / "frame.png"), 64, 48, "d"),))
    puts = [PutInstance(replace(instance(1, seed), image=0)) for seed in (1, 2)]
    change = document.apply(Batch((added, *puts), "Add a frame"))
    assert document.image(change.created).width == 64
    assert len(document.instances(change.created)) == 2
    document.undo()
    assert len(document.images()) == 3
    with pytest.raises(UserError):
        document.image(change.created)
    document.redo()
    assert len(document.instances(change.created)) == 2
    assert document.image(change.created).state is State.IN_WORK


def test_a_failing_batch_changes_nothing(document: Document, image: int) -> None:
    revision = document.revision
    with pytest.raises(UserError, match="no longer"):
        document.apply(Batch((PutInstance(instance(image)), RemoveInstance(999)), "Both"))
    assert document.instances(image) == () and document.revision == revision


def test_a_path_that_stands_twice_in_one_edit_is_one_image(document: Document) -> None:
    change = document.apply(AddImages((NewImage("new.png", 8, 8), NewImage("new.png", 8, 8))))
    assert len(document.images()) == 4 and len(change.images) == 1


def test_ids_are_never_given_again(document: Document, image: int) -> None:
    first = put(document, image)
    document.undo()
    second = put(document, image, 1)
    assert second.id > first.id


def test_an_instance_stays_in_its_image(document: Document, image: int) -> None:
    held, other = put(document, image), document.images()[1].id
    with pytest.raises(UserError, match="stays in its image"):
        document.apply(PutInstance(replace(held, image=other)))
    assert document.instances(image) == (held,) and document.instances(other) == ()


def test_the_last_instance_of_an_accepted_image_makes_it_empty_and_undo_brings_both_back(document, image) -> None:
    held = put(document, image)
    document.apply(Accept(image))
    document.apply(RemoveInstance(held.id))
    assert document.image(image).state is State.DONE_EMPTY
    document.undo()
    assert document.image(image).state is State.DONE and document.instances(image) == (held,)


# ---- values
def test_instances_are_values_that_nobody_can_change_from_outside() -> None:
    whole = instance(1)
    points = np.array(whole.points)
    held = replace(whole, points=points)
    points[0] = 0
    assert held.points[0].tolist() != [0, 0] and held == replace(whole, points=np.array(whole.points))
    with pytest.raises(ValueError, match="read-only"):
        held.points[0] = 0
    assert held != held.with_point(0, 1, 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("points", np.full((K, 2), np.nan)), ("points", np.full((K, 2), np.inf)), ("points", np.zeros((K, 3))),
        ("score", np.full(K, np.nan)), ("guess", np.full((K, 2), np.inf)), ("visibility", np.full(K, 3)),
        ("visibility", np.full(K, 1.5)), ("visibility", np.full(K, -1)), ("visibility", np.full(K, 258)),
        ("visibility", np.full(K, True)), ("origin", np.full(K, 4)), ("origin", np.zeros(K - 1, int)),
    ],
)  # fmt: skip
def test_instances_with_impossible_values_are_refused(name: str, value: np.ndarray) -> None:
    with pytest.raises(ValueError):
        replace(instance(1), **{name: value})


def test_a_landmark_remembers_who_placed_it_and_how_far_it_moved() -> None:
    none = np.full((K, 2), np.nan)
    by_hand = replace(instance(1, origin=Origin.NONE), guess=none)
    assert by_hand.with_point(0, 1, 2).origin[0] == Origin.HAND and by_hand.moved(0) == 0
    guessed = instance(1)
    x, y = guessed.points[4]
    moved = guessed.with_point(4, x + 3, y - 4)
    assert moved.origin[4] == Origin.EDITED and moved.moved(4) == pytest.approx(5) and moved.touched
    assert not guessed.touched and isinstance(moved, Instance)
    gone = guessed.visibility.copy()
    gone[4] = Visibility.ABSENT
    assert replace(guessed, visibility=gone).with_point(4, 1, 1).visibility[4] == Visibility.VISIBLE


def test_labels_carry_the_name_of_who_changed_them_last(document: Document, image: int) -> None:
    document.apply(Predicted(image, (replace(instance(image), annotator=""),)))
    assert [i.annotator for i in document.instances(image)] == [""]  # a model's is nobody's
    document.annotator = "Anna"
    document.apply(Accept(image))
    (accepted,) = document.instances(image)
    assert accepted.annotator == "Anna"
    document.annotator = "Ben"
    document.apply(Accept(image))
    document.apply(PutInstance(accepted))
    assert document.instances(image)[0].annotator == "Anna"  # nothing was changed
    document.apply(PutInstance(accepted.with_point(0, 5, 5)))
    assert document.instances(image)[0].annotator == "Ben"
    document.undo()
    assert document.instances(image) == (accepted,)
