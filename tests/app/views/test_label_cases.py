"""What went wrong in other tools for labelling, with mouse and keys, each a case that ours passes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from app.project.values import Origin, Visibility
from app.views.keymap import KeyMap
from app.views.label.inspector import Inspector
from app.views.label.landmark_table import X
from tests.app.views.bench import NOTHING, SIZE, Bench


@pytest.fixture
def bench(qtbot: object, tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.show(made.images[0])
    yield made
    made.close()


@pytest.fixture
def table(bench: Bench, tmp_path: Path) -> object:
    """The inspector's table of landmarks, on screen."""
    inspector = Inspector(bench.editing, KeyMap(tmp_path / "keys.json"))
    inspector.resize(400, 700)
    inspector.show()
    yield inspector.table
    inspector.close()
    inspector.deleteLater()


def line_in(table: object, row: int) -> QLineEdit:
    """Start to type in a landmark's x."""
    table.edit(table.model().index(row, X))
    QApplication.processEvents()
    return table.findChild(QLineEdit)


def test_a_drag_whose_release_went_elsewhere_ends_where_it_was_last_seen(bench):
    before, start = bench.point(0), bench.at(0)
    bench.press(start)
    bench.move(start + QPoint(30, 10))
    seen = bench.editing.shown_current().points[0].copy()
    bench.move(start + QPoint(90, 90), Qt.MouseButton.NoButton)  # a dialog came up, and the button is up by now
    assert bench.point(0) == pytest.approx(seen) and not np.allclose(seen, before)
    bench.move(start + QPoint(120, 0), Qt.MouseButton.NoButton)
    assert bench.canvas.gesture is None and bench.editing.shown_current().points[0] == pytest.approx(seen)
    bench.editing.undo()
    assert bench.point(0) == pytest.approx(before)


def test_the_wheel_in_the_middle_of_a_drag_keeps_the_landmark_under_the_cursor(bench):
    start = bench.at(0)
    offset = bench.canvas.to_view(bench.point(0)) - [start.x(), start.y()]
    bench.press(start)
    place = start + QPoint(24, 8)
    bench.move(place)
    view = bench.canvas.viewport()
    for _ in range(3):
        wheel = QWheelEvent(QPointF(place), QPointF(view.mapToGlobal(place)), QPoint(), QPoint(0, 120),
                            Qt.MouseButton.LeftButton, NOTHING, Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
        QApplication.sendEvent(view, wheel)
    bench.move(place + QPoint(1, 0))
    shown = bench.canvas.to_view(bench.editing.shown_current().points[0])
    assert np.abs(shown - [place.x() + 1, place.y()]).max() < 3 * max(np.abs(offset).max(), 1)
    bench.release(place + QPoint(1, 0))


def test_a_box_that_is_drawn_far_off_the_screen_stays_about_the_picture(bench):
    bench.canvas.fit()
    bench.canvas.set_tool("new")
    middle = bench.canvas.viewport().rect().center()
    bench.press(middle)
    for far in (300, 3000, 30_000):
        bench.move(middle + QPoint(far, far))
    bench.release(middle + QPoint(30_000, 30_000))
    box = bench.editing.current.box
    assert 0 < box.side <= 1.5 * max(SIZE) and max(box.corners) <= 2 * max(SIZE)


def test_a_box_cannot_be_pushed_out_of_reach(bench):
    bench.canvas.fit()
    x0, y0, _, _ = bench.editing.current.box.corners
    edge = bench.canvas.to_view(np.array([x0, y0 + bench.editing.current.box.side / 3])).round().astype(int)
    bench.drag(QPoint(*edge), (20_000, 0))
    box = bench.editing.current.box
    assert (box.cx, box.side) == (SIZE[0] - 1.0, 70.0)


def test_what_is_typed_for_one_picture_never_reaches_another(bench, table):
    line = line_in(table, 2)
    QTest.keyClicks(line, "33")
    bench.show(bench.images[1])
    QApplication.processEvents()
    held = bench.document.instances(bench.images[1])
    assert not [one for one in table.findChildren(QLineEdit) if one.isVisible()]
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert bench.document.instances(bench.images[1]) == held


def test_a_number_that_was_looked_at_and_confirmed_is_not_rounded(bench, table):
    revision, place = bench.document.revision, bench.point(2)
    QTest.keyClick(line_in(table, 2), Qt.Key.Key_Return)
    assert bench.document.revision == revision and bench.editing.current.origin[2] == Origin.MODEL
    assert bench.point(2).tolist() == place.tolist()


def test_keys_in_the_middle_of_a_drag_touch_nothing_else(bench):
    before = bench.document.instances(bench.images[0])[0]
    start = bench.at(0)
    bench.press(start)
    bench.move(start + QPoint(20, 0))
    bench.editing.toggle_visibility(Visibility.OCCLUDED)  # key Q with the button down
    bench.move(start + QPoint(40, 0))
    bench.release(start + QPoint(40, 0))
    after = bench.editing.current
    assert np.flatnonzero((after.points != before.points).any(1)).tolist() == [0]
    assert after.visibility[0] == Visibility.OCCLUDED
    for _ in range(2):
        bench.editing.undo()
    assert bench.document.instances(bench.images[0])[0] == before


def test_landmarks_keep_every_bit_while_one_goes_to_and_fro(bench):
    for image in bench.images:
        bench.show(image)
    held = {image: bench.document.instances(image) for image in bench.images}
    revision = bench.document.revision
    for n in range(30):
        bench.show(bench.images[n % 3])
        bench.zoom(1.0 + n)
    assert {image: bench.document.instances(image) for image in bench.images} == held
    assert bench.document.revision == revision
