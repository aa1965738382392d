"""What the status line says of the open project: kept or not, what was done, and the way back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.project.edits import Accept, Reject, SetState
from app.project.values import State
from app.views.window import MainWindow
from tests.app.views.desk import close_window, no_camera, open_window, opened, picture_folder


@pytest.fixture
def window(qtbot, tmp_path, monkeypatch) -> Iterator[MainWindow]:
    no_camera(monkeypatch)
    made = open_window()
    opened(qtbot, made, picture_folder(tmp_path))
    yield made
    close_window(made)


def test_what_was_accepted_is_said_and_can_be_taken_back(window):
    document = window.context.document
    image = document.images()[0]
    document.apply(Accept(image.id))
    assert window.status.said.text() == "Accepted picture1.png" and window.status.undo.isVisible()
    assert not window.status.facts.isVisible()
    QTest.mouseClick(window.status.undo, Qt.MouseButton.LeftButton)
    assert document.image(image.id).state is not State.DONE_EMPTY
    assert not window.status.undo.isVisible() and window.status.facts.isVisible()


def test_another_edit_takes_the_offer_away(window):
    document = window.context.document
    image = document.images()[0]
    document.apply(Reject(image.id))
    assert window.status.undo.isVisible()
    document.apply(SetState(image.id, State.IN_WORK))
    assert not window.status.undo.isVisible()


def test_undo_works_from_another_workspace(window):
    document = window.context.document
    image = document.images()[0]
    document.apply(Reject(image.id))
    window.trigger("models")
    window.status.undo.click()
    assert document.image(image.id).state is not State.REJECTED


def test_a_refused_edit_shows_until_one_is_kept(window):
    document = window.context.document
    window.workspaces["label"].editing.failed.emit("The disk is full; free space and try again.")
    assert "Not saved" in window.status.saved.text()
    document.apply(Reject(document.images()[0].id))
    assert window.status.saved.text() == "All edits saved"


def test_a_fault_of_the_program_shows_in_the_window(window):
    window.broken.emit("Something went wrong (test); a report is in crashes.")
    assert window.banner.isVisible() and "report" in window.banner.text.text()
