"""The landmarks that the model is least sure of, lowest first."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.project.values import Instance, Origin
from app.services.pipeline import Result
from app.views.marks import DOUBT_LIMIT, draw_glyph, side_colour
from app.views.theme import theme
from app.views.words import named

ROWS = 6
ROW = 26
EVERY = 1.0  # seconds between two sortings, so that rows can be read
BAR = 100
SCORE = 44


@dataclass(frozen=True)
class Row:
    """One landmark: its subject and number, name, side, score and whether a hand touched it."""

    subject: int
    landmark: int
    name: str
    side: str
    score: float
    origin: Origin


def lowest(result: Result, instances: list[Instance] | None = None, count: int = ROWS) -> list[Row]:
    """The `count` lowest scores over all subjects; with corrected `instances`, what a hand touched is marked."""
    schema = result.schema
    if schema is None:
        return []
    found = []
    for number, subject in enumerate(result.subjects):
        scores = subject.prediction.landmarks[:, 2]
        for k in np.argsort(scores, kind="stable")[:count]:
            origin = Origin.MODEL if instances is None else Origin(int(instances[number].origin[k]))
            found.append(Row(number, int(k), named(schema.landmarks[k]), schema.sides[k], float(scores[k]), origin))
    return sorted(found, key=lambda row: row.score)[:count]


class ConfidenceList(QWidget):
    """Six rows of glyph, name, bar and score; a click chooses the landmark.

    clicked(subject, landmark).
    """

    clicked = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[Row] = []
        self._sorted = 0.0
        self._chosen = (-1, -1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(ROWS * ROW)
        self.setAccessibleName(self.tr("Landmarks with the lowest confidence"))
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Six rows, also while there are fewer."""
        return QSize(278, ROWS * ROW)

    def show_result(self, result: Result | None, instances: list[Instance] | None = None, now: bool = False) -> None:
        """Take over a result's scores, sorted at most once a second unless `now`."""
        moment = time.monotonic()
        if not now and self.rows and moment - self._sorted < EVERY:
            return
        self._sorted = moment
        self.rows = lowest(result, instances) if result is not None else []
        self.update()

    def choose(self, subject: int, landmark: int) -> None:
        """Mark the selected landmark's row."""
        self._chosen = (subject, landmark)
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the landmark of the row."""
        row = int(event.position().y()) // ROW
        if row < len(self.rows):
            self.clicked.emit(self.rows[row].subject, self.rows[row].landmark)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Row by row; one line in the middle when there is nothing to tell."""
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            font = QFont(self.font())
            font.setPixelSize(theme().size(12))
            painter.setFont(font)
            if not self.rows:
                painter.setPen(theme().color("muted"))
                painter.drawText(QRectF(0, 0, self.width(), ROW), Qt.AlignmentFlag.AlignVCenter, self.tr("None found"))
            for number, row in enumerate(self.rows):
                self._paint_row(painter, QRectF(0, number * ROW, self.width(), ROW), row)
        finally:
            painter.end()

    def _paint_row(self, painter: QPainter, area: QRectF, row: Row) -> None:
        if (row.subject, row.landmark) == self._chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme().color("sel"))
            painter.drawRoundedRect(area, 3, 3)
        doubtful = row.score < DOUBT_LIMIT
        self._paint_glyph(painter, QRectF(area.left(), area.top() + 5, 16, 16), row)
        right, middle = area.right(), area.center().y()
        vertical = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(theme().color("text"))
        room = QRectF(area.left() + 24, area.top(), area.width() - 24 - BAR - SCORE - 8, ROW)
        name = painter.fontMetrics().elidedText(row.name, Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, vertical, name)
        bar = QRectF(right - SCORE - BAR, middle - 2, BAR, 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().color("border"))
        painter.drawRoundedRect(bar, 2, 2)
        painter.setBrush(theme().color("amber" if doubtful else "muted"))
        bar.setWidth(max(2.0, bar.width() * min(max(row.score, 0.0), 1.0)))
        painter.drawRoundedRect(bar, 2, 2)
        painter.setPen(theme().color("warning" if doubtful else "text"))
        score = self.locale().toString(row.score, "f", 2)
        painter.drawText(QRectF(right - SCORE, area.top(), SCORE, ROW), vertical | Qt.AlignmentFlag.AlignRight, score)

    def _paint_glyph(self, painter: QPainter, area: QRectF, row: Row) -> None:
        """The mark as it stands on the picture, in the colours for chrome."""
        solid = row.origin is Origin.HAND or (row.origin is Origin.MODEL and row.score >= DOUBT_LIMIT)
        kind = "edited" if row.origin is Origin.EDITED else "hand" if solid else "model"
        draw_glyph(painter, area, kind, side_colour(row.side, on_chrome=True))
