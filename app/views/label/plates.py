"""What the canvas paints around landmarks: the box, tails to the guess, candidate peaks, the name plate.

All in viewport pixels.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from app.project.values import Origin, Visibility
from app.views.theme import theme
from app.views.weights import HEAVY, weighted

BLACK = QColor("#0C0D0F")
LIGHT = QColor("#E7E9EC")
UNDER_BOX, BOX = QColor(0, 0, 0, 90), QColor(255, 255, 255, 217)
CROSS = QColor("#A1A8B2")
HANDLE = 8.0
PLATE_HEIGHT = 24.0
PLATE_AWAY = 20.0
NUMBER = 18.0
MOST_TAILS = 16
ABSENT_STEP = 16.0
ABSENT_BELOW = 14.0


def absent_places(box: QRectF, visibility: np.ndarray, view: QRectF) -> dict[int, QPointF]:
    """Where absent landmarks, which have no place, are listed: along the box's lower edge, inside the view."""
    absent = np.flatnonzero(visibility == Visibility.ABSENT)
    left = min(max(box.left(), view.left() + 8), view.right() - 8) + 8
    below = min(max(box.bottom() + ABSENT_BELOW, view.top() + 12), view.bottom() - 48)
    across = max(int((min(box.right(), view.right()) - left) // ABSENT_STEP), 8)
    return {
        int(k): QPointF(left + n % across * ABSENT_STEP, below + n // across * ABSENT_STEP)
        for n, k in enumerate(absent)
    }


def draw_box(painter: QPainter, rect: QRectF, handles: bool) -> None:
    """White over black, so that it shows on any picture; four handles while it can be grabbed."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((UNDER_BOX, 3.0), (BOX, 1.0)):
        painter.setPen(QPen(colour, width))
        painter.drawRect(rect)
    if handles:
        painter.setPen(QPen(BLACK, 1.0))
        painter.setBrush(QColor("white"))
        for corner in (rect.topLeft(), rect.topRight(), rect.bottomRight(), rect.bottomLeft()):
            painter.drawRect(QRectF(corner.x() - HANDLE / 2, corner.y() - HANDLE / 2, HANDLE, HANDLE))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)


def draw_tails(
    painter: QPainter, points: np.ndarray, guess: np.ndarray, origin: np.ndarray, seen: np.ndarray,
    chosen: Collection[int] = (),
) -> None:  # fmt: skip
    """From each touched landmark a dotted line to where the model had it, ending in a small ring.

    Where a whole shape was moved that would hide the picture: then only a few selected landmarks have one.
    """
    away = np.abs(points - guess).sum(1)
    tailed = np.flatnonzero((origin > Origin.MODEL) & (seen != Visibility.ABSENT) & (away >= 4))
    if len(tailed) > MOST_TAILS:
        tailed = [k for k in tailed if k in chosen] if len(chosen) <= MOST_TAILS else []
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for k in tailed:
        start, end = QPointF(*points[k]), QPointF(*guess[k])
        for colour, width in ((QColor(0, 0, 0, 115), 2.6), (QColor("white"), 1.0)):
            pen = QPen(colour, width)
            pen.setDashPattern([1.5 / width, 3 / width])
            painter.setPen(pen)
            painter.drawLine(start, end)
            painter.setPen(QPen(colour, width))
            painter.drawEllipse(end, 2.5, 2.5)


def draw_ghosts(painter: QPainter, places: np.ndarray, turn: int) -> None:
    """Where landmarks that are still to be placed may be; the one whose turn it is larger."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for k in np.flatnonzero(np.isfinite(places).all(1)):
        place, radius = QPointF(*places[k]), 7.0 if k == turn else 2.5
        painter.setPen(QPen(QColor(0, 0, 0, 140), 2.6))
        painter.drawEllipse(place, radius, radius)
        pen = QPen(QColor("white"), 1.2)
        if k == turn:
            pen.setDashPattern([3.0, 2.0])
        painter.setPen(pen)
        painter.drawEllipse(place, radius, radius)


def draw_candidates(painter: QPainter, places: Iterable[QPointF], chosen: QPointF) -> None:
    """The heatmap's peaks with their numbers; the one under the selected mark needs no ring of its own."""
    font = _font(painter, 11)
    for n, place in enumerate(places):
        apart = (place - chosen).manhattanLength()
        if apart > 6:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(0, 0, 0, 178), 3.2))
            painter.drawEllipse(place, 5.0, 5.0)
            pen = QPen(QColor("white"), 1.6)
            pen.setDashPattern([2.0, 1.4])
            painter.setPen(pen)
            painter.drawEllipse(place, 5.0, 5.0)
        away = 10.0 if apart > 6 else 18.0
        left = apart > 6 and chosen.x() > place.x()  # the plate must not hide the selected mark
        plate = QRectF(place.x() + (-away - NUMBER if left else away), place.y() - NUMBER / 2, NUMBER, NUMBER)
        _plate(painter, plate, str(n + 1), font)


def draw_plate(painter: QPainter, at: QPointF, text: str, others: np.ndarray, view: QRectF) -> None:
    """A landmark's name near its mark, where it hides no other landmark and does not leave the view."""
    font = _font(painter, 12)
    width = QFontMetricsF(font).horizontalAdvance(text) + 24
    _plate(painter, plate_place(at, width, others, view), text, font)


def plate_place(at: QPointF, width: float, others: np.ndarray, view: QRectF) -> QRectF:
    """Below, above, right or left of `at`: the first place that is free, else the one that hides fewest."""
    x, y, h, away = at.x(), at.y(), PLATE_HEIGHT, PLATE_AWAY
    choices = [
        QRectF(x - width / 2, y + away, width, h),
        QRectF(x - width / 2, y - away - h, width, h),
        QRectF(x + away, y - h / 2, width, h),
        QRectF(x - away - width, y - h / 2, width, h),
        QRectF(x - width / 2, y + 2.2 * away, width, h),
        QRectF(x - width / 2, y - 2.2 * away - h, width, h),
    ]
    inside = [c for c in choices if view.contains(c)] or [_pushed(choices[0], view)]
    return min(inside, key=lambda c: _hidden(c, others))


def _hidden(plate: QRectF, points: np.ndarray) -> int:
    room = plate.adjusted(-6, -6, 6, 6)
    x, y = points[:, 0], points[:, 1]
    return int(((x > room.left()) & (x < room.right()) & (y > room.top()) & (y < room.bottom())).sum())


def _pushed(plate: QRectF, view: QRectF) -> QRectF:
    """The plate moved into the view."""
    left = min(max(plate.left(), view.left() + 4), max(view.right() - plate.width() - 4, view.left() + 4))
    top = min(max(plate.top(), view.top() + 4), max(view.bottom() - plate.height() - 4, view.top() + 4))
    return QRectF(left, top, plate.width(), plate.height())


def _font(painter: QPainter, size: int) -> QFont:
    font = QFont(painter.font())
    font.setPixelSize(theme().size(size))
    return weighted(font, HEAVY)


def _plate(painter: QPainter, rect: QRectF, text: str, font: QFont) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(BLACK)
    painter.drawRoundedRect(rect, 3, 3)
    painter.setFont(font)
    painter.setPen(LIGHT)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
