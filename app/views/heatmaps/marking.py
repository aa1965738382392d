"""Marks on the large map: peaks with their numbers, the label's place, the profile's line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen

from app.views.theme import theme
from app.views.weights import HEAVY, weighted

CASING, WHITE, PLATE = QColor(0, 0, 0, 178), QColor("white"), QColor("#0C0D0F")
NUMBER = 18.0


@dataclass(frozen=True)
class Marks:
    """All in cells. peaks (n, 3): x, y, score; label (2,) or None; line (2, 2) or None."""

    peaks: np.ndarray = field(default_factory=lambda: np.empty((0, 3)))
    label: np.ndarray | None = None
    line: np.ndarray | None = None

    def with_line(self, line: np.ndarray | None) -> Marks:
        """The same marks with another line."""
        return replace(self, line=line)


def paint_marks(
    painter: QPainter, marks: Marks, to_view: Callable[[np.ndarray], np.ndarray], room: QRectF
) -> None:  # fmt: skip
    """Line first, then the label's cross, then rings with their numbers; nothing leaves the map."""
    painter.save()
    painter.setClipRect(room)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if marks.line is not None:
        _paint_line(painter, *(QPointF(*end) for end in to_view(marks.line)))
    if marks.label is not None:
        _paint_cross(painter, QPointF(*to_view(marks.label)))
    places = to_view(marks.peaks[:, :2])
    for n, (x, y) in enumerate(places):
        _paint_ring(painter, QPointF(x, y), dashed=n > 0)
    for n in range(len(places)):
        _paint_number(painter, places, n, room)
    painter.restore()


def _paint_line(painter: QPainter, start: QPointF, end: QPointF) -> None:
    painter.setPen(QPen(CASING, 3.0))
    painter.drawLine(start, end)
    pen = QPen(WHITE, 1.4)
    pen.setDashPattern([4, 3])
    painter.setPen(pen)
    painter.drawLine(start, end)
    painter.setPen(QPen(CASING, 1.0))
    painter.setBrush(WHITE)
    for place in (start, end):
        painter.drawRect(QRectF(place.x() - 3, place.y() - 3, 6, 6))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _paint_cross(painter: QPainter, place: QPointF) -> None:
    """The label's own place: an upright cross with a clear middle."""
    for colour, width in ((CASING, 4.0), (WHITE, 2.0)):
        painter.setPen(QPen(colour, width))
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            painter.drawLine(place + QPointF(3 * dx, 3 * dy), place + QPointF(10 * dx, 10 * dy))


def _paint_ring(painter: QPainter, place: QPointF, dashed: bool) -> None:
    painter.setPen(QPen(CASING, 4.0))
    painter.drawEllipse(place, 7.0, 7.0)
    pen = QPen(WHITE, 2.0)
    if dashed:
        pen.setDashPattern([2.0, 1.4])
    painter.setPen(pen)
    painter.drawEllipse(place, 7.0, 7.0)


def _paint_number(painter: QPainter, places: np.ndarray, n: int, room: QRectF) -> None:
    """Beside the ring, away from the other peaks and inside the map."""
    x, y = places[n]
    others = np.delete(places, n, 0)
    choices = [QRectF(x + dx - NUMBER / 2, y + dy - NUMBER / 2, NUMBER, NUMBER)
               for dx, dy in ((-20, -12), (20, -12), (-20, 12), (20, 12))]  # fmt: skip

    def cost(plate: QRectF) -> float:
        middle = np.array([plate.center().x(), plate.center().y()])
        near = np.linalg.norm(others - middle, axis=1).min() if len(others) else 99.0
        return (0 if room.contains(plate) else 1000) - min(float(near), 30.0)

    plate = min(choices, key=cost)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(PLATE)
    painter.drawRoundedRect(plate, 3, 3)
    font = weighted(QFont(painter.font()), HEAVY)
    font.setPixelSize(theme().size(11))
    painter.setFont(font)
    painter.setPen(WHITE)
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, str(n + 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
