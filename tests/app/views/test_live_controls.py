"""Live's panel in the whole window: what is clicked there, and the model that begins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox

from app.views.window import MainWindow
from tests.app.views.desk import WAIT, close_window, no_camera, open_window
from tests.app.views.window_bench import adopt_small


@pytest.fixture
def window(qtbot, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    no_camera(monkeypatch)
    made = open_window()
    yield made
    close_window(made)


def test_space_freezes_after_a_click_on_any_control(qtbot, window: MainWindow) -> None:
    """A control that was clicked would take the key for itself: the box would change and the video run on."""
    window.show_page("live")
    workspace = window.workspaces["live"]
    panel = workspace.panel
    mirror = next(box for box in panel.findChildren(QAbstractButton) if box.text() == "Mirror")
    workspace.view.setFocus()
    qtbot.mouseClick(mirror, Qt.MouseButton.LeftButton)
    assert mirror.isChecked() and not mirror.hasFocus() and workspace.view.hasFocus()
    controls = [*panel.findChildren(QAbstractButton), *panel.findChildren(QComboBox)]
    assert len(controls) > 10
    assert not [control for control in controls if control.focusPolicy() & Qt.FocusPolicy.ClickFocus]
    assert [control for control in controls if control.focusPolicy() & Qt.FocusPolicy.TabFocus]


def test_live_begins_with_the_model_in_use(qtbot, window: MainWindow, tmp_path) -> None:
    entry = adopt_small(window.context.library, tmp_path)
    window.show_page("live")
    live = window.workspaces["live"].live
    qtbot.waitUntil(lambda: live.runtime is not None, timeout=WAIT)
    assert live.runtime.model.path == entry.path
