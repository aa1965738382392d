"""A canvas on a real project with a real small model, and the mouse and keys that tests move it with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.project.document import Document
from app.project.edits import AddImages, NewImage, PutInstance
from app.project.values import Instance, Origin, Visibility
from app.services.pictures import PictureCache, make_picture
from app.services.stills import Stills
from app.views.label.canvas import Canvas
from app.views.label.editing import Editing
from app.views.label.guesses import Guesses
from engine.images import load_image
from engine.runtime import open_runtime
from engine.schema import load_schema
from engine.types import Box
from tests.app.views.small import small_model, write_pictures

SCHEMA = load_schema("mpii16")
SIZE = (160, 120)
VIEW = (640, 480)
NOTHING = Qt.KeyboardModifier.NoModifier


def make_project(folder: Path, pictures: int = 3, size: tuple[int, int] = SIZE) -> Path:
    """A project with pictures of noise."""
    files = write_pictures(folder / "pictures", pictures, size)
    path = folder / "test.hourbit-project"
    document = Document.create(path, SCHEMA, "Test")
    images = tuple(NewImage(str(f), *size, f"digest {f.name}") for f in files)
    document.apply(AddImages(images))
    document.close()
    return path


def moved_project(folder: Path, move: float) -> Path:
    """A project of two pictures in a new folder, its labels moved to the right by `move` pixels."""
    folder.mkdir()
    path = make_project(folder, 2)
    document = Document.open(path)
    for image in document.images():
        instance = guessed(image.id)
        document.apply(PutInstance(replace(instance, points=instance.points + (move, 0))))
    document.close()
    return path


def guessed(image: int, seed: int = 0) -> Instance:
    """An instance as a model would have placed it, all points well inside the picture."""
    rng = np.random.default_rng(seed)
    count = len(SCHEMA)
    points = rng.uniform(60, 100, (count, 2))
    points[0] = (30.0, 30.0)  # alone, so that tests can reach for it
    return Instance(
        0, image, Box(60.0, 60.0, 70.0, 1.0, "whole"), points, np.full(count, Visibility.VISIBLE, np.uint8),
        np.full(count, Origin.MODEL, np.uint8), np.full(count, 0.9, np.float32), points.copy(), "small-0", "",
    )  # fmt: skip


class Bench:
    """Document, editing, guesses and canvas in a window of 640 x 480."""

    def __init__(self, folder: Path, pictures: int = 3, size: tuple[int, int] = SIZE) -> None:
        self.path = make_project(folder, pictures, size)
        self.document = Document.open(self.path)
        self.runtime = open_runtime(small_model(SCHEMA), "reference")
        self.stills = Stills(lambda schema: self.runtime, PictureCache())
        self.stills.set_schema(SCHEMA)
        self.editing = Editing()
        self.guesses = Guesses(self.editing, self.stills)
        self.canvas = Canvas(self.editing, self.guesses)
        self.canvas.resize(*VIEW)
        self.canvas.show()
        self.editing.open(self.document)
        self.document.subscribe(self.editing.heard)
        self.images = [image.id for image in self.document.images()]

    def close(self) -> None:
        assert self.stills.close()
        self.canvas.close()
        self.canvas.deleteLater()
        self.document.close()
        QApplication.processEvents()

    def show(self, image: int, with_instance: bool = True) -> None:
        """Put a picture on screen, with an instance in it."""
        if with_instance and not self.document.instances(image):
            self.document.apply(PutInstance(guessed(image), "Add"))
        self.editing.show(image)
        path = self.document.picture_path(self.document.image(image))
        self.canvas.set_picture(make_picture(load_image(path)))

    def zoom(self, scale: float) -> None:
        """Zoom around the first landmark and put it in the middle."""
        self.canvas.zoom_at(QPointF(10, 10), scale / self.canvas.zoom)
        x, y = self.editing.current.points[0]
        self.canvas.centerOn(x, y)

    def at(self, landmark: int) -> QPoint:
        """The viewport pixel nearest to a landmark."""
        x, y = self.canvas.to_view(self.editing.shown_current().points[landmark])
        return QPoint(round(x), round(y))

    def points(self) -> np.ndarray:
        """(K, 2) those of the first instance, as the document holds them."""
        return self.document.instances(self.editing.image.id)[0].points.copy()

    def point(self, landmark: int) -> np.ndarray:
        """A landmark of the first instance, as the document holds it."""
        return self.document.instances(self.editing.image.id)[0].points[landmark].copy()

    def press(
        self, place: QPoint, button: Qt.MouseButton = Qt.MouseButton.LeftButton, held: Qt.KeyboardModifier = NOTHING
    ) -> None:
        QTest.mousePress(self.canvas.viewport(), button, held, place)

    def move(
        self, place: QPoint, buttons: Qt.MouseButton = Qt.MouseButton.LeftButton, held: Qt.KeyboardModifier = NOTHING
    ) -> None:
        view = self.canvas.viewport()
        event = QMouseEvent(
            QEvent.Type.MouseMove, QPointF(place), QPointF(view.mapToGlobal(place)), Qt.MouseButton.NoButton, buttons,
            held,
        )  # fmt: skip
        QApplication.sendEvent(view, event)

    def release(
        self, place: QPoint, button: Qt.MouseButton = Qt.MouseButton.LeftButton, held: Qt.KeyboardModifier = NOTHING
    ) -> None:
        QTest.mouseRelease(self.canvas.viewport(), button, held, place)

    def click(self, place: QPoint, held: Qt.KeyboardModifier = NOTHING) -> None:
        self.press(place, held=held)
        self.release(place, held=held)

    def drag(
        self, start: QPoint, by: tuple[int, int], button: Qt.MouseButton = Qt.MouseButton.LeftButton,
        held: Qt.KeyboardModifier = NOTHING,
    ) -> None:  # fmt: skip
        """Press, four moves, release."""
        self.press(start, button, held)
        for n in range(1, 5):
            self.move(start + QPoint(by[0] * n // 4, by[1] * n // 4), button, held)
        self.release(start + QPoint(*by), button, held)

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.canvas, key, modifier)


def first_picture(qtbot: object, tmp_path: Path) -> Iterator[Bench]:
    """For a fixture: a bench with the first picture and an instance on screen, all of it in view."""
    made = Bench(tmp_path)
    made.show(made.images[0])
    made.canvas.fit()
    yield made
    made.close()


def send_key(widget: QWidget, kind: QEvent.Type, key: Qt.Key) -> None:
    """One half of a key press."""
    QApplication.sendEvent(widget, QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier))
