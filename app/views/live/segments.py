"""A row of joined buttons of which one is on."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QSizePolicy, QWidget


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
            row.addWidget(button, 1)
        self.buttons[choices[0][0]].setChecked(True)

    @property
    def current(self) -> str:
        """The name of what is on."""
        return next(name for name, button in self.buttons.items() if button.isChecked())

    def choose(self, name: str) -> None:
        """Switch one on without a signal."""
        self.buttons[name].setChecked(True)
