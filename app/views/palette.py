"""The command palette: type a few letters of an action, press Enter."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.views.actions import ACTIONS, Spec, title
from app.views.keymap import KeyMap
from app.views.theme import theme

WIDTH, HEIGHT, TOP, ROW, EDGE = 480, 360, 96, 30, 16
KEY = Qt.ItemDataRole.UserRole + 1


def matches(query: str, text: str) -> bool:
    """Whether all words of the query stand in the text."""
    return all(word in text.casefold() for word in query.casefold().split())


def says(spec: Spec, query: str) -> bool:
    """Whether an action is meant: by its words in the user's language or in English."""
    return matches(query, f"{title(spec)} {spec.text}")


class Row(QStyledItemDelegate):
    """One action: its words, and its key at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Rows of one height."""
        return QSize(0, theme().size(ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Muted key, so that the eye finds the words first."""
        area, colours = option.rect, theme().color
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, colours("sel"))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(area, colours("hover"))
        painter.setFont(option.font)
        inside = area.adjusted(8, 0, -8, 0)
        painter.setPen(colours("text"))
        painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter, index.data())
        painter.setPen(colours("muted"))
        painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, index.data(KEY))
        painter.restore()


class Palette(QFrame):
    """A list of actions over the window; chosen(name)."""

    chosen = Signal(str)

    def __init__(self, keys: KeyMap, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._keys = keys
        self.setProperty("card", True)
        self._usable: Callable[[str], bool] = lambda _: True
        self.field, self.list = QLineEdit(), QListWidget()
        self.field.setPlaceholderText(self.tr("Find a command"))
        self.field.setAccessibleName(self.tr("Find a command"))
        self.list.setItemDelegate(Row(self.list))
        self.list.setMouseTracking(True)
        self.list.setUniformItemSizes(True)
        self.list.setAccessibleName(self.tr("Commands"))
        self.none = QLabel(self.tr("No command is called so"))
        self.none.setProperty("muted", True)
        self.none.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.none.setContentsMargins(8, 8, 8, 8)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.field)
        column.addWidget(self.list, 1)
        column.addWidget(self.none, 1)
        self.field.textChanged.connect(self._fill)
        self.field.returnPressed.connect(lambda: self._choose(self.list.currentItem()))
        self.list.itemClicked.connect(self._choose)
        self.field.installEventFilter(self)

    def open_over(self, window: QWidget, usable: Callable[[str], bool]) -> None:
        """Show in the upper middle of a window, empty, with the actions that do something now."""
        self._usable = usable
        width = min(theme().size(WIDTH), window.width() - 2 * EDGE)
        self.setFixedSize(width, min(theme().size(HEIGHT), window.height() - TOP - EDGE))
        self.move(window.mapToGlobal(QPoint((window.width() - width) // 2, TOP)))
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
        found = [spec for spec in ACTIONS if spec.name != "palette" and self._usable(spec.name) and says(spec, query)]
        for spec in sorted(found, key=lambda spec: not title(spec).casefold().startswith(query.casefold().strip())):
            item = QListWidgetItem(title(spec))
            item.setData(KEY, self._keys.cap(spec.name))
            item.setData(Qt.ItemDataRole.UserRole, spec.name)
            self.list.addItem(item)
        self.none.setVisible(not found)
        self.list.setVisible(bool(found))
        self.list.setCurrentRow(0)

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.hide()
            self.chosen.emit(item.data(Qt.ItemDataRole.UserRole))
