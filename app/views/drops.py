"""What is shown while something is dragged over the window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QWidget

from app.views.theme import theme


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
