"""What is dropped on the window is opened, and the window says beforehand what that would do."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent

from app.views.window import MainWindow
from engine.modelfile import write_model
from engine.schema import load_schema
from tests.app.views.desk import add_model, close_window, no_camera, open_window, opened, picture_folder
from tests.app.views.small import small_model
from tests.engine.torch7file import Network, written

WAIT = 10_000  # ms


@pytest.fixture
def window(qtbot, monkeypatch, tmp_path_factory) -> Iterator[MainWindow]:
    add_model(tmp_path_factory.mktemp("model"))
    no_camera(monkeypatch)
    made = open_window()
    yield made
    close_window(made)


def drop_on(window: MainWindow, path: Path) -> None:
    data, middle = QMimeData(), window.rect().center()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # PySide6 6.12 would have a place with fractions, 6.11 not
        enter = QDragEnterEvent(QPoint(middle), copy, data, left, none)
    window.dragEnterEvent(enter)
    assert enter.isAccepted() and window.drop.isVisible() and window.drop.words.text()
    window.dropEvent(QDropEvent(QPointF(middle), copy, data, left, none))
    assert not window.drop.isVisible()


def test_dropping_a_folder_opens_it(qtbot, window, tmp_path):
    drop_on(window, picture_folder(tmp_path))
    qtbot.waitUntil(lambda: window.current == "label", timeout=WAIT)


def test_dropping_a_picture_on_a_project_adds_it(qtbot, window, tmp_path):
    document = opened(qtbot, window, picture_folder(tmp_path))
    other = picture_folder(tmp_path / "other", 1) / "picture1.png"
    drop_on(window, other)
    qtbot.waitUntil(lambda: len(document.images()) == 4, timeout=WAIT)


def test_dropping_a_model_adds_it_to_the_library(qtbot, window, tmp_path):
    before = len(window.context.library.entries())
    path = tmp_path / "another.hourbit"
    write_model(path, small_model(load_schema("ibug68"), seed=3))
    drop_on(window, path)
    qtbot.waitUntil(lambda: window.current == "models", timeout=WAIT)
    assert len(window.context.library.entries()) == before + 1


def test_dropping_the_authors_file_adds_its_network(qtbot, window, tmp_path):
    path = tmp_path / "faces.t7"
    path.write_bytes(written(Network(68, 32, 16).root()))
    drop_on(window, path)
    qtbot.waitUntil(lambda: window.current == "models", timeout=WAIT)
    assert window.context.library.entries("ibug68")[-1].title == "faces"


def test_dropping_something_else_says_so(qtbot, window, tmp_path):
    strange = tmp_path / "notes.txt"
    strange.write_text("hello")
    drop_on(window, strange)
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT)
    assert "notes.txt" in window.banner.text.text()


def test_pictures_of_kinds_that_are_not_read_are_named(qtbot, window, tmp_path):
    folder = picture_folder(tmp_path, 2)
    for name in ("a.CR2", "b.cr2", "c.jxl", "notes.txt", ".hidden.jxl"):
        (folder / name).write_bytes(b"anything")
    document = opened(qtbot, window, folder)
    assert len(document.images()) == 2
    assert "3 files were left out, since .cr2, .jxl are" in window.banner.text.text()
    only = tmp_path / "raw"
    only.mkdir()
    (only / "a.nef").write_bytes(b"anything")
    window.opening.folder(only)
    qtbot.waitUntil(lambda: "raw holds only pictures as .nef" in window.banner.text.text(), timeout=WAIT)
    opened(qtbot, window, picture_folder(tmp_path / "fine", 2))
    assert not window.banner.isVisible()  # what was told before is settled
    window.opening.folder(only)
    qtbot.waitUntil(lambda: window.banner.isVisible() and not window.opening.reading.busy, timeout=WAIT)
    window.opening.project(document.path)  # a folder that was not opened leaves nothing to be told of the next project
    qtbot.waitUntil(lambda: window.context.document.path == document.path, timeout=WAIT)
    assert not window.banner.isVisible()


def test_a_home_that_cannot_hold_the_sample_is_told_in_a_sentence(qtbot, window, data_folder):
    """B16: no bare message of the system."""
    (data_folder / "sample").write_text("in the way")
    window.trigger("sample")
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT)
    assert "check whether it is there and may be written." in window.banner.text.text()
    assert str(data_folder / "sample") in window.banner.text.text()
