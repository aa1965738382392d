"""The queue while other things happen: what a person looks at in the list stays, whatever comes in the background."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.project.document import Document
from app.project.edits import Accept, AddImages, Batch, Fingerprint, NewImage, Predicted, Reject, RemoveImages
from app.services.likeness import Likeness
from app.services.pictures import PictureCache, Pictures
from app.views.label.queue import Queue
from app.views.label.queue_model import QueueModel
from engine.schema import load_schema
from tests.app.views.bench import guessed

COUNT = 60


@pytest.fixture
def document(tmp_path) -> Document:
    made = Document.create(tmp_path / "p.hourbit-project", load_schema("mpii16"), "P")
    made.apply(AddImages(tuple(NewImage(f"p{n}.png", 160, 120) for n in range(COUNT))))
    yield made
    made.close()


@pytest.fixture
def queue(qtbot, document) -> Queue:
    """The queue as the workspace wires it, without the workspace."""
    pictures = Pictures(PictureCache(), 96)
    model = QueueModel(pictures)
    made, shown = Queue(model), []

    def heard(change) -> None:
        model.heard(change)
        made.set_current(shown[-1])

    model.modelReset.connect(lambda: made.set_current(shown[-1] if shown else None))
    model.open(document)
    made.shown = shown
    made.show_picture = lambda image: (shown.append(image), model.keep(image), made.set_current(image))
    leave = document.subscribe(heard)
    qtbot.addWidget(made)
    made.resize(248, 600)
    made.show()
    made.show_picture(document.images()[0].id)
    QApplication.processEvents()
    yield made
    leave()
    assert pictures.close()


def in_view(queue: Queue, image: int) -> bool:
    view = queue.list
    return view.visualRect(queue.model.index(queue.model.row_of(image))).intersects(view.viewport().rect())


def predict(document: Document, image: int, doubt: float = 0.5) -> None:
    document.apply(Predicted(image, (guessed(image),), doubt))


def test_keys_in_the_list_are_not_undone_by_predictions(queue, document):
    ids, view = [image.id for image in document.images()], queue.list
    QTest.keyClick(view, Qt.Key.Key_End)
    predict(document, ids[3])
    QApplication.processEvents()
    assert view.currentIndex().row() == COUNT - 1 and in_view(queue, ids[-1])


@pytest.mark.parametrize("order", ["name", "doubt"])
def test_scrolling_is_not_undone_by_what_comes_in_the_background(queue, document, qtbot, order):
    ids, bar = [image.id for image in document.images()], queue.list.verticalScrollBar()
    queue.head.choose_order(order)
    QApplication.processEvents()
    assert in_view(queue, ids[0])
    bar.setValue(bar.maximum() // 2)
    place = bar.value()
    for image in ids[40:50]:
        predict(document, image, 0.1)
    document.apply(Fingerprint(((ids[1], "0" * 16), (ids[2], "1" * 16))))
    queue.model._sort()
    document.apply(AddImages((NewImage("q.png", 9, 9),)))
    QApplication.processEvents()
    assert bar.value() == place and not in_view(queue, ids[0])
    assert queue.list.currentIndex().row() == queue.model.row_of(ids[0])
    queue.choose_filter("all")  # asked for: the picture on screen comes into view again
    assert in_view(queue, ids[0])
    bar.setValue(bar.maximum())
    queue.show_picture(ids[1])
    assert in_view(queue, ids[1])


def test_the_row_in_view_stays_in_view_while_rows_above_it_leave(queue, document):
    ids = [image.id for image in document.images()]
    queue.show_picture(ids[30])
    document.apply(Batch(tuple(Accept(image) for image in ids[:20]), "Accept"))
    QApplication.processEvents()
    assert in_view(queue, ids[30]) and queue.list.currentIndex().row() == 10
    document.apply(RemoveImages(tuple(ids[20:29])))
    assert in_view(queue, ids[30])


def test_the_limit_stays_as_set_when_the_filter_changes_and_images_come(queue, document):
    ids, scale = [image.id for image in document.images()], queue.head.scale
    for n, image in enumerate(ids):
        predict(document, image, n / COUNT)
    queue.head.choose_order("doubt")
    assert queue.model.limit == pytest.approx(0.78, abs=0.02)  # that a fifth reaches
    scale.slider.setValue(40)
    limit = queue.model.limit
    scale.only.setChecked(True)
    rows = queue.model.rowCount()
    assert rows == sum(n / COUNT >= limit for n in range(COUNT)) + 1  # and the picture on screen
    queue.choose_filter("all")
    document.apply(AddImages((NewImage("q.png", 9, 9),)))
    assert queue.model.limit == limit and queue.model.wish.above == limit and queue.model.rowCount() == rows
    assert scale.above.text().startswith(str(rows - 1))
    queue.choose_filter("done")
    assert queue.model.rowCount() == 1 and scale.above.text().startswith("0")
    queue.model.open(document)
    assert queue.model.limit == 0.0 or queue.model.limit != limit


def test_a_sample_keeps_its_order_as_images_come_and_go(queue, document):
    queue.head.choose_order("sample")
    model = queue.model
    before = [model.image_at(row).id for row in range(model.rowCount())]
    assert before != sorted(before)
    document.apply(AddImages((NewImage("a.png", 9, 9), NewImage("z.png", 9, 9))))
    document.apply(RemoveImages(tuple(before[3:6])))
    left = before[:3] + before[6:]
    assert [i for row in range(model.rowCount()) if (i := model.image_at(row).id) in left] == left
    queue.head.choose_order("sample")
    assert [i for row in range(model.rowCount()) if (i := model.image_at(row).id) in left] != left


def test_the_pace_counts_what_a_person_finishes_and_starts_anew_with_a_project(queue, document, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(queue.pace, "_clock", lambda: now[0])
    queue.model.open(document)
    ids = [image.id for image in document.images()]
    document.apply(Batch(tuple(Accept(image) for image in ids[:30]), "Imported"))
    assert queue.pace.per_hour is None and "30 done" in queue.pace_text.text()
    for n, image in enumerate(ids[30:40]):
        now[0] += 36
        document.apply(Accept(image) if n % 2 else Reject(image))
    assert queue.pace.per_hour == pytest.approx(100)
    assert queue.pace_text.text() == "35 done \u00b7 100 an hour \u00b7 12 min left"
    document.apply(AddImages((NewImage("more.png", 9, 9),)))
    assert queue.pace.per_hour == pytest.approx(100)
    queue.model.open(document)
    assert queue.pace.per_hour is None


def test_groups_come_from_the_other_thread_and_stay_while_images_come(queue, document, qtbot):
    likeness, ids = Likeness(), [image.id for image in document.images()]
    model = queue.model
    model.group_wanted.connect(lambda: likeness.group(model.columns.prints.copy(), model.columns.has_print.copy(),
                                                      model.columns))  # fmt: skip
    likeness.grouped.connect(model.take_groups)
    document.apply(Fingerprint(tuple((image, f"{n // 2 * 0x0101010101010101:016x}") for n, image in enumerate(ids))))
    model.choose(order="alike")
    assert model.rowCount() == 1 and model.grouping  # the picture on screen
    qtbot.waitUntil(lambda: model.rowCount() == COUNT, timeout=5000)
    assert not model.grouping and np.array_equal(model.columns.groups, np.repeat(np.arange(COUNT // 2), 2))
    document.apply(AddImages((NewImage("more.png", 9, 9),)))
    assert model.rowCount() == COUNT  # at once, while the groups are found anew
    document.apply(Fingerprint(((document.images()[0].id, "0" * 16),)))
    qtbot.waitUntil(lambda: model.rowCount() == COUNT + 1, timeout=5000)
    assert likeness.close()
