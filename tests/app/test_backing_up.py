"""Backups that are made while a project is worked in: they hold it whole, and stand in nobody's way."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from app.files import data_folder
from app.project import store as stores
from app.project.backups import backups
from app.project.document import Document
from app.project.edits import SetTags
from engine.errors import UserError
from tests.app.projects import new_document, put


@pytest.fixture
def path(tmp_path: Path) -> Path:
    document = new_document(tmp_path)
    for n in range(40):
        put(document, document.images()[n % 3].id, n)
    document.close()
    return document.path


def tags_of(path: Path) -> tuple[int, tuple[str, ...]]:
    document = Document.read(path)
    try:
        return document.revision, document.images()[0].tags
    finally:
        document.close()


def test_opening_leaves_the_backup_to_whoever_asks_for_that(path: Path) -> None:
    document = Document.open(path, backed_up=False)
    assert backups(path) == []
    document.back_up()
    document.back_up()
    assert [backup.revision for backup in backups(path)] == [document.revision]
    document.close()


def test_edits_go_on_while_it_is_copied_and_are_in_the_copy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "PAGES", 1)
    document = Document.open(path, backed_up=False)
    first, before, taken, n = document.images()[0].id, document.revision, [], 0
    thread = threading.Thread(target=document.back_up)
    thread.start()
    while thread.is_alive():
        n += 1
        start = time.perf_counter()
        document.apply(SetTags(first, (f"t{n:06d}",)))
        taken.append(time.perf_counter() - start)
    thread.join()
    (backup,) = backups(path)
    assert n > 3 and before < backup.revision <= document.revision
    assert tags_of(backup.path) == (backup.revision, (f"t{backup.revision - before:06d}",))
    assert sorted(taken)[len(taken) // 2] < 0.1
    copy = Document.read(backup.path)
    assert copy.check() == [] and sum(len(copy.instances(i.id)) for i in copy.images()) == 40
    copy.close()
    document.close()


def test_closing_cuts_it_short_and_the_next_opening_makes_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "PAGES", 1)
    monkeypatch.setattr(stores, "PAUSE", 0.05)
    document = Document.open(path, backed_up=False)
    thread = threading.Thread(target=document.back_up)
    thread.start()
    while not list((data_folder() / "backups").glob(".*.part*")):
        time.sleep(0.001)
    document.close()
    thread.join(2)
    assert not thread.is_alive() and list((data_folder() / "backups").iterdir()) == []
    document.back_up()  # too late, and in vain
    assert backups(path) == []
    Document.open(path).close()
    assert len(backups(path)) == 1


def test_closing_waits_for_a_copy_that_a_person_wants(path: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(stores, "PAGES", 1)
    document = Document.open(path)
    copy, revision = tmp_path / "copy.hourbit-project", document.revision
    thread = threading.Thread(target=document.copy_to, args=(copy,))
    thread.start()
    while not list(tmp_path.glob(".copy*.part*")):
        time.sleep(0.001)
    document.close()
    thread.join(2)
    assert tags_of(copy) == (revision, ())
    with pytest.raises(UserError, match="exists already"):
        document.copy_to(copy)
