"""The project's file: who may open it, what is damaged in it, a disk that refuses, and its backups."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from app.files import computer
from app.project import opening
from app.project.document import Document
from app.project.edits import Accept, AddImages, Batch, NewImage, Predicted, PutInstance
from engine.errors import UserError
from tests.app.projects import SCHEMA, change_file, instance, new_document, put


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
