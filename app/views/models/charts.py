"""Curves of a training, and errors by group before and after. pyqtgraph is imported when a curve is made."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.views.label.numbers import number
from app.views.theme import theme
from app.views.tokens import CAPTION

GROUP_ROW, NAME_WIDTH, FIGURE_WIDTH = 26, 96, 64


class Card(QFrame):
    """A titled box for a chart."""

    def __init__(self, title: str, note: str = "") -> None:
        super().__init__()
        self.setProperty("card", True)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(16, 12, 16, 12)
        self.column.setSpacing(8)
        row = QHBoxLayout()
        self.title, self.note = QLabel(title), QLabel(note)
        self.title.setProperty("heading", True)
        self.note.setProperty("muted", True)
        self.note.setProperty("small", True)
        row.addWidget(self.title)
        row.addStretch(1)
        row.addWidget(self.note)
        self.column.addLayout(row)


class CurveCard(Card):
    """Lines over steps; `limit` is a dashed line for the model in use; `legend` names some lines."""

    def __init__(self, title: str, legend: dict[str, str] | None = None) -> None:
        super().__init__(title)
        import pyqtgraph

        self._pg = pyqtgraph
        self.plot = pyqtgraph.PlotWidget()
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.plot.setMouseEnabled(False, False)
        self.plot.setFrameShape(QFrame.Shape.NoFrame)
        self.plot.setMinimumHeight(120)
        self.plot.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.plot.getViewBox().setDefaultPadding(0.1)
        # One point alone, or equal ones, would shrink the range to nothing, from which it does not come back.
        self.plot.getViewBox().setLimits(minXRange=0.5, minYRange=1e-5)
        self._legend = legend or {}
        self.column.addWidget(self.plot, 1)
        self._lines: dict[str, Any] = {}
        self._points: dict[str, tuple[list[float], list[float]]] = {}
        self._limit: Any = None
        self._best: Any = None
        theme().changed.connect(self._dress)
        self._dress()

    def clear(self) -> None:
        """Start anew."""
        self.plot.clear()
        self.plot.enableAutoRange()
        self._lines, self._points, self._limit, self._best = {}, {}, None, None

    def add(self, line: str, x: float, y: float) -> None:
        """One more point on a line; `_styles` says how it looks."""
        xs, ys = self._points.setdefault(line, ([], []))
        xs.append(x)
        ys.append(y)
        if line not in self._lines:
            self._lines[line] = self.plot.plot()
            self._dress()
        self._lines[line].setData(xs, ys)

    def line(self, name: str) -> tuple[list[float], list[float]]:
        """The points of a line so far: x and y."""
        return self._points.get(name, ([], []))

    def set_span(self, end: float) -> None:
        """Show the whole way from 0 to `end`, however far it is gone."""
        self.plot.setXRange(0, end, padding=0.08)

    def set_limit(self, value: float) -> None:
        """The dashed line of the model in use."""
        if self._limit is None:
            self._limit = self._pg.InfiniteLine(angle=0)
            self.plot.addItem(self._limit)
        self._limit.setValue(value)
        self._dress()

    def mark_best(self, least: bool) -> None:
        """Ring and number the best score so far."""
        xs, ys = self._points["score"]
        value = min(ys) if least else max(ys)
        if self._best is None:
            self._best = (self.plot.plot(), self._pg.TextItem(anchor=(0.5, -0.3)))
            self.plot.addItem(self._best[1])
        ring, label = self._best
        ring.setData([xs[ys.index(value)]], [value])
        label.setPos(xs[ys.index(value)], value)
        label.setPlainText(number(value, 2))
        span = max(max(ys) - min(ys), 0.1)
        self.plot.setYRange(min(ys) - 0.3 * span, max(ys) + 0.1 * span, padding=0)  # the number needs room below
        self._dress()

    def _styles(self) -> dict[str, tuple[Any, str | None]]:
        """Pen and symbol of each line: training in text colour, the new model in the accent, the old one dashed."""
        colour, pen = theme().color, self._pg.mkPen
        dashed = pen(colour("muted"), width=2, style=Qt.PenStyle.DashLine)
        return {
            "raw": (pen(colour("outline"), width=1), None), "smooth": (pen(colour("text"), width=2), None),
            "score": (pen(colour("accent"), width=2), "o"), "new": (pen(colour("accent"), width=2), None),
            "old": (dashed, None), "limit": (dashed, None),
        }  # fmt: skip

    def _dress(self) -> None:
        colour, pg, styles = theme().color, self._pg, self._styles()
        self.plot.setBackground(colour("panel"))
        for name in ("left", "bottom"):
            axis = self.plot.getAxis(name)
            axis.setPen(pg.mkPen(colour("border")))
            axis.setTextPen(pg.mkPen(colour("muted")))
            axis.setTickFont(self._tick_font())
            axis.setStyle(tickLength=0)
        self.plot.showGrid(x=False, y=True, alpha=0.15)
        for name, line in self._lines.items():
            pen, symbol = styles[name]
            line.setPen(pen)
            line.setSymbol(symbol)
            line.setSymbolSize(6)
            line.setSymbolBrush(colour("accent"))
            line.setSymbolPen(None)
        if self._limit is not None:
            self._limit.setPen(styles["limit"][0])
        if self._best is not None:
            ring, label = self._best
            ring.setSymbol("o")
            ring.setSymbolSize(12)
            ring.setSymbolBrush(None)
            ring.setSymbolPen(pg.mkPen(colour("text"), width=2))
            label.setColor(colour("text"))
            label.setFont(self._tick_font())
        words = []
        for name, text in self._legend.items():
            stroke = "\u2013 \u2013" if styles[name][0].style() == Qt.PenStyle.DashLine else "\u2014"
            words.append(f'<span style="color:{styles[name][0].color().name()}">{stroke}</span> {text}')
        self.note.setText("&nbsp;&nbsp;&nbsp;".join(words))

    def _tick_font(self):
        font = self.font()
        font.setPixelSize(theme().size(CAPTION))
        return font


class GroupChart(QWidget):
    """Errors by group of landmarks: a ring before, a dot after, the difference in figures with its sign."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: list[tuple[str, float | None, float]] = []
        self._less_is_better = True
        theme().changed.connect(self._fit)

    def _fit(self) -> None:
        """Rows grow with the text."""
        self.setMinimumHeight(theme().size(GROUP_ROW) * max(len(self.rows), 1))
        self.update()

    def show_groups(
        self, before: dict[str, float] | None, after: dict[str, float], less_is_better: bool = True
    ) -> None:
        """Percent by group; `before` may be missing."""
        self._less_is_better = less_is_better
        self.rows = [(name, (before or {}).get(name), value) for name, value in after.items()]
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A row a group on a common axis from 0."""
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            values = [v for _, b, a in self.rows for v in (b, a) if v is not None]
            top = max(values, default=1.0) * 1.1 or 1.0
            high = theme().size(GROUP_ROW)
            for n, row in enumerate(self.rows):
                self._row(painter, QRectF(0, n * high, self.width(), high), row, top)
        finally:
            painter.end()

    def _row(self, painter: QPainter, area: QRectF, row: tuple[str, float | None, float], top: float) -> None:
        name, before, after = row
        colour, middle = theme().color, area.center().y()
        painter.setPen(colour("text"))
        wide, figure_width = theme().size(NAME_WIDTH), theme().size(FIGURE_WIDTH)
        painter.drawText(QRectF(0, area.top(), wide, area.height()), Qt.AlignmentFlag.AlignVCenter, name)
        left, right = wide + 8.0, area.width() - figure_width - 8
        painter.setPen(QPen(colour("border"), 1))
        painter.drawLine(int(left), int(middle), int(right), int(middle))

        def place(value: float) -> float:
            return left + (right - left) * value / top

        figure, tone = number(after, 2), colour("text")
        if before is not None:
            change = after - before
            better = change < 0 if self._less_is_better else change > 0
            tone = colour("muted" if round(change, 2) == 0 else "success" if better else "error")
            figure = f"{change:+.2f}".replace("-", "\u2212") if round(change, 2) else "0.00"
            painter.setPen(QPen(tone, 3))
            painter.drawLine(int(place(before)), int(middle), int(place(after)), int(middle))
            painter.setPen(QPen(colour("muted"), 2))
            painter.setBrush(colour("panel"))
            painter.drawEllipse(QRectF(place(before) - 5, middle - 5, 10, 10))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tone) if before is not None else colour("accent"))
        painter.drawEllipse(QRectF(place(after) - 5, middle - 5, 10, 10))
        painter.setPen(tone)
        painter.drawText(QRectF(area.right() - figure_width, area.top(), figure_width, area.height()),
                         Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, figure)  # fmt: skip
