"""Late predictions: they never touch a landmark that a hand has made or holds."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint

from app.project.document import Document
from app.project.edits import Accept, Onto, SetState, SetTags
from app.project.values import Origin, State
from app.services.stills import Answer, Request
from app.views.label import shapes
from app.views.label.browsing import Browsing
from app.views.label.guesses import Order
from engine.types import Box, Prediction
from tests.app.views.bench import SCHEMA, SIZE, Bench
from tests.app.views.desk import WAIT


@pytest.fixture
def bench(qtbot: object, tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.show(made.images[0], with_instance=False)
    yield made
    made.close()


def prediction(seed: int, box: Box | None = None) -> Prediction:
    rng = np.random.default_rng(seed)
    landmarks = np.column_stack([rng.uniform(20, 100, (len(SCHEMA), 2)), np.full(len(SCHEMA), 0.8)])
    return Prediction(landmarks, box or Box(60.0, 60.0, 80.0, 1.0, "whole"), f"model {seed}")


def answer(image: int, *found: Prediction, boxes: tuple[Box, ...] = (), token: object = None) -> Answer:
    return Answer(Request(image, Path("picture.png"), boxes, False, token), found, 0.4)


def test_a_prediction_of_a_new_picture_becomes_its_instances(bench):
    image = bench.images[0]
    bench.guesses.take(answer(image, prediction(1)))
    (instance,) = bench.document.instances(image)
    assert instance.points == pytest.approx(prediction(1).landmarks[:, :2])
    assert bench.document.image(image).state is State.PREDICTED
    assert bench.document.image(image).doubt == pytest.approx(0.4)
    assert bench.document.undo_title == "" or bench.document.undo_title is None or "redict" not in (
        bench.document.undo_title
    )


def test_none_found_is_a_normal_result(bench):
    said = []
    bench.guesses.said.connect(said.append)
    bench.guesses.take(answer(bench.images[0]))
    assert bench.document.instances(bench.images[0]) == ()
    assert bench.document.image(bench.images[0]).state is State.PREDICTED
    assert len(said) == 1


def test_a_late_prediction_leaves_touched_instances_alone(bench):
    image = bench.images[0]
    bench.guesses.take(answer(image, prediction(1)))
    bench.drag(bench.at(0), (12, 8))
    held = bench.document.instances(image)[0]
    bench.guesses.take(answer(image, prediction(2)))
    assert len(bench.document.instances(image)) == 1
    assert bench.document.instances(image)[0].points == pytest.approx(held.points)


def test_a_prediction_that_comes_during_a_drag_waits_and_does_not_pull_the_point_away(bench):
    image = bench.images[0]
    bench.guesses.take(answer(image, prediction(1)))
    start, before = bench.at(0), bench.point(0)
    bench.press(start)
    bench.move(start + QPoint(20, 10))
    bench.guesses.take(answer(image, prediction(2)))
    assert bench.document.instances(image)[0].points == pytest.approx(prediction(1).landmarks[:, :2])
    bench.release(start + QPoint(20, 10))
    place = before + np.array([20, 10]) / bench.canvas.zoom
    (instance,) = bench.document.instances(image)
    assert instance.points[0] == pytest.approx(place)
    assert instance.points[1:] == pytest.approx(prediction(1).landmarks[1:, :2])


def test_a_grabbed_point_is_the_hand_s_from_the_press_on(bench):
    """Between press and first move nothing is dragged yet, and all the same it must not be pulled away."""
    image = bench.images[0]
    bench.guesses.take(answer(image, prediction(1)))
    (before,) = bench.document.instances(image)
    start = bench.at(0)
    bench.press(start)
    bench.guesses.take(answer(image, prediction(2)))
    assert bench.document.instances(image) == (before,)
    bench.move(start + QPoint(9, 9))
    bench.guesses.take(answer(image, prediction(3)))
    bench.release(start + QPoint(9, 9))
    (after,) = bench.document.instances(image)
    assert after.id == before.id and after.origin[0] == Origin.EDITED
    assert np.array_equal(after.points[1:], before.points[1:])
    assert bench.editing.grabbed is False


def test_a_prediction_that_came_during_a_click_is_used_after_it(bench):
    image = bench.images[0]
    bench.guesses.take(answer(image, prediction(1)))
    bench.press(bench.at(0))
    bench.guesses.take(answer(image, prediction(2)))
    bench.release(bench.at(0))
    (after,) = bench.document.instances(image)
    assert after.points == pytest.approx(prediction(2).landmarks[:, :2])


@pytest.mark.parametrize("onto", Onto)
def test_a_batch_never_touches_what_a_hand_has_made(bench, onto):
    """Skip, only empty, replace what a model made: three ways, and no hand's landmark moves in any."""
    image, other, third = bench.images[:3]
    bench.guesses.take(answer(image, prediction(1)))
    bench.drag(bench.at(0), (12, 8))
    (mine,) = bench.document.instances(image)
    bench.document.apply(Accept(other))  # empty, says a person
    bench.guesses.take(answer(third, prediction(4)))
    revision = bench.document.revision
    far = Box(20.0, 20.0, 10.0, 1.0, "whole")
    late = ((image, prediction(5)), (image, prediction(6, far)), (other, prediction(7)), (third, prediction(8)))
    for id, found in late:
        bench.guesses.take(answer(id, found, token=None if onto is Onto.NEW else Order(onto)))
    assert mine in bench.document.instances(image)
    assert len(bench.document.instances(image)) == (2 if onto is Onto.MODEL else 1)
    assert len(bench.document.instances(other)) == (1 if onto is Onto.EMPTY else 0)
    (guess,) = bench.document.instances(third)
    kept = prediction(4 if onto is Onto.EMPTY else 8)
    assert guess.points == pytest.approx(kept.landmarks[:, :2])
    while bench.document.revision != revision and bench.document.undo_title == "Adopt predictions":
        bench.document.undo()  # what changed a person's work can be taken back
    assert bench.document.instances(image) == (mine,) and bench.document.instances(other) == ()


def test_what_comes_of_one_order_is_undone_at_once(bench):
    images = worked_on(bench)
    before = [bench.document.instances(id) for id in images]
    order = Order(Onto.MODEL)
    for id in images:
        bench.guesses.take(answer(id, prediction(7), token=order))
    found = [bench.document.instances(id) for id in images]
    assert bench.document.undo().images == frozenset(images)
    assert [bench.document.instances(id) for id in images] == before
    bench.document.close()
    bench.document = Document.open(bench.path)
    assert bench.document.redo().images == frozenset(images)
    assert [bench.document.instances(id) for id in images] == found
    assert bench.document.undo().images == frozenset(images) and bench.document.undo_title == "Mark as in work"


def test_a_hand_s_edit_in_between_and_another_order_are_steps_of_their_own(bench):
    images = worked_on(bench)
    first, second = Order(Onto.MODEL), Order(Onto.MODEL)
    bench.guesses.take(answer(images[0], prediction(7), token=first))
    bench.document.apply(SetTags(images[0], ("mine",)))
    bench.guesses.take(answer(images[1], prediction(8), token=first))
    bench.guesses.take(answer(images[2], prediction(9), token=second))
    steps = [(bench.document.undo_title, *bench.document.undo().images) for _ in range(4)]
    adopted = "Adopt predictions"
    assert steps == [(adopted, images[2]), (adopted, images[1]), ("Tag", images[0]), (adopted, images[0])]


def test_undo_in_the_middle_of_an_order_ends_the_order(bench, qtbot):
    """What is still to come of it stays as it is; what others wait for is predicted."""
    images = worked_on(bench)
    before = [bench.document.instances(id) for id in images]
    browsing = Browsing(bench.editing, bench.guesses, bench.stills)
    browsing.document, order, waiting = bench.document, Order(Onto.MODEL), threading.Event()

    def path(id: int) -> Path | None:
        if id == images[1]:
            waiting.wait(WAIT / 1000)  # in hand when undo comes
        return bench.document.picture_path(bench.document.image(id))

    shown, said = [], []
    bench.stills.progress.connect(lambda done, total: shown.append((done, total)))
    bench.guesses.said.connect(said.append)
    bench.stills.predict_all(images, path, order)
    qtbot.waitUntil(lambda: bench.document.undo_title == "Adopt predictions", timeout=WAIT)
    browsing.undo()
    assert [bench.document.instances(id) for id in images] == before and len(said) == 1
    waiting.set()
    qtbot.waitUntil(lambda: shown[-1] == (0, 0), timeout=WAIT)
    qtbot.wait(50)  # an answer that was under way
    assert [bench.document.instances(id) for id in images] == before
    later = Order(Onto.MODEL)  # the same wish again is a new order
    bench.stills.predict_all(images, path, later)
    qtbot.waitUntil(lambda: shown[-1] == (0, 0) and len(shown) > 4, timeout=WAIT)
    qtbot.waitUntil(lambda: bench.document.undo_title == "Adopt predictions", timeout=WAIT)
    assert browsing.close()


def worked_on(bench: Bench) -> list[int]:
    """Three pictures with a model's findings that a person has had in work."""
    for n, id in enumerate(bench.images[:3]):
        bench.guesses.take(answer(id, prediction(n)))
        bench.document.apply(SetState(id, State.IN_WORK))
    return bench.images[:3]


def test_a_prediction_that_waited_for_a_cancelled_drag_is_used(bench):
    image = bench.images[0]
    bench.guesses.take(answer(image, prediction(1)))
    start = bench.at(0)
    bench.press(start)
    bench.move(start + QPoint(20, 10))
    bench.guesses.take(answer(image, prediction(2)))
    bench.canvas.cancel_gesture()
    assert bench.document.instances(image)[0].points == pytest.approx(prediction(2).landmarks[:, :2])


def test_predicting_again_in_a_box_moves_untouched_landmarks_only(bench):
    image = bench.images[0]
    bench.guesses.take(answer(image, prediction(1)))
    bench.drag(bench.at(0), (12, 8))
    bench.editing.select(3)
    bench.editing.cycle_visibility(3)
    held = bench.document.instances(image)[0]
    bench.guesses.take(answer(image, prediction(2, held.box), boxes=(held.box,), token=("box", held.id)))
    now = bench.document.instances(image)[0]
    assert now.points[[0, 3]] == pytest.approx(held.points[[0, 3]])
    assert now.visibility[3] == held.visibility[3]
    untouched = [k for k in range(len(SCHEMA)) if k not in (0, 3)]
    assert now.points[untouched] == pytest.approx(prediction(2).landmarks[untouched, :2])
    assert now.origin[0] == Origin.EDITED
    assert now.model == "model 2"


def test_a_late_prediction_leaves_a_box_drawn_by_hand_alone(bench):
    image = bench.images[0]
    bench.guesses.put_box(Box(70.0, 60.0, 40.0), new=True)
    (drawn,) = bench.document.instances(image)
    bench.guesses.take(answer(image, prediction(2)))
    (held,) = bench.document.instances(image)
    assert held.id == drawn.id
    assert held.box.side == 40.0


def test_an_answer_for_a_box_that_has_moved_on_is_dropped(bench):
    image = bench.images[0]
    bench.guesses.take(answer(image, prediction(1)))
    held = bench.document.instances(image)[0]
    old = Box(10.0, 10.0, 30.0)
    bench.guesses.take(answer(image, prediction(2, old), boxes=(old,), token=("box", held.id)))
    assert bench.document.instances(image)[0].points == pytest.approx(held.points)


def test_an_accepted_picture_keeps_its_labels(bench):
    image = bench.images[0]
    bench.guesses.take(answer(image, prediction(1)))
    assert bench.editing.accept()
    held = bench.document.instances(image)[0]
    bench.guesses.take(answer(image, prediction(2)))
    assert bench.document.instances(image)[0].points == pytest.approx(held.points)
    assert bench.document.image(image).state is State.DONE


def test_guesses_outside_the_picture_are_shown_at_its_edge_and_remembered_as_they_were(bench):
    found = prediction(1)
    landmarks = found.landmarks.copy()
    landmarks[0, :2] = (-30.0, 400.0)
    image = bench.document.image(bench.images[0])
    made = shapes.instance_of(Prediction(landmarks, found.box, "m"), image, "")
    assert made.points[0].tolist() == [0.0, SIZE[1] - 1.0]
    assert made.guess[0].tolist() == [-30.0, 400.0]


def test_a_peak_can_be_taken_and_taken_back(bench, qtbot):
    bench.show(bench.images[1])
    bench.guesses.ask()
    qtbot.waitUntil(lambda: bench.guesses.map_in_hand() is not None, timeout=20000)
    bench.editing.select(2)
    found = bench.guesses.peaks()
    assert len(found) >= 1
    before = bench.point(2)
    bench.guesses.take_peak(1)
    assert bench.point(2) == pytest.approx(shapes.clamp(bench.editing.image, *found[0, :2]))
    assert bench.editing.current.origin[2] == Origin.EDITED
    bench.editing.undo()
    assert bench.point(2) == pytest.approx(before)


def test_heatmaps_are_kept_for_the_picture_on_screen_only(bench, qtbot):
    bench.show(bench.images[1])
    bench.guesses.ask()
    qtbot.waitUntil(lambda: bool(bench.guesses.maps), timeout=20000)
    bench.editing.select(0)
    assert bench.canvas.heat.boundingRect().width() == 16  # a quarter of the small model's 64
    bench.show(bench.images[2])
    assert bench.guesses.maps == {}
    assert bench.canvas.heat.boundingRect().isEmpty()
