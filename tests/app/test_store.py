"""The project's file: who may open it, what is damaged in it, a disk that refuses, and its backups."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from app.files import computer
from app.project import opening
from app.project.document import Document
from app.project.edits import Accept, AddImages, Batch, NewImage, Predicted, PutInstance
from app.project.records import DamagedError, RowChange, journal_bytes, journal_from
from app.project.values import State
from engine.errors import UserError
from tests.app.projects import SCHEMA, instance, new_document, put


def change_file(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


# ---- who may open it
def test_a_second_opener_is_told_who_has_it(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    with pytest.raises(UserError, match=f"process {os.getpid()} on "):
        Document.open(document.path)
    document.apply(Accept(document.images()[0].id))  # the first one is none the worse
    document.close()
    Document.open(document.path).close()


def test_closing_twice_leaves_the_next_opener_s_note_alone(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    document.close()
    other = Document.open(document.path)
    document.close()
    with pytest.raises(UserError, match="process"):
        Document.open(document.path)
    other.close()
    assert list(tmp_path.glob(".*")) == []


def test_a_project_of_a_killed_program_opens_at_once(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    document.close()
    code = (
        "import os, sys; from app.project.document import Document; "
        "Document.open(sys.argv[1]); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, document.path], cwd=Path(__file__).parents[2], timeout=60)
    assert opening.holder(document.path).exists()
    Document.open(document.path).close()
    assert not opening.holder(document.path).exists()


@pytest.mark.parametrize(
    ("content", "message"), [(b"hello" * 500, "no Hourbit project"), (b"", "no Hourbit project"), (None, "no project")]
)
def test_files_of_another_kind_are_refused_and_left_as_they_are(tmp_path: Path, content, message: str) -> None:
    path = tmp_path / "x.hourbit-project"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        Document.open(path)
    assert path.exists() == (content is not None) and (content is None or path.read_bytes() == content)


def test_a_database_of_another_program_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x.hourbit-project"
    change_file(path, "CREATE TABLE t (x)")
    before = path.read_bytes()
    with pytest.raises(UserError, match="no Hourbit project"):
        Document.open(path)
    assert path.read_bytes() == before


def test_a_newer_project_is_refused(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    document.close()
    change_file(document.path, "PRAGMA user_version = 99")
    with pytest.raises(UserError, match="newer Hourbit"):
        Document.open(document.path)


def test_create_does_not_overwrite_and_leaves_nothing_where_it_fails(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    document.close()
    with pytest.raises(UserError, match="exists already"):
        Document.create(document.path, SCHEMA, "Other")
    with pytest.raises(UserError, match="cannot be made"):
        Document.create(tmp_path / "no folder" / "x.hourbit-project", SCHEMA, "Other")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["pictures", "test.hourbit-project"]


def test_a_project_that_was_half_made_does_not_stand_in_the_way(tmp_path: Path) -> None:
    for end in ("", "-journal"):
        (tmp_path / f".test.hourbit-project.7fffffff-0123{computer()}.part{end}").write_bytes(b"half" * 700)
    document = new_document(tmp_path)
    assert len(document.images()) == 3 and not list(tmp_path.glob(".*.part*"))
    document.close()


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid"), reason="permissions of POSIX")
def test_a_project_that_may_not_be_written_is_refused_with_a_sentence(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    document.close()
    document.path.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        if os.geteuid() == 0:  # root may write everywhere: SQLite's own words then, without the file
            for words in ("attempt to write a readonly database", "unable to open database file"):
                assert "cannot be" in str(opening.explained(document.path, sqlite3.OperationalError(words)))
        else:
            with pytest.raises(UserError, match="cannot be"):
                Document.open(document.path)
    finally:
        tmp_path.chmod(0o755)


# ---- damage
def test_damaged_rows_are_listed_and_never_written_over(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    first, second, third = (i.id for i in document.images())
    held, fine = put(document, first), put(document, first, 1)
    document.close()
    change_file(
        document.path,
        f"UPDATE instances SET data = zeroblob(length(data)) WHERE id = {held.id}",
        f"UPDATE images SET data = substr(data, 1, 20) WHERE id = {second}",
    )
    document = Document.open(document.path)
    assert document.instances(first) == (fine,)
    assert document.image(second).state is State.BROKEN
    assert document.damaged == [f"image {second}", f"instance {held.id} of image {first}"] == document.check()
    for edit in (PutInstance(held), Accept(second)):
        with pytest.raises(UserError, match="damaged"):
            document.apply(edit)
    document.apply(PutInstance(fine.with_point(0, 1, 1)))  # the rest can be worked with
    document.apply(Predicted(third, (instance(third),)))
    document.close()
    with closing(sqlite3.connect(document.path)) as connection:
        (data,) = connection.execute("SELECT data FROM instances WHERE id = ?", (held.id,)).fetchone()
        (size,) = connection.execute("SELECT length(data) FROM images WHERE id = ?", (second,)).fetchone()
    assert set(data) == {0} and size == 20


def test_neither_undo_nor_a_prediction_touches_an_image_with_a_damaged_label(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    image = document.images()[0].id
    document.apply(Predicted(image, (instance(image),)))
    held = document.instances(image)[0]
    document.close()
    change_file(document.path, f"UPDATE instances SET crc = crc + 1 WHERE id = {held.id}")
    document = Document.open(document.path)
    assert document.apply(Predicted(image, (instance(image, 2),))).images == frozenset()
    with pytest.raises(UserError, match="damaged"):
        document.undo()  # the adding of the images
    assert len(document.images()) == 3 and document.undo_title == "Add 3 images"
    document.close()


def test_a_row_that_was_moved_to_another_image_is_noticed(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    first, second = (i.id for i in document.images()[:2])
    held, lost = put(document, first), put(document, first, 1)
    document.close()
    change_file(
        document.path, f"UPDATE instances SET owner = {second} WHERE id = {held.id}",
        f"UPDATE instances SET owner = 99 WHERE id = {lost.id}",
    )  # fmt: skip
    document = Document.open(document.path)
    assert document.instances(second) == ()
    assert document.check() == [f"instance {held.id} of image {second}", f"instance {lost.id}"]
    document.close()


def test_a_damaged_journal_entry_is_refused_and_work_goes_on(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    image = document.images()[0].id
    held = put(document, image)
    document.close()
    change_file(document.path, "UPDATE journal SET data = zeroblob(length(data)) WHERE title = 'Edit landmarks'")
    document = Document.open(document.path)
    with pytest.raises(DamagedError, match="Edit landmarks"):
        document.undo()
    assert document.instances(image) == (held,)
    document.apply(Accept(image))
    assert document.undo().images == {image}
    document.close()


def test_damaged_properties_stop_the_opening(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    document.close()
    change_file(document.path, "UPDATE meta SET value = replace(value, 'left', 'lift') WHERE key = 'schema'")
    with pytest.raises(UserError, match="damaged"):
        Document.open(document.path)
    change_file(document.path, "DELETE FROM meta")
    with pytest.raises(UserError, match="damaged"):
        Document.open(document.path)
    assert not opening.holder(document.path).exists()


def test_flipped_bytes_are_noticed_or_without_effect(tmp_path: Path) -> None:
    """Any 16 bytes of the file overwritten: refused, listed, or all labels are as they were; never others."""
    document = new_document(tmp_path, 2)
    images = [i.id for i in document.images()]
    for n in range(12):
        put(document, images[n % 2], n)
    truth = {i: document.instances(i) for i in images}
    facts = {i: document.image(i) for i in images}
    document.close()
    whole, rng, noticed = document.path.read_bytes(), np.random.default_rng(0), 0
    for _ in range(60):
        at = int(rng.integers(0, len(whole) - 16))
        document.path.write_bytes(whole[:at] + rng.bytes(16) + whole[at + 16 :])
        try:
            document = Document.open(document.path)
        except UserError:
            noticed += 1
            continue
        try:
            if document.check():
                noticed += 1
            for image in images:
                assert set(document.instances(image)) <= set(truth[image])
                if not document.damaged:
                    assert document.instances(image) == truth[image] and document.image(image) == facts[image]
        finally:
            document.close()
    assert noticed > 10


def test_unknown_tables_are_refused(tmp_path: Path) -> None:
    document = new_document(tmp_path)
    with pytest.raises(ValueError, match="journal"):
        document._store.row("journal", 1)
    document.close()


def test_journal_entries_that_are_no_such_thing_raise() -> None:
    row = RowChange("images", 1, 1, None, b"x\ny")
    assert journal_from(journal_bytes([row, row])) == [row, row]
    for data in (b"", b"[]\nrest", b'[["meta",1,1,-1,-1]]\n', b'[["images",1,1,-1]]\n', b"5\n", b"\xff\n"):
        with pytest.raises(DamagedError):
            journal_from(data)


# ---- a disk that refuses
@pytest.mark.parametrize("kind", ["put", "undo", "predicted", "add"])
def test_a_full_disk_refuses_the_edit_and_keeps_the_rest(tmp_path: Path, kind: str) -> None:
    document = new_document(tmp_path)
    image, other = (i.id for i in document.images()[:2])
    held = put(document, image)
    document.apply(PutInstance(held.with_point(0, 5, 5), "Move"))
    before = document.instances(image), document.images(), document.revision, document.counts(), document.undo_title
    connection = document._store._connection
    heard: list = []
    document.subscribe(heard.append)
    connection.execute("PRAGMA query_only = ON" if kind == "undo" else "PRAGMA max_page_count = 1")
    many = tuple(instance(other, n) for n in range(200))
    names = tuple(f"{'x' * 200}{n}" for n in range(300))
    with pytest.raises(UserError, match="not kept"):
        {
            "put": lambda: document.apply(Batch(tuple(PutInstance(i) for i in many), "Many")),
            "undo": document.undo,
            "predicted": lambda: document.apply(Predicted(other, many)),
            "add": lambda: document.apply(AddImages(tuple(NewImage(n, 8, 8) for n in names))),
        }[kind]()
    now = document.instances(image), document.images(), document.revision, document.counts(), document.undo_title
    assert now == before and document.instances(other) == () and heard == []
    connection.execute("PRAGMA query_only = OFF")
    connection.execute("PRAGMA max_page_count = 1000000")
    assert document.undo().images == {image}
    document.close()
    document = Document.open(document.path)
    assert document.instances(image) == (held,) and document.redo_title == "Move"
    document.close()
