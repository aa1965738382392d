"""Several landmarks at once: selecting, moving, scaling and turning them on the canvas."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt

from app.project.document import Document
from app.project.values import Origin, Visibility
from app.views.label import moves, shape_frame
from tests.app.views.bench import SCHEMA, SIZE, Bench, first_picture

SHIFT, CTRL, ALT = (
    Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier,
)  # fmt: skip
K = len(SCHEMA)
ARM = SCHEMA.groups["Left arm"]


bench = pytest.fixture(first_picture, name="bench")


def on_screen(bench: Bench, place: QPointF) -> QPoint:
    return QPoint(round(place.x()), round(place.y()))


def handle(bench: Bench, name: str) -> QPoint:
    return on_screen(bench, shape_frame.handles(bench.canvas.frame())[name])


# ---- selecting
def test_shift_and_click_add_and_take_away(bench):
    bench.click(bench.at(0))
    bench.editing.choose({0, 1})
    bench.click(bench.at(0), SHIFT)
    assert bench.editing.chosen == {1} and bench.editing.landmark == 1
    bench.click(bench.at(0), SHIFT)
    assert bench.editing.chosen == {0, 1} and bench.editing.landmark == 0
    assert bench.document.undo_title == "Add"  # selecting is no edit


def test_a_band_selects_what_lies_in_it_and_escape_lets_go(bench):
    low, high = bench.points()[1:].min(0) - 5, bench.points()[1:].max(0) + 5
    start, end = (QPoint(*bench.canvas.to_view(p).round().astype(int)) for p in (low, high))
    bench.drag(start, ((end - start).x(), (end - start).y()), held=SHIFT)
    assert bench.editing.chosen == set(range(1, K))
    bench.key(Qt.Key.Key_Escape)
    assert not bench.editing.chosen and bench.editing.landmark == -1


def test_control_and_click_select_the_group_and_brackets_go_through_the_groups(bench):
    k = ARM[0]
    bench.zoom(8.0)
    bench.canvas.centerOn(*bench.points()[k])
    bench.click(bench.at(k), CTRL)
    assert bench.editing.chosen == set(ARM) and bench.editing.landmark == k
    names = list(SCHEMA.groups)
    bench.canvas.shaping.step_group(1)
    assert bench.editing.chosen == set(SCHEMA.groups[names[(names.index("Left arm") + 1) % len(names)]])


# ---- moving
def test_dragging_one_of_several_moves_all_of_them_as_one_edit(bench):
    bench.editing.choose(ARM)
    before, revision = bench.points(), bench.document.revision
    bench.zoom(4.0)
    bench.canvas.centerOn(*before[ARM[0]])
    bench.drag(bench.at(ARM[0]), (12, -8))
    moved = bench.points() - before
    assert moved[list(ARM)] == pytest.approx(np.tile([3.0, -2.0], (len(ARM), 1)))
    assert not np.delete(moved, ARM, 0).any()
    assert bench.document.revision == revision + 1
    assert bench.editing.chosen == set(ARM)
    bench.editing.undo()
    assert bench.points() == pytest.approx(before)


def test_the_move_tool_takes_the_whole_shape_and_keeps_it_in_the_picture(bench):
    before = bench.points()
    bench.canvas.set_tool("move")
    inside = on_screen(bench, bench.canvas.frame().center())
    bench.drag(inside, (5000, 0))
    moved = bench.points() - before
    assert moved == pytest.approx(np.tile([SIZE[0] - 1 - before[:, 0].max(), 0.0], (K, 1)))
    assert (bench.editing.current.origin == Origin.EDITED).all()


@pytest.mark.parametrize(("name", "pull"), [("bottom right", (60, 60)), ("top", (0, -60)), ("left", (-60, 0))])
def test_handles_scale_from_the_other_side(bench, name, pull):
    before = bench.points()
    bench.canvas.set_tool("move")
    bench.drag(handle(bench, name), pull)
    after, zoom = bench.points(), bench.canvas.zoom
    low, high = before.min(0), before.max(0)
    size, grown = high - low, (after.max(0) - after.min(0)) / (high - low)
    if name == "bottom right":
        assert after.min(0) == pytest.approx(low)
        assert grown[0] == pytest.approx(grown[1]) and grown[0] > 1.05  # it keeps its form
    elif name == "top":
        assert after.max(0)[1] == pytest.approx(high[1])
        assert grown == pytest.approx([1.0, 1 + 60 / zoom / size[1]])
    else:
        assert after.max(0)[0] == pytest.approx(high[0])
        assert grown == pytest.approx([1 + 60 / zoom / size[0], 1.0])


def test_the_knob_turns_and_shift_keeps_to_steps(bench):
    before = bench.points()
    middle = (before.min(0) + before.max(0)) / 2
    bench.canvas.set_tool("move")
    view = bench.canvas.viewport().rect()
    knob = on_screen(bench, shape_frame.knob(bench.canvas.frame(), view))
    bench.drag(knob, (40, 6), held=SHIFT)
    expected = moves.moved_by(moves.turn(middle, 15.0), before)
    assert bench.points() == pytest.approx(expected, abs=1e-6)
    lengths = [np.hypot(*(p[0] - p[5])) for p in (before, bench.points())]
    assert lengths[0] == pytest.approx(lengths[1])


def test_escape_puts_a_moved_shape_back(bench):
    before, revision = bench.points(), bench.document.revision
    bench.canvas.set_tool("move")
    start = handle(bench, "bottom right")
    bench.press(start)
    bench.move(start + QPoint(50, 50))
    assert not np.allclose(bench.editing.shown_current().points, before)
    bench.key(Qt.Key.Key_Escape)
    bench.release(start + QPoint(50, 50))
    assert bench.points() == pytest.approx(before) and bench.document.revision == revision


def test_arrows_move_all_that_is_selected_and_with_alt_by_pixels_of_the_screen(bench):
    bench.editing.choose({1, 2})
    before = bench.points()
    bench.key(Qt.Key.Key_Right)
    assert (bench.points() - before)[[1, 2]] == pytest.approx(np.array([[1.0, 0.0]] * 2))
    bench.zoom(16.0)
    bench.editing.select(3)
    before = bench.points()
    bench.key(Qt.Key.Key_Down, ALT)
    assert (bench.points() - before)[3] == pytest.approx([0.0, 1 / 16])


def test_keys_turn_and_scale_around_the_middle(bench):
    before = bench.points()
    bench.canvas.shaping.rotate(90.0)
    bench.canvas.shaping.grow(0.5)
    after = bench.points()
    middle = (before.min(0) + before.max(0)) / 2
    assert (after.max(0) - after.min(0))[::-1] == pytest.approx((before.max(0) - before.min(0)) / 2)
    assert (after.min(0) + after.max(0)) / 2 == pytest.approx(middle)
    bench.editing.undo()
    bench.editing.undo()
    assert bench.points() == pytest.approx(before)


def test_landmarks_leave_the_picture_only_when_they_may_and_come_back(bench):
    bench.drag(bench.at(0), (-3000, 0))
    assert bench.points()[0, 0] == 0.0
    bench.canvas.shaping.toggle_outside()
    bench.drag(bench.at(0), (-60, 0))
    assert bench.points()[0, 0] < -5
    image = bench.editing.image.id
    bench.canvas.shaping.bring_back()
    assert bench.points()[0, 0] == 0.0
    bench.editing.undo()
    bench.document.close()
    bench.document = Document.open(bench.path)
    assert bench.document.instances(image)[0].points[0, 0] < -5


def test_visibility_of_several_at_once(bench):
    bench.editing.choose(ARM)
    bench.editing.toggle_visibility(Visibility.OCCLUDED)
    assert set(np.flatnonzero(bench.editing.current.visibility == Visibility.OCCLUDED)) == set(ARM)
    bench.editing.toggle_visibility(Visibility.OCCLUDED)
    assert (bench.editing.current.visibility == Visibility.VISIBLE).all()
