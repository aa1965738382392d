"""Bars and rows that stay whole where room is short: parts give way in order, or the row goes on below."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget


def give_way(bar: QWidget, steps: Sequence[Callable[[bool], object]]) -> None:
    """Let a bar's parts give way, what is needed least first, until the rest fits; step(True): there is room for it."""
    layout = bar.layout()
    for step in steps:
        step(True)
    for step in steps:
        _forget(layout)
        if layout.sizeHint().width() <= bar.width():
            break
        step(False)
    _forget(layout)
    layout.activate()  # at once: nobody shall see the words cut off until the next turn of events


def _forget(layout: QLayout) -> None:
    """Rows within a row keep their sizes until they are told."""
    for n in range(layout.count()):
        inner = layout.itemAt(n).layout()
        if inner is not None:
            _forget(inner)
    layout.invalidate()


class FlowLayout(QLayout):
    """From left to right, and on the next line where the width ends."""

    def __init__(self, spacing: int = 6) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        self.setSpacing(spacing)
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        """Qt's way to add a widget."""
        self._items.append(item)

    def count(self) -> int:
        """How many there are."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        """One of them."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        """Take one out."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        """It takes no more height than it needs."""
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        """Narrow is high."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Of all lines."""
        edges = self.contentsMargins()
        inside = QRect(0, 0, width - edges.left() - edges.right(), 0)
        return self._lines(inside, False) + edges.top() + edges.bottom()

    def setGeometry(self, rect: QRect) -> None:
        """Lay out."""
        super().setGeometry(rect)
        self._lines(rect.marginsRemoved(self.contentsMargins()), True)

    def sizeHint(self) -> QSize:
        """One line."""
        sizes = [item.sizeHint() for item in self._items if not item.isEmpty()]
        wide = sum(size.width() for size in sizes) + self.spacing() * max(len(sizes) - 1, 0)
        return self._framed(QSize(wide, max((size.height() for size in sizes), default=0)))

    def minimumSize(self) -> QSize:
        """The widest alone."""
        sizes = [item.minimumSize() for item in self._items if not item.isEmpty()]
        wide, high = max((s.width() for s in sizes), default=0), max((s.height() for s in sizes), default=0)
        return self._framed(QSize(wide, high))

    def _framed(self, size: QSize) -> QSize:
        edges = self.contentsMargins()
        return size + QSize(edges.left() + edges.right(), edges.top() + edges.bottom())

    def _lines(self, rect: QRect, place: bool) -> int:
        x, y, high = rect.x(), rect.y(), 0
        for item in self._items:
            if item.isEmpty():
                continue
            size = item.sizeHint()
            if x > rect.x() and x + size.width() > rect.right() + 1:
                x, y, high = rect.x(), y + high + self.spacing(), 0
            if place:
                item.setGeometry(QRect(QPoint(x, y), QSize(min(size.width(), rect.width()), size.height())))
            x, high = x + size.width() + self.spacing(), max(high, size.height())
        return y + high - rect.y()
