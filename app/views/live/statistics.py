"""Where the time of a frame goes: a rolling stacked plot, and its numbers."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.services.pipeline import Timing
from app.views import tokens
from app.views.theme import theme

PARTS = ("capture", "wait", "detect", "engine", "decode", "draw")
SECONDS = 10.0  # what the plot spans
LIMIT = 60.0  # milliseconds from capture to screen that are promised
COMMON = 0.95  # share of the steps that the scale must hold
PLOT_HEIGHT, LOW_HEIGHT = 72, 40
CAPTION_HEIGHT = 16
COLUMNS = 139  # one step each two pixels is as fine as the eye follows


def colour(part: str) -> QColor:
    """A part's colour in the scheme in force."""
    return QColor((tokens.PARTS if theme().dark else tokens.PARTS_ON_LIGHT)[part])


def columns(history: Iterable[tuple[float, Timing]], now: float, count: int = COLUMNS) -> list[Timing | None]:
    """The slowest frame of each of `count` equal steps of the last seconds, oldest first; None where none was."""
    found: list[Timing | None] = [None] * count
    for moment, timing in history:
        place = count - 1 - int((now - moment) / SECONDS * count)
        if 0 <= place < count:
            held = found[place]
            if held is None or timing.total > held.total:
                found[place] = timing
    return found


def scale_top(highest: float) -> float:
    """Milliseconds at the plot's upper edge: the limit with some air, or the next of 100, 150, 200, 300, 400, ..."""
    if highest <= LIMIT * 1.2:
        return LIMIT * 1.25
    octave = 100.0 * 2 ** max(0, math.floor(math.log2(highest / 100)))
    return next(top for top in (octave, octave * 1.5, octave * 2) if highest <= top)


class LatencyPlot(QWidget):
    """Stacked areas of where the time goes over ten seconds, with the limit as a dashed line."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._columns: list[Timing | None] = [None] * COLUMNS
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._low = False
        self.set_low(False)
        self.setAccessibleName(self.tr("Latency over the last ten seconds"))
        theme().changed.connect(self._dress)

    def _dress(self) -> None:
        self.set_low(self._low)

    def sizeHint(self) -> QSize:
        """The width of the panel."""
        return QSize(278, self.minimumHeight())

    def set_low(self, low: bool) -> None:
        """Take less height where room is short."""
        self._low, self._high = low, LOW_HEIGHT if low else PLOT_HEIGHT
        self.setFixedHeight(self._high + theme().size(CAPTION_HEIGHT) + 4)
        self.update()

    def show_history(self, history: Iterable[tuple[float, Timing]]) -> None:
        """Draw what was measured."""
        self._columns = columns(history, time.monotonic())
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The areas from the bottom up, then the line and the captions."""
        painter = QPainter(self)
        try:
            font = QFont(self.font())
            font.setPixelSize(theme().size(11))
            painter.setFont(font)
            area = QRectF(0, 0, self.width(), self._high)
            totals = sorted(t.total * 1000 for t in self._columns if t is not None)
            # Single spikes are cut off, or they would press everything else to the floor.
            top = scale_top(totals[int(len(totals) * COMMON)] if totals else 0.0)
            painter.fillRect(QRectF(0, self._high - 1, self.width(), 1), theme().color("border"))
            self._paint_stack(painter, area, top)
            self._paint_limit(painter, area, top)
            painter.setPen(theme().color("muted"))
            captions = QRectF(0, self._high + 2, self.width(), theme().size(CAPTION_HEIGHT))
            painter.drawText(captions, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self.tr("10 s ago"))
            painter.drawText(captions, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self.tr("now"))
            painter.setPen(theme().color("warning"))
            limit = self.tr("limit {0} ms").format(self.locale().toString(int(LIMIT)))
            painter.drawText(captions, Qt.AlignmentFlag.AlignCenter, limit)
        finally:
            painter.end()

    def _paint_stack(self, painter: QPainter, area: QRectF, top: float) -> None:
        step = area.width() / COLUMNS
        painter.setPen(Qt.PenStyle.NoPen)
        for begin, end in _runs(self._columns):
            floor = [0.0] * (end - begin)
            for part in PARTS:
                values = [getattr(self._columns[i], part) * 1000 for i in range(begin, end)]
                ceiling = [low + value for low, value in zip(floor, values, strict=True)]
                upper = self._edge(ceiling, begin, step, area, top)
                lower = self._edge(floor, begin, step, area, top)
                painter.setBrush(colour(part))
                painter.drawPolygon(QPolygonF(upper + lower[::-1]))
                floor = ceiling

    def _edge(self, values: list[float], begin: int, step: float, area: QRectF, top: float) -> list[QPointF]:
        """Both ends of each column's edge, so that a single frame is as wide as a column."""
        heights = [area.bottom() - min(value / top, 1.0) * area.height() for value in values]
        return [QPointF((begin + i + side) * step, y) for i, y in enumerate(heights) for side in (0, 1)]

    def _paint_limit(self, painter: QPainter, area: QRectF, top: float) -> None:
        y = round(area.bottom() - LIMIT / top * area.height()) + 0.5
        painter.setPen(QPen(theme().color("amber"), 1, Qt.PenStyle.CustomDashLine))
        pen = painter.pen()
        pen.setDashPattern([3, 3])
        painter.setPen(pen)
        painter.drawLine(QPointF(0, y), QPointF(area.width(), y))


def _runs(values: list[Timing | None]) -> list[tuple[int, int]]:
    """Begin and end of each stretch in which frames came, gaps of up to three steps bridged with what was before."""
    for i in range(1, len(values)):
        if values[i] is None and any(v is not None for v in values[i + 1 : i + 4]):
            values[i] = values[i - 1]
    found, begin = [], None
    for i, value in enumerate([*values, None]):
        if value is not None and begin is None:
            begin = i
        elif value is None and begin is not None:
            found.append((begin, i))
            begin = None
    return found
