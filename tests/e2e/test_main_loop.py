"""The main job in the real window: open a folder, predict, correct, accept, export, fine-tune, use the new model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.plugins import load_plugins
from app.project.values import Origin, State
from app.views.window import MainWindow
from engine.images import encode_png
from engine.samples import sample_pictures
from tests.app.views.desk import add_model, close_window, open_window

CUTS = ((0, 0, 512), (60, 0, 330), (90, 10, 300), (40, 0, 400), (20, 0, 450))  # left, top, side: the face in each


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five pictures of the astronaut and one without a face to be found."""
    place = tmp_path / "Astronauts"
    place.mkdir()
    pixels = dict(sample_pictures())
    portrait = next(p for name, p in pixels.items() if "astronaut" in name)
    for n, (left, top, side) in enumerate(CUTS, 1):
        cut = np.ascontiguousarray(portrait[top : top + side, left : left + side])
        (place / f"portrait {n}.png").write_bytes(encode_png(cut))
    (place / "sky.png").write_bytes(encode_png(np.full((120, 160, 3), 200, np.uint8)))
    return place


@pytest.fixture
def window(qtbot: object, tmp_path: Path) -> MainWindow:
    load_plugins()
    add_model(tmp_path)
    made = open_window()
    yield made
    assert close_window(made) < 5.0


def drag(window: MainWindow, landmark: int, by: QPoint) -> None:
    """With the mouse, on the canvas."""
    canvas = window.workspaces["label"].canvas
    place = canvas.places(canvas.editing.current)[landmark]
    start, view = QPoint(*place.round().astype(int)), canvas.viewport()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    for n in range(1, 4):
        QTest.mouseMove(view, start + by * n / 3)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=start + by)


def open_and_predict(window: MainWindow, folder: Path, qtbot: object) -> None:
    """Open the folder, and wait until every picture has been looked at."""
    window.opening.folder(folder)
    qtbot.waitUntil(lambda: window.current == "label", timeout=20000)
    document = window.context.document
    qtbot.waitUntil(lambda: all(i.state is State.PREDICTED for i in document.images()), timeout=90000)
    found = [len(document.instances(i.id)) for i in document.images()]
    assert found == [1] * len(CUTS) + [0]
    qtbot.waitUntil(lambda: window.workspaces["label"].browsing.picture is not None, timeout=10000)


def correct_and_accept(window: MainWindow, count: int) -> dict[str, np.ndarray]:
    """Move two landmarks in each of the first pictures, and accept it with Enter; what the screen showed."""
    label = window.workspaces["label"]
    canvas, editing = label.canvas, label.editing
    shown = {}
    for _ in range(count):
        name = Path(editing.image.path).name
        before = editing.current.points.copy()
        for landmark, by in ((30, QPoint(14, -9)), (8, QPoint(-7, 12))):
            drag(window, landmark, by)
        back = canvas.viewportTransform().inverted()[0]
        places = [back.map(QPointF(x, y)) for x, y in canvas.to_view(editing.current.points)]
        shown[name] = np.array([[p.x(), p.y()] for p in places])
        assert not np.allclose(shown[name], before)
        QTest.keyClick(canvas, Qt.Key.Key_Return)
        assert Path(editing.image.path).name != name
    return shown


def check_export(path: Path, shown: dict[str, np.ndarray]) -> None:
    """The file, read by COCO's own reader, says what the screen showed."""
    coco = pytest.importorskip("pycocotools.coco")
    read = coco.COCO(str(path))
    json.loads(path.read_text(), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert len(read.anns) == len(shown)
    for annotation in read.anns.values():
        name = Path(read.imgs[annotation["image_id"]]["file_name"]).name
        found = np.array(annotation["keypoints"]).reshape(-1, 3)
        assert np.abs(found[:, :2] - shown[name]).max() < 0.01
        assert annotation["num_keypoints"] == 68 == int((found[:, 2] > 0).sum())


def test_the_main_job_from_a_folder_to_a_better_model(window, folder, tmp_path, qtbot):
    pytest.importorskip("torch")
    open_and_predict(window, folder, qtbot)
    document = window.context.document
    shown = correct_and_accept(window, 4)
    assert [i.state for i in document.images()] == [State.DONE] * 4 + [State.PREDICTED] * 2
    first = document.instances(document.images()[0].id)[0]
    assert 1 <= int((first.origin == Origin.EDITED).sum()) <= 2  # a random model's landmarks may lie on each other
    assert (first.origin == Origin.MODEL).sum() >= 66
    accepted = {i.id: document.instances(i.id)[0] for i in document.images()[:4]}

    with qtbot.waitSignal(window.opening.said, timeout=20000):
        window.opening.exporting.one_file("coco", tmp_path / "labels.json")
    check_export(tmp_path / "labels.json", shown)

    window.trigger("models")
    window.trigger("fine_tune")
    models = window.workspaces["models"]
    models.form.epochs.setValue(2)
    assert models.form.go.isEnabled()
    with qtbot.waitSignal(window.context.training.finished, timeout=120000):
        models.form.go.click()
    old = window.context.library.in_use("ibug68")
    models.side.use.click()
    new = window.context.library.in_use("ibug68")
    assert new.path != old.path
    assert new.parent == old.title

    waiting = document.images()[4].id  # only what nobody has accepted is predicted again
    qtbot.waitUntil(lambda: document.instances(waiting)[0].model == new.model.name, timeout=60000)
    for image, instance in accepted.items():
        assert np.array_equal(document.instances(image)[0].points, instance.points)
    assert QApplication.activeModalWidget() is None
