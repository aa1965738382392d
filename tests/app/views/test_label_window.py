"""Shape commands in the whole window: each by its key, each one step of undo, and from picture to picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.project.document import Document
from app.project.edits import PutInstance
from app.project.values import ACCEPTED, Instance, Origin
from app.views.window import MainWindow
from tests.app.projects import SCHEMA, instance, new_document
from tests.app.views.desk import add_model, close_window, no_camera, open_window

CHANGES = ("rotate_left", "rotate_right", "grow", "shrink", "mirror", "swap_sides", "mean_shape", "fit_rest", "paste")


@pytest.fixture
def window(qtbot, tmp_path_factory, monkeypatch) -> Iterator[MainWindow]:
    no_camera(monkeypatch)
    add_model(tmp_path_factory.mktemp("model"), SCHEMA.name)
    made = open_window()
    yield made
    close_window(made)


@pytest.fixture
def document(qtbot, window: MainWindow, tmp_path: Path) -> Document:
    """An open project; the first picture has an instance of which a hand has moved two landmarks."""
    made = new_document(tmp_path, 2)
    first = made.images()[0]
    placed = instance(first.id, 3).with_point(0, 50.0, 40.0).with_point(5, 70.0, 66.0)
    made.apply(PutInstance(replace(placed, box=replace(placed.box, origin="hand")), "Move Nose"))
    window.context.set_document(made)
    window.show_page("label")
    label = window.workspaces["label"]
    label.browsing.show(first.id)
    window.activateWindow()  # shortcuts are heard in the active window alone
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window, timeout=10_000)
    return made


def strike(window: MainWindow, name: str) -> None:
    """Press an action's first key on the canvas."""
    key = QKeySequence(window.context.keys.keys(name)[0])[0]
    QTest.keyClick(window.workspaces["label"].canvas, key.key(), key.keyboardModifiers())
    QApplication.processEvents()


def held(document: Document) -> tuple[Instance, ...]:
    return document.instances(document.images()[0].id)


def test_a_key_changes_the_shape_and_undo_brings_it_back(window, document):
    for name in CHANGES:
        before = held(document)
        if name == "paste":
            strike(window, "copy")
        strike(window, name)
        after = held(document)
        assert after != before, name
        strike(window, "undo")
        assert held(document) == before, name
        strike(window, "redo")
        assert held(document) == after, name
        strike(window, "undo")


def test_selecting_and_choosing_tools_by_keys(window, document):
    editing = window.workspaces["label"].editing
    strike(window, "select_all")
    assert len(editing.chosen) == len(SCHEMA)
    strike(window, "next_group")
    assert set(editing.chosen) in [set(members) for members in SCHEMA.groups.values()]
    first = editing.chosen
    strike(window, "next_group")
    assert not first & editing.chosen
    strike(window, "previous_group")
    assert editing.chosen == first
    strike(window, "other_side")
    QTest.keyClick(window.workspaces["label"].canvas, Qt.Key.Key_Escape)
    assert not editing.chosen
    canvas = window.workspaces["label"].canvas
    for name, tool in (("move_shape", "move"), ("place", "place"), ("select_tool", "select"), ("box", "box")):
        strike(window, name)
        assert canvas.tool == tool and window.workspaces["label"].tools.tools[tool].isChecked()


def test_the_last_pictures_labels_come_over_by_one_key(window, document):
    label = window.workspaces["label"]
    strike(window, "next_image")
    second = label.browsing.current
    assert second != document.images()[0].id
    strike(window, "onion")
    assert len(label.canvas.onion.instances) == 1
    strike(window, "copy_last")
    touched = [i for i in document.instances(second) if i.touched]
    (source,) = held(document)
    assert len(touched) == 1 and touched[0].points == pytest.approx(source.points)
    assert (touched[0].origin == source.origin).all() and touched[0].origin[0] == Origin.EDITED
    assert np.isnan(touched[0].guess).all()


def test_a_held_key_accepts_one_picture_but_goes_on_through_the_landmarks(window, document):
    canvas = window.workspaces["label"].canvas

    def hold(key: Qt.Key, times: int) -> None:
        for n in range(times):
            event = QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier, "", n > 0)
            QApplication.sendEvent(canvas, event)

    hold(Qt.Key.Key_S, 3)
    assert canvas.editing.landmark == 2
    hold(Qt.Key.Key_Return, 5)
    accepted = [image.state in ACCEPTED for image in document.images()]
    assert accepted == [True, False]
