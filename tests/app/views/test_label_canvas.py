"""The canvas: what mouse and keys do to landmarks, boxes and the view, on a real project."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtWidgets import QApplication, QGraphicsScene

from app.project.document import Document
from app.project.edits import PutInstance, RemoveInstance
from app.project.values import Origin, Visibility
from tests.app.views.bench import SIZE, Bench, guessed, send_key


@pytest.fixture
def bench(qtbot: object, tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.show(made.images[0])
    yield made
    made.close()


@pytest.mark.parametrize(("zoom", "by"), [(1.0, (40, 24)), (4.0, (40, 24)), (0.5, (-12, 8)), (16.0, (48, -32))])
def test_a_drag_moves_the_landmark_exactly_and_is_one_edit(bench, zoom, by):
    bench.zoom(zoom)
    before, revision = bench.point(0), bench.document.revision
    bench.drag(bench.at(0), by)
    assert bench.point(0) == pytest.approx(before + np.array(by) / zoom, abs=1e-6)
    assert bench.document.revision == revision + 1
    assert bench.editing.current.origin[0] == Origin.EDITED
    assert bench.editing.current.origin[1] == Origin.MODEL


def test_a_click_selects_and_makes_no_edit(bench):
    revision = bench.document.revision
    bench.press(bench.at(3))
    bench.release(bench.at(3))
    assert bench.editing.landmark == 3
    assert bench.document.revision == revision


def test_a_drag_can_be_undone_redone_and_is_there_after_reopening(bench):
    bench.zoom(2.0)
    before = bench.point(0)
    bench.drag(bench.at(0), (20, 10))
    after = bench.point(0)
    bench.editing.undo()
    assert bench.point(0) == pytest.approx(before)
    assert bench.editing.current.origin[0] == Origin.MODEL
    bench.editing.redo()
    assert bench.point(0) == pytest.approx(after)
    image = bench.editing.image.id
    bench.document.close()
    bench.document = Document.open(bench.path)
    assert bench.document.instances(image)[0].points[0] == pytest.approx(after)
    assert bench.document.undo_title is not None


@pytest.mark.parametrize("zoom", [1.0, 8.0])
@pytest.mark.parametrize(("dx", "dy"), [(-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (1, 1)])
def test_points_stay_inside_the_picture_and_slide_along_its_edges(bench, zoom, dx, dy):
    bench.zoom(zoom)
    before = bench.point(0)
    far = 3000 if zoom == 1.0 else 9000
    bench.drag(bench.at(0), (dx * far, dy * far))
    x, y = bench.point(0)
    assert x == pytest.approx({-1: 0.0, 0: before[0], 1: SIZE[0] - 1.0}[dx])
    assert y == pytest.approx({-1: 0.0, 0: before[1], 1: SIZE[1] - 1.0}[dy])
    bench.drag(bench.at(0), (-dx * 20, -dy * 20))  # and it can be fetched back
    assert bench.point(0) == pytest.approx([x - dx * 20 / zoom, y - dy * 20 / zoom])


def test_escape_during_a_drag_puts_the_landmark_back(bench):
    before, revision = bench.point(0), bench.document.revision
    start = bench.at(0)
    bench.press(start)
    bench.move(start + QPoint(30, 30))
    assert not np.allclose(bench.editing.shown_current().points[0], before)
    bench.key(Qt.Key.Key_Escape)
    bench.move(start + QPoint(60, 60))
    bench.release(start + QPoint(60, 60))
    assert bench.point(0) == pytest.approx(before)
    assert bench.document.revision == revision
    assert bench.editing.preview is None


@pytest.mark.parametrize(
    ("modifier", "step"),
    [
        (Qt.KeyboardModifier.NoModifier, 1.0),
        (Qt.KeyboardModifier.ShiftModifier, 10.0),
        (Qt.KeyboardModifier.ControlModifier, 0.1),
    ],
)
def test_arrows_nudge_the_selected_landmark(bench, modifier, step):
    bench.editing.select(2)
    before = bench.point(2)
    bench.key(Qt.Key.Key_Right, modifier)
    bench.key(Qt.Key.Key_Down, modifier)
    assert bench.point(2) == pytest.approx(before + step)


def test_arrows_ask_for_another_picture_when_nothing_is_selected(bench):
    asked = []
    bench.canvas.stepped.connect(asked.append)
    bench.key(Qt.Key.Key_Right)
    bench.key(Qt.Key.Key_Left)
    assert asked == [1, -1]


@pytest.mark.parametrize("zoom", [0.7, 1.0, 32.0])
def test_the_grab_radius_is_in_screen_pixels_at_any_zoom(bench, zoom):
    bench.zoom(zoom)
    x, y = bench.canvas.to_view(bench.point(0))

    def reached() -> list[float]:
        hits = {d: bench.canvas.landmark_at(QPointF(x - d, y)) for d in (0.0, 11.0, 13.0, 15.0, 17.0)}
        return [d for d, hit in hits.items() if hit is not None and hit[1] == 0]

    bench.editing.select(-1)
    assert reached() == [0.0, 11.0]
    bench.editing.select(0)
    assert reached() == [0.0, 11.0, 13.0, 15.0]


def test_right_click_goes_round_visible_occluded_absent(bench):
    seen = []
    for _ in range(2):
        place = bench.at(5)
        bench.press(place, Qt.MouseButton.RightButton)
        bench.release(place, Qt.MouseButton.RightButton)
        seen.append(Visibility(int(bench.editing.current.visibility[5])))
    assert seen == [Visibility.OCCLUDED, Visibility.ABSENT]
    bench.editing.cycle_visibility(5)
    assert bench.editing.current.visibility[5] == Visibility.VISIBLE
    assert bench.editing.current.origin[5] == Origin.EDITED


def test_absence_lasts_after_reopening(bench):
    bench.editing.select(4)
    bench.editing.toggle_visibility(Visibility.ABSENT)
    image = bench.editing.image.id
    bench.document.close()
    bench.document = Document.open(bench.path)
    assert bench.document.instances(image)[0].visibility[4] == Visibility.ABSENT


def test_an_absent_landmark_is_not_in_the_way_of_the_mouse(bench):
    bench.editing.set_visibility(Visibility.ABSENT, 0)
    x, y = bench.canvas.to_view(bench.point(0))
    hit = bench.canvas.landmark_at(QPointF(x, y))
    assert hit is None or hit[1] != 0


def test_tab_goes_through_the_landmarks_only_while_one_is_selected(bench):
    bench.editing.select(0)
    assert bench.canvas.focusNextPrevChild(True)
    assert bench.editing.landmark == 1
    assert bench.canvas.focusNextPrevChild(False)
    assert bench.canvas.focusNextPrevChild(False)
    assert bench.editing.landmark == 15


def test_the_wheel_zooms_at_the_cursor_within_limits(bench):
    place = QPointF(200, 150)
    for factor in (1.7, 0.4, 3.0, 9.0):
        under = bench.canvas.to_picture(place)
        bench.canvas.zoom_at(place, factor)
        now = bench.canvas.to_picture(place)
        assert (now - under).manhattanLength() * bench.canvas.zoom <= 1.01
    bench.canvas.zoom_at(place, 1e6)
    assert bench.canvas.zoom == 64.0
    bench.canvas.zoom_at(place, 1e-9)
    assert bench.canvas.zoom == 0.01


def test_fit_and_actual_size(bench):
    bench.canvas.actual_size()
    assert bench.canvas.zoom == pytest.approx(1.0)
    bench.canvas.fit()
    view = bench.canvas.viewport()
    assert bench.canvas.zoom == pytest.approx(min(view.width() / SIZE[0], view.height() / SIZE[1]))
    bench.canvas.resize(320, 240)
    QApplication.processEvents()
    assert bench.canvas.zoom == pytest.approx(2.0)


def test_middle_drag_pans_and_edits_nothing(bench):
    bench.zoom(4.0)
    revision = bench.document.revision
    before = bench.canvas.to_view(np.zeros(2))
    bench.drag(bench.at(0), (30, -20), Qt.MouseButton.MiddleButton)
    assert bench.canvas.to_view(np.zeros(2)) == pytest.approx(before + [30, -20])
    assert bench.document.revision == revision


def test_space_and_drag_pans_and_space_alone_goes_on_when_released(bench):
    bench.zoom(4.0)
    tapped = []
    bench.canvas.spaced.connect(tapped.append)
    revision, before = bench.document.revision, bench.canvas.to_view(np.zeros(2))
    send_key(bench.canvas, QEvent.Type.KeyPress, Qt.Key.Key_Space)
    bench.drag(bench.at(0), (25, 15))
    send_key(bench.canvas, QEvent.Type.KeyRelease, Qt.Key.Key_Space)
    assert bench.canvas.to_view(np.zeros(2)) == pytest.approx(before + [25, 15])
    assert bench.document.revision == revision
    assert tapped == []
    send_key(bench.canvas, QEvent.Type.KeyPress, Qt.Key.Key_Space)
    assert tapped == []
    send_key(bench.canvas, QEvent.Type.KeyRelease, Qt.Key.Key_Space)
    assert tapped == [False]


def test_a_box_drawn_with_n_is_a_new_instance_in_which_the_model_runs(bench, qtbot):
    bench.show(bench.images[1], with_instance=False)
    bench.canvas.fit()
    bench.canvas.set_tool("new")
    start, end = (bench.canvas.to_view(np.array(p)) for p in ([20.0, 20.0], [100.0, 90.0]))
    bench.drag(QPoint(*start.round().astype(int)), tuple((end - start).round().astype(int)))
    (instance,) = bench.document.instances(bench.images[1])
    assert instance.box.side == pytest.approx(80, abs=0.5)
    assert bench.canvas.tool == "select"
    qtbot.waitUntil(lambda: bench.document.instances(bench.images[1])[0].model == "small-0", timeout=20000)
    assert (bench.document.instances(bench.images[1])[0].origin == Origin.MODEL).all()
    qtbot.waitUntil(lambda: bench.guesses.map_in_hand() is not None, timeout=5000)


def test_moving_the_box_runs_the_model_on_untouched_landmarks_only(bench, qtbot):
    bench.canvas.fit()
    bench.drag(bench.at(0), (24, 16))
    hand, model = bench.point(0), bench.point(1)
    box = bench.editing.current.box
    x0, y0, _, _ = box.corners
    corner = bench.canvas.to_view(np.array([x0, y0 + box.side / 3])).round().astype(int)
    bench.drag(QPoint(*corner), (40, 0))
    moved = bench.editing.current.box
    assert (moved.cx - box.cx, moved.cy - box.cy, moved.side) == pytest.approx((10.0, 0.0, box.side))
    qtbot.waitUntil(lambda: not np.allclose(bench.point(1), model), timeout=20000)
    assert bench.point(0) == pytest.approx(hand)
    assert bench.editing.current.origin[0] == Origin.EDITED


def test_hidden_labels_cannot_be_grabbed(bench):
    bench.canvas.show_labels(False)
    x, y = bench.canvas.to_view(bench.point(0))
    assert bench.canvas.landmark_at(QPointF(x, y)) is None


def test_a_click_on_another_instance_makes_it_the_active_one(bench):
    other = guessed(bench.images[0], seed=5)
    bench.document.apply(PutInstance(other, "Add"))
    first, second = (i.id for i in bench.editing.instances)
    assert bench.editing.active == first
    place = bench.canvas.to_view(other.points)
    mine = bench.canvas.to_view(bench.editing.current.points)
    away = np.hypot(*(place[:, None] - mine[None]).transpose(2, 0, 1)).min(1)
    k = int(away.argmax())
    assert away[k] > 16
    bench.press(QPoint(*place[k].round().astype(int)))
    bench.release(QPoint(*place[k].round().astype(int)))
    assert bench.editing.active == second
    assert bench.editing.landmark == k


def test_instances_go_after_the_view_has_changed_and_nothing_of_them_is_painted(bench):
    """With a spatial index this ended the program: the bounds of what is painted follow the view."""
    assert bench.canvas.scene().itemIndexMethod() is QGraphicsScene.ItemIndexMethod.NoIndex
    image, kept = bench.images[0], set(bench.canvas.scene().items())
    rng = np.random.default_rng(0)
    for n in range(12):
        for k in range(3):
            bench.document.apply(PutInstance(guessed(image, 3 * n + k)))
        bench.canvas.viewport().grab()
        bench.canvas.zoom_at(QPointF(*rng.uniform(0, 400, 2)), rng.choice([0.05, 0.3, 3, 20]))
        QApplication.processEvents()
        for instance in bench.document.instances(image)[1:]:
            bench.document.apply(RemoveInstance(instance.id))
        bench.canvas.viewport().grab()
        assert set(bench.canvas.scene().items()) == kept


def test_undo_in_mid_drag_lets_go_and_moves_no_other_instance(bench):
    bench.document.apply(PutInstance(guessed(bench.images[0], 3), "Add"))
    one, two = bench.editing.instances
    bench.editing.activate(two.id)
    place = bench.at(5)
    bench.press(place)
    bench.move(place + QPoint(20, 10))
    bench.document.undo()
    bench.move(place + QPoint(40, 20))
    bench.release(place + QPoint(60, 30))
    assert bench.document.instances(bench.images[0]) == (one,)
    assert bench.document.redo_title == "Add" and not bench.editing.grabbed
