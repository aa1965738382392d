"""The document: every edit kept, every undo exact, predictions never fight the hand."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from app.files import data_folder
from app.project.document import Document
from app.project.edits import (
    Accept,
    AddImages,
    Batch,
    NewImage,
    Predicted,
    PutInstance,
    Reject,
    RemoveInstance,
    SetState,
)
from app.project.store import JOURNAL_KEPT, Store
from app.project.values import Origin, State, Visibility
from engine.errors import UserError
from tests.app.projects import SCHEMA, instance, new_document, put, same


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


@pytest.mark.parametrize("change", ["point", "visibility", "accepted", "rejected", "emptied"])
def test_predictions_never_touch_what_a_hand_did(tmp_path: Path, change: str) -> None:
    document = new_document(tmp_path)
    image = document.images()[0].id
    document.apply(Predicted(image, (instance(image, 1),)))
    held = document.instances(image)[0]
    if change == "point":
        document.apply(PutInstance(held.with_point(3, 1.5, 2.5)))
    elif change == "visibility":
        seen = held.visibility.copy()
        seen[2] = Visibility.OCCLUDED
        document.apply(PutInstance(replace(held, visibility=seen)))
    elif change == "emptied":
        document.apply(RemoveInstance(held.id))
    else:
        document.apply(Accept(image) if change == "accepted" else Reject(image))
    before, title, state = document.instances(image), document.undo_title, document.image(image).state
    document.apply(Predicted(image, (instance(image, 2), instance(image, 3)), 0.1))
    after = document.instances(image)
    assert len(before) == len(after) and all(same(a, b) for a, b in zip(before, after, strict=True))
    assert document.image(image).state is state and document.undo_title == title
    document.close()


def test_a_prediction_replaces_the_models_own(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    image = document.images()[0].id
    document.apply(Predicted(image, (instance(image, 1), instance(image, 2))))
    document.apply(Predicted(image, (instance(image, 3),), 0.25))
    (held,) = document.instances(image)
    assert np.array_equal(held.points, instance(image, 3).points)
    assert document.undo_title == "Add 3 images"
    document.close()


def test_undo_leaves_alone_what_a_prediction_changed_since(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    image = document.images()[0].id
    put(document, image, 1)
    document.apply(Predicted(image, (instance(image, 5),)))
    document.undo()
    (held,) = document.instances(image)
    assert np.array_equal(held.points, instance(image, 5).points)
    document.close()


def test_a_batch_is_one_step_and_reaches_its_new_image(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    added = AddImages((NewImage(str(tmp_path / "frame.png"), 64, 48, "d"),))
    put_there = PutInstance(replace(instance(1), image=0))
    change = document.apply(Batch((added, put_there), "Add a frame"))
    assert document.image(change.created).width == 64
    assert len(document.instances(change.created)) == 1
    document.undo()
    assert len(document.images()) == 3
    with pytest.raises(UserError):
        document.image(change.created)
    document.close()


def test_a_failing_batch_changes_nothing(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    image = document.images()[0].id
    revision = document.revision
    with pytest.raises(UserError, match="no longer"):
        document.apply(Batch((PutInstance(instance(image)), RemoveInstance(999)), "Both"))
    assert document.instances(image) == () and document.revision == revision
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
    arrays = {n: getattr(whole, n)[:5] for n in ("points", "visibility", "origin", "score", "guess")}
    with pytest.raises(UserError, match="16 landmarks"):
        document.apply(PutInstance(replace(whole, **arrays)))
    document.close()


def test_a_second_opener_is_told_who_has_it(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    with pytest.raises(UserError, match=f"process {os.getpid()} on "):
        Document.open(document.path)
    document.close()
    Document.open(document.path).close()


@pytest.mark.parametrize(
    ("content", "message"), [(b"hello" * 500, "no Hourbit project"), (b"", "no Hourbit project"), (None, "no project")]
)
def test_files_of_another_kind_are_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "x.hourbit-project"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        Document.open(path)


def test_a_newer_project_is_refused(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    document.close()
    with closing(sqlite3.connect(document.path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(UserError, match="newer Hourbit"):
        Document.open(document.path)


def test_create_does_not_overwrite(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    document.close()
    with pytest.raises(UserError, match="exists already"):
        Document.create(document.path, SCHEMA, "Other")


def test_damaged_rows_are_listed_and_never_overwritten(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    first, second = (i.id for i in document.images()[:2])
    held = put(document, first)
    document.close()
    with closing(sqlite3.connect(document.path)) as connection, connection:
        connection.execute("UPDATE instances SET data = zeroblob(length(data)) WHERE id = ?", (held.id,))
        connection.execute("UPDATE images SET data = substr(data, 1, 20) WHERE id = ?", (second,))
    document = Document.open(document.path)
    assert document.instances(first) == ()
    assert document.image(second).state is State.BROKEN
    assert len(document.damaged) == 2
    with pytest.raises(UserError):
        document.apply(PutInstance(held))
    document.close()
    with closing(sqlite3.connect(document.path)) as connection:
        (data,) = connection.execute("SELECT data FROM instances WHERE id = ?", (held.id,)).fetchone()
    assert set(data) == {0}


def test_a_full_disk_refuses_the_edit_and_keeps_the_rest(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    image = document.images()[0].id
    held = put(document, image)
    connection = document._store._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    refused = 0
    for n in range(200):
        try:
            document.apply(PutInstance(instance(image, n)))
        except UserError as error:
            assert "not kept" in str(error)
            refused += 1
            break
    assert refused
    count = len(document.instances(image))
    connection.execute("PRAGMA max_page_count = 1000000")
    document.apply(PutInstance(held.with_point(0, 1, 1)))
    document = reopened(document)
    assert len(document.instances(image)) == count
    document.close()


def test_a_changed_project_is_backed_up_when_opened(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    for n in range(12):
        put(document, document.images()[0].id, n)
        document = reopened(document)
    document.close()
    copies = sorted((data_folder() / "backups").glob("test-*.hourbit-project"))
    assert len(copies) == 10
    backup = Document.open(copies[-1])
    assert len(backup.instances(backup.images()[0].id)) == 12
    backup.close()


def test_the_journal_keeps_many_steps(tmp_path: Path) -> None:
    assert JOURNAL_KEPT >= 200
    document = new_document(tmp_path)
    held = put(document, document.images()[0].id)
    for n in range(210):
        document.apply(PutInstance(held.with_point(0, float(n), 0.0)))
    for _ in range(210):
        document.undo()
    assert same(document.instances(held.image)[0], held)
    document.close()


def test_a_moved_folder_still_finds_its_pictures(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    document = new_document(tmp_path / "old")
    document.close()
    (tmp_path / "old").rename(tmp_path / "new")
    moved = Document.open(tmp_path / "new" / "test.hourbit-project")
    assert moved.picture_path(moved.images()[0]) == tmp_path / "new" / "pictures" / "image 1.png"
    moved.close()


class Machine(RuleBasedStateMachine):
    """Random edits, undos, redos and reopenings against plain lists of values."""

    @initialize()
    def start(self) -> None:
        import tempfile

        self.folder = Path(tempfile.mkdtemp())
        self.document = new_document(self.folder, 2)
        self.images = [i.id for i in self.document.images()]
        self.past, self.future = [self.view()], []

    def view(self):
        return {i: (self.document.image(i).state, self.document.instances(i)) for i in self.images}

    def changed(self) -> None:
        self.past.append(self.view())
        self.future = []

    @rule(image=st.integers(0, 1), seed=st.integers(0, 9))
    def add(self, image: int, seed: int) -> None:
        self.document.apply(PutInstance(instance(self.images[image], seed, Origin.HAND)))
        self.changed()

    @rule(image=st.integers(0, 1), k=st.integers(0, 15), x=st.floats(0, 150), y=st.floats(0, 110))
    def move(self, image: int, k: int, x: float, y: float) -> None:
        for held in self.document.instances(self.images[image])[:1]:
            self.document.apply(PutInstance(held.with_point(k, x, y)))
            self.changed()

    @rule(image=st.integers(0, 1))
    def remove(self, image: int) -> None:
        for held in self.document.instances(self.images[image])[:1]:
            self.document.apply(RemoveInstance(held.id))
            self.changed()

    @rule(image=st.integers(0, 1))
    def reject(self, image: int) -> None:
        if self.document.image(self.images[image]).state is not State.REJECTED:
            self.document.apply(Reject(self.images[image]))
            self.changed()

    @precondition(lambda self: len(self.past) > 1)
    @rule()
    def undo(self) -> None:
        self.document.undo()
        self.future.append(self.past.pop())
        self.agree()

    @precondition(lambda self: self.future)
    @rule()
    def redo(self) -> None:
        self.document.redo()
        self.past.append(self.future.pop())
        self.agree()

    @rule()
    def reopen(self) -> None:
        self.document = reopened(self.document)
        self.agree()

    def agree(self) -> None:
        now, expected = self.view(), self.past[-1]
        for image in self.images:
            assert now[image][0] == expected[image][0]
            assert len(now[image][1]) == len(expected[image][1])
            assert all(same(a, b) for a, b in zip(now[image][1], expected[image][1], strict=True))

    def teardown(self) -> None:
        if hasattr(self, "document"):
            self.document.close()
            shutil.rmtree(self.folder)


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_store_refuses_unknown_tables(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    with pytest.raises(ValueError, match="journal"):
        document._store.row("journal", 1)
    assert isinstance(document._store, Store)
    document.close()
