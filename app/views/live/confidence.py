"""The landmarks that the model is least sure of, lowest first; of a frozen frame all, with their places."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFont, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.project.values import Instance, Origin, Visibility
from app.services.pipeline import Result
from app.views.marks import doubt_limit, draw_glyph, side_colour
from app.views.theme import theme
from app.views.words import named

ROWS = 6
ROW = 26
EVERY = 1.0  # seconds between two sortings, so that rows can be read
BAR = 100
SCORE, PLACE = 44, 46  # widths of columns, at 100 % of the text size


@dataclass(frozen=True)
class Row:
    """One landmark: its subject and number, name, side, score, whether a hand touched it, and in a frozen frame where
    it is in picture pixels and whether it can be seen.
    """

    subject: int
    landmark: int
    name: str
    side: str
    score: float
    origin: Origin
    place: tuple[float, float] | None = None
    several: int = 0  # the subject's own number, where there are several
    visibility: Visibility = Visibility.VISIBLE
    sure: bool = True  # as its schema's models go


def table(result: Result, instances: list[Instance], subject: int) -> list[Row]:
    """All landmarks of one subject of a frozen frame, lowest scores first."""
    if result.schema is None or not 0 <= subject < len(instances):
        return []
    schema, one = result.schema, instances[subject]
    return [
        Row(subject, int(k), schema.landmarks[k], schema.sides[k], float(one.score[k]), Origin(int(one.origin[k])),
            (float(one.points[k, 0]), float(one.points[k, 1])), visibility=Visibility(int(one.visibility[k])),
            sure=bool(one.score[k] >= doubt_limit(schema)))
        for k in np.argsort(one.score, kind="stable")
    ]  # fmt: skip


def lowest(result: Result, count: int = ROWS) -> list[Row]:
    """The `count` lowest scores over all subjects."""
    schema = result.schema
    if schema is None:
        return []
    found = []
    for number, subject in enumerate(result.subjects):
        scores = subject.prediction.landmarks[:, 2]
        for k in np.argsort(scores, kind="stable")[:count]:
            several = subject.number if len(result.subjects) > 1 else 0
            name, score = schema.landmarks[k], float(scores[k])
            sure = score >= doubt_limit(schema)
            found.append(Row(number, int(k), name, schema.sides[k], score, Origin.MODEL, several=several, sure=sure))
    return sorted(found, key=lambda row: row.score)[:count]


class ConfidenceList(QWidget):
    """Six rows of glyph, name, bar and score; of a frozen frame a row for each landmark of the subject in hand.

    clicked(subject, landmark): chosen with the mouse or the arrow keys; moved(int): the chosen row's upper edge.
    """

    clicked = Signal(int, int)
    moved = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[Row] = []
        self._sorted, self._looked = 0.0, False
        self._chosen = (-1, -1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(ROWS * ROW)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(self.tr("Landmarks with the lowest confidence"))
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Six rows, also while there are fewer."""
        return QSize(278, max(ROWS, len(self.rows)) * ROW)

    def show_result(self, result: Result | None, now: bool = False) -> None:
        """Take over a result's scores, sorted at most once a second unless `now`."""
        moment = time.monotonic()
        if not now and self.rows and moment - self._sorted < EVERY:
            return
        self._sorted, self._looked = moment, result is not None
        self._show(lowest(result) if result is not None else [])

    def show_frozen(self, result: Result, instances: list[Instance]) -> None:
        """List all landmarks of the subject in hand, the first one while none is."""
        self._looked = True
        self._show(table(result, instances, max(self._chosen[0], 0)))

    def _show(self, rows: list[Row]) -> None:
        self.rows = rows
        self.setFixedHeight(max(ROWS, len(rows)) * ROW)
        self.update()

    def choose(self, subject: int, landmark: int) -> None:
        """Mark the selected landmark's row."""
        self._chosen = (subject, landmark)
        row = self._row()
        if row >= 0 and len(self.rows) > ROWS:
            self.moved.emit(row * ROW)
        self.update()

    def _row(self) -> int:
        return next((n for n, row in enumerate(self.rows) if (row.subject, row.landmark) == self._chosen), -1)

    def _take(self, row: int) -> None:
        if 0 <= row < len(self.rows):
            self.clicked.emit(self.rows[row].subject, self.rows[row].landmark)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the landmark of the row."""
        self._take(int(event.position().y()) // ROW)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and Down go from row to row."""
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            row = self._row()
            by = 1 if event.key() == Qt.Key.Key_Down else -1
            self._take(min(max(row + by, 0), len(self.rows) - 1))
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show where the focus is."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The focus went on."""
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Row by row; one line in the middle when there is nothing to tell."""
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            font = QFont(self.font())
            font.setPixelSize(theme().size(12))
            painter.setFont(font)
            if not self.rows and self._looked:
                painter.setPen(theme().color("muted"))
                painter.drawText(QRectF(0, 0, self.width(), ROW), Qt.AlignmentFlag.AlignVCenter, self.tr("None found"))
            for number, row in enumerate(self.rows):
                area = QRectF(0, number * ROW, self.width(), ROW)
                if event.rect().intersects(area.toRect()):
                    self._paint_row(painter, area, row)
            if self.hasFocus():
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(theme().color("focus"), 2))
                painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        finally:
            painter.end()

    def _paint_row(self, painter: QPainter, area: QRectF, row: Row) -> None:
        if (row.subject, row.landmark) == self._chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme().color("sel"))
            painter.drawRoundedRect(area, 3, 3)
        doubtful = not row.sure and row.origin is Origin.MODEL
        self._paint_glyph(painter, QRectF(area.left(), area.top() + 5, 16, 16), row)
        right, vertical = area.right(), Qt.AlignmentFlag.AlignVCenter
        painter.setPen(theme().color("text"))
        score_room, place_room = theme().size(SCORE), theme().size(PLACE)
        taken = BAR if row.place is None else 2 * place_room
        room = QRectF(area.left() + 24, area.top(), area.width() - 24 - taken - score_room - 8, ROW)
        name = painter.fontMetrics().elidedText(named(row.name), Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, vertical, name)
        if row.several:
            beside = room.left() + painter.fontMetrics().horizontalAdvance(name) + 8
            self._paint_subject(painter, QPointF(beside, room.center().y()), row.several)
        if row.place is None:
            bar = QRectF(right - score_room - BAR, area.center().y() - 2, BAR, 4)
            self._paint_bar(painter, bar, row.score, doubtful)
        elif row.visibility != Visibility.ABSENT:
            painter.setPen(theme().color("muted"))
            for n, value in enumerate(row.place):
                cell = QRectF(right - score_room - (2 - n) * place_room, area.top(), place_room, ROW)
                painter.drawText(cell, vertical | Qt.AlignmentFlag.AlignRight, self.locale().toString(value, "f", 1))
        painter.setPen(theme().color("warning" if doubtful else "text"))
        score = self.locale().toString(row.score, "f", 2)
        at = QRectF(right - score_room, area.top(), score_room, ROW)
        painter.drawText(at, vertical | Qt.AlignmentFlag.AlignRight, score)

    def _paint_subject(self, painter: QPainter, at: QPointF, number: int) -> None:
        """Whose landmark it is: a number in a frame, so that it is not read as part of the name."""
        text = self.locale().toString(number)
        high = painter.fontMetrics().height()
        wide = max(high, painter.fontMetrics().horizontalAdvance(text) + 8)
        frame = QRectF(at.x() + 0.5, round(at.y() - high / 2) + 0.5, wide - 1, high - 1)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(theme().color("outline"))
        painter.drawRoundedRect(frame, 3, 3)
        painter.setPen(theme().color("muted"))
        painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_bar(self, painter: QPainter, bar: QRectF, score: float, doubtful: bool) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().color("border"))
        painter.drawRoundedRect(bar, 2, 2)
        painter.setBrush(theme().color("amber" if doubtful else "muted"))
        bar.setWidth(max(2.0, bar.width() * min(max(score, 0.0), 1.0)))
        painter.drawRoundedRect(bar, 2, 2)

    def _paint_glyph(self, painter: QPainter, area: QRectF, row: Row) -> None:
        """The mark as it stands on the picture, in the colours for chrome."""
        sure = row.place is None and row.origin is Origin.MODEL and row.sure
        solid = row.origin is Origin.HAND or sure
        kind = "edited" if row.origin is Origin.EDITED else "hand" if solid else "model"
        draw_glyph(painter, area, kind, side_colour(row.side, on_chrome=True), row.visibility)
