"""Pictures that are away, replaced, damaged or of an odd kind, in the real window: told, nothing lost, work goes on."""

from __future__ import annotations

import os
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from app.project.document import Document
from app.project.edits import PutInstance, RemoveImages
from app.project.values import State
from app.services import pictures
from app.services.projects import open_folder
from app.views.label import troubles
from app.views.window import MainWindow
from engine.images import encode_jpeg, encode_png
from tests.app.projects import instance
from tests.app.views.desk import WAIT, add_model, close_window, no_camera, open_window
from tests.app.views.small import write_pictures
from tests.engine.picturefile import chunk


@pytest.fixture
def window(qtbot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MainWindow]:
    no_camera(monkeypatch)
    monkeypatch.setattr(troubles, "AGAIN_MS", 200)
    add_model(tmp_path / "model", "mpii16") if not (tmp_path / "model").mkdir() else None
    made = open_window()
    yield made
    close_window(made)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_pictures(tmp_path / "people", 3)
    return tmp_path / "people"


def labelled(folder: Path) -> Path:
    """A project of a folder; its first picture has a label."""
    document = open_folder(folder, "mpii16")
    document.apply(PutInstance(instance(document.images()[0].id)))
    document.close()
    return document.path


def opened(qtbot, window: MainWindow, path: Path, shows: int = 0) -> Document:
    """Open a project and put one of its pictures on screen."""
    window.opening.project(path)
    qtbot.waitUntil(lambda: window.context.document is not None, timeout=WAIT)
    workspace = window.workspace("label")
    workspace.queue.choose_filter("all")
    workspace.browsing.show(window.context.document.images()[shows].id)
    return window.context.document


def banner(window: MainWindow) -> str:
    shown = window.workspace("label").banner
    return shown.text.text() if shown.isVisible() else ""


def test_a_disk_that_is_away_is_a_state_and_work_goes_on_when_it_is_back(qtbot, window, folder, tmp_path):
    path = labelled(folder)
    away = folder.rename(tmp_path / "unplugged")
    document = opened(qtbot, window, path)
    qtbot.waitUntil(lambda: "not there" in banner(window), timeout=WAIT)
    assert [i.state for i in document.images()] == [State.IN_WORK, State.NEW, State.NEW]
    workspace = window.workspace("label")
    (held,) = document.instances(document.images()[0].id)
    away.rename(folder)
    qtbot.waitUntil(lambda: workspace.browsing.picture is not None and banner(window) == "", timeout=WAIT)
    workspace.editing.drop(0, 11.0, 12.0)
    assert document.instances(held.image)[0].points[0].tolist() == [11.0, 12.0]
    qtbot.waitUntil(lambda: all(i.state is not State.NEW for i in document.images()), timeout=30_000)


def test_what_cannot_be_seen_is_neither_moved_nor_accepted(qtbot, window, folder, tmp_path):
    path = labelled(folder)
    folder.rename(tmp_path / "unplugged")
    document = opened(qtbot, window, path)
    qtbot.waitUntil(lambda: "not there" in banner(window), timeout=WAIT)
    workspace = window.workspace("label")
    canvas, image = workspace.canvas, document.images()[0]
    before, said = document.instances(image.id), []
    workspace.editing.said.connect(said.append)
    place = QPoint(*canvas.to_view(before[0].points[0]).astype(int))
    QTest.mousePress(canvas.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseMove(canvas.viewport(), place + QPoint(30, 10))
    QTest.mouseRelease(canvas.viewport(), Qt.MouseButton.LeftButton, pos=place + QPoint(30, 10))
    assert not said  # nothing was taken hold of
    workspace.editing.select(0)
    QTest.keyClick(canvas, Qt.Key.Key_Right)
    workspace.trigger("mean_shape")
    workspace.trigger("accept")
    assert len(said) == 3 and not workspace.bar.accept.isEnabled()
    assert document.instances(image.id) == before and document.image(image.id).state is State.IN_WORK
    workspace.trigger("flag")  # what needs no eyes is done
    workspace.trigger("delete_instance")
    assert document.image(image.id).tags and document.instances(image.id) == ()
    workspace.trigger("undo")
    assert document.instances(image.id) == before and "not there" in banner(window)


def test_what_is_still_being_read_is_neither_moved_nor_accepted(qtbot, window, folder, monkeypatch):
    slow, read = threading.Event(), pictures.load_shown
    monkeypatch.setattr(pictures, "load_shown", lambda path: slow.wait(WAIT / 1000) and read(path))
    document = opened(qtbot, window, labelled(folder))
    workspace, image = window.workspace("label"), document.images()[0].id
    before, said = document.instances(image), []
    workspace.editing.said.connect(said.append)
    workspace.editing.select(0)
    QTest.keyClick(workspace.canvas, Qt.Key.Key_Right)
    workspace.trigger("accept")
    held, state, shown = document.instances(image), document.image(image).state, workspace.browsing.picture
    slow.set()
    assert (held, state, shown, len(said)) == (before, State.IN_WORK, None, 2)
    qtbot.waitUntil(lambda: workspace.browsing.picture is not None, timeout=WAIT)
    workspace.trigger("accept")
    assert document.image(image).state is State.DONE


def test_labels_of_a_picture_of_another_size_wait_for_an_answer(qtbot, window, folder):
    path = labelled(folder)
    (folder / "picture1.png").write_bytes(encode_png(np.zeros((240, 320, 3), np.uint8)))
    document = opened(qtbot, window, path)
    workspace = window.workspace("label")
    qtbot.waitUntil(lambda: "320" in banner(window), timeout=WAIT)
    (before,) = document.instances(document.images()[0].id)
    assert not workspace.canvas.labels_shown
    workspace.trigger("accept")
    workspace.editing.drop(0, 5.0, 5.0)
    assert document.instances(before.image) == (before,) and document.images()[0].state is State.IN_WORK
    workspace.banner.button.click()
    (after,) = document.instances(document.images()[0].id)
    assert np.allclose(after.points, before.points * 2 + 0.5) and workspace.canvas.labels_shown
    workspace.trigger("undo")
    assert document.instances(before.image) == (before,)


def test_another_picture_of_the_same_size_in_its_place_is_told(qtbot, window, folder):
    path = labelled(folder)
    (folder / "picture1.png").write_bytes((folder / "picture2.png").read_bytes())
    document = opened(qtbot, window, path)
    qtbot.waitUntil(lambda: "another picture" in banner(window), timeout=WAIT)
    workspace = window.workspace("label")
    assert not workspace.canvas.labels_shown
    workspace.browsing.show(document.images()[1].id)  # the next one is as it should be
    qtbot.waitUntil(lambda: workspace.browsing.picture is not None, timeout=WAIT)
    assert workspace.canvas.labels_shown and banner(window) == ""


@pytest.mark.parametrize("size", [(120, 160), (240, 320)], ids=["other bytes", "other size"])
def test_labels_that_waited_are_there_again_with_the_picture_they_belong_to(qtbot, window, folder, size):
    path, place = labelled(folder), folder / "picture1.png"
    right = place.read_bytes()
    place.write_bytes(encode_png(np.zeros((*size, 3), np.uint8)))
    document = opened(qtbot, window, path)
    workspace = window.workspace("label")
    qtbot.waitUntil(lambda: "put the old one back" in banner(window), timeout=WAIT)
    workspace.browsing.picture = None
    workspace.browsing.load()  # nothing is better yet
    qtbot.waitUntil(lambda: workspace.browsing.picture is not None, timeout=WAIT)
    assert workspace.editing.unseen and not workspace.canvas.labels_shown and "put the old" in banner(window)
    place.write_bytes(right)
    workspace.browsing.load()
    qtbot.waitUntil(lambda: not workspace.editing.unseen, timeout=WAIT)
    assert workspace.canvas.labels_shown and banner(window) == ""
    workspace.trigger("accept")
    assert document.images()[0].state is State.DONE


def test_a_cut_photograph_can_be_looked_at_and_is_marked(qtbot, window, folder):
    pixels = np.kron(np.random.default_rng(0).integers(20, 236, (30, 40, 3), np.uint8), np.ones((8, 8, 1), np.uint8))
    whole = encode_jpeg(pixels)
    (folder / "z cut.jpg").write_bytes(whole[: len(whole) // 2])
    path = labelled(folder)
    document = opened(qtbot, window, path)
    image = next(i for i in document.images() if i.path.endswith("z cut.jpg"))
    window.workspace("label").browsing.show(image.id)
    qtbot.waitUntil(lambda: "damaged" in banner(window), timeout=WAIT)
    assert window.workspace("label").browsing.picture.size == (320, 240)
    qtbot.waitUntil(lambda: document.image(image.id).state is State.BROKEN, timeout=30_000)


def test_a_giant_is_refused_with_its_size_and_the_rest_opens(qtbot, window, folder):
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(bytes(1 << 20))), chunk(b"IEND", b"")
    (folder / "z giant.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    document = opened(qtbot, window, labelled(folder))
    image = next(i for i in document.images() if i.path.endswith("z giant.png"))
    window.workspace("label").browsing.show(image.id)
    qtbot.waitUntil(lambda: "20000 x 20000" in banner(window), timeout=WAIT)
    qtbot.waitUntil(lambda: document.image(image.id).state is State.BROKEN, timeout=30_000)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_that_is_called_like_a_picture_holds_nothing_up(qtbot, window, folder):
    os.mkfifo(folder / "z pipe.png")
    document = opened(qtbot, window, labelled(folder))
    image = next(i for i in document.images() if i.path.endswith("z pipe.png"))
    window.workspace("label").browsing.show(image.id)
    qtbot.waitUntil(lambda: "a pipe or a device" in banner(window), timeout=WAIT)


def test_a_picture_wider_than_qt_can_address_is_painted_to_its_end(qtbot, window, folder):
    """B5: 40,000 x 200; Qt's painter knows places up to 32,767 only."""
    pixels = np.zeros((200, 40_000, 3), np.uint8)
    pixels[:, 39_000:, 1] = 200
    pixels[:, 33_000:33_500, 0] = 250
    (folder / "z wide one.png").write_bytes(encode_png(pixels))
    document = opened(qtbot, window, labelled(folder))
    image = next(i for i in document.images() if i.path.endswith("wide one.png"))
    workspace = window.workspace("label")
    workspace.browsing.show(image.id)
    canvas = workspace.canvas
    qtbot.waitUntil(lambda: canvas.picture.boundingRect().width() == 40_000, timeout=WAIT)
    canvas.show_labels(False)
    canvas.actual_size()
    for x, colour in ((39_500, (0, 200, 0)), (33_250, (250, 0, 0)), (36_000, (0, 0, 0))):
        canvas.centerOn(QPointF(x, 100))
        shot = canvas.viewport().grab().toImage()
        seen = shot.pixelColor(shot.width() // 2, shot.height() // 2)
        assert abs(seen.red() - colour[0]) + abs(seen.green() - colour[1]) + abs(seen.blue() - colour[2]) < 8, x


def test_an_image_can_be_taken_out_and_comes_back(qtbot, window, folder):
    document = opened(qtbot, window, labelled(folder))
    workspace = window.workspace("label")
    first = document.images()[0]
    held = document.instances(first.id)
    workspace.trigger("remove_image")
    assert len(document.images()) == 2 and workspace.browsing.current != first.id and Path(first.path).exists()
    workspace.trigger("undo")
    assert len(document.images()) == 3 and document.instances(first.id) == held
    second, third = document.images()[1:]
    for image, beside in ((second, third), (third, first)):
        workspace.browsing.show(image.id)
        workspace.trigger("remove_image")
        assert workspace.browsing.current == beside.id  # not the first of thousands


def test_the_neighbour_comes_on_screen_however_an_image_is_taken_out(qtbot, window, tmp_path):
    write_pictures(tmp_path / "many", 5)
    document = opened(qtbot, window, labelled(tmp_path / "many"))
    browsing, ids = window.workspace("label").browsing, [image.id for image in document.images()]
    browsing.show(ids[2])
    document.apply(RemoveImages((ids[2],)))  # not asked for here
    assert browsing.current == ids[3]
    document.undo()
    browsing.show(ids[2])
    window.workspace("label").trigger("redo")
    assert browsing.current == ids[3]
    document.apply(RemoveImages((ids[3], ids[4])))
    assert browsing.current == ids[1]
    document.apply(RemoveImages((ids[0], ids[1])))
    assert browsing.current is None


def test_a_project_closed_in_the_middle_of_a_drag_lets_go_of_it(qtbot, window, folder):
    document = opened(qtbot, window, labelled(folder))
    workspace = window.workspace("label")
    qtbot.waitUntil(lambda: workspace.browsing.picture is not None, timeout=WAIT)
    before, path, view = document.instances(document.images()[0].id), document.path, workspace.canvas.viewport()
    place = QPoint(*workspace.canvas.to_view(before[0].points[0]).round().astype(int))
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseMove(view, place + QPoint(20, 10))
    assert workspace.editing.preview is not None
    window.trigger("close_project")
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=place + QPoint(20, 10))
    assert workspace.canvas.gesture is None and not workspace.editing.grabbed
    with closing(Document.open(path)) as again:
        assert again.instances(before[0].image) == before


def test_a_flag_is_kept_and_taken_away(qtbot, window, folder):
    document = opened(qtbot, window, labelled(folder))
    first = document.images()[0].id
    window.workspace("label").trigger("flag")
    assert document.image(first).tags == ("flagged",)
    window.workspace("label").trigger("flag")
    assert document.image(first).tags == ()
