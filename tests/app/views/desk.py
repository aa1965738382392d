"""The main window on a home of its own, a small model for it, and pictures to open in it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.files import data_folder
from app.library import Entry, Library
from app.project.document import Document
from app.views.window import MainWindow
from tests.app.views.small import write_pictures
from tests.app.views.window_bench import adopt_small, bare_context

WAIT = 10_000  # ms


def open_window(size: tuple[int, int] = (1440, 900)) -> MainWindow:
    """A shown window with the first page."""
    window = MainWindow(bare_context())
    window.resize(*size)
    window.show()
    QApplication.processEvents()
    return window


def close_window(window: MainWindow) -> float:
    """Close it as a person would; seconds that took."""
    started = time.monotonic()
    assert window.close()
    taken = time.monotonic() - started
    window.deleteLater()
    QApplication.processEvents()
    return taken


def add_model(folder: Path, schema: str = "ibug68") -> Entry:
    """A small random model of a schema in the library of the test's data folder, in use."""
    return adopt_small(Library(data_folder()), folder, schema)


def picture_folder(folder: Path, count: int = 3) -> Path:
    """A folder of pictures of noise."""
    place = folder / "Office faces"
    write_pictures(place, count)
    return place


def no_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine has, the window finds no camera."""
    for place in ("app.services.live", "app.views.firststart"):
        monkeypatch.setattr(f"{place}.list_cameras", lambda: [])


def opened(qtbot: QtBot, window: MainWindow, folder: Path) -> Document:
    """Open a folder and wait for its project."""
    before = window.context.document
    window.opening.folder(folder)
    qtbot.waitUntil(lambda: window.context.document not in (None, before), timeout=WAIT)
    return window.context.document
