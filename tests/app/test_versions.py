"""Projects of earlier versions: each kept as it was written, opened, backed up, worked with and undone to the start."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.project import opening
from app.project.backups import backups
from app.project.document import Document
from app.project.edits import Accept, Predicted, PutInstance, SetTags
from app.project.values import Origin, State
from tests.app.projects import instance

KEPT = sorted((Path(__file__).parent / "versions").glob("*.hourbit-project"))


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


@pytest.fixture(params=KEPT, ids=lambda path: path.stem)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copy(request.param, tmp_path / "old.hourbit-project"))


def test_one_is_kept_of_each_version() -> None:
    assert [version(path) for path in KEPT] == list(range(1, opening.VERSION))


def test_it_opens_with_everything_in_it_and_a_backup_of_how_it_was(old: Path) -> None:
    before = version(old)
    document = Document.open(old)
    first, second, third = document.images()
    (held,) = document.instances(first.id)
    assert held.points[3].tolist() == [40.5, 50.25] and held.origin[3] == Origin.EDITED and not held.when.any()
    assert (first.state, second.state, second.doubt, third.state) == (State.DONE, State.PREDICTED, 0.5, State.NEW)
    assert first.tags == () and document.redo_title == "Reject" and document.check() == []
    document.close()
    assert version(old) == opening.VERSION
    (copy,) = backups(old)
    assert version(copy.path) == before


def test_it_can_be_worked_with_and_undone_to_its_first_edit(old: Path) -> None:
    document = Document.open(old)
    document.clock = lambda: 1234.5
    first, second, _ = (image.id for image in document.images())
    (held,) = document.instances(first)
    document.apply(PutInstance(held.with_point(5, 1, 2)))
    assert document.instances(first)[0].when.tolist() == [1234 if k == 5 else 0 for k in range(16)]
    document.apply(SetTags(first, ("odd",)))
    document.apply(Predicted(second, (instance(second, 9),)))
    document.close()
    document = Document.open(old)
    for _ in range(2):
        document.undo()
    assert document.instances(first) == (held,) and document.image(first).tags == ()
    while document.undo():
        pass
    assert document.images() == [] and document.check() == []
    while document.redo():
        pass
    assert document.image(first).tags == ("odd",) and document.instances(first)[0].points[5].tolist() == [1, 2]
    document.close()


def test_an_edit_that_changes_nothing_but_the_way_of_writing_is_no_step(old: Path) -> None:
    document = Document.open(old)
    first = document.images()[0].id
    revision, title = document.revision, document.undo_title
    document.apply(PutInstance(document.instances(first)[0]))
    document.apply(Accept(first))
    assert (document.revision, document.undo_title) == (revision, title)
    document.close()
