"""The queue: counts, filters, order, and what stays in place while pictures are worked on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.project.document import Document
from app.project.edits import Accept, AddImages, NewImage, Predicted, Reject
from app.project.likeness import groups_of
from app.project.values import State
from app.services.pictures import PictureCache, Pictures
from app.views.label.queue import Queue
from app.views.label.queue_delegate import row_height
from app.views.label.queue_model import DOUBT_ROLE, GROUP_ROLE, IMAGE_ROLE, THUMBNAIL_ROLE, QueueModel
from tests.app.views.bench import guessed, make_project
from tests.app.views.small import write_pictures

COUNT = 6


@pytest.fixture
def document(tmp_path: Path) -> Document:
    opened = Document.open(make_project(tmp_path, COUNT))
    yield opened
    opened.close()


@pytest.fixture
def model(qtbot: object, document: Document) -> QueueModel:
    pictures = Pictures(PictureCache(), 96)
    made = QueueModel(pictures)
    made.open(document)
    leave = document.subscribe(made.heard)
    yield made
    leave()
    assert pictures.close()


def listed(model: QueueModel) -> list[str]:
    return [model.index(row).data() for row in range(model.rowCount())]


def ids(document: Document) -> list[int]:
    return [image.id for image in document.images()]


def test_all_new_pictures_need_a_look_in_natural_order(model, document):
    write_pictures(document.path.parent / "more", 10)
    document.apply(AddImages((NewImage(str(document.path.parent / "more" / "picture10.png"), 160, 120, "d10"),)))
    names = listed(model)
    assert len(names) == COUNT + 1
    assert [model.count(name) for name in ("to check", "done", "all")] == [COUNT + 1, 0, COUNT + 1]
    same_folder = [n for n in names if n != "picture10.png"]
    assert same_folder == [f"picture{n}.png" for n in range(1, COUNT + 1)]


def test_an_accepted_picture_leaves_the_list_and_is_counted_as_done(model, document):
    first = ids(document)[0]
    removed = []
    model.rowsRemoved.connect(lambda parent, a, b: removed.append((a, b)))
    document.apply(Accept(first))
    assert removed == [(0, 0)]
    assert [model.count(name) for name in ("to check", "done", "all")] == [COUNT - 1, 1, COUNT]
    document.undo()
    assert listed(model)[0] == "picture1.png"
    assert model.count("done") == 0


def test_the_picture_on_screen_keeps_its_row_until_it_is_left(model, document):
    first, second = ids(document)[:2]
    model.keep(first)
    document.apply(Accept(first))
    assert model.row_of(first) == 0
    model.keep(second)
    assert model.row_of(first) == -1
    assert model.rowCount() == COUNT - 1


def test_filters_show_done_and_all(model, document):
    first, second = ids(document)[:2]
    document.apply(Accept(first))
    document.apply(Reject(second))
    model.choose(filter="done")
    assert listed(model) == ["picture1.png"]
    model.choose(filter="all")
    assert model.rowCount() == COUNT
    states = [model.index(row).data(IMAGE_ROLE).state for row in range(2)]
    assert states == [State.DONE_EMPTY, State.REJECTED]


def test_the_next_that_needs_a_look_goes_round_and_skips_what_is_done(model, document):
    all_ids = ids(document)
    model.choose(filter="all")
    for image in (all_ids[1], all_ids[2], all_ids[5]):
        document.apply(Accept(image))
    assert model.neighbour(all_ids[0], 1) == all_ids[1]
    assert model.neighbour(all_ids[0], 1, to_check=True) == all_ids[3]
    assert model.neighbour(all_ids[4], 1, to_check=True) == all_ids[0]
    assert model.neighbour(all_ids[0], -1, to_check=True) == all_ids[4]
    assert model.neighbour(all_ids[5], 1) is None


def test_order_by_doubt_puts_the_most_doubtful_first(model, document):
    all_ids = ids(document)
    for image, doubt in zip(all_ids, (0.1, 0.9, 0.5), strict=False):
        document.apply(Predicted(image, (guessed(image),), doubt))
    model.choose(order="doubt")
    assert listed(model)[:3] == ["picture2.png", "picture3.png", "picture1.png"]
    model.choose(order="name")
    assert listed(model)[0] == "picture1.png"


def test_a_doubt_that_arrives_moves_its_row_a_little_later(model, document, qtbot):
    model.choose(order="doubt")
    last = ids(document)[-1]
    document.apply(Predicted(last, (guessed(last),), 0.8))
    qtbot.waitUntil(lambda: model.row_of(last) == 0, timeout=5000)


def test_thumbnails_come_from_the_other_thread(model, document, qtbot):
    assert model.index(0).data(THUMBNAIL_ROLE) is None
    qtbot.waitUntil(lambda: model.index(0).data(THUMBNAIL_ROLE) is not None, timeout=10000)
    pixmap = model.index(0).data(THUMBNAIL_ROLE)
    assert (pixmap.width(), pixmap.devicePixelRatio()) == (96, 2.0)


def test_a_missing_file_has_a_reason_in_place_of_its_thumbnail(model, document, qtbot):
    image = model.index(0).data(IMAGE_ROLE)
    Path(document.picture_path(image)).unlink()
    model.index(0).data(THUMBNAIL_ROLE)
    qtbot.waitUntil(lambda: isinstance(model.index(0).data(THUMBNAIL_ROLE), str), timeout=10000)


def test_the_dock_shows_counts_and_what_to_do_when_the_list_is_empty(model, document, qtbot):
    queue = Queue(model)
    qtbot.addWidget(queue)
    queue.resize(248, 600)
    queue.show()
    assert queue.chips["to check"].text() == f"To check {COUNT}"
    assert "6" in queue.total.text()
    for image in ids(document):
        document.apply(Accept(image))
    assert queue.stack.currentIndex() == 1
    assert queue.empty_text.text() == "No image needs a look"
    queue.empty_button.click()
    assert queue.stack.currentIndex() == 0
    assert model.rowCount() == COUNT
    chosen = []
    queue.chosen.connect(chosen.append)
    queue.list.clicked.emit(model.index(2, 0, QModelIndex()))
    assert chosen == [ids(document)[2]]


def test_progress_takes_its_place_only_while_it_runs(model, qtbot):
    queue = Queue(model)
    qtbot.addWidget(queue)
    queue.resize(248, 600)
    queue.show()
    assert not queue.foot.isVisible()
    queue.set_progress(2, 9)
    QApplication.processEvents()
    assert queue.foot.isVisible()
    assert queue.bar.value() == 2
    assert "2 of 9" in queue.foot_count.text()
    queue.set_progress(0, 0)
    assert not queue.foot.isVisible()


def test_doubt_by_criterion_with_its_histogram_and_limit(model, document, qtbot):
    for n, image in enumerate(ids(document)):
        doubts = np.full(7, 0.1 * n)
        doubts[3] = 1 - 0.1 * n
        document.apply(Predicted(image, (guessed(image),), 0.1 * n, doubts=tuple(doubts)))
    queue = Queue(model)
    qtbot.addWidget(queue)
    queue.resize(248, 700)
    queue.show()
    head, scale = queue.head, queue.head.scale
    assert not scale.isVisible()
    head.choose_order("doubt", 0)
    assert scale.isVisible() and listed(model)[0] == f"picture{COUNT}.png"
    head.choose_order("doubt", 3)
    assert listed(model)[0] == "picture1.png" and scale.bars.counts.sum() == COUNT
    scale.only.setChecked(True)
    scale.slider.setValue(75)
    assert listed(model) == ["picture1.png", "picture2.png", "picture3.png"]  # 1, 0.9, 0.8 of 0.75 and more
    assert model.index(0).data(DOUBT_ROLE) == (pytest.approx(1, abs=1e-4), True)
    scale.slider.setValue(100)
    document.apply(Accept(ids(document)[0]))
    assert queue.empty_text.text() == "No image is above the limit"
    head.choose_order("name")
    assert model.rowCount() == COUNT - 1 and not scale.isVisible()


def test_one_state_alone_is_listed_from_the_menu(model, document, qtbot):
    queue = Queue(model)
    qtbot.addWidget(queue)
    document.apply(Reject(ids(document)[1]))
    queue.head.menu.aboutToShow.emit()
    rejected = next(a for a in queue.head.menu.actions() if a.text().startswith("Rejected"))
    assert rejected.text().endswith("1")
    rejected.trigger()
    assert listed(model) == ["picture2.png"] and not queue.head.group.checkedButton()


def test_look_alikes_are_found_in_the_background_and_listed_together(document, qtbot, tmp_path):
    from app.project.edits import Fingerprint
    from app.services.likeness import Likeness

    likeness, found = Likeness(), []
    likeness.found.connect(lambda token, prints: found.append((token, prints)))
    with qtbot.waitSignal(likeness.found, timeout=10000):
        places = {i.id: document.picture_path(i) for i in document.images()} | {99: tmp_path / "no", 98: None}
        likeness.look_at(places, places.get, "t")
    assert likeness.close()
    (token, prints), = found
    assert token == "t" and [image for image, _ in prints] == ids(document)
    pictures = Pictures(PictureCache(), 96)
    model = QueueModel(pictures)
    model.open(document)
    leave = document.subscribe(model.heard)
    one, two = ids(document)[1], ids(document)[4]
    document.apply(Fingerprint(((one, "0" * 16), (two, "0" * 15 + "7"), (ids(document)[0], "f" * 16))))
    model.group_wanted.connect(lambda: model.take_groups(
        model.columns, groups_of(model.columns.prints, model.columns.has_print)))  # fmt: skip
    model.choose(order="alike")
    assert listed(model) == ["picture2.png", "picture5.png"] and model.index(0).data(GROUP_ROLE) == 0
    leave()
    assert pictures.close()


def test_the_list_moves_by_keys_and_asks_for_no_more_rows_than_are_in_view(model, document, qtbot, monkeypatch):
    queue = Queue(model)
    qtbot.addWidget(queue)
    queue.resize(248, 600)
    queue.show()
    view, chosen = queue.list, []
    queue.chosen.connect(chosen.append)
    queue.set_current(ids(document)[0])
    view.setFocus()
    rows = []
    for key in (Qt.Key.Key_End, Qt.Key.Key_Up, Qt.Key.Key_Home, Qt.Key.Key_Down, Qt.Key.Key_Return):
        QTest.keyClick(view, key)
        rows.append(view.currentIndex().row())
    assert rows == [COUNT - 1, COUNT - 2, 0, 1, 1] and chosen == [ids(document)[1]]
    third = view.visualRect(model.index(2))
    assert (third.height(), third.width()) == (row_height(), view.viewport().width())
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=third.center())
    assert chosen[-1] == ids(document)[2] and view.currentIndex().row() == 2


def test_an_empty_queue_keeps_room_for_its_words(model: QueueModel) -> None:
    """In a small window thumbnails stand alone, but what is written in their place is not cut."""
    model.open(None)
    queue = Queue(model)
    queue.set_narrow(True)
    queue.refresh()
    assert queue.minimumWidth() >= 200 and queue.maximumWidth() > queue.minimumWidth()


def test_a_narrow_queue_of_images_is_folded(model: QueueModel) -> None:
    queue = Queue(model)
    queue.set_narrow(True)
    assert queue.maximumWidth() < 100
    queue.set_narrow(False)
    assert queue.minimumWidth() < 100 < queue.maximumWidth()
