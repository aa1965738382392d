"""What is shown while something is dragged over the window."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QWidget

from app.services.importing import LABEL_SUFFIXES
from app.services.projects import SUFFIX
from app.sources.video import FILMS
from app.views.theme import theme
from app.views.words import tr
from engine.images import IMAGE_SUFFIXES
from engine.models import FILES as MODELS


class DropFrame(QWidget):
    """The accent edge and the line that say what a drop would do."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.words = QLabel(self)
        self.words.setProperty("plate", True)
        self.hide()

    def show_words(self, words: str) -> None:
        """Cover the window."""
        self.setGeometry(self.parentWidget().rect())
        self.words.setText(words)
        self.words.adjustSize()
        self.words.move((self.width() - self.words.width()) // 2, self.height() - 72)
        self.show()
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Two pixels inside the edge."""
        painter = QPainter(self)
        painter.setPen(QPen(theme().color("accent"), 2))
        painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        painter.end()


def dropped_paths(event: QDropEvent) -> list[Path]:
    """The local files and folders of a drag."""
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]


def describe(path: Path, with_project: bool) -> str:
    """One line that says what a drop of this would do."""
    if os.path.isdir(path):
        return tr("Open the folder as a project")
    if path.name.endswith(SUFFIX):
        return tr("Open the project")
    if path.suffix.lower() in MODELS:
        return tr("Add the model to the library")
    if path.suffix.lower() in FILMS:
        return tr("Play the video in Live")
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return tr("Add the pictures to the project") if with_project else tr("Open the picture's folder")
    if path.suffix.lower() in LABEL_SUFFIXES:
        return tr("Import the labels")
    return tr("Hourbit cannot open this")
