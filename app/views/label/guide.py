"""The guide: the schema's mean shape with the selected landmark ringed; a click selects."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.views import marks, theme
from app.views.label.editing import Editing
from app.views.weights import HEAVY, weighted
from app.views.words import named

SIZE = QSize(296, 176)
MARGIN = 14.0
DOT, CHOSEN_DOT = 2.4, 4.0
RING = 7.0
REACH = 14.0


class Guide(QWidget):
    """Shows which landmark is which."""

    def __init__(self, editing: Editing, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editing = editing
        self.setMinimumHeight(SIZE.height())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Guide to the landmarks"))
        editing.selected.connect(self.update)
        editing.image_changed.connect(self.update)
        theme.theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """296 x 176."""
        return SIZE

    def places(self) -> np.ndarray:
        """(K, 2) widget pixels of the mean shape."""
        document = self._editing.document
        if document is None:
            return np.empty((0, 2))
        mean = np.array(document.schema.mean)
        low, high = mean.min(0), mean.max(0)
        room = np.array([self.width(), self.height()]) - 2 * MARGIN
        scale = float((room / np.maximum(high - low, 1e-9)).min())
        return (mean - (low + high) / 2) * scale + [self.width() / 2, self.height() / 2]

    def paintEvent(self, event: object) -> None:
        """Grey lines, coloured dots, the selected one ringed and numbered."""
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            places = self.places()
            if len(places):
                self._draw(painter, places)
            if self.hasFocus():
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(theme.theme().color("focus"), 2))
                painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        finally:
            painter.end()

    def _draw(self, painter: QPainter, places: np.ndarray) -> None:
        schema, chosen = self._editing.document.schema, self._editing.landmark
        painter.setPen(QPen(theme.theme().color("outline"), 1))
        for a, b in schema.edges:
            painter.drawLine(QPointF(*places[a]), QPointF(*places[b]))
        painter.setPen(Qt.PenStyle.NoPen)
        for k, place in enumerate(places):
            painter.setBrush(marks.landmark_colour(schema, k, on_chrome=True))
            size = DOT if k not in self._editing.chosen else CHOSEN_DOT
            painter.drawEllipse(QPointF(*place), size, size)
        if 0 <= chosen < len(places):
            self._draw_chosen(painter, places, chosen)

    def _draw_chosen(self, painter: QPainter, places: np.ndarray, chosen: int) -> None:
        place = places[chosen]
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.theme().color("text"), 2))
        painter.drawEllipse(QPointF(*place), RING, RING)
        font = QFont(self.font())
        font.setPixelSize(theme.theme().size(12))
        painter.setFont(weighted(font, HEAVY))
        outward = place - places.mean(0)
        side = 1.0 if outward[0] >= 0 else -1.0
        room = QRectF(place[0] + side * 10 - (0 if side > 0 else 30), place[1] - 24, 30, 14)
        flag = Qt.AlignmentFlag.AlignLeft if side > 0 else Qt.AlignmentFlag.AlignRight
        painter.drawText(room, flag | Qt.AlignmentFlag.AlignVCenter, str(chosen + 1))

    def landmark_at(self, position: QPointF) -> int:
        """The landmark near a place, -1 where none is."""
        places = self.places()
        if not len(places):
            return -1
        away = np.hypot(*(places - [position.x(), position.y()]).T)
        nearest = int(away.argmin())
        return nearest if away[nearest] <= REACH else -1

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select the landmark under the mouse; with Shift or Ctrl add it or take it away."""
        found = self.landmark_at(event.position())
        held = event.modifiers()
        if found >= 0 and held & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier):
            self._editing.toggle(found)
        elif found >= 0:
            self._editing.select(found)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Name the landmark under the mouse."""
        found = self.landmark_at(event.position())
        self.setToolTip(named(self._editing.document.schema.landmarks[found]) if found >= 0 else "")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows go through the landmarks."""
        if event.key() in (Qt.Key.Key_Right, Qt.Key.Key_Down):
            self._editing.step_landmark(1)
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Up):
            self._editing.step_landmark(-1)
        else:
            super().keyPressEvent(event)
