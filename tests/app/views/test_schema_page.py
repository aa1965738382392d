"""The schema editor in the window: parts that follow each other, refusals, the preview, and the change itself."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.project.edits import PutInstance
from app.views.label.shapes import mean_instance
from app.views.schema.page import SchemaPage
from app.views.schema.table import GROUP, LINES, NAME, PARTNER, SIDE
from engine.schema import load_schema
from engine.types import Box
from tests.app.views.desk import add_model, close_window, no_camera, open_window, opened, picture_folder

WAIT = 10_000


@pytest.fixture
def window(qtbot, monkeypatch, tmp_path_factory, tmp_path):
    add_model(tmp_path_factory.mktemp("model"))
    no_camera(monkeypatch)
    made = open_window()
    opened(qtbot, made, picture_folder(tmp_path))
    yield made
    close_window(made)


@pytest.fixture
def page(window):
    made = SchemaPage(window.context, window)
    made.show()
    QApplication.processEvents()
    yield made
    made.reject()
    made.deleteLater()


def settled(qtbot, page) -> None:
    qtbot.waitUntil(lambda: not page.reading.busy, timeout=WAIT)


def test_it_shows_the_projects_landmarks(page):
    schema = load_schema("ibug68")
    assert [page.table.item(n, NAME).text() for n in range(68)] == list(schema.landmarks)
    assert page.table.item(0, LINES).text() == "2" and page.table.item(0, PARTNER).text() == "17  Jaw 17"
    assert page.short.text() == "ibug68" and set(page.groups.buttons) == set(schema.groups)


def test_cells_change_the_draft_and_what_is_refused_is_said(page):
    draft = page.editing.draft
    page.table.item(0, NAME).setText("Temple")
    assert draft.landmarks[0].name == "Temple" and page.short.text() == "ibug68-own"
    page.table.item(1, NAME).setText("Temple")
    assert page.banner.isVisible() and "Temple" in page.banner.text.text()
    assert page.table.item(1, NAME).text() == "Jaw 2"
    page.table.item(0, LINES).setText("3, 5")
    assert page.table.item(2, LINES).text() == "1, 2, 4" and not page.banner.isVisible()
    page.table.item(0, LINES).setText("99")
    assert "1 to 68" in page.banner.text.text() and page.table.item(0, LINES).text() == "3, 5"
    page.table.take(0, SIDE, "left")
    assert draft.landmarks[0].side == "left" and draft.landmarks[16].side == "right"
    page.table.take(0, PARTNER, -1)
    assert draft.landmarks[16].partner is None and page.table.item(16, PARTNER).text() == ""
    page.table.take(0, GROUP, " My  group ")
    assert "My group" in page.groups.buttons
    page.groups.set_colour("My group", "#ff8800")
    assert page.shape.colour_of(draft.landmarks[0]).name() == "#ff8800"


def test_landmarks_are_added_moved_and_removed_by_buttons(page):
    page.table.setCurrentCell(4, NAME)
    page.editing.add()
    assert len(page.editing.draft.landmarks) == 69 and page.table.currentRow() == 5
    page.editing.move(-3)
    assert page.table.currentRow() == 2 and page.table.item(2, NAME).text() == "New landmark"
    page.editing.remove()
    assert page.table.rowCount() == 68 and page.editing.draft.source() == tuple(range(68))


def test_the_picture_selects_moves_and_joins(page):
    draft, shape = page.editing.draft, page.shape
    at = [QPoint(round(x), round(y)) for x, y in shape.places()]
    QTest.mouseClick(shape, Qt.MouseButton.LeftButton, pos=at[0])
    assert page.table.currentRow() == 0
    QTest.mouseClick(shape, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, at[8])
    assert draft.landmarks[8] in draft.joined(draft.landmarks[0]) and page.table.currentRow() == 0
    before = draft.landmarks[0].place
    QTest.mousePress(shape, Qt.MouseButton.LeftButton, pos=at[0])
    QTest.mouseMove(shape, at[0] + QPoint(20, 30))
    QTest.mouseRelease(shape, Qt.MouseButton.LeftButton, pos=at[0] + QPoint(20, 30))
    assert draft.landmarks[0].place[0] > before[0] and draft.landmarks[0].place[1] > before[1]
    before = draft.landmarks[0].place
    QTest.keyClick(shape, Qt.Key.Key_Left)
    assert draft.landmarks[0].place[0] == pytest.approx(before[0] - 0.005)


def test_the_preview_tells_and_the_change_is_one_step(qtbot, window, page):
    document = window.context.document
    image = document.images()[0].id
    document.apply(PutInstance(mean_instance(document.schema, document.image(image), Box(80, 60, 60), "Ada").with_point(
        0, 30, 30)))  # fmt: skip
    page.table.setCurrentCell(0, NAME)
    page.editing.remove()
    page.editing.add()
    page.go_on()
    settled(qtbot, page)
    assert page.stack.currentIndex() == 1 and page.preview.hand.count.text() == "1"
    listed = [page.preview.names.item(n).text() for n in range(page.preview.names.count())]
    assert listed[:2] == ["Jaw 1 is removed", "New landmark is new, and absent until it is placed"]
    assert "remove 1" in page.sure.text() and page.preview.models.text()
    changed = []
    window.context.document_changed.connect(lambda: changed.append(document.schema.name))
    page.go_on()
    settled(qtbot, page)
    QApplication.processEvents()
    assert not page.isVisible() and document.schema.name == "ibug68-own" and changed == ["ibug68-own"]
    assert "New landmark" in document.schema.landmarks and len(document.instances(image)[0].points) == 68
    label = window.workspaces["label"]
    assert label.inspector.table.model().rowCount() == 68
    window.trigger("undo")
    QApplication.processEvents()
    assert document.schema.name == "ibug68" and document.schema.landmarks[0] == "Jaw 1"
    assert document.instances(image)[0].points[0].tolist() == [30, 30]


def test_another_schema_keeps_landmarks_of_the_same_name(page):
    page.take(load_schema("aflw21"))
    assert len(page.editing.draft.landmarks) == 21 and page.short.text() == "aflw21"
    assert set(page.editing.draft.source()) == {None}
    page.take(page.before)
    assert page.editing.draft.source() == tuple(range(68))


def test_a_schema_goes_out_to_a_file_and_comes_in(qtbot, page, tmp_path):
    page.table.item(0, NAME).setText("Temple")
    page.export_file(str(tmp_path / "mine.json"))
    assert "mine.json" in page.banner.text.text()
    page.take(load_schema("lsp14"))
    page.import_file(str(tmp_path / "mine.json"))
    settled(qtbot, page)
    assert page.editing.draft.landmarks[0].name == "Temple" and page.editing.draft.source()[:2] == (None, 1)
    (tmp_path / "wrong.json").write_text("{")
    page.import_file(str(tmp_path / "wrong.json"))
    settled(qtbot, page)
    assert page.banner.isVisible() and page.editing.draft.landmarks[0].name == "Temple"


def test_a_draft_that_is_not_whole_is_not_previewed(page):
    page.short.setText("two words")
    page.short.textEdited.emit("two words")
    page.go_on()
    assert page.stack.currentIndex() == 0 and "short name" in page.banner.text.text()


def test_two_landmarks_are_merged_and_the_preview_says_so(qtbot, window, page, monkeypatch):
    document = window.context.document
    image = document.images()[0].id
    document.apply(PutInstance(mean_instance(document.schema, document.image(image), Box(80, 60, 60), "Ada")))
    asked = []
    monkeypatch.setattr("app.views.schema.merging.QInputDialog.getItem", lambda *told: asked.append(told) or (
        told[3][told[4]], True))  # fmt: skip
    assert not page.merge.isEnabled()
    page.table.setCurrentCell(0, NAME)
    page.merge.click()
    assert asked[0][3][0] == "2  Jaw 2" and page.table.rowCount() == 67
    page.go_on()
    settled(qtbot, page)
    listed = [page.preview.names.item(n).text() for n in range(page.preview.names.count())]
    assert listed[:2] == ["Jaw 1 + Jaw 2 become Jaw 1, in their middle where several are there",
                          "1 landmark is moved to a middle"]  # fmt: skip
    old = document.instances(image)[0].points[:2].mean(0)
    page.go_on()
    settled(qtbot, page)
    assert document.instances(image)[0].points[0].tolist() == pytest.approx(old.tolist())
