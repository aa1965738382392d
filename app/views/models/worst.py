"""The held-out pictures with the largest errors: label and new model drawn over them, error and change below."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QImage, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from app.services.runs import Worst
from app.views.label.numbers import number
from app.views.qimage import to_qimage
from app.views.theme import theme
from engine.schema import Schema

SHOWN, GAP, LEAST, MOST, FIGURES = 6, 16, 96, 160, 24
LABEL = "#FFFFFF"  # a label's lines on a picture, in both schemes


class WorstStrip(QWidget):
    """Pictures side by side, worst first; as many as there is room for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title, self.note, self.legend = QLabel(self.tr("Worst on hold-out")), QLabel(), QLabel()
        self.title.setProperty("heading", True)
        for label in (self.note, self.legend):
            label.setProperty("muted", True)
            label.setProperty("small", True)
        self.row = _Row()
        top, column = QHBoxLayout(), QVBoxLayout(self)
        top.setSpacing(8)
        top.addWidget(self.title)
        top.addWidget(self.note)
        top.addStretch(1)
        top.addWidget(self.legend)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(top)
        column.addWidget(self.row)
        theme().changed.connect(self._dress)
        self._dress()
        self.show_worst(None, None)

    def show_worst(self, worst: Worst | None, schema: Schema | None) -> None:
        """Take the pictures of a run; without any the strip hides."""
        self.row.show_worst(worst, schema)
        self.setVisible(bool(self.row.pictures))
        known = worst is not None and np.isfinite(worst.error_before).any()
        self.note.setText(self.tr("error in %, change from before") if known else self.tr("error in %"))

    def _dress(self) -> None:
        outline = theme().color("text" if theme().dark else "outline").name()
        self.legend.setText(
            f'<span style="color:{outline}">\u2014</span> {self.tr("label")}&nbsp;&nbsp;&nbsp;'
            f'<span style="color:{theme().color("accent").name()}">\u2014</span> {self.tr("new")}'
        )


class _Row(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[QPixmap] = []
        self.lines: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.errors: list[tuple[float, float]] = []
        self.edges: tuple[tuple[int, int], ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Worst on hold-out"))
        theme().changed.connect(self.update)

    def show_worst(self, worst: Worst | None, schema: Schema | None) -> None:
        """Pictures, lines in shares of the side, and errors before and after."""
        self.pictures, self.lines, self.errors, self.edges = [], [], [], ()
        if worst is not None and schema is not None and worst.truth.shape[1] == len(schema):
            self.edges = schema.edges
            for n, picture in enumerate(worst.pictures[:SHOWN]):
                self.pictures.append(QPixmap.fromImage(to_qimage(picture, QImage.Format.Format_RGB888)))
                side = picture.shape[1]
                self.lines.append((worst.truth[n] / side, worst.after[n] / side, worst.known[n]))
                self.errors.append((float(worst.error_before[n]), float(worst.error_after[n])))
        self.updateGeometry()
        self.update()

    def _side(self) -> float:
        return min(max((self.width() - GAP * (SHOWN - 1)) / SHOWN, LEAST), MOST)

    def places(self) -> list[QRectF]:
        """Where the pictures lie that have room."""
        side = self._side()
        room = max(1, int((self.width() + GAP) // (side + GAP)))
        return [QRectF(n * (side + GAP), 0, side, side) for n in range(min(room, len(self.pictures)))]

    def sizeHint(self) -> QSize:
        """Pictures and their figures."""
        return QSize(LEAST * SHOWN, round(self._side()) + FIGURES)

    def resizeEvent(self, event) -> None:
        """The height follows the width."""
        self.setFixedHeight(round(self._side()) + FIGURES)
        super().resizeEvent(event)

    def event(self, event: QEvent) -> bool:
        """A tooltip says what the figures of a picture are."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            at = [n for n, place in enumerate(self.places()) if place.contains(QPointF(event.pos()))]
            if at:
                before, after = self.errors[at[0]]
                words = self.tr("{0} % now").format(number(after, 2))
                if math.isfinite(before):
                    words += self.tr(", {0} % before").format(number(before, 2))
                QToolTip.showText(event.globalPos(), words, self)
                return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Each picture with both shapes, its error and the change below."""
        painter = QPainter(self)
        try:
            painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
            for n, place in enumerate(self.places()):
                painter.drawPixmap(place, self.pictures[n], QRectF(self.pictures[n].rect()))
                truth, after, known = self.lines[n]
                painter.setClipRect(place)
                self._shape(painter, place, truth, known, QColor(LABEL))
                self._shape(painter, place, after, known, theme().color("accent"))
                painter.setClipping(False)
                self._figures(painter, place, *self.errors[n])
        finally:
            painter.end()

    def _shape(self, painter: QPainter, place: QRectF, points: np.ndarray, known: np.ndarray, colour: QColor) -> None:
        painter.setPen(QPen(colour, 1.2))
        at = [QPointF(place.left() + x * place.width(), place.top() + y * place.height()) for x, y in points]
        for a, b in self.edges:
            if known[a] and known[b]:
                painter.drawPolyline(QPolygonF([at[a], at[b]]))

    def _figures(self, painter: QPainter, place: QRectF, before: float, after: float) -> None:
        line = QRectF(place.left(), place.bottom() + 4, place.width(), FIGURES - 6)
        painter.setPen(theme().color("text"))
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, number(after, 2))
        if math.isfinite(before):
            change = after - before
            painter.setPen(theme().color("success" if change < 0 else "error" if change > 0 else "muted"))
            words = f"{change:+.2f}".replace("-", "\u2212")
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, words)
