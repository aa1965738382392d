"""Screen readers get a name for everything that can have the focus, and at any text size no words are cut off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QDialog, QLabel, QWidget

from app.plugins import load_plugins
from app.project.values import Origin, Visibility
from app.views.export_page import ExportPage
from app.views.label.placing import begun
from app.views.pages import AboutPage, KeysPage, SettingsPage
from app.views.schema.page import SchemaPage
from app.views.theme import theme
from app.views.widgets import ElidedLabel
from app.views.window import MainWindow
from app.views.words import speak
from tests.app.views.desk import add_model, close_window, no_camera, open_window, opened, picture_folder

PLACES = ("", "label", "heatmaps", "live", "models", "fine_tune")
PADDING = 12  # of a button: words may come as near to its edge as this takes off


@pytest.fixture
def surroundings(monkeypatch, tmp_path_factory) -> Iterator[None]:
    add_model(tmp_path_factory.mktemp("model"))
    no_camera(monkeypatch)
    before = (theme().choice, theme().scale)
    yield
    speak(QApplication.instance(), "en")
    theme().apply(QApplication.instance(), *before)


@pytest.fixture
def window(qtbot, surroundings, tmp_path) -> Iterator[MainWindow]:
    made = open_window()
    opened(qtbot, made, picture_folder(tmp_path))
    yield made
    close_window(made)


def show(window: MainWindow, place: str) -> QWidget:
    """A page of the window, laid out."""
    if place == "heatmaps":
        window.trigger("label")
        window.workspaces["label"].heatmaps.dock.toggle()
    elif place == "fine_tune":
        window.trigger(place)
    else:
        window.show_page(place)
    QApplication.processEvents()
    return window


def dialogs(window: MainWindow) -> list[QDialog]:
    """Those that can be asked for with a project open."""
    context = window.context
    load_plugins()
    return [
        SettingsPage(context, window), KeysPage(context.keys, window), AboutPage(window), SchemaPage(context, window),
        ExportPage(context.document, context.settings, window),
    ]  # fmt: skip


def spoken_name(widget: QWidget) -> str:
    """What a screen reader says first."""
    face = QAccessible.queryAccessibleInterface(widget)
    return face.text(QAccessible.Text.Name) if face is not None else ""


def nameless(root: QWidget) -> list[str]:
    """Widgets that can have the focus and have no name; parts of Qt's own fields belong to these."""
    found = []
    for widget in root.findChildren(QWidget):
        inner = widget.objectName().startswith("qt_") or "ComboBoxPrivate" in type(widget.parent()).__name__
        inside = isinstance(widget.window(), QWidget) and widget.window() is not root.window()  # an unopened popup
        reachable = widget.focusPolicy() != Qt.FocusPolicy.NoFocus and widget.focusProxy() is None
        if reachable and widget.isVisible() and not inner and not inside and not spoken_name(widget):
            found.append(f"{type(widget).__name__} in {type(widget.parent()).__name__}")
    return found


def cut_off(root: QWidget) -> list[str]:
    """Buttons and labels whose words need more room than they have."""
    found = []
    for widget in root.findChildren(QWidget):
        if not widget.isVisible() or isinstance(widget, ElidedLabel):
            continue
        words = widget.text() if isinstance(widget, (QAbstractButton, QLabel)) else ""
        if not words or (isinstance(widget, QLabel) and widget.wordWrap()):
            continue
        spare = PADDING if isinstance(widget, QAbstractButton) else 4
        if widget.width() < widget.sizeHint().width() - spare:
            found.append(f"{type(widget).__name__} {words!r}: {widget.width()} of {widget.sizeHint().width()}")
    return found


def test_everything_that_can_have_the_focus_has_a_name(window):
    for place in PLACES:
        assert not nameless(show(window, place)), place


PAINTED = {"Canvas", "LiveView", "Guide", "MapView", "ShapePicture"}  # pictures: Qt has no role for them


def test_what_can_have_the_focus_has_a_role_and_choices_say_what_they_are_about(window):
    for place in ("label", "live", "models"):
        for widget in show(window, place).findChildren(QWidget):
            face = QAccessible.queryAccessibleInterface(widget)
            reachable = widget.focusPolicy() != Qt.FocusPolicy.NoFocus and widget.focusProxy() is None
            if not reachable or not widget.isVisible() or type(widget).__name__ in PAINTED or face.childCount():
                continue
            assert face.role() != QAccessible.Role.Client, f"{place}: {type(widget).__name__} {spoken_name(widget)}"
            if isinstance(widget, QComboBox):  # on Linux its name is what is chosen
                assert face.text(QAccessible.Text.Description), widget.currentText()


def test_a_heading_is_a_button_that_says_whether_it_is_open(window):
    section = show(window, "label").workspaces["label"].inspector.guide_section
    face = QAccessible.queryAccessibleInterface(section.heading)
    assert face.role() == QAccessible.Role.Button and face.text(QAccessible.Text.Description) == "Open"
    section.heading.setFocus()
    QTest.keyClick(section.heading, Qt.Key.Key_Return)
    assert face.text(QAccessible.Text.Description) == "Folded"


def test_the_canvas_says_which_landmark_is_in_hand_and_where(window):
    label = show(window, "label").workspaces["label"]
    editing, canvas = label.editing, label.canvas
    instance = begun(editing.image, len(editing.document.schema), "Ada")
    points = np.full((68, 2), 20.0)
    visible, by_hand = np.full(68, Visibility.VISIBLE, np.uint8), np.full(68, Origin.HAND, np.uint8)
    editing.put(replace(instance, points=points, visibility=visible, origin=by_hand), "Edit landmarks")
    editing.select(-1)
    assert canvas.accessibleDescription() == "68 landmarks, none selected"
    editing.select(36)
    assert canvas.accessibleDescription() == "Right eye 1, x 20.0, y 20.0, visible, by hand"
    editing.toggle_visibility(Visibility.OCCLUDED)
    assert canvas.accessibleDescription() == "Right eye 1, x 20.0, y 20.0, occluded, by hand"
    editing.toggle_visibility(Visibility.ABSENT)
    assert canvas.accessibleDescription() == "Right eye 1, absent"


def pixels(widget: QWidget) -> QImage:
    return widget.grab().toImage()


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_one_sees_where_the_focus_is(window, scheme):
    theme().apply(QApplication.instance(), scheme, 100)
    window.activateWindow()
    same = []
    for place in ("label", "live"):
        for widget in show(window, place).findChildren(QWidget):
            tabbed = widget.focusPolicy().value & Qt.FocusPolicy.TabFocus.value and widget.focusProxy() is None
            if not tabbed or not widget.isVisible() or not widget.isEnabled() or widget.objectName().startswith("qt_"):
                continue
            window.first.setFocus()
            widget.clearFocus()
            before = pixels(widget)
            widget.setFocus(Qt.FocusReason.TabFocusReason)
            if widget.hasFocus() and pixels(widget) == before:
                same.append(f"{place}: {type(widget).__name__} {spoken_name(widget)}")
    assert not same


def test_dialogues_name_their_fields(window):
    for page in dialogs(window):
        page.show()
        QApplication.processEvents()
        found = nameless(page)
        page.close()
        page.deleteLater()
        assert not found, type(page).__name__


@pytest.mark.parametrize(("code", "scale", "size"), [
    ("en", 150, (1440, 900)), ("de", 150, (1440, 900)), ("de", 100, (1024, 680)), ("en", 125, (1180, 760)),
])  # fmt: skip
def test_no_words_are_cut_off(qtbot, surroundings, tmp_path, code, scale, size):
    speak(QApplication.instance(), code)
    theme().apply(QApplication.instance(), "dark", scale)
    window = open_window(size)
    try:
        opened(qtbot, window, picture_folder(tmp_path))
        for place in PLACES:
            show(window, place)
            QApplication.processEvents()
            assert not cut_off(window), place
    finally:
        close_window(window)
