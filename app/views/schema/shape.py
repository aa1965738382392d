"""The mean shape as a picture: landmarks are dragged to their places, lines are drawn from one to another."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.project.schema_draft import Landmark
from app.views import marks
from app.views.schema.editing import SchemaEditing
from app.views.theme import theme

MARGIN, DOT, RING, REACH = 32.0, 4.0, 8.0, 14.0
ARROWS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
# Where a number may stand beside its dot: in its own sizes, then in pixels; right above, right, left, above, below.
AROUND = ((0, -1, 5, -3), (0, -0.5, 8, 0), (-1, -0.5, -8, 0), (-0.5, -1, 0, -5), (-0.5, 0, 0, 5), (-1, -1, -5, -3))
STEP, FAR_STEP = 0.005, 0.05  # shares of the shape's size


class ShapePicture(QWidget):
    """A click selects, a drag moves; with Ctrl or the right button a click joins it with the one in hand."""

    def __init__(self, editing: SchemaEditing) -> None:
        super().__init__()
        self.editing = editing
        self.setMinimumSize(QSize(300, 300))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Shape of the landmarks; arrow keys move the selected one"))
        self._dragged: Landmark | None = None
        self._frame: tuple[np.ndarray, float] | None = None  # while one drags, the picture stays where it is
        editing.changed.connect(self.update)
        editing.selected.connect(self.update)
        theme().changed.connect(self.update)

    # ---- places

    def _fit(self) -> tuple[np.ndarray, float]:
        """Middle of the shape and pixels for its unit."""
        if self._frame is not None:
            return self._frame
        shape = np.array([landmark.place for landmark in self.editing.draft.landmarks])
        low, high = shape.min(0), shape.max(0)
        room = np.maximum(np.array([self.width(), self.height()]) - 2 * MARGIN, 1)
        return (low + high) / 2, float((room / np.maximum(high - low, 1e-6)).min())

    def places(self) -> np.ndarray:
        """(K, 2) widget pixels."""
        middle, scale = self._fit()
        shape = np.array([landmark.place for landmark in self.editing.draft.landmarks])
        return (shape - middle) * scale + [self.width() / 2, self.height() / 2]

    def _place(self, position: QPointF) -> tuple[float, float]:
        middle, scale = self._fit()
        x, y = (np.array([position.x(), position.y()]) - [self.width() / 2, self.height() / 2]) / scale + middle
        return float(x), float(y)

    def landmark_at(self, position: QPointF) -> Landmark | None:
        """The landmark near a place."""
        away = np.hypot(*(self.places() - [position.x(), position.y()]).T)
        return self.editing.draft.landmarks[int(away.argmin())] if away.min() <= REACH else None

    # ---- mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select, begin a drag, or join."""
        found, held = self.landmark_at(event.position()), self.editing.current
        joins = event.button() == Qt.MouseButton.RightButton or event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if found is None:
            return
        if joins and held is not None and held is not found:
            self.editing.attempt(lambda: self.editing.draft.toggle_line(held, found))
        elif event.button() == Qt.MouseButton.LeftButton:
            self.editing.select(found)
            self._frame, self._dragged = self._fit(), found

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag, or name what is under the mouse."""
        if self._dragged is not None:
            self._dragged.place = self._place(event.position())
            self.update()
        else:
            found = self.landmark_at(event.position())
            self.setToolTip(found.name if found is not None else "")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The landmark stays there."""
        if self._dragged is not None:
            self._dragged, self._frame = None, None
            self.editing.changed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move the landmark in hand, with Shift further."""
        held = self.editing.current
        if event.key() not in ARROWS or held is None:
            super().keyPressEvent(event)
            return
        step = FAR_STEP if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else STEP
        dx, dy = ARROWS[event.key()]
        held.place = held.place[0] + dx * step, held.place[1] + dy * step
        self.editing.changed.emit()

    # ---- painting

    def colour_of(self, landmark: Landmark) -> QColor:
        """Its group's colour, or its side's."""
        own = self.editing.draft.colours.get(landmark.group, "") if landmark.group else ""
        return QColor(own) if own else marks.side_colour(landmark.side, on_chrome=True)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Lines, numbered dots, a ring around the one in hand."""
        painter, colours = QPainter(self), theme().color
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colours("focus" if self.hasFocus() else "border"), 1))
        painter.setBrush(colours("field"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        draft, places = self.editing.draft, self.places()
        at = {id(landmark): QPointF(*place) for landmark, place in zip(draft.landmarks, places, strict=True)}
        painter.setPen(QPen(colours("outline"), 1.5))
        for a, b in draft.lines:
            painter.drawLine(at[id(a)], at[id(b)])
        font = QFont(self.font())
        font.setPixelSize(theme().size(11))
        painter.setFont(font)
        for landmark in draft.landmarks:
            place = at[id(landmark)]
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.colour_of(landmark))
            painter.drawEllipse(place, DOT, DOT)
        self._number(painter, places)
        if self.editing.current is not None:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colours("text"), 2))
            painter.drawEllipse(at[id(self.editing.current)], RING, RING)
        painter.end()

    def _number(self, painter: QPainter, places: np.ndarray) -> None:
        """Numbers beside the dots, the one in hand first; those that would lie over others are left out."""
        landmarks, held = self.editing.draft.landmarks, self.editing.current
        taken = [QRectF(x - DOT, y - DOT, 2 * DOT, 2 * DOT) for x, y in places]
        for n in sorted(range(len(landmarks)), key=lambda n: landmarks[n] is not held):
            room = painter.fontMetrics().size(0, str(n + 1))
            areas = [QRectF(QPointF(*places[n]) + QPointF(x * room.width() + dx, y * room.height() + dy), QSizeF(room))
                     for x, y, dx, dy in AROUND]  # fmt: skip
            free = [area for area in areas if not any(area.intersects(other) for other in taken)]
            if not free and landmarks[n] is not held:
                continue
            taken.append(free[0] if free else areas[0])
            painter.setPen(theme().color("text" if landmarks[n] is held else "muted"))
            painter.drawText(taken[-1], Qt.AlignmentFlag.AlignLeft, str(n + 1))
