"""Correcting on the frozen live picture: near and far, back and forth, by peaks, and with two models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.project.values import Origin, Visibility
from app.services.live_values import Other, Result
from app.views.live import overlay
from app.views.live.frozen import Frozen
from app.views.live.geometry import Fit
from app.views.live.texts import arrange
from app.views.live.view import LiveView
from tests.app.small import small_schema
from tests.app.views.test_live import POINTS, make_result


@pytest.fixture
def view(qtbot) -> LiveView:
    view = LiveView()
    qtbot.addWidget(view)
    view.resize(640, 480)
    view.show()
    qtbot.waitExposed(view)
    view.show_result(make_result(heatmaps=True))
    return view


def hold(view: LiveView) -> Frozen:
    view.hold(Frozen(view.result))
    return view.frozen


def turn(view: LiveView, place: QPointF, notches: int) -> None:
    event = QWheelEvent(place, view.mapToGlobal(place), QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
                        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
    QApplication.sendEvent(view, event)


def beside(result: Result) -> Result:
    """The result with a second model's, whose landmarks lie 10 pixels lower."""
    schema = replace(small_schema(5), name="other")
    lower = replace(result.subjects[0], shown=result.subjects[0].shown + [0, 10])
    return replace(result, other=Other((lower,), "second", schema, 0.004))


@pytest.mark.parametrize("mirror", [False, True])
def test_the_wheel_zooms_at_the_pointer_and_the_middle_button_pans(view, mirror: bool) -> None:
    view.set_look(mirror=mirror)
    place = QPointF(410, 190)
    before = view.fit.to_picture(place.x(), place.y())
    turn(view, place, 8)
    assert view.fit.scale == pytest.approx(2 * 1.25**8)
    assert view.fit.to_picture(place.x(), place.y()) == pytest.approx(before, abs=0.3)
    QTest.mousePress(view, Qt.MouseButton.MiddleButton, pos=QPoint(300, 300))
    QTest.mouseMove(view, QPoint(340, 290))
    QTest.mouseRelease(view, Qt.MouseButton.MiddleButton, pos=QPoint(340, 290))
    moved = view.fit.to_picture(place.x() + 40, place.y() - 10)
    assert moved == pytest.approx(before, abs=0.3)
    turn(view, place, -40)
    assert view.fit.scale == 2 and view.fit.rect == (0, 0, 640, 480)


def test_no_edge_comes_farther_in_than_it_must() -> None:
    near = Fit(320, 240, 640, 480, zoom=3.0, centre=(0.0, 239.0))
    x, y, wide, high = near.rect
    assert (x, y + high) == (0, 480) and wide == 1920
    low = Fit(320, 100, 640, 480, zoom=1.5, centre=(0.0, 0.0))
    assert low.rect[1] == 90  # less high than the view: in its middle


def test_a_landmark_can_be_placed_exactly_where_one_looks_near(view) -> None:
    frozen = hold(view)
    turn(view, QPointF(*view.fit.to_screen(POINTS[2])), 12)
    start = QPoint(*np.rint(view.fit.to_screen(POINTS[2])).astype(int))
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(view, start + QPoint(29, 0))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=start + QPoint(29, 0))
    np.testing.assert_allclose(frozen.instances[0].points[2] - POINTS[2], [29 / view.fit.scale, 0], atol=1e-6)


def test_stepping_brings_a_landmark_into_sight(view) -> None:
    hold(view)
    turn(view, QPointF(*view.fit.to_screen(POINTS[0])), 12)
    view.correcting.step(-1)
    assert view.selection == (0, len(POINTS) - 1)  # from none to the last
    view.correcting.step(1)
    view.correcting.step(1)
    assert view.selection == (0, 1)
    assert view.rect().contains(QPoint(*view.fit.to_screen(POINTS[1]).astype(int)))


def test_a_drag_is_one_step_back_and_one_forth(view) -> None:
    frozen = hold(view)
    start = QPoint(*np.rint(view.fit.to_screen(POINTS[1])).astype(int))
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    for n in range(5):
        QTest.mouseMove(view, start + QPoint(5 * n, 5))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=start + QPoint(20, 5))
    QTest.keyClick(view, Qt.Key.Key_Down)
    dragged = frozen.instances[0].points[1] - [0, 1]
    assert view.correcting.undo()
    np.testing.assert_allclose(frozen.instances[0].points[1], dragged)
    assert view.correcting.undo() and not view.correcting.undo() and not frozen.touched
    assert view.correcting.redo() and view.correcting.redo() and not view.correcting.redo()
    np.testing.assert_allclose(frozen.instances[0].points[1], dragged + [0, 1])


def test_escape_takes_a_drag_back(view) -> None:
    frozen = hold(view)
    start = QPoint(*np.rint(view.fit.to_screen(POINTS[1])).astype(int))
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(view, start + QPoint(50, 50))
    QTest.keyClick(view, Qt.Key.Key_Escape)
    QTest.mouseMove(view, start + QPoint(90, 50))
    assert not frozen.touched and view.selection == (0, 1)


def test_a_peak_is_taken_by_its_number(view) -> None:
    frozen = hold(view)
    view.select(0, 3)
    assert len(view.correcting.peaks())
    view.correcting.take_peak(1)
    # heatmap cell (8, 8) is crop pixel 33.5: picture pixel (33.5 + 32) / 0.4, (33.5 + 16) / 0.4
    np.testing.assert_allclose(frozen.instances[0].points[3], [163.75, 123.75], atol=1.0)
    assert frozen.instances[0].origin[3] == Origin.EDITED
    view.correcting.take_peak(9)  # there is none


def test_visibility_by_key_and_by_right_click(view) -> None:
    frozen = hold(view)
    view.select(0, 2)
    view.correcting.toggle_visibility(Visibility.OCCLUDED)
    assert frozen.instances[0].visibility[2] == Visibility.OCCLUDED
    place = QPoint(*np.rint(view.fit.to_screen(POINTS[2])).astype(int))
    QTest.mouseClick(view, Qt.MouseButton.RightButton, pos=place)
    assert frozen.instances[0].visibility[2] == Visibility.ABSENT and frozen.touched
    listed = view.correcting.absent(0)[2]
    assert view.correcting.landmark_at(listed.x(), listed.y()) == (0, 2)
    view.grab()
    QTest.mouseClick(view, Qt.MouseButton.RightButton, pos=listed.toPoint())
    assert frozen.instances[0].visibility[2] == Visibility.VISIBLE


def test_what_two_models_found_changes_places(view) -> None:
    result = beside(make_result())
    swapped = result.swapped
    assert (swapped.model, swapped.schema.name, swapped.other.model) == ("second", "other", "small")
    assert swapped.subjects is result.other.subjects and swapped.other.subjects is result.subjects
    assert swapped.timing.engine == 0.004 and swapped.other.seconds == pytest.approx(0.02)
    assert make_result().swapped.model == "small"


def test_two_models_share_the_view_so_that_the_picture_is_largest(view) -> None:
    view.show_result(beside(make_result()))
    view.resize(800, 300)
    assert [half.left() for half in view.halves] == [0, 400]
    view.resize(500, 900)
    first, second = view.halves
    assert (first.top(), second.top()) == (0, 450) and view.fit.scale == 500 / 320
    assert view.in_half(QPointF(100, 460)) == QPointF(100, 10)
    assert not view.grab().isNull()


def test_names_that_would_lie_over_others_are_left_out(view) -> None:
    placed = np.array([[100.0, 100.0], [104, 102], [300, 100], [np.nan, 0]])
    found = arrange(view.font(), ["Left eye"] * 4, placed)
    assert [k for k, _ in found] in ([2, 0], [0, 2])
    areas = [area for _, area in found]
    assert not areas[0].intersects(areas[1])


def test_marks_take_the_colour_of_their_score(view) -> None:
    low, high = overlay.score_colours(np.array([0.0, 1.0]))
    assert low.name() == "#440154" and high.name() == "#fde725"  # viridis
    view.set_look(by_score=True, lines=False, box=False)
    place = view.fit.to_screen(POINTS[0]).astype(int)
    colour = view.grab().toImage().pixelColor(*(int(v) for v in place))
    assert colour.name() == overlay.score_colours(np.array([0.9]))[0].name()


def test_read_outs_keep_clear_of_a_banner(view) -> None:
    view.set_covered(40)
    image = view.grab().toImage()
    assert image.pixelColor(14, 30).name() != "#0c0d0f" and image.pixelColor(14, 64).name() == "#0c0d0f"


def test_name_plates_keep_clear_of_the_read_out_and_of_each_other(view) -> None:
    box = overlay.screen_box(view.fit, view.result.subjects[0].prediction.box)
    over = QRectF(box.left(), 0, 300, box.center().y())  # all that is above the box's middle
    painter = QPainter(canvas := QImage(view.size(), QImage.Format.Format_RGB32))

    def placed(*taken: QRectF) -> QRectF:
        return overlay._paint_plate(painter, view, view.fit, 0, list(taken))

    try:
        free, pushed, second = placed(), placed(over), placed(placed())
        nowhere = placed(QRectF(-4000, -4000, 9000, 9000))
    finally:
        painter.end()
    assert not canvas.isNull() and not pushed.intersects(over) and not second.intersects(free)
    assert nowhere == free  # where nothing is clear, it stands where it belongs
    view.set_covered(0)
    view.grab()
    assert len(view.plates) == 1 and view.plates[0].left() > 0
    view.set_recording(3)
    view.grab()
    assert len(view.plates) == 2
