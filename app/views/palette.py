"""The command palette: type a few letters of an action, press Enter."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.views.actions import ACTIONS, title

WIDTH, HEIGHT, TOP = 480, 360, 96


def matches(query: str, text: str) -> bool:
    """Whether all words of the query stand in the text."""
    return all(word in text.casefold() for word in query.casefold().split())


class Palette(QFrame):
    """A list of actions over the window; chosen(name)."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("card", True)
        self._usable: Callable[[str], bool] = lambda _: True
        self.field, self.list = QLineEdit(), QListWidget()
        self.field.setPlaceholderText(self.tr("Find a command"))
        self.field.setAccessibleName(self.tr("Find a command"))
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.field)
        column.addWidget(self.list)
        self.field.textChanged.connect(self._fill)
        self.field.returnPressed.connect(lambda: self._choose(self.list.currentItem()))
        self.list.itemClicked.connect(self._choose)
        self.field.installEventFilter(self)

    def open_over(self, window: QWidget, usable: Callable[[str], bool]) -> None:
        """Show in the upper middle of a window, empty, with the actions that do something now."""
        self._usable = usable
        self.setFixedSize(WIDTH, HEIGHT)
        self.move(window.mapToGlobal(QPoint((window.width() - WIDTH) // 2, TOP)))
        self.field.clear()
        self._fill("")
        self.show()
        self.field.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and down go through the list while one types."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(event.key(), 0)
            if step:
                row = min(max(self.list.currentRow() + step, 0), self.list.count() - 1)
                self.list.setCurrentRow(row)
                return True
        return False

    def _fill(self, query: str) -> None:
        self.list.clear()
        for spec in ACTIONS:
            if spec.name != "palette" and self._usable(spec.name) and matches(query, title(spec)):
                keys = f"    {spec.keys[0]}" if spec.keys else ""
                item = QListWidgetItem(f"{title(spec)}{keys}")
                item.setData(Qt.ItemDataRole.UserRole, spec.name)
                self.list.addItem(item)
        self.list.setCurrentRow(0)

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.hide()
            self.chosen.emit(item.data(Qt.ItemDataRole.UserRole))
