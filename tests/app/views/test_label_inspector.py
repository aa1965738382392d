"""The inspector: table, visibility, guide and heading follow the selection, both ways."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QLocale, QPoint, Qt
from PySide6.QtGui import QFont
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.project.edits import PutInstance
from app.project.values import Origin, Visibility
from app.views.keymap import KeyMap
from app.views.label import shapes
from app.views.label.inspector import Inspector
from app.views.label.landmark_table import MOVED, NAME, SCORE, X, Y
from app.views.label.numbers import DASH, count, number, parse
from tests.app.views.bench import SCHEMA, Bench, guessed


@pytest.fixture
def bench(qtbot: object, tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.inspector = Inspector(made.editing, KeyMap(tmp_path / "keys.json"))
    made.inspector.resize(320, 700)
    made.inspector.show()
    made.show(made.images[0])
    yield made
    made.inspector.close()
    made.inspector.deleteLater()
    made.close()


def cell(bench: Bench, row: int, column: int) -> str:
    return bench.inspector.table.model().index(row, column).data()


def test_the_table_lists_the_landmarks_with_fixed_decimals(bench):
    model = bench.inspector.table.model()
    assert model.rowCount() == len(SCHEMA)
    assert cell(bench, 0, NAME) == SCHEMA.landmarks[0]
    assert cell(bench, 0, X) == number(bench.point(0)[0], 1)
    assert cell(bench, 0, SCORE) == "0.90"
    assert cell(bench, 0, MOVED) == DASH


def test_selection_goes_both_ways(bench):
    bench.editing.select(7)
    assert bench.inspector.table.currentIndex().row() == 7
    bench.inspector.table.setCurrentIndex(bench.inspector.table.model().index(3, NAME))
    assert bench.editing.landmark == 3
    bench.editing.select(-1)
    assert not bench.inspector.table.currentIndex().isValid()


def test_a_typed_number_moves_the_landmark_in_one_edit(bench):
    model, revision = bench.inspector.table.model(), bench.document.revision
    assert model.setData(model.index(2, X), "71.25")
    assert bench.point(2)[0] == pytest.approx(71.25)
    assert model.setData(model.index(2, Y), "5000")
    assert bench.point(2)[1] == 119.0
    assert not model.setData(model.index(2, Y), "far")
    assert not model.setData(model.index(2, Y), "nan")
    assert bench.document.revision == revision + 2
    assert cell(bench, 2, MOVED) != DASH


def test_the_table_follows_a_drag(bench):
    start = bench.at(1)
    bench.press(start)
    bench.move(start + QPoint(20, 0))
    x = bench.editing.shown_current().points[1, 0]
    assert cell(bench, 1, X) == number(x, 1)
    bench.canvas.cancel_gesture()
    assert cell(bench, 1, X) == number(bench.point(1)[0], 1)


def test_visibility_buttons_show_and_set_the_selected_landmark(bench):
    buttons = bench.inspector.buttons
    assert not any(b.isEnabled() for b in buttons.values())
    bench.editing.select(2)
    assert buttons[Visibility.VISIBLE].isChecked()
    QTest.mouseClick(buttons[Visibility.OCCLUDED], Qt.MouseButton.LeftButton)
    assert bench.editing.current.visibility[2] == Visibility.OCCLUDED
    assert [v for v, b in buttons.items() if b.isChecked()] == [Visibility.OCCLUDED]
    bench.editing.toggle_visibility(Visibility.ABSENT)
    assert [v for v, b in buttons.items() if b.isChecked()] == [Visibility.ABSENT]
    assert cell(bench, 2, X) == DASH


def test_the_heading_counts_what_is_still_to_confirm(bench):
    assert shapes.to_confirm(bench.editing.current) == 16
    bench.drag(bench.at(0), (8, 8))
    assert bench.editing.current.origin[0] == Origin.EDITED
    assert shapes.to_confirm(bench.editing.current) == 15
    assert "15 of 16" in bench.inspector.subject.note()


def test_several_instances_are_chosen_by_a_combo_box(bench):
    assert not bench.inspector.chooser.isVisible()
    bench.document.apply(PutInstance(guessed(bench.images[0], 3), "Add"))
    assert bench.inspector.chooser.isVisible()
    bench.inspector.chooser.activated.emit(1)
    assert bench.editing.active == bench.editing.instances[1].id
    assert bench.inspector.chooser.currentIndex() == 1


def test_a_click_in_the_guide_selects(bench):
    guide = bench.inspector.guide
    QApplication.processEvents()
    x, y = guide.places()[9]
    QTest.mouseClick(guide, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
    assert bench.editing.landmark == 9
    assert "10 of 16" in bench.inspector.guide_section.note()


def test_a_picture_without_instances_says_so(bench):
    bench.show(bench.images[1], with_instance=False)
    assert bench.inspector.table.model().rowCount() == 0
    assert bench.inspector.subject.title() == "Not predicted yet"


@pytest.mark.parametrize(
    ("text", "value"), [("1.5", 1.5), ("1,5", 1.5), (" \u22122 ", -2.0), ("x", None), ("nan", None), ("inf", None)]
)
def test_numbers_are_read_as_they_are_written(text, value):
    assert parse(text) in (value, 15.0 if text == "1,5" else value)


def test_numbers_have_a_true_minus_sign_and_no_separators_in_coordinates():
    assert number(-1234.56, 1) == "\u22121234.6"
    assert number(float("nan"), 1) == DASH


def test_counts_have_the_separators_of_the_locale():
    before = QLocale()
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedStates))
    try:
        assert count(1248) == "1,248"
        assert number(1248.5, 1) == "1248.5"
    finally:
        QLocale.setDefault(before)


def test_cells_are_set_in_the_font_of_their_table(bench):
    delegate, base = bench.inspector.table.itemDelegate(), bench.inspector.table.font()
    slanted = QFont(base)
    slanted.setItalic(True)
    fonts = [delegate._font(font, heavy=False)[0] for font in (base, slanted, base)]
    assert [font.italic() for font in fonts] == [base.italic(), True, base.italic()]
