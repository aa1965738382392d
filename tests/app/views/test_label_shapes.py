"""Several landmarks at once: selecting, moving, turning, sides, placing one by one, from picture to picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt

from app.project.document import Document
from app.project.edits import PutInstance
from app.project.values import Instance, Origin, Visibility
from app.views.label import moves
from app.views.label.last_picture import LastPicture
from app.views.label.transfer import Transfer, transplanted
from engine.types import Box
from tests.app.views.bench import SCHEMA, SIZE, Bench, guessed

SHIFT, CTRL, ALT = (
    Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier,
)  # fmt: skip
K = len(SCHEMA)
ARM = SCHEMA.groups["Left arm"]


@pytest.fixture
def bench(qtbot: object, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.show(made.images[0])
    made.canvas.fit()
    yield made
    made.close()


def points(bench: Bench) -> np.ndarray:
    return bench.document.instances(bench.editing.image.id)[0].points.copy()


def on_screen(bench: Bench, place: QPointF) -> QPoint:
    return QPoint(round(place.x()), round(place.y()))


def handle(bench: Bench, name: str) -> QPoint:
    from app.views.label import shape_frame

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
    low, high = points(bench)[1:].min(0) - 5, points(bench)[1:].max(0) + 5
    start, end = (QPoint(*bench.canvas.to_view(p).round().astype(int)) for p in (low, high))
    bench.drag(start, ((end - start).x(), (end - start).y()), held=SHIFT)
    assert bench.editing.chosen == set(range(1, K))
    bench.key(Qt.Key.Key_Escape)
    assert not bench.editing.chosen and bench.editing.landmark == -1


def test_control_and_click_select_the_group_and_brackets_go_through_the_groups(bench):
    k = ARM[0]
    bench.zoom(8.0)
    bench.canvas.centerOn(*points(bench)[k])
    bench.click(bench.at(k), CTRL)
    assert bench.editing.chosen == set(ARM) and bench.editing.landmark == k
    names = list(SCHEMA.groups)
    bench.canvas.shaping.step_group(1)
    assert bench.editing.chosen == set(SCHEMA.groups[names[(names.index("Left arm") + 1) % len(names)]])


# ---- moving
def test_dragging_one_of_several_moves_all_of_them_as_one_edit(bench):
    bench.editing.choose(ARM)
    before, revision = points(bench), bench.document.revision
    bench.zoom(4.0)
    bench.canvas.centerOn(*before[ARM[0]])
    bench.drag(bench.at(ARM[0]), (12, -8))
    moved = points(bench) - before
    assert moved[list(ARM)] == pytest.approx(np.tile([3.0, -2.0], (len(ARM), 1)))
    assert not np.delete(moved, ARM, 0).any()
    assert bench.document.revision == revision + 1
    assert bench.editing.chosen == set(ARM)
    bench.editing.undo()
    assert points(bench) == pytest.approx(before)


def test_the_move_tool_takes_the_whole_shape_and_keeps_it_in_the_picture(bench):
    before = points(bench)
    bench.canvas.set_tool("move")
    inside = on_screen(bench, bench.canvas.frame().center())
    bench.drag(inside, (5000, 0))
    moved = points(bench) - before
    assert moved == pytest.approx(np.tile([SIZE[0] - 1 - before[:, 0].max(), 0.0], (K, 1)))
    assert (bench.editing.current.origin == Origin.EDITED).all()


@pytest.mark.parametrize(("name", "pull"), [("bottom right", (60, 60)), ("top", (0, -60)), ("left", (-60, 0))])
def test_handles_scale_from_the_other_side(bench, name, pull):
    before = points(bench)
    bench.canvas.set_tool("move")
    bench.drag(handle(bench, name), pull)
    after, zoom = points(bench), bench.canvas.zoom
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
    from app.views.label import shape_frame

    before = points(bench)
    middle = (before.min(0) + before.max(0)) / 2
    bench.canvas.set_tool("move")
    view = bench.canvas.viewport().rect()
    knob = on_screen(bench, shape_frame.knob(bench.canvas.frame(), view))
    bench.drag(knob, (40, 6), held=SHIFT)
    expected = moves.moved_by(moves.turn(middle, 15.0), before)
    assert points(bench) == pytest.approx(expected, abs=1e-6)
    lengths = [np.hypot(*(p[0] - p[5])) for p in (before, points(bench))]
    assert lengths[0] == pytest.approx(lengths[1])


def test_escape_puts_a_moved_shape_back(bench):
    before, revision = points(bench), bench.document.revision
    bench.canvas.set_tool("move")
    start = handle(bench, "bottom right")
    bench.press(start)
    bench.move(start + QPoint(50, 50))
    assert not np.allclose(bench.editing.shown_current().points, before)
    bench.key(Qt.Key.Key_Escape)
    bench.release(start + QPoint(50, 50))
    assert points(bench) == pytest.approx(before) and bench.document.revision == revision


def test_arrows_move_all_that_is_selected_and_with_alt_by_pixels_of_the_screen(bench):
    bench.editing.choose({1, 2})
    before = points(bench)
    bench.key(Qt.Key.Key_Right)
    assert (points(bench) - before)[[1, 2]] == pytest.approx(np.array([[1.0, 0.0]] * 2))
    bench.zoom(16.0)
    bench.editing.select(3)
    before = points(bench)
    bench.key(Qt.Key.Key_Down, ALT)
    assert (points(bench) - before)[3] == pytest.approx([0.0, 1 / 16])


def test_keys_turn_and_scale_around_the_middle(bench):
    before = points(bench)
    bench.canvas.shaping.rotate(90.0)
    bench.canvas.shaping.grow(0.5)
    after = points(bench)
    middle = (before.min(0) + before.max(0)) / 2
    assert (after.max(0) - after.min(0))[::-1] == pytest.approx((before.max(0) - before.min(0)) / 2)
    assert (after.min(0) + after.max(0)) / 2 == pytest.approx(middle)
    bench.editing.undo()
    bench.editing.undo()
    assert points(bench) == pytest.approx(before)


def test_landmarks_leave_the_picture_only_when_they_may_and_come_back(bench):
    bench.drag(bench.at(0), (-3000, 0))
    assert points(bench)[0, 0] == 0.0
    bench.canvas.shaping.toggle_outside()
    bench.drag(bench.at(0), (-60, 0))
    assert points(bench)[0, 0] < -5
    image = bench.editing.image.id
    bench.canvas.shaping.bring_back()
    assert points(bench)[0, 0] == 0.0
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


# ---- sides
def test_swapping_sides_twice_changes_nothing_and_centres_stay(bench):
    before, order = points(bench), SCHEMA.permutation
    bench.canvas.shaping.swap_sides()
    assert points(bench) == pytest.approx(before[order])
    centre = [k for k in range(K) if order[k] == k]
    assert (bench.editing.current.origin[centre] == Origin.MODEL).all()
    bench.canvas.shaping.swap_sides()
    assert points(bench) == pytest.approx(before)


def test_one_selected_landmark_swaps_with_its_partner_alone(bench):
    before, order = points(bench), SCHEMA.permutation
    k = int(np.flatnonzero(order != np.arange(K))[0])
    bench.editing.select(k)
    bench.canvas.shaping.swap_sides()
    changed = set(np.flatnonzero((points(bench) != before).any(1)))
    assert changed == {k, int(order[k])}


def test_a_mirrored_shape_stays_in_place_and_left_stays_left(bench):
    before, order = points(bench), SCHEMA.permutation
    bench.canvas.shaping.mirror()
    after = points(bench)
    assert (after.min(0), after.max(0)) == (pytest.approx(before.min(0)), pytest.approx(before.max(0)))
    flipped = before[:, 0].min() + before[:, 0].max() - before[order][:, 0]
    assert after[:, 0] == pytest.approx(flipped) and after[:, 1] == pytest.approx(before[order][:, 1])


def test_one_side_is_copied_to_the_other_over_the_midline(bench):
    instance = upright(bench.editing.image.id)
    order = SCHEMA.permutation
    bench.document.apply(PutInstance(instance_with(bench, instance)))
    wanted = points(bench)
    right = [int(order[k]) for k in ARM]
    bench.editing.choose(right)
    bench.canvas.shaping.nudge(7.0, 5.0)  # the right arm is wrong now
    bench.editing.choose(ARM)
    bench.canvas.shaping.to_other_side()
    assert points(bench) == pytest.approx(wanted, abs=0.5)
    assert bench.editing.chosen == set(right)


def upright(image: int) -> Instance:
    """The mean shape, made symmetric about x = 80."""
    mean, order = np.array(SCHEMA.mean), SCHEMA.permutation
    mean = (mean + (mean * [-1, 1] + [1, 0])[order]) / 2
    places = mean * 80 + [40, 20]
    return Instance(
        0, image, Box(80.0, 60.0, 80.0), places, np.full(K, Visibility.VISIBLE), np.full(K, Origin.MODEL), np.ones(K),
        places, "m",
    )  # fmt: skip


def instance_with(bench: Bench, other: Instance) -> Instance:
    from dataclasses import replace

    return replace(other, id=bench.editing.active)


# ---- starting shapes
def test_the_rest_follows_the_landmarks_that_were_placed(bench):
    guess = points(bench)
    move = moves.turn(np.array([80.0, 60.0]), 10.0)
    move[:, 2] += [4.0, -3.0]
    wanted = moves.moved_by(move, guess)
    for k in (0, 6, 12):
        bench.editing.drop(k, *wanted[k])
    bench.canvas.shaping.fit_rest()
    assert points(bench) == pytest.approx(wanted, abs=1e-6)
    assert bench.editing.to_confirm() == K - 3  # the others are still to be confirmed
    bench.editing.undo()
    assert points(bench)[1] == pytest.approx(guess[1])


def test_the_mean_shape_takes_only_what_no_hand_has_placed(bench):
    bench.editing.drop(3, 50.0, 50.0)
    bench.canvas.shaping.mean_shape()
    box = bench.editing.current.box
    expected = np.array(SCHEMA.mean) * box.side + [box.cx - box.side / 2, box.cy - box.side / 2]
    after = points(bench)
    assert after[3] == pytest.approx([50.0, 50.0])
    free = [k for k in range(K) if k != 3]
    assert after[free] == pytest.approx(np.clip(expected, 0, np.array(SIZE) - 1.0)[free])


# ---- placing one by one
def test_landmarks_are_placed_in_order_with_one_click_each(bench):
    bench.show(bench.images[1], with_instance=False)
    bench.canvas.fit()
    bench.canvas.set_tool("place")
    wanted = upright(bench.images[1]).points
    for k in range(K):
        assert SCHEMA.landmarks[max(bench.editing.landmark, 0)] == SCHEMA.landmarks[k]
        place = QPoint(*bench.canvas.to_view(wanted[k]).round().astype(int))
        if k == 2:
            bench.press(place, Qt.MouseButton.RightButton)
            bench.release(place, Qt.MouseButton.RightButton)
        else:
            bench.click(place, SHIFT if k == 3 else Qt.KeyboardModifier.NoModifier)
    (instance,) = bench.document.instances(bench.images[1])
    seen = np.delete(np.arange(K), 2)
    assert instance.points[seen] == pytest.approx(wanted[seen], abs=0.5 / bench.canvas.zoom + 1e-6)
    assert instance.visibility[2] == Visibility.ABSENT and instance.visibility[3] == Visibility.OCCLUDED
    assert (instance.origin == Origin.HAND).all()
    assert instance.box.side == pytest.approx(np.ptp(instance.points[seen], axis=0).max())
    assert bench.canvas.tool == "select"  # nothing is left to place
    for _ in range(K):
        bench.editing.undo()
    assert not bench.document.instances(bench.images[1])


def test_ghosts_show_where_the_rest_may_be(bench):
    bench.show(bench.images[1], with_instance=False)
    bench.canvas.set_tool("place")
    wanted = np.array(SCHEMA.mean) * 60 + [30, 30]
    placing = bench.canvas.placing
    placing.put(*wanted[0])
    assert np.isnan(placing.ghosts()).all()
    placing.put(*wanted[1])
    ghosts = placing.ghosts()
    assert np.isnan(ghosts[:2]).all() and ghosts[2:] == pytest.approx(wanted[2:], abs=1e-6)


def test_a_click_confirms_a_guess_and_goes_to_the_next_that_is_left(bench):
    bench.editing.drop(1, 50.0, 50.0)
    bench.canvas.set_tool("place")
    assert bench.editing.landmark == 0
    bench.click(bench.at(0) + QPoint(10, 0))
    assert bench.editing.landmark == 2  # 1 has been placed before
    assert bench.editing.current.origin[0] == Origin.EDITED


# ---- peaks
def test_a_drag_snaps_to_a_peak_and_c_goes_through_them(bench, qtbot):
    bench.guesses.ask()
    qtbot.waitUntil(lambda: bench.guesses.map_in_hand() is not None, timeout=20000)
    bench.editing.select(0)
    peaks = bench.guesses.peaks()
    assert len(peaks) >= 2
    bench.guesses.next_peak()
    first = points(bench)[0]
    bench.guesses.next_peak()
    assert np.hypot(*(points(bench)[0] - first)) > 1
    target = bench.canvas.to_view(peaks[0, :2])
    start = bench.at(0)
    near = np.array(target.round() + [5, -4], int) - [start.x(), start.y()]
    bench.canvas.snapping = True
    bench.drag(start, tuple(near))
    assert points(bench)[0] == pytest.approx(np.clip(peaks[0, :2], 0, np.array(SIZE) - 1.0))
    bench.canvas.snapping = False
    bench.drag(bench.at(0), (5, -4))
    assert np.hypot(*(points(bench)[0] - peaks[0, :2])) > 0.5


# ---- from picture to picture
def test_copy_and_paste_into_another_picture_of_another_size(bench):
    transfer = Transfer(bench.editing)
    transfer.paste()  # nothing was copied: nothing happens
    bench.editing.set_visibility(Visibility.OCCLUDED, 4)
    transfer.copy()
    bench.show(bench.images[1], with_instance=False)
    revision = bench.document.revision
    transfer.paste()
    (copied,) = bench.document.instances(bench.images[1])
    source = bench.document.instances(bench.images[0])[0]
    assert copied.points == pytest.approx(source.points) and copied.visibility[4] == Visibility.OCCLUDED
    assert (copied.origin == source.origin).all() and bench.document.revision == revision + 1
    transfer.paste()
    assert len(bench.document.instances(bench.images[1])) == 2
    bench.editing.undo()
    bench.editing.undo()
    assert not bench.document.instances(bench.images[1])


def test_a_copy_keeps_its_form_in_a_picture_of_other_proportions():
    from app.project.values import Image

    source, target = Image(1, "a.png", 160, 120), Image(2, "b.png", 480, 240)
    shape = upright(1)
    made = transplanted(shape, source, target, "Ada")
    grown = np.ptp(made.points, axis=0) / np.ptp(shape.points, axis=0)
    assert grown == pytest.approx([2.0, 2.0]) and made.box.cx == pytest.approx(240.0)
    assert made.annotator == "Ada" and np.isnan(made.guess).all() and made.id == 0


def test_labels_of_the_last_picture_replace_what_a_model_alone_has_made(bench):
    transfer = Transfer(bench.editing)
    last = LastPicture(bench.canvas, transfer, bench.stills.cache, lambda image: None)
    last.copy()
    assert len(bench.editing.instances) == 1  # there is no picture before the first
    bench.document.apply(PutInstance(guessed(bench.images[1], seed=3), "Add"))
    bench.editing.drop(0, 40.0, 40.0)
    bench.editing.show(bench.images[1])
    last.show(True)
    assert len(bench.canvas.onion.instances) == 1
    assert bench.canvas.onion.instances[0].points[0] == pytest.approx([40.0, 40.0])
    last.copy()
    (copied,) = bench.document.instances(bench.images[1])
    assert copied.points == pytest.approx(bench.document.instances(bench.images[0])[0].points)
    assert copied.origin[0] == Origin.EDITED and copied.origin[1] == Origin.MODEL
    bench.editing.undo()
    assert bench.document.instances(bench.images[1])[0].points == pytest.approx(guessed(0, seed=3).points)
    last.show(False)
    assert not bench.canvas.onion.instances
