"""A box drawn by hand on the live picture: by a drag, or with the arrow keys and Enter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen

from app.views.live.geometry import Fit
from engine.types import Box

if TYPE_CHECKING:
    from app.views.live.view import LiveView

LEAST = 8.0  # picture pixels that a box is wide at least
STEP, FINE = 10.0, 1.0  # screen pixels an arrow moves the box by; with Shift
GROW = 1.1  # how much + and - change it


class BoxDrawing:
    """The state of one drawing; the view passes it its mouse and keys, and takes what it wants."""

    def __init__(self, view: LiveView) -> None:
        self._view = view
        self.active = False
        self._corners: tuple[QPointF, QPointF] | None = None
        self._dragging = False

    def begin(self) -> None:
        """Wait for a drag; until then a square in the middle can be moved by keys."""
        self.active, self._dragging = True, False
        middle = QPointF(self._view.rect().center())
        reach = min(self._view.width(), self._view.height()) / 6
        self._corners = middle - QPointF(reach, reach), middle + QPointF(reach, reach)
        self._view.setCursor(Qt.CursorShape.CrossCursor)
        self._view.setFocus()
        self._view.update()

    def press(self, event: QMouseEvent, fit: Fit | None) -> bool:
        """The first corner; True while one draws."""
        if self.active and fit is not None and event.button() == Qt.MouseButton.LeftButton:
            self._corners = event.position(), event.position()
            self._dragging = True
        return self.active

    def move(self, event: QMouseEvent) -> bool:
        """The other corner follows the pointer; True while one draws."""
        if self._dragging and self._corners is not None:
            self._corners = self._corners[0], event.position()
            self._view.update()
        return self.active

    def release(self, event: QMouseEvent, fit: Fit | None) -> bool:
        """The drag is over: the box is drawn, unless it was a mere click."""
        if not self.active:
            return False
        if self._dragging and event.button() == Qt.MouseButton.LeftButton:
            self._dragging = False
            self._finish(fit)
        return True

    def key(self, event: QKeyEvent, fit: Fit | None) -> bool:
        """Arrows move the square, + and - change its size, Enter takes it, Escape gives up; True where it was one."""
        if not self.active or self._corners is None:
            return False
        step = FINE if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else STEP
        moves = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
        key = event.key()
        if key in moves:
            by = QPointF(*moves[key]) * step
            self._corners = self._corners[0] + by, self._corners[1] + by
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            middle = (self._corners[0] + self._corners[1]) / 2
            factor = 1 / GROW if key == Qt.Key.Key_Minus else GROW
            self._corners = tuple(middle + (corner - middle) * factor for corner in self._corners)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._finish(fit)
        elif key == Qt.Key.Key_Escape:
            self._end()
        else:
            return False
        self._view.update()
        return True

    def paint(self, painter: QPainter, fit: Fit) -> None:
        """The square as it is so far."""
        if self.active and self._corners is not None:
            square = self._square()
            for colour, width in ((QColor(0, 0, 0, 120), 4.0), (QColor(255, 255, 255), 2.0)):
                painter.setPen(QPen(colour, width, Qt.PenStyle.DashLine))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(square)

    def _square(self) -> QRectF:
        """The square around what was dragged, with the same middle."""
        area = QRectF(*self._corners).normalized()
        side = max(area.width(), area.height())
        return QRectF(area.center().x() - side / 2, area.center().y() - side / 2, side, side)

    def _finish(self, fit: Fit | None) -> None:
        square = self._square()
        side = square.width() / fit.scale if fit is not None else 0.0
        if side < LEAST:
            return
        middle = self._view.in_half(square.center())
        cx, cy = fit.to_picture(middle.x(), middle.y())
        self._end()
        self._view.box_drawn.emit(Box(cx, cy, side, 1.0, "hand"))

    def _end(self) -> None:
        self.active, self._dragging, self._corners = False, False, None
        self._view.setCursor(Qt.CursorShape.ArrowCursor)
        self._view.update()
