"""A row of joined buttons of which one is on."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from app.views.theme import theme

PADDING = 10


class Segments(QWidget):
    """Choices as pairs of name and text; the first is on. chosen(str): the name of what somebody pressed."""

    chosen = Signal(str)

    def __init__(self, choices: list[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self.buttons: dict[str, QPushButton] = {}
        for place, (name, text) in enumerate(choices):
            button = self.buttons[name] = QPushButton(text)
            button.setCheckable(True)
            button.setProperty("seg", "first" if place == 0 else "last" if place == len(choices) - 1 else "mid")
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _=False, name=name: self.chosen.emit(name))
            self._group.addButton(button)
            button.setToolTip(text)
            row.addWidget(button, 1)
        self.buttons[choices[0][0]].setChecked(True)
        self._texts, self._row, self._bounded = dict(choices), row, False
        theme().changed.connect(self._share)
        self._share()

    def setAccessibleName(self, name: str) -> None:
        """What the choice is about, said with each of its buttons."""
        super().setAccessibleName(name)
        for key, button in self.buttons.items():
            button.setAccessibleName(f"{name}: {self._texts[key]}")

    def _share(self) -> None:
        """Longer words get more of the room."""
        for n, text in enumerate(self._texts.values()):
            self._row.setStretch(n, self.fontMetrics().horizontalAdvance(text) + 2 * PADDING)
        if self._bounded:
            self.setMaximumWidth(self.needed())
        self._write()

    def set_bounded(self) -> None:
        """Never wider than its words need."""
        self._bounded = True
        self._share()

    def needed(self) -> int:
        """The width that shows all words."""
        return sum(self.fontMetrics().horizontalAdvance(text) + 2 * PADDING for text in self._texts.values())

    def sizeHint(self) -> QSize:
        """Room for all words."""
        return QSize(self.needed(), super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Words that do not fit are shortened; the tooltip has them whole."""
        super().resizeEvent(event)
        self._write()

    def _write(self) -> None:
        total = max(sum(self._row.stretch(n) for n in range(len(self._texts))), 1)
        for n, (name, text) in enumerate(self._texts.items()):
            room = self.width() * self._row.stretch(n) // total - PADDING
            metrics = self.buttons[name].fontMetrics()
            self.buttons[name].setText(metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(room, 8)))
            self.buttons[name].setAccessibleName(text)

    @property
    def current(self) -> str:
        """The name of what is on."""
        return next(name for name, button in self.buttons.items() if button.isChecked())

    def choose(self, name: str) -> None:
        """Switch one on without a signal."""
        self.buttons[name].setChecked(True)
