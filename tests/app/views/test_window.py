"""The main window: opening things, switching, keys, drops, faults and closing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolButton

from app.project.document import Document
from app.views import theme
from app.views.regions import usable_regions
from app.views.window import MainWindow
from engine.schema import load_schema
from tests.app.views.desk import add_model, close_window, no_camera, open_window, opened, picture_folder

ROOT = Path(__file__).parents[3]
WAIT = 10_000  # ms


@pytest.fixture(autouse=True)
def surroundings(monkeypatch, tmp_path_factory):
    """No camera, and a model in use that is small."""
    add_model(tmp_path_factory.mktemp("model"))
    no_camera(monkeypatch)


@pytest.fixture
def window(qtbot) -> Iterator[MainWindow]:
    made = open_window()
    yield made
    assert close_window(made) < 3.0


def test_without_a_project_the_first_page_shows(window):
    assert window.current == "" and window.stack.currentWidget() is window.first
    assert window.windowTitle() == "Hourbit"


def test_a_folder_becomes_a_project_in_label(qtbot, window, tmp_path):
    folder = picture_folder(tmp_path)
    document = opened(qtbot, window, folder)
    assert window.current == "label"
    assert document.path == tmp_path / "Office faces.hourbit-project" and len(document.images()) == 3
    assert document.schema.name == "ibug68"
    assert "Office faces" in window.windowTitle()


def test_a_folder_opened_again_brings_its_project_with_what_is_new(qtbot, window, tmp_path):
    folder = picture_folder(tmp_path)
    opened(qtbot, window, folder)
    window.trigger("close_project")
    assert window.context.document is None and window.current == ""
    picture_folder(tmp_path, 5)
    assert len(opened(qtbot, window, folder).images()) == 5


def test_a_place_that_cannot_be_written_is_left_alone(qtbot, window, monkeypatch, tmp_path, data_folder):
    folder = picture_folder(tmp_path / "locked")
    can = os.access  # who runs the tests may be allowed everything
    monkeypatch.setattr(os, "access", lambda path, mode, **more: Path(path) != folder.parent and can(path, mode))
    document = opened(qtbot, window, folder)
    assert data_folder in document.path.parents
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_the_sample_opens_and_is_named(qtbot, window):
    window.trigger("sample")
    qtbot.waitUntil(lambda: window.context.document is not None, timeout=WAIT)
    assert window.current == "label" and len(window.context.document.images()) == 24


def test_all_three_workspaces_show_and_keep_their_widgets(qtbot, window, tmp_path):
    opened(qtbot, window, picture_folder(tmp_path))
    for name in ("live", "label", "models"):
        window.trigger(name)
        assert window.current == name
        assert [n for n in ("live", "label", "models") if window.rail.buttons[n].isChecked()] == [name]
    made = dict(window.workspaces)
    for name in ("live", "label", "models"):
        window.trigger(name)
    assert window.workspaces == made


def test_keys_switch_workspaces(qtbot, window, tmp_path):
    opened(qtbot, window, picture_folder(tmp_path))
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window, timeout=WAIT)
    for key, name in ((Qt.Key.Key_3, "models"), (Qt.Key.Key_1, "live"), (Qt.Key.Key_2, "label")):
        QTest.keyClick(window, key, Qt.KeyboardModifier.ControlModifier)
        assert window.current == name


def test_f6_goes_round_the_regions_and_back(qtbot, window, tmp_path):
    opened(qtbot, window, picture_folder(tmp_path))
    window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is window, timeout=WAIT)
    regions = usable_regions(window.workspaces["label"].focus_regions())
    assert len(regions) >= 4

    def held() -> int:
        focus = QApplication.focusWidget()
        return next((n for n, region in enumerate(regions) if region is focus or region.isAncestorOf(focus)), -1)

    seen = []
    for _ in regions:
        QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_F6)
        seen.append(held())
    assert sorted(seen) == list(range(len(regions)))
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_F6, Qt.KeyboardModifier.ShiftModifier)
    assert held() == seen[-2]


def test_fault_leaves_the_open_project_as_it_is(qtbot, window, tmp_path):
    document = opened(qtbot, window, picture_folder(tmp_path))
    empty = tmp_path / "empty"
    empty.mkdir()
    window.opening.folder(empty)
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT)
    assert "no pictures in empty" in window.banner.text.text()
    assert window.context.document is document


def test_a_file_that_is_no_project_is_refused(qtbot, window, tmp_path):
    bad = tmp_path / "bad.hourbit-project"
    bad.write_bytes(b"no project at all" * 100)
    window.opening.project(bad)
    qtbot.waitUntil(window.banner.isVisible, timeout=WAIT)
    assert window.context.document is None and window.current == ""
    assert bad.read_bytes().startswith(b"no project")


def test_actions_that_need_a_project_are_off_without_one(qtbot, window, tmp_path):
    assert not window.menus.usable("close_project") and not window.menus.usable("accept")
    assert window.menus.usable("open_folder")
    opened(qtbot, window, picture_folder(tmp_path))
    assert window.menus.usable("close_project") and window.menus.usable("accept")
    window.trigger("live")
    assert not window.menus.usable("accept") and window.menus.usable("freeze")


def test_the_palette_finds_and_does(qtbot, window):
    window.trigger("palette")
    QTest.keyClicks(window.palette_popup.field, "mod")
    names = [window.palette_popup.list.item(n).data(Qt.ItemDataRole.UserRole)
             for n in range(window.palette_popup.list.count())]  # fmt: skip
    assert "models" in names and "live" not in names
    window.palette_popup.field.setText("models")
    QTest.keyClick(window.palette_popup.field, Qt.Key.Key_Return)
    assert window.current == "models" and not window.palette_popup.isVisible()


def test_recent_projects_are_remembered_until_they_are_gone(qtbot, window, tmp_path):
    path = opened(qtbot, window, picture_folder(tmp_path)).path
    window.trigger("close_project")
    assert [project.path for project in window.opening.recent()] == [path]
    path.unlink()
    assert window.opening.recent() == []


def test_the_label_legend_is_there_in_label_alone(qtbot, window, tmp_path):
    opened(qtbot, window, picture_folder(tmp_path))
    assert "Diamond" in window.status.right.whole
    window.trigger("models")
    assert not window.status.right.whole


def test_every_icon_button_has_a_name_and_a_tooltip(qtbot, window, tmp_path):
    opened(qtbot, window, picture_folder(tmp_path))
    for name in ("live", "models"):
        window.trigger(name)
    bare = [
        button for button in window.findChildren(QToolButton)
        if not button.text() and not button.objectName().startswith("qt_")
    ]  # fmt: skip
    assert bare
    nameless = [b for b in bare if not b.toolTip() or not b.accessibleName()]
    assert not [(type(b.parent()).__name__, b.toolTip()) for b in nameless]


def test_a_change_of_theme_reaches_the_whole_window(qtbot, window, tmp_path):
    opened(qtbot, window, picture_folder(tmp_path))
    for name in ("live", "models", "label"):
        window.trigger(name)
    try:
        theme.apply(QApplication.instance(), "light")
        QApplication.processEvents()
        bar = window.menu_line.grab().toImage().pixelColor(window.menu_line.width() // 3, 3)
        assert bar.name() == theme.theme().color("window").name()
    finally:
        theme.apply(QApplication.instance(), "dark")


@pytest.mark.parametrize("size", [(1440, 900), (1280, 800), (1024, 680)])
def test_the_window_fits_the_screens_it_is_made_for(qtbot, window, tmp_path, size):
    opened(qtbot, window, picture_folder(tmp_path))
    for name in ("live", "label", "models"):
        window.trigger(name)
        window.resize(*size)
        QApplication.processEvents()
        assert (window.width(), window.height()) == size, name


def test_the_first_page_says_what_computes(qtbot, window):
    qtbot.waitUntil(lambda: bool(window.status.right.text()), timeout=WAIT)
    told = window.status.right.text()
    assert "Self-check passed" in told or "NumPy" in told
    window.trigger("models")
    assert not window.status.right.text()


def test_large_text_leaves_nothing_out_of_the_frame(window):
    try:
        theme.apply(QApplication.instance(), "dark", 150)
        QApplication.processEvents()
        bar = window.menu_line.menus
        assert all(bar.rect().contains(bar.actionGeometry(action)) for action in bar.actions())
        command = window.menu_line.command
        words = command.fontMetrics().horizontalAdvance(command.text())
        assert words + 16 + window.menu_line.cap.width() < command.width()
        for button in window.rail.buttons.values():
            assert button.size() == window.rail.buttons["live"].size()
    finally:
        theme.apply(QApplication.instance(), "dark", 100)


def test_closing_keeps_where_things_were(qtbot, tmp_path):
    first = open_window((1200, 760))
    opened(qtbot, first, picture_folder(tmp_path))
    close_window(first)
    path = tmp_path / "Office faces.hourbit-project"
    Document.open(path).close()  # the lock is gone
    second = open_window((1200, 760))
    assert [project.name for project in second.opening.recent()] == ["Office faces"]
    close_window(second)


def test_edits_stay_when_the_window_closes(qtbot, window, tmp_path):
    document = opened(qtbot, window, picture_folder(tmp_path))
    assert document.schema == load_schema("ibug68")
    window.trigger("close_project")
    again = Document.open(tmp_path / "Office faces.hourbit-project")
    assert len(again.images()) == 3
    again.close()


def test_qt_keeps_its_references_to_none(qtbot, window):
    # A build of Qt's bindings that loses one at each call ends in a crash after some minutes.
    label = window.status.saved
    for _ in range(20):
        label.update()
        QApplication.processEvents()
    before = sys.getrefcount(None)
    for _ in range(150):
        label.update()
        QApplication.processEvents()
    assert sys.getrefcount(None) > before - 75


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


def test_start_up_imports_nothing_heavy(data_folder):
    done = run(
        "import os, sys\n"
        "from app import main\n"
        "assert 'numpy' not in sys.modules\n"
        "assert os.environ['OPENBLAS_NUM_THREADS'] == '1'\n"
        "from PySide6.QtWidgets import QApplication\n"
        "app = QApplication([])\n"
        "window = main.make_window()\n"
        "window.show()\n"
        "app.processEvents()\n"
        "import gc\n"
        "assert not gc.isenabled(), 'garbage must end in this thread only'\n"
        "print([n for n in ('torch', 'onnxruntime', 'onnx', 'pyqtgraph', 'pandas') if n in sys.modules])\n"
        "window.close()\n",
        QT_QPA_PLATFORM="offscreen", OPENBLAS_NUM_THREADS="1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
def test_without_a_display_one_sentence_and_code_2():
    done = run(
        "import sys\nfrom app.main import run\nsys.exit(run([]))", QT_QPA_PLATFORM="", DISPLAY="", WAYLAND_DISPLAY=""
    )
    assert done.returncode == 2
    assert done.stderr.strip().count("\n") == 0 and "display" in done.stderr
