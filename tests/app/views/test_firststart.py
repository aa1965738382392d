"""The first page: tiles, recent projects, and the sample with landmarks computed here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from app.library import Library
from app.services.projects import BODIES, FACES, Recent
from app.sources.camera import CameraInfo
from app.views import firststart, theme
from app.views.context import Context
from app.views.firststart import FirstStart
from app.views.tiles import RecentRow, thumbnail
from engine import detect
from engine.images import encode_png
from tests.app.live_bench import Middle
from tests.app.views.window_bench import close_context, make_context


@pytest.fixture
def context(qapp, tmp_path: Path, monkeypatch) -> Iterator[Context]:
    monkeypatch.setattr(firststart, "list_cameras", lambda: [])
    theme.apply(qapp, "dark")  # sizes come with the style sheet
    made = make_context(tmp_path)
    yield made
    close_context(made)


@pytest.fixture
def page(qtbot, context: Context) -> Iterator[FirstStart]:
    page = FirstStart(context)
    page.resize(1376, 838)
    page.show()
    yield page
    assert page.close_services()
    qtbot.wait(1)
    page.close()
    page.deleteLater()


def filled(page: FirstStart) -> list[str]:
    return [name for name, tile in page.tiles.items() if tile.property("primary")]


def recent(folder: Path, number: int = 1, **values) -> Recent:
    return Recent(folder / f"{number}.hourbit-project", f"Project {number}", 3, 12, time.time(), **values)


def computed(page: FirstStart, qtbot) -> None:
    page.compute()
    qtbot.waitUntil(lambda: page._thread is None, timeout=10_000)


@pytest.mark.parametrize("name", ["start_camera", "open_folder", "open_video", "sample"])
def test_a_tile_tells_its_action(page: FirstStart, qtbot, name: str) -> None:
    with qtbot.waitSignal(page.wanted) as told:
        QTest.mouseClick(page.tiles[name], Qt.MouseButton.LeftButton)
    assert told.args == [name]


def test_the_landmarks_of_the_sample_are_computed_with_the_model_in_use(page, qtbot, monkeypatch) -> None:
    monkeypatch.setitem(detect.DETECTORS, "face", lambda runtime=None: Middle())
    before = page.picture.grab().toImage()
    computed(page, qtbot)
    prediction = page.picture.prediction
    assert prediction is not None and prediction.landmarks.shape == (68, 3)
    assert np.isfinite(prediction.landmarks).all()
    assert "small 0" in page.under.text() and "ms on one core" in page.under.text()
    assert page.picture.grab().toImage() != before


def test_without_a_model_the_page_says_why_and_computes_again_when_there_is_one(page, qtbot, monkeypatch) -> None:
    monkeypatch.setitem(detect.DETECTORS, "face", lambda runtime=None: Middle())
    with monkeypatch.context() as without:
        without.setattr(Library, "entries", lambda self, schema=None: [])
        computed(page, qtbot)
    assert page.picture.prediction is None and "There is no model" in page.under.text()
    computed(page, qtbot)
    assert page.picture.prediction is None  # nothing has changed
    page.context.model_changed.emit()
    computed(page, qtbot)
    assert page.picture.prediction is not None


def test_nothing_is_begun_once_the_page_is_closed(page) -> None:
    assert page.close_services()
    page.compute()
    assert page.close_services() and not page.under.text()


@pytest.mark.parametrize(("height", "rows"), [(838, 4), (618, 3)])
def test_recent_projects_that_have_no_room_are_left_out(page, qtbot, tmp_path, height: int, rows: int) -> None:
    page.set_recent([recent(tmp_path, n) for n in range(8)])
    page.resize(1376, height)
    qtbot.waitUntil(lambda: page.height() == height)
    least = page.minimumSizeHint()
    assert least.width() <= 1024 - 65 and least.height() <= 680 - 36 - 26
    shown = [row for row in page.recent.findChildren(RecentRow) if row.isVisible()]
    assert len(shown) == rows
    assert max(row.mapTo(page, row.rect().bottomLeft()).y() for row in shown) < height


@pytest.mark.parametrize("width", [1376, 1215])
def test_what_is_told_under_the_picture_is_no_wider_than_it(page, qtbot, monkeypatch, width: int) -> None:
    monkeypatch.setattr(Library, "entries", lambda self, schema=None: [])
    computed(page, qtbot)
    page.resize(width, 700)
    qtbot.waitUntil(lambda: page.width() == width)
    assert page.under.geometry().right() < page.source.geometry().left()
    assert page.source.geometry().right() < page.picture.width() == page.right.width()


@pytest.mark.parametrize(("width", "side"), [(1376, 560), (1280, 440), (1160, 440), (1159, 0)])
def test_the_picture_shrinks_and_then_goes(page, qtbot, width: int, side: int) -> None:
    page.resize(width, 800)
    qtbot.waitUntil(lambda: page.width() == width)
    assert page.picture.isVisible() == bool(side)
    assert not side or page.picture.width() == page.picture.height() == side


def test_one_tile_is_filled_camera_then_folder_then_sample(page, qtbot, tmp_path, monkeypatch) -> None:
    assert filled(page) == ["sample"]
    page.set_recent([recent(tmp_path)])
    assert filled(page) == ["open_folder"]
    monkeypatch.setattr(firststart, "list_cameras", lambda: [CameraInfo("Front camera", 0)])
    computed(page, qtbot)
    assert filled(page) == ["start_camera"] and "Front camera" in page.tiles["start_camera"].line.text()
    page.set_recent([])
    assert filled(page) == ["start_camera"]


def test_recent_projects_open_and_their_pictures_show(page, qtbot, tmp_path) -> None:
    picture = tmp_path / "first.png"
    picture.write_bytes(encode_png(np.full((40, 80, 3), (200, 10, 20), np.uint8)))
    projects = [recent(tmp_path, n, picture=str(picture), model="Face 68 v2") for n in range(1, 6)]
    page.set_recent(projects)
    rows = page.recent.findChildren(RecentRow)
    assert [row.project for row in rows] == projects[:4]
    computed(page, qtbot)
    shown = rows[0].picture.grab().toImage().pixelColor(18, 18)
    assert (shown.red(), shown.green(), shown.blue()) == (200, 10, 20)
    with qtbot.waitSignal(page.opened) as told:
        QTest.mouseClick(rows[1], Qt.MouseButton.LeftButton)
    assert told.args == [projects[1].path]
    link = next(b for b in page.recent.findChildren(QPushButton) if b.property("link"))
    with qtbot.waitSignal(page.wanted) as told:
        QTest.mouseClick(link, Qt.MouseButton.LeftButton)
    assert told.args == ["open_project"]
    page.set_recent([])
    assert not page.recent.findChildren(RecentRow) and not rows[0].isVisible()


def test_a_picture_that_cannot_be_read_leaves_a_plain_square(tmp_path: Path) -> None:
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    assert thumbnail(str(tmp_path / "torn.png")) is None and thumbnail(str(tmp_path / "gone.jpg")) is None


def test_faces_or_bodies_is_remembered(page, context) -> None:
    assert page.kinds.schema == FACES
    QTest.mouseClick(page.kinds.bodies, Qt.MouseButton.LeftButton)
    assert page.kinds.schema == BODIES == context.settings.get("subject", "")
    again = FirstStart(context)
    assert again.kinds.schema == BODIES and again.kinds.bodies.isChecked()
    again.deleteLater()
