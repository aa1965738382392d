"""Sides and starting shapes, placing one by one, peaks, and labels from picture to picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from app.project.edits import PutInstance
from app.project.values import Image, Instance, Origin, Visibility
from app.views.label import moves, shapes
from app.views.label.last_picture import LastPicture
from app.views.label.transfer import Transfer, transplanted
from engine.types import Box
from tests.app.views.bench import SCHEMA, SIZE, first_picture, guessed

SHIFT = Qt.KeyboardModifier.ShiftModifier
K = len(SCHEMA)
ARM = SCHEMA.groups["Left arm"]


bench = pytest.fixture(first_picture, name="bench")


# ---- sides
def test_swapping_sides_twice_changes_nothing_and_centres_stay(bench):
    before, order = bench.points(), SCHEMA.permutation
    bench.canvas.shaping.swap_sides()
    assert bench.points() == pytest.approx(before[order])
    centre = [k for k in range(K) if order[k] == k]
    assert (bench.editing.current.origin[centre] == Origin.MODEL).all()
    bench.canvas.shaping.swap_sides()
    assert bench.points() == pytest.approx(before)


def test_one_selected_landmark_swaps_with_its_partner_alone(bench):
    before, order = bench.points(), SCHEMA.permutation
    k = int(np.flatnonzero(order != np.arange(K))[0])
    bench.editing.select(k)
    bench.canvas.shaping.swap_sides()
    changed = set(np.flatnonzero((bench.points() != before).any(1)))
    assert changed == {k, int(order[k])}


def test_a_mirrored_shape_stays_in_place_and_left_stays_left(bench):
    before, order = bench.points(), SCHEMA.permutation
    bench.canvas.shaping.mirror()
    after = bench.points()
    assert (after.min(0), after.max(0)) == (pytest.approx(before.min(0)), pytest.approx(before.max(0)))
    flipped = before[:, 0].min() + before[:, 0].max() - before[order][:, 0]
    assert after[:, 0] == pytest.approx(flipped) and after[:, 1] == pytest.approx(before[order][:, 1])


def test_one_side_is_copied_to_the_other_over_the_midline(bench):
    instance = upright(bench.editing.image.id)
    order = SCHEMA.permutation
    bench.document.apply(PutInstance(replace(instance, id=bench.editing.active)))
    wanted = bench.points()
    right = [int(order[k]) for k in ARM]
    bench.editing.choose(right)
    bench.canvas.shaping.nudge(7.0, 5.0)  # the right arm is wrong now
    bench.editing.choose(ARM)
    bench.canvas.shaping.to_other_side()
    assert bench.points() == pytest.approx(wanted, abs=0.5)
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


# ---- starting shapes
def test_the_rest_follows_the_landmarks_that_were_placed(bench):
    guess = bench.points()
    move = moves.turn(np.array([80.0, 60.0]), 10.0)
    move[:, 2] += [4.0, -3.0]
    wanted = moves.moved_by(move, guess)
    for k in (0, 6, 12):
        bench.editing.drop(k, *wanted[k])
    bench.canvas.shaping.fit_rest()
    assert bench.points() == pytest.approx(wanted, abs=1e-6)
    assert shapes.to_confirm(bench.editing.current) == K - 3  # the others are still to be confirmed
    bench.editing.undo()
    assert bench.points()[1] == pytest.approx(guess[1])


def test_the_mean_shape_takes_only_what_no_hand_has_placed(bench):
    bench.editing.drop(3, 50.0, 50.0)
    bench.canvas.shaping.mean_shape()
    box = bench.editing.current.box
    expected = np.array(SCHEMA.mean) * box.side + [box.cx - box.side / 2, box.cy - box.side / 2]
    after = bench.points()
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
    first = bench.points()[0]
    bench.guesses.next_peak()
    assert np.hypot(*(bench.points()[0] - first)) > 1
    target = bench.canvas.to_view(peaks[0, :2])
    start = bench.at(0)
    near = np.array(target.round() + [5, -4], int) - [start.x(), start.y()]
    bench.canvas.snapping = True
    bench.drag(start, tuple(near))
    assert bench.points()[0] == pytest.approx(np.clip(peaks[0, :2], 0, np.array(SIZE) - 1.0))
    bench.canvas.snapping = False
    bench.drag(bench.at(0), (5, -4))
    assert np.hypot(*(bench.points()[0] - peaks[0, :2])) > 0.5


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
    source, target = Image(1, "a.png", 160, 120), Image(2, "b.png", 480, 240)
    shape = upright(1)
    made = transplanted(shape, source, target, "Ada")
    grown = np.ptp(made.points, axis=0) / np.ptp(shape.points, axis=0)
    assert grown == pytest.approx([2.0, 2.0]) and made.box.cx == pytest.approx(240.0)
    assert made.annotator == "Ada" and np.isnan(made.guess).all() and made.id == 0


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (1, 10_000)])
def test_a_copy_fits_into_the_smallest_picture(size):
    made = transplanted(upright(1), Image(1, "a.png", 160, 120), Image(2, "b.png", *size), "Ada")
    assert made.box.side > 0 and np.isfinite(made.points).all()


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
