"""The menus: what can be done when, export to a file, recent projects, undo by name; and the settings page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog

from app.plugins import load_plugins
from app.project.edits import Accept, PutInstance
from app.views.actions import ACTIONS, MENUS, title
from app.views.pages import SettingsPage
from app.views.theme import theme
from app.views.window import MainWindow
from tests.app.projects import SCHEMA, instance, new_document
from tests.app.views.desk import add_model, close_window, open_window

WAIT = 10_000  # ms


@pytest.fixture
def window(qtbot, tmp_path_factory, monkeypatch) -> Iterator[MainWindow]:
    for place in ("app.services.live", "app.views.firststart"):
        monkeypatch.setattr(f"{place}.list_cameras", lambda: [])
    assert load_plugins() == {}
    add_model(tmp_path_factory.mktemp("model"), SCHEMA.name)
    made = open_window()
    yield made
    close_window(made)


@pytest.fixture
def project(window: MainWindow, tmp_path: Path) -> Path:
    """An open project with one accepted image; returns its file."""
    document = new_document(tmp_path, 2)
    first = document.images()[0]
    document.apply(PutInstance(instance(first.id), "Move Nose"))
    document.apply(Accept(first.id))
    window.context.set_document(document)
    window.show_page("label")
    return document.path


def test_every_action_is_in_its_menu(window) -> None:
    assert list(window.menus.menus) == list(MENUS)
    for spec in ACTIONS:
        action = window.menus.actions[spec.name]
        assert action in window.menus.menus[spec.menu].actions() and action in window.actions()
        assert action.text().split("\t")[0] == title(spec)


def test_what_belongs_to_label_is_off_elsewhere(window, project) -> None:
    usable, actions = window.menus.usable, window.menus.actions
    assert usable("accept") and usable("undo") and not usable("freeze") and actions["accept"].isEnabled()
    window.show_page("models")
    assert not usable("accept") and not actions["accept"].isEnabled() and usable("fine_tune") and usable("quit")
    window.opening.close()
    assert not usable("close_project") and not window.menus.export.isEnabled() and usable("open_project")


def test_export_by_the_menu_writes_the_accepted_labels(window, project, tmp_path, qtbot, monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: asked.append(a) or (str(tmp_path / "out.json"), ""))
    entries = {action.objectName(): action for action in window.menus.export.actions()}
    assert {"coco", "csv"} <= set(entries) and window.menus.export.isEnabled()
    with qtbot.waitSignal(window.opening.said) as said:
        entries["coco"].trigger()
    written = json.loads((tmp_path / "out.json").read_text())
    assert len(asked) == 1 and len(written["annotations"]) == 1 and len(written["images"]) == 1
    assert "Exported to out.json: 1 instance, 1 image" in said.args[0]


def test_an_export_that_fails_says_so(window, project, tmp_path, qtbot, monkeypatch) -> None:
    path = tmp_path / "no such folder" / "out.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(path), ""))
    with qtbot.waitSignal(window.opening.failed):
        next(a for a in window.menus.export.actions() if a.objectName() == "coco").trigger()
    assert window.banner.isVisible() and window.banner.text.text() and not path.exists()


def test_recent_projects_open_by_the_menu(window, project, qtbot) -> None:
    window.opening.close()
    window.menus.recent.aboutToShow.emit()
    (entry,) = window.menus.recent.actions()
    assert entry.text() == "Test"
    entry.trigger()
    qtbot.waitUntil(lambda: window.context.document is not None, timeout=WAIT)
    assert window.context.document.path == project


def test_without_recent_projects_the_menu_says_so(window) -> None:
    window.menus.fill_recent()
    (entry,) = window.menus.recent.actions()
    assert not entry.isEnabled()


def test_undo_is_named_while_the_menu_is_open_and_its_key_lives_on(window, project) -> None:
    undo, edit, document = window.menus.actions["undo"], window.menus.menus["Edit"], window.context.document
    edit.aboutToShow.emit()
    assert document.undo_title and undo.text() == f"Undo: {document.undo_title}" and undo.isEnabled()
    assert not window.menus.actions["redo"].isEnabled()
    edit.aboutToHide.emit()
    assert window.menus.actions["redo"].isEnabled()
    before = document.undo_title
    undo.trigger()
    assert document.undo_title != before and document.redo_title == before


def test_the_settings_page_changes_the_theme_at_once(window, project) -> None:
    page = SettingsPage(window.context, window)
    page.show()
    before = (theme().choice, theme().scale)
    try:
        page.scheme.setCurrentIndex(page.scheme.findData("light"))
        assert not theme().dark and window.palette().window().color().name() == theme().color("panel").name()
        page.scheme.setCurrentIndex(page.scheme.findData("dark"))
        page.scale.setValue(120)
        assert theme().dark and theme().size(10) == 12
        settings = window.context.settings
        assert settings.get("theme", "") == "dark" and settings.get("text size", 0) == 120
        page.annotator.setText(" Ada ")
        QTest.keyClick(page.annotator, Qt.Key.Key_Return)
        assert settings.get("annotator", "") == "Ada" == window.context.document.annotator
    finally:
        theme().apply(QApplication.instance(), *before)
        page.close()
        page.deleteLater()


def test_check_marks_say_what_is_on(window, project) -> None:
    menus = window.menus

    def marks() -> set[str]:
        menus.menus["View"].aboutToShow.emit()
        return {name for name, action in menus.actions.items() if action.isChecked()}

    before = marks()
    assert {"label", "labels", "heatmap", "select_tool"} <= before and not {"onion", "snap", "live"} & before
    for name in ("onion", "snap", "outside", "flag", "box"):
        window.trigger(name)
    assert marks() == before - {"select_tool"} | {"onion", "snap", "outside", "flag", "box"}
    menus.actions["snap"].trigger()  # by the menu itself
    assert not menus.actions["snap"].isChecked() and not window.workspaces["label"].canvas.snapping
    window.show_page("live")
    assert "live" in marks() and not {"label", "onion", "names"} & marks()
    window.trigger("names")
    window.trigger("statistics")
    assert {"names", "statistics"} <= marks()


def test_view_and_model_leave_out_what_belongs_to_other_workspaces(window, project) -> None:
    def listed(menu: str) -> set[str]:
        return {action.objectName() for action in window.menus.menus[menu].actions() if action.isVisible()}

    assert "onion" in listed("View") and "mirror_view" not in listed("View") and "freeze" not in listed("Model")
    window.show_page("live")
    assert {"mirror_view", "labels", "heatmap"} <= listed("View") and "onion" not in listed("View")
    assert "predict_all" not in listed("Model") and "fine_tune" in listed("Model")
