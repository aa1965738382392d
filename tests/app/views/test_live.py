"""The live view and workspace, offscreen."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.project.values import Origin, Visibility
from app.services.pipeline import Result, Timing
from app.services.tracker import Subject
from app.views.live.confidence import ConfidenceList, lowest
from app.views.live.frozen import Frozen
from app.views.live.geometry import Fit, nearest
from app.views.live.latency import average
from app.views.live.statistics import columns, scale_top
from app.views.live.view import LiveView
from engine.types import Box, Frame, Heatmaps, Prediction
from tests.app.small import small_schema

SIZE = (320, 240)
SCORES = (0.9, 0.2, 0.8, 0.7, 0.6)
POINTS = np.array([[80.0, 100.0], [120.0, 90.0], [160.0, 120.0], [200.0, 90.0], [240.0, 100.0]])


def make_result(points: np.ndarray = POINTS, heatmaps: bool = False, subjects: int = 1) -> Result:
    """A frame with a red left half and a green right half, and landmarks at known places."""
    pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    pixels[:, : SIZE[0] // 2, 0] = 200
    pixels[:, SIZE[0] // 2 :, 1] = 200
    maps = None
    if heatmaps:
        logits = np.full((5, 16, 16), -9.0, np.float32)
        logits[:, 8, 8] = 5.0
        maps = Heatmaps(logits, np.array([[0.4, 0, -32], [0, 0.4, -16]]))
    prediction = Prediction(np.column_stack([points, SCORES]), Box(160, 110, 160, 0.97, "face"), "small", maps)
    found = tuple(Subject(n + 1, prediction, prediction.landmarks[:, :2]) for n in range(subjects))
    frame = Frame(pixels, time.monotonic(), "test", 7)
    timing = Timing(wait=0.004, detect=0.002, engine=0.02)
    return Result(frame, found, timing, time.monotonic(), "small", small_schema(5))


@pytest.fixture
def view(qtbot) -> LiveView:
    return open_view(qtbot)


def open_view(qtbot) -> LiveView:
    """Shown, 640 x 480."""
    view = LiveView()
    qtbot.addWidget(view)
    view.resize(640, 480)
    view.show()
    qtbot.waitExposed(view)
    return view


def colour_at(view: LiveView, x: int, y: int) -> tuple[int, int, int]:
    colour = view.grab().toImage().pixelColor(x, y)
    return colour.red(), colour.green(), colour.blue()


def hold(view: LiveView) -> None:
    """Freeze what the view shows."""
    view.hold(Frozen(view.result))


def on_screen(view: LiveView, point: np.ndarray) -> QPoint:
    return QPoint(*(int(v) for v in np.rint(view.fit.to_screen(point))))


# ---- geometry


@pytest.mark.parametrize("mirror", [False, True])
def test_screen_and_picture_are_inverse(mirror: bool) -> None:
    fit = Fit(321, 123, 800, 601, mirror)
    for point in ([0.0, 0.0], [320.0, 122.0], [17.25, 99.5]):
        np.testing.assert_allclose(fit.to_picture(*fit.to_screen(np.array(point))), point, atol=1e-9)
    assert fit.to_picture(-1000, 1e6) == (320.0 if mirror else 0.0, 122.0)


def test_mirror_swaps_the_sides_of_the_drawing() -> None:
    plain, mirrored = Fit(100, 50, 100, 50), Fit(100, 50, 100, 50, True)
    assert plain.to_screen(np.array([0.0, 0.0]))[0] == 0.5
    assert mirrored.to_screen(np.array([0.0, 0.0]))[0] == 99.5


def test_the_nearest_mark_wins_and_the_selected_reaches_farther() -> None:
    points = np.array([[0.0, 0.0], [20.0, 0.0], [np.nan, np.nan]])
    assert nearest(points, 9, 0, 12) == 0
    assert nearest(points, 11, 0, 12) == 1
    assert nearest(points, 7, 0, 12, selected=1) == 0 and nearest(points, 9, 0, 12, selected=1) == 1
    assert nearest(points, 0, 14, 12) == -1 and nearest(points, 0, 14, 12, selected=0) == 0
    assert nearest(np.empty((0, 2)), 0, 0, 12) == -1


# ---- drawing


def test_a_frame_is_drawn_with_its_colours_and_odd_sizes_are_not_sheared(view) -> None:
    view.show_result(make_result())
    assert colour_at(view, 100, 400) == (200, 0, 0) and colour_at(view, 540, 400) == (0, 200, 0)
    odd = np.zeros((7, 3, 3), np.uint8)
    odd[:, 1] = (0, 0, 255)
    view.show_result(Result(Frame(odd), (), Timing(), 0.0))
    x, y, wide, high = view.fit.rect
    for row in range(7):
        assert colour_at(view, int(x + wide / 2), int(y + (row + 0.5) * high / 7)) == (0, 0, 255)


def test_the_mirror_is_drawing_only(view) -> None:
    result = make_result()
    view.show_result(result)
    view.set_look(mirror=True)
    assert colour_at(view, 100, 400) == (0, 200, 0)
    np.testing.assert_array_equal(view.points()[0], POINTS)
    hold(view)
    target = on_screen(view, POINTS[0])
    assert target.x() > 320  # drawn on the other side
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=target)
    QTest.mouseMove(view, target + QPoint(20, 10))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=target + QPoint(20, 10))
    np.testing.assert_allclose(view.frozen.instances[0].points[0], POINTS[0] + [-10, 5], atol=0.3)
    assert view.frozen.result.frame.pixels is result.frame.pixels


def test_painted_is_told_once_for_each_result(view, qtbot) -> None:
    told = []
    view.painted.connect(told.append)
    result = make_result()
    view.show_result(result)
    view.grab()
    view.grab()
    qtbot.waitUntil(lambda: told == [result])
    qtbot.wait(20)
    assert told == [result]


def test_what_is_switched_off_is_not_drawn(view) -> None:
    view.show_result(make_result())
    place = on_screen(view, POINTS[2])
    bare = (200, 0, 0), (0, 200, 0)
    assert colour_at(view, place.x(), place.y()) not in bare
    view.set_look(landmarks=False, lines=False, box=False)
    assert colour_at(view, place.x(), place.y()) in bare


def test_heatmap_lies_where_its_landmark_is(view) -> None:
    view.set_look(landmarks=False, lines=False, box=False, heatmap="max", opacity=1.0)
    view.show_result(make_result(heatmaps=True))
    # heatmap cell (8, 8) is crop pixel 33.5: picture pixel (33.5 + 32) / 0.4, (33.5 + 16) / 0.4
    hot = on_screen(view, np.array([163.75, 123.75]))
    assert sum(colour_at(view, hot.x(), hot.y())) > 500  # inferno's bright end
    assert view.heat_maximum == pytest.approx(0.9933, abs=1e-3)  # what the colour bar ends with
    cold = on_screen(view, np.array([120.0, 123.75]))
    assert colour_at(view, cold.x(), cold.y()) == (200, 0, 0)


def test_a_silent_source_dims_the_last_frame_and_hides_its_marks(view) -> None:
    view.show_result(make_result())
    view.set_trouble(True)
    assert colour_at(view, 100, 400) == (120, 0, 0)
    place = on_screen(view, POINTS[0])
    assert colour_at(view, place.x(), place.y()) == (120, 0, 0)


# ---- correcting


def test_nothing_can_be_dragged_while_running(view) -> None:
    view.show_result(make_result())
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=on_screen(view, POINTS[0]))
    QTest.mouseMove(view, QPoint(300, 300))
    assert view.selection == (-1, -1) and view.points()[0][0].tolist() == POINTS[0].tolist()


def test_a_drag_moves_the_landmark_by_the_way_of_the_pointer(view) -> None:
    view.show_result(make_result())
    hold(view)
    start = on_screen(view, POINTS[1]) + QPoint(5, -4)  # within reach, beside the mark
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    assert view.selection == (0, 1)
    QTest.mouseMove(view, start + QPoint(16, 24))
    QTest.mouseMove(view, start + QPoint(30, 40))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=start + QPoint(30, 40))
    instance = view.frozen.instances[0]
    np.testing.assert_allclose(instance.points[1], POINTS[1] + [15, 20], atol=0.3)
    assert instance.origin[1] == Origin.EDITED and instance.origin[0] == Origin.MODEL
    np.testing.assert_array_equal(instance.guess, POINTS)


def test_a_click_alone_moves_nothing(view) -> None:
    view.show_result(make_result())
    hold(view)
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=on_screen(view, POINTS[1]) + QPoint(4, 4))
    assert view.selection == (0, 1) and not view.frozen.touched


def test_points_stay_inside_the_picture(view) -> None:
    view.show_result(make_result())
    hold(view)
    start = on_screen(view, POINTS[0])
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(view, QPoint(-500, 2000))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(-500, 2000))
    assert view.frozen.instances[0].points[0].tolist() == [0.0, SIZE[1] - 1.0]


def test_keys_step_and_nudge(view) -> None:
    view.show_result(make_result())
    hold(view)
    view.select(0, 4)
    QTest.keyClick(view, Qt.Key.Key_Tab)
    assert view.selection == (0, 0)
    QTest.keyClick(view, Qt.Key.Key_Backtab)
    assert view.selection == (0, 4)
    QTest.keyClick(view, Qt.Key.Key_Right)
    QTest.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(view, Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
    np.testing.assert_allclose(view.frozen.instances[0].points[4], POINTS[4] + [0.9, 10])
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert view.selection == (-1, -1)


def test_frozen_points_start_from_the_prediction_not_from_the_smoothed_drawing(view) -> None:
    result = make_result()
    prediction = result.subjects[0].prediction
    smoothed = Subject(1, prediction, POINTS + 9)
    view.show_result(Result(result.frame, (smoothed,), result.timing, 0.0, "small", result.schema))
    np.testing.assert_array_equal(view.points()[0], POINTS + 9)
    hold(view)
    np.testing.assert_array_equal(view.points()[0], POINTS)


# ---- read-outs


def test_lowest_scores_first_over_all_subjects() -> None:
    rows = lowest(make_result(subjects=2))
    assert [round(row.score, 1) for row in rows] == [0.2, 0.2, 0.6, 0.6, 0.7, 0.7]
    assert rows[0].name == small_schema(5).landmarks[1] and rows[0].subject == 0 and rows[1].subject == 1


def test_of_a_frozen_frame_all_landmarks_are_listed_and_chosen_by_keys(qtbot) -> None:
    frozen = Frozen(make_result(subjects=2))
    frozen.move(1, 1, 5, 5)
    frozen.judge(1, 4, Visibility.ABSENT)
    shown = ConfidenceList()
    qtbot.addWidget(shown)
    shown.choose(1, 2)
    shown.show_frozen(frozen.result, frozen.instances)
    assert [row.landmark for row in shown.rows] == [1, 4, 3, 2, 0] and {row.subject for row in shown.rows} == {1}
    assert shown.rows[0].origin is Origin.EDITED and shown.rows[0].place == (5, 5)
    assert shown.rows[1].visibility is Visibility.ABSENT
    assert not shown.grab().isNull()
    with qtbot.waitSignal(shown.clicked) as chosen:
        QTest.keyClick(shown, Qt.Key.Key_Down)
    assert chosen.args == [1, 0]


def test_columns_keep_the_slowest_frame_of_each_step() -> None:
    history = [(0.0, Timing(1)), (9.95, Timing(0.01)), (9.96, Timing(0.05)), (5.0, Timing(0.02))]
    found = columns(history, 10.0, 10)
    assert found[9].total == 0.05 and found[5 - 1].total == 0.02 or found[5].total == 0.02
    assert sum(c is not None for c in found) == 2  # what is older than the plot is not in it
    assert [scale_top(ms) for ms in (0, 90, 101, 160, 350)] == [75, 100, 150, 200, 400]


def test_average_speaks_for_the_last_second() -> None:
    history = [(1.0, Timing(9)), (9.5, Timing(0.01, detect=0.02)), (9.9, Timing(0.03, detect=0.04))]
    mean = average(history, 10.0)
    assert mean.capture == pytest.approx(0.02) and mean.detect == pytest.approx(0.03)
    assert average(history, 60.0) is None
