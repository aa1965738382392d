"""What is shown when no project is open: ways to begin, recent projects, and the sample with real landmarks."""

from __future__ import annotations

import threading
import time

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.services.projects import BODIES, FACES, Recent
from app.views.context import Context
from app.views.marks import draw_landmarks
from app.views.qimage import to_qimage
from app.views.theme import icon, theme
from app.views.widgets import ElidedLabel, Line
from engine.errors import UserError
from engine.predictor import Predictor
from engine.samples import sample_pictures
from engine.types import Prediction

LEFT, PICTURE, GAP = 560, 560, 64
TILE = QSize(272, 72)
HIDE_UNDER, SHRINK_UNDER, SMALL = 1160, 1300, 440


class Tile(QPushButton):
    """A large button: icon, title, one line."""

    def __init__(self, name: str, title: str, line: str) -> None:
        super().__init__()
        self.setProperty("tile", True)
        self.setMinimumWidth(TILE.width())
        self.setAccessibleName(title)
        self._name, self._words = name, (title, line)
        self.sign, self.title, self.line = QLabel(), QLabel(title), QLabel(line)
        self.title.setProperty("tile", True)
        self.line.setProperty("small", True)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addStretch(1)
        words.addWidget(self.title)
        words.addWidget(self.line)
        words.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 0)
        row.setSpacing(16)
        row.addWidget(self.sign)
        row.addLayout(words, 1)
        for label in (self.sign, self.title, self.line):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme().changed.connect(self.dress)

    def set_primary(self, primary: bool) -> None:
        """Fill the tile with the accent, or not."""
        self.setProperty("primary", primary)
        self.style().unpolish(self)
        self.style().polish(self)
        self.dress()

    def dress(self) -> None:
        """Colours of the scheme in force."""
        primary = bool(self.property("primary"))
        self.sign.setPixmap(icon(self._name, 28, "onaccent" if primary else "accent").pixmap(28, 28))
        for label, words, token in ((self.title, self._words[0], "text"), (self.line, self._words[1], "muted")):
            colour = theme().color("onaccent" if primary else token).name()
            label.setText(f'<span style="color:{colour}">{words}</span>')


class SamplePicture(QWidget):
    """The portrait with the landmarks that the model in use finds on this machine, now."""

    def __init__(self) -> None:
        super().__init__()
        _, pixels = sample_pictures()[0]
        self._pixels = pixels
        self._image = to_qimage(pixels, QImage.Format.Format_RGB888)
        self.prediction: Prediction | None = None
        self.schema = None
        self.setFixedSize(PICTURE, PICTURE)
        self.setAccessibleName(self.tr("Sample picture with landmarks"))

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture with rounded corners, then the landmarks."""
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            path = QPainterPath()
            path.addRoundedRect(QRectF(self.rect()), 6, 6)
            painter.setClipPath(path)
            height, width = self._pixels.shape[:2]
            # The upper part of the portrait, where the face is.
            part = QRectF(width * 0.12, 0, width * 0.66, height * 0.66)
            painter.drawImage(QRectF(self.rect()), self._image, part)
            if self.prediction is not None:
                scale = self.width() / part.width()
                points = (np.array(self.prediction.landmarks[:, :2]) + 0.5 - (part.x(), part.y())) * scale
                draw_landmarks(painter, points, self.schema, scores=self.prediction.landmarks[:, 2],
                               radius=3.2, sure_is_solid=True)  # fmt: skip
        finally:
            painter.end()


class FirstStart(QWidget):
    """Tiles, recent projects and the sample. wanted(name): an action of the window; opened(path): a recent project."""

    wanted = Signal(str)
    opened = Signal(object)
    _computed = Signal(object, object, float, str)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self._thread: threading.Thread | None = None
        self.tiles = {
            "start_camera": Tile("webcam", self.tr("Start camera"), self.tr("Look at yourself, live")),
            "open_folder": Tile("folder-open-outline", self.tr("Open folder"), self.tr("Pictures, with sub-folders")),
            "open_video": Tile("movie-open-outline", self.tr("Open video"), self.tr("MP4, MKV, AVI, WebM")),
            "sample": Tile("image-outline", self.tr("Try the sample"), self.tr("24 faces, predicted at once")),
        }
        self.faces, self.bodies = QPushButton(self.tr("Faces")), QPushButton(self.tr("Bodies"))
        self.recent = QVBoxLayout()
        self.picture = SamplePicture()
        self.under, self.source = QLabel(), QLabel(self.tr("Eileen Collins, NASA, public domain"))
        self._lay_out()
        for name, tile in self.tiles.items():
            tile.clicked.connect(lambda _=False, n=name: self.wanted.emit(n))
        self._computed.connect(self._show_result)
        self.set_recent([])
        self.set_camera(False)

    @property
    def schema(self) -> str:
        """What a new project is about."""
        return BODIES if self.bodies.isChecked() else FACES

    def compute(self) -> None:
        """Find the sample's landmarks in the background, with the model in use."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="sample")
            self._thread.start()

    def close_services(self) -> bool:
        """Wait for the background work; True when it has ended in time."""
        if self._thread is not None:
            self._thread.join(2.0)
        return self._thread is None or not self._thread.is_alive()

    def set_camera(self, there: bool, name: str = "") -> None:
        """Fill the tile that fits: the camera's where there is one, else the folder's, or the sample's."""
        primary = "start_camera" if there else "open_folder" if self._recent else "sample"
        for key, tile in self.tiles.items():
            tile.set_primary(key == primary)

    def set_recent(self, projects: list[Recent]) -> None:
        """List what was open before; nothing where there is nothing."""
        self._recent = projects
        while self.recent.count():
            item = self.recent.takeAt(0)
            if item.widget() is not None:
                item.widget().deleteLater()
        if not projects:
            return
        heading = QLabel(self.tr("Recent projects"))
        heading.setProperty("heading", True)
        self.recent.addWidget(heading)
        for project in projects[:4]:
            self.recent.addWidget(self._row(project))
            self.recent.addWidget(Line())

    def _row(self, project: Recent) -> QWidget:
        row = QPushButton()
        row.setProperty("flat", True)
        row.setProperty("row", True)
        row.setAccessibleName(project.name)
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        name, line = ElidedLabel(project.name), QLabel()
        line.setText(self.tr("{0} of {1} done").replace("{0}", str(project.done)).replace("{1}", str(project.total)))
        line.setProperty("muted", True)
        line.setProperty("small", True)
        when = QLabel(time.strftime("%d.%m.%Y %H:%M", time.localtime(project.when)))
        when.setProperty("muted", True)
        when.setProperty("small", True)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(name)
        words.addWidget(line)
        layout.addLayout(words, 1)
        layout.addWidget(when)
        for label in (name, line, when):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        row.clicked.connect(lambda _=False, p=project.path: self.opened.emit(p))
        return row

    def _lay_out(self) -> None:
        title, line = QLabel(self.tr("Open something to look at")), QLabel(
            self.tr("Landmarks appear at once. Nothing leaves this computer.")
        )
        title.setProperty("figure", True)
        line.setProperty("muted", True)
        grid = QGridLayout()
        grid.setSpacing(16)
        for number, tile in enumerate(self.tiles.values()):
            grid.addWidget(tile, number // 2, number % 2)
        drop = QFrame()
        drop.setProperty("drop", True)
        drop.setFixedHeight(48)
        inside = QHBoxLayout(drop)
        hint = QLabel(self.tr("Drop a folder, video, picture, project or model anywhere"))
        hint.setProperty("muted", True)
        hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        inside.addWidget(hint)
        left = QVBoxLayout()
        left.setSpacing(0)
        left.addWidget(title)
        left.addSpacing(4)
        left.addWidget(line)
        left.addSpacing(24)
        left.addLayout(grid)
        left.addSpacing(16)
        left.addLayout(self._kinds())
        left.addSpacing(16)
        left.addWidget(drop)
        left.addSpacing(32)
        left.addLayout(self.recent)
        left.addStretch(1)
        holder = QWidget()
        holder.setFixedWidth(LEFT)
        holder.setLayout(left)
        left.setContentsMargins(0, 0, 0, 0)
        self.right = QWidget()
        right = QVBoxLayout(self.right)
        right.setContentsMargins(0, 0, 0, 0)
        captions = QHBoxLayout()
        for label in (self.under, self.source):
            label.setProperty("muted", True)
            label.setProperty("small", True)
        captions.addWidget(self.under)
        captions.addStretch(1)
        captions.addWidget(self.source)
        right.addWidget(self.picture)
        right.addLayout(captions)
        right.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(GAP)
        row.addStretch(1)
        row.addWidget(holder)
        row.addWidget(self.right)
        row.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 24, 24, 24)
        outer.addStretch(1)
        outer.addLayout(row, 8)
        outer.addStretch(1)

    def _kinds(self) -> QHBoxLayout:
        """Faces or bodies: what a new project is about."""
        row = QHBoxLayout()
        row.setSpacing(0)
        caption = QLabel(self.tr("New projects are about"))
        caption.setProperty("muted", True)
        row.addWidget(caption)
        row.addSpacing(12)
        bodies = self.context.settings.get("subject", FACES) == BODIES
        for button, place, on in ((self.faces, "first", not bodies), (self.bodies, "last", bodies)):
            button.setCheckable(True)
            button.setAutoExclusive(True)
            button.setProperty("seg", place)
            button.setChecked(on)
            row.addWidget(button)
        self.bodies.toggled.connect(lambda on: self.context.settings.set("subject", BODIES if on else FACES))
        row.addStretch(1)
        return row

    def _work(self) -> None:
        prediction, schema, seconds, sentence = None, None, 0.0, ""
        try:
            runtime = self.context.runtime_for(FACES)
            predictor = Predictor(runtime)
            pixels = sample_pictures()[0][1]
            found = predictor.predict(pixels)
            if found:
                started = time.thread_time()
                prediction = predictor.predict_box(pixels, found[0].box)
                seconds = time.thread_time() - started
            schema = runtime.model.schema
            sentence = runtime.model.name
        except (UserError, OSError) as error:
            sentence = str(error)
        self._computed.emit(prediction, schema, seconds, sentence)

    def _show_result(self, prediction: Prediction | None, schema: object, seconds: float, sentence: str) -> None:
        self.picture.prediction, self.picture.schema = prediction, schema
        if prediction is None:
            self.under.setText(sentence)
        else:
            words = self.tr("The sample: {0}, {1} ms on one core")
            self.under.setText(words.replace("{0}", sentence).replace("{1}", f"{1000 * seconds:.0f}"))
        self.picture.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The picture shrinks, then goes."""
        super().resizeEvent(event)
        self.right.setVisible(self.width() >= HIDE_UNDER)
        side = PICTURE if self.width() >= SHRINK_UNDER else SMALL
        self.picture.setFixedSize(side, side)
