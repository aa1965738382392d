"""The frame around several landmarks: handles that scale and turn them. All in viewport pixels."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.views.label.plates import BLACK, HANDLE

PAD = 18.0  # between the outer landmarks and the frame, so that a handle is no landmark
REACH = 9.0
STEM = 26.0  # from the frame to the knob that turns it
KNOB = 5.0
# Handle -> which side of the frame it moves: -1 left or upper, 1 right or lower, 0 none.
SIDES = {
    "top left": (-1, -1), "top right": (1, -1), "bottom right": (1, 1), "bottom left": (-1, 1),
    "top": (0, -1), "right": (1, 0), "bottom": (0, 1), "left": (-1, 0),
}  # fmt: skip
CURSORS = {
    "turn": Qt.CursorShape.CrossCursor, "inside": Qt.CursorShape.SizeAllCursor,
    "top left": Qt.CursorShape.SizeFDiagCursor, "bottom right": Qt.CursorShape.SizeFDiagCursor,
    "top right": Qt.CursorShape.SizeBDiagCursor, "bottom left": Qt.CursorShape.SizeBDiagCursor,
    "top": Qt.CursorShape.SizeVerCursor, "bottom": Qt.CursorShape.SizeVerCursor,
    "left": Qt.CursorShape.SizeHorCursor, "right": Qt.CursorShape.SizeHorCursor,
}  # fmt: skip
UNDER, LINE = QColor(0, 0, 0, 140), QColor(255, 255, 255, 230)


def around(places: np.ndarray) -> QRectF:
    """The frame of places (n, 2), n >= 1."""
    (x0, y0), (x1, y1) = places.min(0) - PAD, places.max(0) + PAD
    return QRectF(x0, y0, x1 - x0, y1 - y0)


def knob(rect: QRectF, view: QRectF) -> QPointF:
    """Where the handle that turns is: above the frame, below it where there is no room above."""
    above = rect.top() - STEM
    below = rect.bottom() + STEM
    y = above if above - KNOB >= view.top() or below + KNOB > view.bottom() else below
    return QPointF(rect.center().x(), max(y, view.top() + KNOB + 2))


def handles(rect: QRectF) -> dict[str, QPointF]:
    """The places of the handles that scale."""
    centre = rect.center()
    return {
        name: QPointF(centre.x() + x * rect.width() / 2, centre.y() + y * rect.height() / 2)
        for name, (x, y) in SIDES.items()
    }


def part_at(rect: QRectF, position: QPointF, view: QRectF) -> str | None:
    """"turn", a handle's name, "inside", or None."""
    spots = {"turn": knob(rect, view), **handles(rect)}
    away = {name: max(abs(position.x() - p.x()), abs(position.y() - p.y())) for name, p in spots.items()}
    found = min(away, key=away.get)
    if away[found] <= REACH:
        return found
    return "inside" if rect.contains(position) else None


def draw(painter: QPainter, rect: QRectF, view: QRectF) -> None:
    """White over black, dashed, so that it is no box; squares scale, the disc turns."""
    at = knob(rect, view)
    foot = QPointF(at.x(), rect.top() if at.y() < rect.center().y() else rect.bottom())
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((UNDER, 3.0), (LINE, 1.0)):
        pen = QPen(colour, width)
        if colour is LINE:
            pen.setDashPattern([4.0, 3.0])
        painter.setPen(pen)
        painter.drawRect(rect)
        painter.drawLine(foot, at)
    painter.setPen(QPen(BLACK, 1.0))
    painter.setBrush(QColor("white"))
    for place in handles(rect).values():
        painter.drawRect(QRectF(place.x() - HANDLE / 2, place.y() - HANDLE / 2, HANDLE, HANDLE))
    painter.drawEllipse(at, KNOB, KNOB)


def draw_turn(painter: QPainter, centre: QPointF, at: QPointF) -> None:
    """While something is turned: a line from its middle to the mouse."""
    painter.setBrush(QColor("white"))
    for colour, width in ((UNDER, 3.0), (LINE, 1.2)):
        painter.setPen(QPen(colour, width))
        painter.drawLine(centre, at)
    painter.setPen(QPen(BLACK, 1.0))
    painter.drawEllipse(centre, 3.5, 3.5)
