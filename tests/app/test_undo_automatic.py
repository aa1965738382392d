"""Undo and redo of an edit take back and bring back that edit alone: what was found out since stays or fits."""

from __future__ import annotations

import pytest

from app.project.document import Document
from app.project.edits import (
    AddImages,
    Edit,
    Fingerprint,
    Link,
    NewImage,
    Onto,
    Predicted,
    PutInstance,
    Refit,
    Relink,
    RemoveInstance,
    SetState,
    SetTags,
)
from app.project.values import Image, Instance, State
from tests.app.projects import instance, put


def facts(document: Document, image: int) -> tuple[Image, tuple[Instance, ...]]:
    return document.image(image), document.instances(image)


def back_and_forth(document: Document, image: int, undone: tuple) -> None:
    """Undo brings `undone`, redo what is there now, each as often as one likes, and after reopening."""
    done, title = facts(document, image), document.undo_title
    for _ in range(2):
        document.undo()
        assert facts(document, image) == undone and document.redo_title == title
        document.redo()
        assert facts(document, image) == done and document.undo_title == title
    document.undo()
    again = Document.read(document.path)
    assert facts(again, image) == undone and again.check() == []
    again.close()


def test_undo_of_a_tag_leaves_the_prediction_that_came_after_it(document: Document, image: int) -> None:
    before = document.image(image)
    document.apply(SetTags(image, ("flagged",)))
    document.apply(Predicted(image, (instance(image, 1),), 0.25, doubts=(0.25,) * 7))
    now, labels = facts(document, image)
    back_and_forth(document, image, (before.but(state=State.PREDICTED, doubt=0.25, doubts=now.doubts), labels))
    assert document.counts()[State.PREDICTED] == 1 and document.undo_title == "Add 3 images"
    document.apply(Predicted(image, (instance(image, 2),), 0.5))
    assert document.image(image).state is State.PREDICTED and document.image(image).doubt == 0.5
    assert len(document.instances(image)) == 1


def test_each_of_several_edits_is_undone_alone(document: Document, image: int) -> None:
    before = document.image(image)
    document.apply(SetTags(image, ("a",)))
    document.apply(Predicted(image, (instance(image, 1),), 0.25))
    document.apply(SetTags(image, ("a", "b")))
    document.apply(Fingerprint(((image, "0123456789abcdef"),)))
    known = before.but(state=State.PREDICTED, doubt=0.25, fingerprint="0123456789abcdef")
    for tags in (("a", "b"), ("a",)):
        assert document.image(image) == known.but(tags=tags)
        document.undo()
    assert document.image(image) == known and len(document.instances(image)) == 1
    for tags in (("a",), ("a", "b")):
        document.redo()
        assert document.image(image) == known.but(tags=tags)


def test_undo_of_a_tag_leaves_the_size_that_was_read_since(document: Document) -> None:
    image = document.apply(AddImages((NewImage("late.png", 1, 1),))).created
    document.apply(SetTags(image, ("flagged",)))
    document.apply(Refit(image, 640, 480, "digest"))
    document.apply(Predicted(image, (instance(image),), 0.25))
    (held,) = document.instances(image)
    read = Image(image, "late.png", 640, 480, State.PREDICTED, 0.25, "digest")
    back_and_forth(document, image, (read, (held,)))
    document.apply(Refit(image, 640, 480, "digest"))
    assert facts(document, image) == (read, (held,))


@pytest.mark.parametrize("edit", ["tag", "relink"])
def test_undo_leaves_that_a_picture_could_not_be_read(document: Document, image: int, edit: str) -> None:
    before = document.image(image)
    made: Edit = SetTags(image, ("x",)) if edit == "tag" else Relink((Link(image, "elsewhere.png", "other"),))
    document.apply(made)
    document.apply(SetState(image, State.BROKEN, "cannot be read"))
    back_and_forth(document, image, (before.but(state=State.BROKEN, reason="cannot be read"), ()))


def test_undo_of_another_size_brings_the_labels_of_the_old_one_alone(document: Document, image: int) -> None:
    document.apply(Predicted(image, (instance(image, 1),), 0.25))
    before = facts(document, image)
    document.apply(Refit(image, 320, 240, "larger"))
    document.apply(Predicted(image, (instance(image, 2),), 0.5))
    assert document.undo_title == "Fit the labels to the picture"
    back_and_forth(document, image, before)


def test_undo_of_predictions_that_others_have_replaced_since_brings_the_first_alone(document, image) -> None:
    document.apply(Predicted(image, (instance(image, 1), instance(image, 2)), 0.25))
    document.apply(RemoveInstance(document.instances(image)[1].id))
    before = facts(document, image)
    assert before[0].state is State.IN_WORK
    document.apply(Predicted(image, (instance(image, 3),), 0.5, onto=Onto.MODEL))
    document.apply(Predicted(image, (instance(image, 4),), 0.75, onto=Onto.MODEL))
    back_and_forth(document, image, before)


def test_a_label_comes_back_with_the_size_of_the_picture_it_was_made_on(document: Document, image: int) -> None:
    held = put(document, image)
    before = facts(document, image)
    document.apply(RemoveInstance(held.id))
    document.apply(Refit(image, 320, 240, "larger"))
    assert document.undo_title == "Delete the instance"
    back_and_forth(document, image, before)


def test_undo_of_a_label_leaves_the_other_labels_of_its_image(document: Document, image: int) -> None:
    document.apply(Predicted(image, (instance(image, 1), instance(image, 2)), 0.25))
    before = facts(document, image)
    document.apply(PutInstance(before[1][0].with_point(0, 9.0, 9.0)))
    document.apply(Fingerprint(((image, "0123456789abcdef"),)))
    back_and_forth(document, image, (before[0].but(fingerprint="0123456789abcdef"), before[1]))
