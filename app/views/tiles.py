"""What the first page is made of: its large buttons, its rows, and the sample with real landmarks."""

from __future__ import annotations

import time

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPaintEvent, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.services.projects import Recent
from app.views.marks import draw_landmarks
from app.views.qimage import to_qimage
from app.views.theme import icon_picture, theme
from app.views.widgets import ElidedLabel
from engine.errors import UserError
from engine.images import load_image
from engine.samples import sample_pictures
from engine.schema import Schema
from engine.types import Prediction

TILE = QSize(272, 72)
PICTURE, THUMBNAIL = 560, 36


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

    def set_line(self, line: str) -> None:
        """Change the second line."""
        self._words = (self._words[0], line)
        self.dress()

    def set_primary(self, primary: bool) -> None:
        """Fill the tile with the accent, or not."""
        self.setProperty("primary", primary)
        self.style().unpolish(self)
        self.style().polish(self)
        self.dress()

    def dress(self) -> None:
        """Colours of the scheme in force."""
        primary = bool(self.property("primary"))
        self.sign.setPixmap(icon_picture(self._name, 28, "onaccent" if primary else "accent"))
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
        self.schema: Schema | None = None
        self.setFixedSize(PICTURE, PICTURE)
        self.setAccessibleName(self.tr("Sample picture with landmarks"))

    def show_prediction(self, prediction: Prediction | None, schema: Schema | None) -> None:
        """Draw these landmarks, or the bare picture."""
        self.prediction, self.schema = prediction, schema
        self.update()

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
            # The upper part of the portrait, where the head is.
            part = QRectF(width * 0.21, 0, width * 0.46, height * 0.46)
            painter.drawImage(QRectF(self.rect()), self._image, part)
            if self.prediction is not None:
                scale = self.width() / part.width()
                points = (np.array(self.prediction.landmarks[:, :2]) + 0.5 - (part.x(), part.y())) * scale
                radius = min(max(scale * self.prediction.box.side / 90, 2.5), 5.0)
                draw_landmarks(painter, points, self.schema, scores=self.prediction.landmarks[:, 2],
                               radius=radius, sure_is_solid=True)  # fmt: skip
        finally:
            painter.end()


def thumbnail(path: str) -> QImage | None:
    """The middle of a picture as a small square; None where it cannot be read. For a thread of its own."""
    try:
        pixels = load_image(path)
    except (UserError, OSError):
        return None
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    image = to_qimage(np.ascontiguousarray(pixels[top : top + side, left : left + side]), QImage.Format.Format_RGB888)
    return image.scaled(2 * THUMBNAIL, 2 * THUMBNAIL, mode=Qt.TransformationMode.SmoothTransformation).copy()


class RecentRow(QPushButton):
    """A project that was open before: its name, how far it is, and when that was."""

    def __init__(self, project: Recent) -> None:
        super().__init__()
        self.setProperty("flat", True)
        self.setProperty("row", True)
        self.setAccessibleName(project.name)
        self.project = project
        name, done = ElidedLabel(project.name), QLabel()
        words = self.tr("{0} of {1} done").format(project.done, project.total)
        done.setText(f"{words}, {project.model}" if project.model else words)
        when = QLabel(self._when(project.when))
        for label in (done, when):
            label.setProperty("muted", True)
            label.setProperty("small", True)
        lines = QVBoxLayout()
        lines.setSpacing(0)
        lines.addStretch(1)
        lines.addWidget(name)
        lines.addWidget(done)
        lines.addStretch(1)
        self.picture = QLabel()
        self.picture.setFixedSize(THUMBNAIL, THUMBNAIL)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 4, 0)
        row.setSpacing(12)
        row.addWidget(self.picture)
        row.addLayout(lines, 1)
        row.addWidget(when)
        for label in (self.picture, name, done, when):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def show_picture(self, picture: QImage | None) -> None:
        """A square picture of the project, or a plain square where there is none."""
        ratio = self.devicePixelRatioF()
        side = round(THUMBNAIL * ratio)
        shown = QPixmap(side, side)
        shown.fill(Qt.GlobalColor.transparent)
        painter = QPainter(shown)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        path = QPainterPath()
        path.addRoundedRect(QRectF(0, 0, side, side), 3 * ratio, 3 * ratio)
        painter.fillPath(path, theme().color("border"))
        if picture is not None and not picture.isNull():
            painter.setClipPath(path)
            painter.drawImage(QRectF(0, 0, side, side), picture)
        painter.end()
        shown.setDevicePixelRatio(ratio)
        self.picture.setPixmap(shown)

    def _when(self, seconds: float) -> str:
        then, now = time.localtime(seconds), time.localtime()
        if then[:3] == now[:3]:
            return self.tr("Today {0}").format(time.strftime("%H:%M", then))
        yesterday = time.localtime(time.time() - 86400)
        return self.tr("Yesterday") if then[:3] == yesterday[:3] else time.strftime("%Y-%m-%d", then)
