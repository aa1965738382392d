"""The heatmap dock in Label: what it shows, how it is driven, and that it costs nothing while closed."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QImage, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.project.edits import PutInstance
from app.project.values import Origin
from app.services.maps import to_cells
from app.views.actions import BY_NAME
from app.views.heatmaps.grid import LANDMARK, shortened
from app.views.heatmaps.panel import HeatmapPanel
from app.views.heatmaps.switches import Switches
from app.views.label import shapes
from app.views.label.workspace import LabelWorkspace
from engine.types import Box
from tests.app.views.desk import WAIT, add_model, close_window, no_camera, open_window, opened, picture_folder
from tests.app.views.window_bench import adopt_small


@pytest.fixture
def desk(qtbot, tmp_path, monkeypatch):
    """A window in Label with an instance on the first picture, landmark 40 selected."""
    no_camera(monkeypatch)
    add_model(tmp_path)
    window = open_window()
    document = opened(qtbot, window, picture_folder(tmp_path))
    workspace: LabelWorkspace = window.workspace("label")
    image = workspace.editing.image
    qtbot.waitUntil(lambda: document.counts()["new"] == 0, timeout=WAIT)
    if not document.instances(image.id):
        made = shapes.mean_instance(document.schema, image, Box(80.0, 60.0, 70.0), "")
        document.apply(PutInstance(made, "Add"))
    workspace.editing.select(40)
    yield workspace
    close_window(window)


def open_dock(qtbot, workspace: LabelWorkspace) -> HeatmapPanel:
    workspace.trigger("heatmaps")
    panel = workspace.heatmaps.dock.panel
    qtbot.waitUntil(lambda: panel.inspection is not None, timeout=WAIT)
    return panel


def move_mouse(widget: object, place: QPointF, buttons: Qt.MouseButton = Qt.MouseButton.NoButton) -> None:
    event = QMouseEvent(QEvent.Type.MouseMove, place, widget.mapToGlobal(place), Qt.MouseButton.NoButton, buttons,
                        Qt.KeyboardModifier.NoModifier)  # fmt: skip
    QApplication.sendEvent(widget, event)


def test_closed_it_is_not_there_and_open_it_takes_the_side_docks_room(qtbot, desk):
    dock = desk.heatmaps.dock
    desk.editing.select(3)
    assert dock.panel is None
    assert not [t for t in threading.enumerate() if t.name == "inspection"]
    open_dock(qtbot, desk)
    assert desk.queue_dock.isHidden() and desk.inspector_dock.isHidden()
    assert desk.tools.maps.isChecked() and not desk.tools.queue.isHidden()
    desk.trigger("queue")
    assert not desk.queue_dock.isHidden()
    desk.trigger("heatmaps")
    assert not desk.queue_dock.isHidden() and not desk.inspector_dock.isHidden()
    assert dock.panel.inspection is None
    dock.panel.service.request = lambda ask: pytest.fail("a closed dock asks for nothing")
    desk.editing.select(5)
    assert BY_NAME["heatmaps"].keys == ("Ctrl+M",)


def test_it_follows_the_landmark_and_the_grid_chooses_one(qtbot, desk):
    panel = open_dock(qtbot, desk)
    names = desk.editing.document.schema.landmarks
    assert panel.page.name.text() == names[40]
    inspection = panel.inspection
    desk.editing.select(7)
    assert panel.page.name.text() == names[7]
    assert panel.inspection is inspection  # another landmark of the same subject needs no new run
    assert panel.grid.currentIndex().data(LANDMARK) == 7
    doubts = inspection.doubts[panel.grid.maps.order]
    assert (np.diff(doubts) <= 1e-12).all()
    panel.order.setCurrentIndex(panel.order.findData("schema"))
    panel.order.activated.emit(1)
    panel.grid.setFocus()
    QTest.keyClick(panel.grid, Qt.Key.Key_Home)
    assert desk.editing.landmark == 0
    assert names[0] in panel.grid.maps.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    panel.grid.hovered.emit(9)
    assert desk.guesses.passing == 9
    panel.grid.hovered.emit(-1)
    assert desk.guesses.passing == -1


def test_the_value_under_the_cursor_is_read_by_mouse_and_by_keys(qtbot, desk):
    panel = open_dock(qtbot, desk)
    view = panel.page.map
    values = view._shown.values
    x, y = view.to_view(np.array([5, 9]))
    move_mouse(view, QPointF(x, y))
    assert "map 5, 9" in view.words
    assert view.words.endswith(f"{values[9, 5]:.2f}")
    assert view.accessibleDescription() == view.words
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert "map 6, 9" in view.words
    QTest.keyClick(view, Qt.Key.Key_Home)
    row, column = np.unravel_index(values.argmax(), values.shape)
    assert f"map {column}, {row}" in view.words


def test_peaks_are_compared_with_the_label_and_can_be_taken(qtbot, desk):
    panel = open_dock(qtbot, desk)
    desk.editing.drop(40, 70.0, 50.0)
    first = panel.page._peaks[0]
    apart = float(np.linalg.norm(first[:2] - (70.0, 50.0)))
    assert panel.page.foot.distances[0].text() == f"{apart:.1f} px"
    assert panel.page.marks().label == pytest.approx(to_cells(panel.inspection.maps, np.array([70.0, 50.0])))
    desk.editing.drag(40, 60.0, 40.0)
    away = float(np.linalg.norm(first[:2] - (60.0, 40.0)))
    assert panel.page.foot.distances[0].text() == f"{away:.1f} px"
    desk.editing.cancel_preview()
    assert panel.page.foot.distances[0].text() == f"{apart:.1f} px"
    panel.page.foot.buttons[0].click()
    moved = desk.editing.current
    assert moved.points[40] == pytest.approx(desk.editing.clamp(*first[:2]))
    assert moved.origin[40] in (Origin.EDITED, Origin.HAND)
    desk.editing.undo()
    assert desk.editing.current.points[40] == pytest.approx((70.0, 50.0))


def test_the_profile_follows_the_line_and_a_double_click_puts_it_back(qtbot, desk):
    page = open_dock(qtbot, desk).page
    before = page.curve.curve[1].copy()
    end = page.map.to_view(page._line_now()[1])
    QTest.mousePress(page.map, Qt.MouseButton.LeftButton, pos=QPointF(*end).toPoint())
    move_mouse(page.map, QPointF(20, 20), Qt.MouseButton.LeftButton)
    QTest.mouseRelease(page.map, Qt.MouseButton.LeftButton, pos=QPointF(20, 20).toPoint())
    assert page._line[1] == pytest.approx(page.map.to_cells(QPointF(20, 20)))
    assert not np.array_equal(page.curve.curve[1], before)
    QTest.mouseDClick(page.map, Qt.MouseButton.LeftButton, pos=QPointF(100, 100).toPoint())
    assert page._line is None
    assert page.curve.curve[1] == pytest.approx(before)


def test_switches_change_the_map_and_its_scale(qtbot, desk):
    panel = open_dock(qtbot, desk)
    bar, switches = panel.heading.bar, panel.switches
    probability = panel.inspection.maps.probabilities
    assert bar.ends == ("0", f"{probability[40].max():.2f}")
    switches.fixed.click()
    assert bar.ends == ("0", "1.00")
    switches.fixed.click()
    switches.projection.buttons["max"].click()
    assert bar.ends[1] == f"{probability.max():.2f}"
    switches.projection.buttons["one"].click()
    switches.kind.buttons["flip"].click()
    assert bar.ends[0] == "\u2212" + bar.ends[1]
    switches.scale.buttons["logit"].click()
    assert float(bar.ends[1]) == pytest.approx(
        np.abs(panel.inspection.maps.logits[40] - panel.inspection.flipped[40]).max(), abs=0.01
    )


def test_without_a_second_model_the_difference_is_off_and_says_why(qtbot):
    switches = Switches()
    qtbot.addWidget(switches)
    switches.kind.buttons["other"].click()
    switches.set_comparable(False)
    assert switches.kind.current == "map"
    assert "Models" in switches.kind.buttons["other"].toolTip()


def test_two_models_and_their_difference(qtbot, desk, tmp_path):
    adopt_small(desk.context.library, tmp_path, seed=5)
    panel = open_dock(qtbot, desk)
    panel.heading.other.setCurrentIndex(panel.heading.other.findText("small 0"))
    panel.switches.kind.buttons["other"].click()
    assert not panel.heading.other.isHidden()
    qtbot.waitUntil(lambda: panel.inspection.other_name == "small 0", timeout=WAIT)
    assert panel.inspection.model == "small 5"
    assert np.abs(panel.page._shown.values).max() > 0
    assert "B has it" in panel.page.foot.moves[1].whole


def test_inner_layers_by_name(qtbot, desk):
    panel = open_dock(qtbot, desk)
    panel.heading.inner.click()
    qtbot.waitUntil(lambda: panel.inspection.layer is not None, timeout=WAIT)
    assert panel.inspection.layer.bits_name == "head.last.sign"
    panel.tree.find.setText("stem.3")
    hidden = [name for name, item in panel.tree._items.items() if item.isHidden()]
    assert "head" in hidden and "stem.3.out" not in hidden and "stem" not in hidden
    panel.tree.choose("stem.3.out")
    qtbot.waitUntil(lambda: panel.inspection.layer.real_name == "stem.3.out", timeout=WAIT)
    view, layer = panel.layer, panel.inspection.layer
    button = view.best.rows[0][0]
    button.click()
    assert (view.how.currentData(), view.channel.value()) == ("one", button.property("channel"))
    view.show_channel(3)
    greys = {view.signs.image.pixelColor(x, y).name() for x in range(4) for y in range(4)}
    assert greys <= {"#3a3f46", "#c9ced6"}
    plane = layer.real[..., 3]
    assert view.bar.ends[1] == f"{plane.max():.2f}".replace("-", "\u2212")


def test_late_results_of_another_picture_are_dropped(qtbot, desk):
    panel = open_dock(qtbot, desk)
    old = panel.inspection
    other = next(i.id for i in desk.editing.document.images() if i.id != desk.editing.image.id)
    desk.browsing.show(other)
    assert panel.inspection is None
    panel._ready(old)
    assert panel.inspection is None


def test_while_the_network_is_at_work_it_says_so(qtbot, desk):
    panel = open_dock(qtbot, desk)
    panel.inspection = None
    panel._show()
    assert not panel.heading.model.whole and "at work" in panel.page.name.whole
    panel._failed(panel._asked, "The model cannot be read.")
    assert not panel.heading.model.whole and not panel.page.name.whole
    panel.banner.button.click()
    assert "at work" in panel.page.name.whole
    qtbot.waitUntil(lambda: panel.inspection is not None, timeout=WAIT)
    assert panel.heading.model.whole == panel.inspection.model


def test_png_and_npz(qtbot, desk, tmp_path):
    panel = open_dock(qtbot, desk)
    desk.editing.drop(40, 70.0, 50.0)
    panel.save_to(tmp_path / "map.png")
    image = QImage(str(tmp_path / "map.png"))
    assert image.width() == image.height() > 200
    panel.save_to(tmp_path / "all.npz")
    with np.load(tmp_path / "all.npz", allow_pickle=False) as held:
        assert np.array_equal(held["logits"], panel.inspection.maps.logits)
        assert held["names"][40] == desk.editing.document.schema.landmarks[40]
        assert held["label"][40].tolist() == [70.0, 50.0]
        assert held["crop"].dtype == np.uint8
    panel.save_to(tmp_path / "missing" / "map.png")
    assert not panel.banner.isHidden() and "map.png" in panel.banner.text.text()


def test_a_model_file_that_is_gone_is_a_sentence(qtbot, desk):
    panel = open_dock(qtbot, desk)
    ask = panel._asked
    panel._failed(ask, "The model cannot be read.")
    assert panel.banner.text.text() == "The model cannot be read."
    panel.banner.button.click()
    qtbot.waitUntil(lambda: panel.inspection is not None and panel.banner.isHidden(), timeout=WAIT)


def test_nothing_selected_and_nothing_marked_say_so(qtbot, desk):
    panel = open_dock(qtbot, desk)
    desk.editing.select(-1)
    assert panel.page.name.text() == "Select a landmark to see its map"
    desk.editing.remove_instance()
    assert panel.stack.currentIndex() == 1 and "Draw a box" in panel.empty.text.text()


def test_narrow_puts_the_maps_below_and_scrolls(qtbot, desk):
    panel = open_dock(qtbot, desk)
    panel.setParent(None)
    panel.resize(460, 700)
    panel.show()
    QApplication.processEvents()
    assert panel.right.y() > panel.left.y() + panel.left.height() - 1
    assert panel.scroll.verticalScrollBar().maximum() > 0
    desk.heatmaps.dock.setWidget(panel)


def test_names_keep_what_tells_them_apart():
    assert shortened("Right eye 6") == "R eye 6" and shortened("Jaw 1") == "Jaw 1" and shortened("Left") == "Left"


def test_a_panel_can_be_closed_before_it_ever_opened(qtbot, desk):
    assert desk.heatmaps.dock.close_service()
    assert Path(desk.guesses.path()).is_file()
