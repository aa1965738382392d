"""The Label workspace whole: going through pictures, accepting, faults and empty states."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from app.files import data_folder
from app.library import Library
from app.project.document import Document
from app.project.edits import PutInstance
from app.project.values import Origin, State, Visibility
from app.services.stills import Stills
from app.settings import Settings
from app.views.keymap import KeyMap
from app.views.label.workspace import LabelWorkspace
from engine.errors import UserError
from engine.images import encode_png
from engine.runtime import open_runtime
from tests.app.views.bench import SCHEMA, guessed, make_project
from tests.app.views.small import small_model


class Surroundings(QObject):
    """What the window gives a workspace."""

    document_changed = Signal()
    model_changed = Signal()
    pointed = Signal(int, object, int)

    def __init__(self, document: Document | None) -> None:
        super().__init__()
        self.document = document
        self.library, self.settings = Library(data_folder()), Settings(data_folder() / "settings.json")
        self.keys = KeyMap(data_folder() / "keys.json", self)
        self.model: object | None = open_runtime(small_model(SCHEMA), "reference")
        self.stills = Stills(self.runtime_for)

    def runtime_for(self, schema: object) -> object:
        if self.model is None:
            raise UserError("No model for this schema; import one.")
        return self.model


class Desk:
    """A workspace on screen, and what it stands on."""

    def __init__(self, path: Path | None, model: bool = True) -> None:
        self.document = Document.open(path) if path else None
        self.context = Surroundings(self.document)
        if not model:
            self.context.model = None
        self.workspace = LabelWorkspace(self.context)
        self.workspace.resize(1376, 838)
        self.workspace.show()
        self.workspace.activate()
        self.editing, self.canvas = self.workspace.editing, self.workspace.canvas

    def close(self) -> None:
        assert self.context.stills.close()
        assert self.workspace.close_services()
        self.workspace.close()
        self.workspace.deleteLater()
        if self.document is not None:
            self.document.close()
        QApplication.processEvents()


@pytest.fixture
def desk(qtbot: object, tmp_path: Path) -> Desk:
    made = Desk(make_project(tmp_path, 4))
    document = made.document
    qtbot.waitUntil(lambda: all(i.state is State.PREDICTED for i in document.images()), timeout=30000)
    qtbot.waitUntil(lambda: made.workspace.browsing.picture is not None, timeout=10000)
    yield made
    made.close()


def drag(desk: Desk, landmark: int, by: tuple[int, int]) -> None:
    x, y = desk.canvas.to_view(desk.editing.current.points[landmark])
    start = QPoint(round(x), round(y))
    view = desk.canvas.viewport()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(view, start + QPoint(*by) / 2)
    QTest.mouseMove(view, start + QPoint(*by))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=start + QPoint(*by))


def test_opening_a_project_predicts_all_new_pictures_and_shows_the_first(desk):
    assert desk.workspace.facts() == "picture1.png, 160 \u00d7 120"
    assert [len(desk.document.instances(i.id)) for i in desk.document.images()] == [1, 1, 1, 1]
    assert desk.workspace.bar.place.text() == "1 of 4"
    assert desk.workspace.stack.currentIndex() == 0


def test_accept_stores_the_picture_and_goes_on_to_the_next(desk):
    first, second = (i.id for i in desk.document.images()[:2])
    desk.workspace.trigger("accept")
    assert desk.document.image(first).state is State.DONE
    assert desk.workspace.browsing.current == second
    assert desk.workspace.bar.place.text() == "1 of 3"
    assert desk.workspace.queue.chips["done"].text() == "Done 1"
    desk.workspace.trigger("reject")
    assert desk.document.image(second).state is State.REJECTED
    assert QApplication.focusWidget() in (desk.canvas, None)


def test_undo_of_an_accept_brings_its_picture_back(desk):
    first = desk.document.images()[0].id
    desk.workspace.trigger("accept")
    desk.workspace.trigger("undo")
    assert desk.workspace.browsing.current == first
    assert desk.document.image(first).state is State.PREDICTED
    desk.workspace.trigger("redo")
    assert desk.document.image(first).state is State.DONE


def test_next_previous_and_next_to_check(desk):
    ids = [i.id for i in desk.document.images()]
    seen = []
    for action in ("next_image", "next_image", "previous_image", "next_to_check", "next_to_check", "next_to_check"):
        desk.workspace.trigger(action)
        seen.append(ids.index(desk.workspace.browsing.current))
    assert seen == [1, 2, 1, 2, 3, 0]


def test_a_drag_in_the_workspace_is_kept_and_marks_the_picture_in_work(desk):
    before = desk.editing.current.points[0].copy()
    drag(desk, 0, (6, 4))
    image = desk.document.images()[0]
    (instance,) = desk.document.instances(image.id)
    wanted = np.clip(before + np.array([6, 4]) / desk.canvas.zoom, 0, [159, 119])
    assert instance.points[0] == pytest.approx(wanted)
    assert instance.origin[0] == Origin.EDITED
    assert image.state is State.IN_WORK
    assert desk.workspace.tools.undo.isEnabled()


def test_peaks_are_offered_for_the_selected_landmark(desk, qtbot):
    assert not desk.workspace.bar.peaks[0].isEnabled()
    qtbot.waitUntil(lambda: desk.workspace.guesses.map_in_hand() is not None, timeout=20000)
    desk.editing.select(1)
    assert desk.workspace.bar.peaks[0].isEnabled()
    desk.workspace.bar.peaks[0].click()
    assert desk.editing.current.origin[1] == Origin.EDITED


def test_switches_for_labels_heatmap_and_equalise(desk):
    for name in ("labels", "heatmap", "equalise"):
        before = desk.workspace.tools.switches[name].isChecked()
        desk.workspace.trigger(name)
        assert desk.workspace.tools.switches[name].isChecked() is not before
    assert not desk.canvas.labels_shown
    assert desk.workspace.trigger("nothing of ours") is False


def test_the_cursor_s_place_and_the_zoom_are_read_out(desk):
    QTest.mouseMove(desk.canvas.viewport(), QPoint(200, 200))
    place = desk.canvas.to_picture(QPoint(200, 200).toPointF())
    assert f"x {place.x():.1f}" in desk.canvas.value_plate.text
    assert desk.canvas.zoom_plate.text == f"{desk.canvas.zoom * 100:.0f} %"


def test_a_refused_edit_is_told_shows_the_last_good_state_and_can_be_tried_again(desk, monkeypatch):
    before = desk.editing.current.points[0].copy()
    whole = desk.document.apply

    def full(edit: object) -> None:
        raise UserError("Disk full: this edit was not kept.")

    monkeypatch.setattr(desk.document, "apply", full)
    drag(desk, 0, (6, 4))
    assert desk.editing.shown_current().points[0] == pytest.approx(before)
    assert desk.workspace.banner.isVisible()
    monkeypatch.setattr(desk.document, "apply", whole)
    desk.editing.retry()
    assert not np.allclose(desk.editing.current.points[0], before)


def test_without_a_project_there_is_one_sentence_and_one_button(qtbot):
    made = Desk(None)
    asked = []
    made.workspace.wanted.connect(asked.append)
    assert made.workspace.stack.currentIndex() == 1
    assert made.workspace.facts() == ""
    for action in ("accept", "reject", "undo", "predict_again", "next_image", "absent", "peak_1", "delete_instance"):
        assert made.workspace.trigger(action)
    made.workspace.empty.clicked.emit()
    assert asked == ["open_folder"]
    made.close()


def test_without_a_model_pictures_can_still_be_labelled(qtbot, tmp_path):
    made = Desk(make_project(tmp_path, 2), model=False)
    qtbot.waitUntil(lambda: made.workspace.banner.isVisible(), timeout=10000)
    image = made.document.images()[0].id
    made.document.apply(PutInstance(guessed(image), "Add"))
    assert made.editing.current is not None
    made.workspace.trigger("accept")
    assert made.document.image(image).state is State.DONE
    made.close()


def test_broken_and_missing_pictures_are_marked_and_the_queue_goes_on(qtbot, tmp_path):
    path = make_project(tmp_path, 4)
    pictures = tmp_path / "pictures"
    whole = (pictures / "picture1.png").read_bytes()
    (pictures / "picture1.png").write_bytes(whole[:50])
    (pictures / "picture2.png").unlink()
    made = Desk(path)
    states = lambda: [i.state for i in made.document.images()]  # noqa: E731
    wanted = [State.BROKEN, State.NEW, State.PREDICTED, State.PREDICTED]  # a missing one may come back
    qtbot.waitUntil(lambda: states() == wanted, timeout=30000)
    assert made.document.images()[0].reason
    qtbot.waitUntil(lambda: made.workspace.banner.isVisible(), timeout=10000)
    (pictures / "picture1.png").write_bytes(whole)
    made.workspace.browsing.look_again()
    qtbot.waitUntil(lambda: states()[0] is State.PREDICTED, timeout=30000)
    qtbot.waitUntil(lambda: made.workspace.browsing.picture is not None, timeout=10000)
    made.close()


def test_a_picture_that_changed_its_size_is_told(qtbot, tmp_path):
    path = make_project(tmp_path, 1)
    document = Document.open(path)
    document.apply(PutInstance(guessed(document.images()[0].id), "Add"))
    document.close()
    (tmp_path / "pictures" / "picture1.png").write_bytes(encode_png(np.zeros((60, 80, 3), np.uint8)))
    made = Desk(path)
    qtbot.waitUntil(lambda: made.workspace.banner.isVisible(), timeout=10000)
    made.close()


def test_a_small_window_gives_the_room_to_the_picture(desk, qtbot):
    desk.workspace.resize(960, 640)
    QApplication.processEvents()
    assert desk.workspace.queue.width() == 84
    assert not desk.workspace.inspector.guide.isVisible()
    share = desk.canvas.width() * desk.canvas.height() / (960 * 640)
    assert share > 0.45
    desk.workspace.resize(1376, 838)
    qtbot.waitUntil(lambda: desk.workspace.queue.width() == 248, timeout=2000)
    assert desk.workspace.inspector.guide.isVisible()


@pytest.mark.parametrize(
    ("key", "seen"),
    [
        (Qt.Key.Key_H, lambda w: not w.canvas.labels_shown),
        (Qt.Key.Key_M, lambda w: not w.canvas.heat_shown),
        (Qt.Key.Key_N, lambda w: w.canvas.tool == "new"),
        (Qt.Key.Key_B, lambda w: w.canvas.tool == "box"),
        (Qt.Key.Key_S, lambda w: w.editing.landmark == 0),
        (Qt.Key.Key_W, lambda w: w.editing.landmark == 15),
        (Qt.Key.Key_D, lambda w: w.bar.place.text() == "2 of 4"),
        (Qt.Key.Key_Return, lambda w: w.queue.chips["done"].text() == "Done 1"),
        (Qt.Key.Key_Enter, lambda w: w.queue.chips["done"].text() == "Done 1"),
        (Qt.Key.Key_Delete, lambda w: w.editing.instances == ()),
    ],
)
def test_plain_keys_work_on_the_canvas(desk, key, seen):
    QTest.keyClick(desk.canvas, key)
    assert seen(desk.workspace)


def test_visibility_keys(desk):
    desk.editing.select(2)
    seen = []
    for key in (Qt.Key.Key_Q, Qt.Key.Key_X, Qt.Key.Key_Backspace, Qt.Key.Key_Q):
        QTest.keyClick(desk.canvas, key)
        seen.append(Visibility(int(desk.editing.current.visibility[2])))
    assert seen == [Visibility.OCCLUDED, Visibility.ABSENT, Visibility.VISIBLE, Visibility.OCCLUDED]


def test_letters_reach_the_actions_from_the_lists_but_not_from_a_number_being_typed(desk):
    QTest.keyClick(desk.workspace.queue.list, Qt.Key.Key_D)
    assert desk.workspace.bar.place.text() == "2 of 4"
    table = desk.workspace.inspector.table
    table.edit(table.model().index(0, 2))
    editor = table.findChild(QLineEdit)
    before = desk.editing.current.visibility.copy()
    QTest.keyClicks(editor, "xq12")
    assert np.array_equal(desk.editing.current.visibility, before)
    assert "12" in editor.text()
    QTest.keyClick(editor, Qt.Key.Key_Escape)


def test_a_picture_without_a_subject_offers_to_draw_a_box(desk):
    desk.workspace.trigger("delete_instance")
    assert desk.workspace.inspector.pages.currentWidget() is desk.workspace.inspector.nothing
    desk.workspace.inspector.nothing.button.click()
    assert desk.canvas.tool == "new"
