"""The map's values along a line, with the peaks on it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.views.label.numbers import number
from app.views.theme import theme
from app.views.weights import HEAVY, weighted

LEFT, BOTTOM, TOP, RIGHT = 40.0, 20.0, 14.0, 8.0
STEPS = (1, 2, 5, 10, 20, 50)
NAMED_WITHIN = 1.5  # cells from the line within which a peak is marked on the curve


class Profile(QWidget):
    """A curve over cells; the colours of the theme."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Profile"))
        theme().changed.connect(self.update)
        self._x = self._y = np.empty(0)
        self._range = (0.0, 1.0)
        self._peaks: list[tuple[str, float, float, float | None]] = []

    def sizeHint(self) -> QSize:
        """As the design has it."""
        return QSize(448, 140)

    def show_curve(
        self, x: np.ndarray, y: np.ndarray, low: float, high: float, peaks: list[tuple[str, float, float, float | None]]
    ) -> None:  # fmt: skip
        """A curve, (n,) cells and values, between two ends; peaks: name, place on the
        line, value there, and what to call it where that is the score of a cell beside the line."""
        self._x, self._y, self._range, self._peaks = x, y, (low, high), peaks
        words = [f"{name}: {number(at, 1)}, {number(y if said is None else said, 2)}" for name, at, y, said in peaks]
        self.setAccessibleDescription("; ".join(words))
        self.update()

    @property
    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """What is drawn: cells along the line, and values."""
        return self._x, self._y

    def paintEvent(self, event: QPaintEvent) -> None:
        """Grid, curve, peaks."""
        if len(self._x) < 2 or self._x[-1] <= self._x[0]:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(self.font())
        font.setPixelSize(theme().size(11))
        painter.setFont(font)
        room = QRectF(self.rect()).adjusted(theme().size(LEFT), TOP, -RIGHT, -theme().size(BOTTOM))
        self._paint_grid(painter, room)
        curve = QPolygonF([self._place(room, x, y) for x, y in zip(self._x, self._y, strict=True)])
        painter.setPen(QPen(theme().color("accent"), 2.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(curve)
        painter.setFont(weighted(font, HEAVY))
        painter.setBrush(theme().color("panel"))
        for n, (name, at, value, said) in enumerate(self._peaks):
            place = self._place(room, at, value)
            painter.setPen(QPen(theme().color("text"), 2.0))
            painter.drawEllipse(place, 4.0, 4.0)
            left = n == 0 and len(self._peaks) > 1 and self._peaks[1][1] > at
            words = QRectF(place.x() - 92 if left else place.x() + 10, place.y() - 14, 82, 16)
            side = Qt.AlignmentFlag.AlignRight if left else Qt.AlignmentFlag.AlignLeft
            text = f"{name}  {number(value if said is None else said, 2)}"
            behind = painter.boundingRect(words, side | Qt.AlignmentFlag.AlignVCenter, text).adjusted(-3, 0, 3, 0)
            painter.fillRect(behind, theme().color("panel"))  # the curve may pass there
            painter.drawText(words, side | Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()

    def _paint_grid(self, painter: QPainter, room: QRectF) -> None:
        low, high = self._range
        border, muted = theme().color("border"), theme().color("muted")
        for value in (low, (low + high) / 2, high):
            y = self._place(room, self._x[0], value).y()
            painter.setPen(QPen(border, 1.0))
            painter.drawLine(QPointF(room.left(), y), QPointF(room.right(), y))
            painter.setPen(muted)
            area = QRectF(0, y - 12, theme().size(LEFT) - 8, 24)
            painter.drawText(area, _RIGHT, "0" if value == 0 else number(value, 2))
        span = self._x[-1] - self._x[0]
        step = next((s for s in STEPS if span / s <= 7), STEPS[-1])
        for tick in np.arange(np.ceil(self._x[0] / step) * step, self._x[-1] + 1e-6, step):
            x = self._place(room, float(tick), low).x()
            area = QRectF(x - 30, room.bottom() + 4, 60, theme().size(16))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, number(tick, 0))

    def _place(self, room: QRectF, x: float, y: float) -> QPointF:
        low, high = self._range
        across = (x - self._x[0]) / (self._x[-1] - self._x[0])
        up = min(max((y - low) / max(high - low, 1e-9), 0.0), 1.0)
        return QPointF(room.left() + across * room.width(), room.bottom() - up * room.height())


_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
