"""The document: every edit kept, every undo exact, listeners told, states as the work goes."""

from __future__ import annotations

import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from app.files import data_folder
from app.project import store
from app.project.backups import KEPT, backups
from app.project.document import Document
from app.project.edits import (
    Accept,
    AddImages,
    Batch,
    Migrate,
    NewImage,
    Onto,
    Predicted,
    PutInstance,
    Reject,
    RemoveInstance,
    SetState,
    SetTags,
)
from app.project.store import JOURNAL_KEPT
from app.project.values import State
from engine.errors import UserError
from tests.app.projects import instance, new_document, put, same


def everything(document: Document) -> dict:
    return {image: document.instances(image.id) for image in document.images()}


def reopened(document: Document) -> Document:
    document.close()
    return Document.open(document.path)


def test_an_edit_is_there_after_reopening_without_a_close(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    held = put(document, document.images()[0].id)
    copy = tmp_path / "copy" / "test.hourbit-project"
    copy.parent.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{document.path}{suffix}", f"{copy}{suffix}")
    document.close()
    other = Document.open(copy)
    assert same(other.instances(held.image)[0], held)
    other.close()


def test_undo_and_redo_are_exact_and_survive_reopening(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    image = document.images()[0].id
    states = [put(document, image)]
    for k in range(12):
        states.append(states[-1].with_point(k, 3.25 * k, 100 - k))
        document.apply(PutInstance(states[-1], f"Move {k}"))
    assert document.undo_title == "Move 11" and document.redo_title is None
    for k in range(11, -1, -1):
        assert document.undo().kind == "undo"
        assert same(document.instances(image)[0], states[k])
        if k == 6:
            document = reopened(document)
            assert (document.undo_title, document.redo_title) == ("Move 5", "Move 6")
    for k in range(1, 13):
        document.redo()
        assert same(document.instances(image)[0], states[k])
    document.close()


def test_a_new_edit_ends_redo(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    image = document.images()[0].id
    first = put(document, image)
    document.apply(PutInstance(first.with_point(0, 1, 1)))
    document.undo()
    document.apply(PutInstance(first.with_point(1, 2, 2)))
    assert document.redo() is None
    document.close()


def test_states_follow_the_work(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    image, other = (i.id for i in document.images()[:2])
    document.apply(Predicted(image, (instance(image),), 0.4))
    assert document.image(image).state is State.PREDICTED and document.image(image).doubt == 0.4
    held = document.instances(image)[0]
    document.apply(PutInstance(held.with_point(0, 5, 5)))
    assert document.image(image).state is State.IN_WORK
    document.apply(Accept(image))
    document.apply(Accept(other))
    assert document.image(image).state is State.DONE
    assert document.image(other).state is State.DONE_EMPTY
    document.apply(RemoveInstance(held.id))
    assert document.image(image).state is State.DONE_EMPTY and document.instances(image) == ()
    document.apply(Reject(other))
    assert document.image(other).state is State.REJECTED
    assert document.counts()[State.REJECTED] == 1 and sum(document.counts().values()) == 3
    document.close()


def test_known_paths_are_not_added_twice_and_the_order_is_natural(tmp_path: Path) -> None:
    document = new_document(tmp_path, 0)
    names = ["b10.png", "b2.png", "B1.png", "a.png"]
    document.apply(AddImages(tuple(NewImage(n, 8, 8) for n in names)))
    change = document.apply(AddImages((NewImage("b2.png", 8, 8), NewImage("c.png", 8, 8))))
    assert [i.path for i in document.images()] == ["a.png", "B1.png", "b2.png", "b10.png", "c.png"]
    assert len(change.images) == 2
    document.close()


def test_subscribers_hear_after_the_commit(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    heard: list = []
    end = document.subscribe(lambda change: heard.append((change, document.revision)))
    image = document.images()[0].id
    document.apply(SetState(image, State.BROKEN, "cannot read"))
    end()
    document.apply(Accept(image))
    assert [(c.images, r == c.revision) for c, r in heard] == [(frozenset({image}), True)]
    document.close()


def test_wrong_number_of_landmarks_is_refused(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    whole = instance(document.images()[0].id)
    arrays = {n: getattr(whole, n)[:5] for n in ("points", "visibility", "origin", "score", "guess", "when")}
    with pytest.raises(UserError, match="16 landmarks"):
        document.apply(PutInstance(replace(whole, **arrays)))
    document.close()


def test_the_journal_keeps_many_steps(tmp_path: Path) -> None:
    assert JOURNAL_KEPT >= 200
    document = new_document(tmp_path)
    held = put(document, document.images()[0].id)
    for n in range(210):
        document.apply(PutInstance(held.with_point(0, float(n), 0.0)))
    for n in range(210):
        if n % 70 == 0:
            document = reopened(document)
        assert document.undo() is not None
    assert same(document.instances(held.image)[0], held)
    document = reopened(document)
    for _ in range(210):
        assert document.redo() is not None
    assert document.instances(held.image)[0].points[0].tolist() == [209, 0] and document.redo() is None
    document.close()


def test_a_step_of_many_entries_counts_as_one_and_goes_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "JOURNAL_KEPT", 3)
    document = new_document(tmp_path, 6)
    images = [image.id for image in document.images()]
    document.apply(Batch(tuple(SetState(id, State.IN_WORK) for id in images), "Begin"))
    for id in images:
        document.apply(Predicted(id, (instance(id),), onto=Onto.MODEL, order=5))
    document.apply(SetTags(images[0], ("a",)))
    assert document.undo_title == "Tag"
    document.undo()
    assert document.undo().images == frozenset(images) and document.undo_title == "Begin"
    assert not any(document.instances(id) for id in images)
    assert document.redo().images == frozenset(images) and document.undo().images == frozenset(images)
    for tag in "bcd":
        document.apply(SetTags(images[0], (tag,)))
    document = reopened(document)
    assert [document.undo() is not None for _ in range(4)] == [True, True, True, False]
    document.close()


def test_redo_brings_back_what_models_had_found_in_between(tmp_path: Path) -> None:
    """A change of the schema, predictions under it, one of them deleted: back to the start and again to the end."""
    document = new_document(tmp_path)
    first, second, _ = (image.id for image in document.images())
    document.apply(Predicted(first, (instance(first, 1),)))
    source = (*range(1, len(document.schema)), 0)
    document.apply(Migrate(document.schema, source))
    document.apply(Predicted(first, (instance(first, 2), instance(first, 3))))
    document.apply(Predicted(second, (instance(second, 4),)))
    document.apply(RemoveInstance(document.instances(first)[0].id))
    states = [everything(document)]
    while document.undo():
        states.append(everything(document))
    document = reopened(document)
    for state in reversed(states[:-1]):
        document.redo()
        assert everything(document) == state
    for state in states[1:]:
        document.undo()
        assert everything(document) == state
    document.close()


def test_a_moved_folder_still_finds_its_pictures(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    document = new_document(tmp_path / "old")
    document.close()
    (tmp_path / "old").rename(tmp_path / "new")
    moved = Document.open(tmp_path / "new" / "test.hourbit-project")
    assert moved.picture_path(moved.images()[0]) == tmp_path / "new" / "pictures" / "image 1.png"
    moved.close()


def test_a_changed_project_is_backed_up_when_opened(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    for n in range(12):
        put(document, document.images()[0].id, n)
        document = reopened(document)
    document.close()
    document = reopened(document)  # unchanged since: no further copy
    document.close()
    copies = backups(document.path)
    assert len(copies) == KEPT
    backup = Document.open(copies[0].path)
    assert len(backup.instances(backup.images()[0].id)) == 12
    backup.close()


def test_a_backup_that_cannot_be_written_does_not_stop_the_opening(tmp_path: Path) -> None:
    (data_folder() / "backups").write_bytes(b"a file in the way")
    document = reopened(new_document(tmp_path))
    assert len(document.images()) == 3
    document.close()


def test_a_listener_that_fails_stops_neither_the_edit_nor_the_others(tmp_path: Path, monkeypatch) -> None:
    document = new_document(tmp_path)
    image, told, reported = document.images()[0].id, [], []
    monkeypatch.setattr(sys, "excepthook", lambda *what: reported.append(what[1]))
    document.subscribe(lambda change: 1 / 0)
    document.subscribe(told.append)
    assert document.apply(Accept(image)).images == {image}
    assert len(told) == 1 and isinstance(reported[0], ZeroDivisionError)
    document.close()


def test_edits_from_many_threads_are_all_kept(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    images = [i.id for i in document.images()]

    def work(image: int) -> None:
        for n in range(10):
            put(document, image, n)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, images))
    assert document.revision == 31
    document = reopened(document)
    assert [len(document.instances(i)) for i in images] == [10, 10, 10]
    document.close()


def test_names_that_are_no_text_are_kept(tmp_path: Path) -> None:
    document = new_document(tmp_path, 0)
    name = os.fsdecode(b"/pictures/\xe4\xff \n.png")
    document.apply(AddImages((NewImage(name, 8, 8),)))
    document = reopened(document)
    assert document.images()[0].path == name
    document.close()
