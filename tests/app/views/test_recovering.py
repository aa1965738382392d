"""Projects that cannot be worked in, in the window: told with a remedy, read from a copy, restored from a backup."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget

from app.project.backups import backups
from app.project.document import Document
from app.project.edits import Accept, PutInstance
from app.project.values import State
from app.services.projects import open_folder
from app.views.backups_page import LOOK, RESTORE, BackupsPage
from app.views.window import MainWindow
from tests.app.views.bench import guessed, make_project
from tests.app.views.desk import WAIT, close_window, no_camera, open_window
from tests.app.views.small import write_pictures


@pytest.fixture
def window(qtbot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    no_camera(monkeypatch)
    made = open_window()
    yield made
    assert close_window(made) < 3.0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Three pictures with an instance each, and a backup from before the third had one."""
    path = make_project(tmp_path, 3)
    document = Document.open(path)
    images = document.images()
    for image in images[:2]:
        document.apply(PutInstance(guessed(image.id), "Add"))
    document.close()
    document = Document.open(path)
    document.apply(PutInstance(guessed(images[2].id), "Add"))
    document.close()
    return path


def opened(qtbot, window: MainWindow, path: Path) -> Document:
    window.opening.project(path)
    qtbot.waitUntil(lambda: window.context.document is not None, timeout=WAIT)
    return window.context.document


def test_a_project_that_is_open_elsewhere_is_offered_to_read(qtbot, window, project):
    other = Document.open(project)
    window.opening.project(project)
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT)
    assert "open elsewhere (process" in window.banner.text.text() and window.context.document is None
    window.banner.button.click()
    qtbot.waitUntil(lambda: window.context.document is not None, timeout=WAIT)
    document = window.context.document
    assert document.read_only and window.current == "label" and len(document.images()) == 3
    assert window.banner.isVisible() and "open elsewhere" in window.banner.text.text()
    workspace = window.workspace("label")
    workspace.trigger("accept")  # refused, with the reason; nothing is written
    assert all(image.state is not State.DONE for image in document.images())
    other.apply(Accept(other.images()[0].id))  # whoever has it is not disturbed
    other.close()


def test_a_project_is_backed_up_when_it_is_on_screen(qtbot, window, project):
    before = len(backups(project))
    document = opened(qtbot, window, project)
    assert len(backups(project)) == before and window.current == "label"
    qtbot.waitUntil(lambda: len(backups(project)) == before + 1, timeout=WAIT)
    assert backups(project)[0].revision == document.revision


def test_a_newer_project_opens_to_read_and_a_copy_of_it_can_be_kept(qtbot, window, project, monkeypatch, tmp_path):
    with closing(sqlite3.connect(project)) as connection, connection:
        connection.execute("PRAGMA user_version = 99")
    document = opened(qtbot, window, project)
    assert "newer Hourbit" in document.read_only and window.banner.text.text() == document.read_only
    mine = tmp_path / "mine.hourbit-project"
    monkeypatch.setattr(
        "app.views.recovering.QFileDialog.getSaveFileName", lambda *a: (str(mine).removesuffix(".hourbit-project"), "")
    )
    window.banner.button.click()
    qtbot.waitUntil(mine.exists, timeout=WAIT)


def test_a_damaged_project_comes_back_from_its_backup(qtbot, window, project, monkeypatch):
    project.write_bytes(project.read_bytes()[:5000] + b"\0" * 9000)
    window.opening.project(project)
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT)
    assert "damaged" in window.banner.text.text() and window.context.document is None
    monkeypatch.setattr(BackupsPage, "exec", lambda page: RESTORE)
    window.banner.button.click()
    qtbot.waitUntil(lambda: window.context.document is not None, timeout=WAIT)
    document = window.context.document
    assert [len(document.instances(image.id)) for image in document.images()] == [1, 1, 0]
    assert (project.parent / f"{project.name.removesuffix('.hourbit-project')}, set aside 1.hourbit-project").exists()


def test_a_backup_can_be_looked_at_without_touching_the_project(qtbot, window, project, monkeypatch):
    opened(qtbot, window, project)
    monkeypatch.setattr(BackupsPage, "exec", lambda page: LOOK)
    window.trigger("backups")
    qtbot.waitUntil(lambda: bool(window.context.document.read_only), timeout=WAIT)
    document = window.context.document
    assert [len(document.instances(image.id)) for image in document.images()][2] in (0, 1)
    assert "backup of" in document.read_only and document.path == project
    assert document.picture_path(document.images()[0]).exists()
    Document.open(project).close()  # it was let go


def test_the_list_of_backups_says_what_there_is(qtbot, project):
    parent = QWidget()
    page = BackupsPage(project, parent)
    assert page.list.topLevelItemCount() == len(backups(project)) == 2 and page.restore.isEnabled()
    assert page.list.topLevelItem(0).text(1) == str(backups(project)[0].revision)
    empty = BackupsPage(project.with_name("none.hourbit-project"), parent)
    assert not empty.restore.isEnabled() and not empty.look.isEnabled()
    parent.deleteLater()


def test_damaged_rows_are_told_and_the_rest_can_be_worked_with(qtbot, window, project):
    with closing(sqlite3.connect(project)) as connection, connection:
        connection.execute("UPDATE images SET crc = crc + 1 WHERE id = 2")
        connection.execute("UPDATE instances SET crc = crc + 1 WHERE owner = 1")
    document = opened(qtbot, window, project)
    assert window.banner.isVisible() and "damaged" in window.banner.text.text()
    workspace = window.workspace("label")
    workspace.browsing.show(1)
    assert workspace.banner.isVisible() and "damaged" in workspace.banner.text.text()
    document.apply(Accept(3))
    assert document.image(3).state is State.DONE


def test_pictures_that_were_moved_are_found_again_by_their_bytes(qtbot, window, monkeypatch, tmp_path):
    write_pictures(tmp_path / "pictures", 3)
    made = open_folder(tmp_path / "pictures", "ibug68")
    made.close()
    document = opened(qtbot, window, made.path)
    before = {image.id: document.instances(image.id) for image in document.images()}
    away = tmp_path / "elsewhere" / "deep"
    away.parent.mkdir()
    shutil.move(tmp_path / "pictures", away)
    (away / "picture1.png").rename(away / "other name.png")
    monkeypatch.setattr("app.views.opening.QFileDialog.getExistingDirectory", lambda *a: str(away.parent))
    window.trigger("locate")
    qtbot.waitUntil(lambda: all(Path(i.path).is_file() for i in document.images()), timeout=WAIT)
    assert {image.id: document.instances(image.id) for image in document.images()} == before
    document.undo()
    assert not any(Path(i.path).is_file() for i in document.images())
