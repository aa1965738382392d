"""Statistics of the live view under the picture: frames a second, where the time goes at the median and at the 95th
percentile, and a rolling plot. The plot's library is loaded when the dock is opened first.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QDockWidget,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.services.live import HISTORY, Live
from app.views.live.latency import Swatch, part_words
from app.views.live.statistics import COMMON, LIMIT, PARTS, colour, scale_top
from app.views.sample import runtime_truth
from app.views.theme import icon, theme
from app.views.widgets import ElidedLabel, Line
from app.views.words import tr

if TYPE_CHECKING:
    from app.services.live_values import Timing

HEIGHT, BODY = 36, 176  # of the heading's line, and of what is under it
SILENT = 0.5  # seconds without a frame after which the plot falls to nothing
SHARES = (50, 95)


def percentiles(timings: list[Timing]) -> dict[str, tuple[float, float]]:
    """Milliseconds of each part and of the total, at the median and at the 95th percentile."""
    found = {}
    for part in (*PARTS, "total"):
        values = [getattr(timing, part) * 1000 for timing in timings]
        found[part] = tuple(float(v) for v in np.percentile(values, SHARES)) if values else (0.0, 0.0)
    return found


def stack(history: list[tuple[float, Timing]], now: float) -> tuple[np.ndarray, np.ndarray]:
    """Seconds before now, and (parts, n) milliseconds of each part on top of those before; 0 where no frame came."""
    moments = np.array([moment - now for moment, _ in history])
    parts = np.array([[getattr(timing, part) * 1000 for _, timing in history] for part in PARTS])
    stacked = np.cumsum(parts.reshape(len(PARTS), -1), 0)
    gaps = np.flatnonzero(np.diff(moments) > SILENT) + 1
    edges = np.stack([moments[gaps - 1], moments[gaps]], 1).reshape(-1)
    places = np.repeat(gaps, 2)
    moments = np.insert(moments, places, edges)
    return moments, np.insert(stacked, places, 0.0, 1)


class StatisticsDock(QDockWidget):
    """Opened and closed by `toggle`; `refresh` does nothing while it is closed."""

    def __init__(self, window: QMainWindow, live: Live) -> None:
        super().__init__(window)
        self.setWindowTitle(tr("Statistics"))
        self.setObjectName("LiveStatistics")
        self.live = live
        self.plot: Any = None
        self.numbers: dict[str, tuple[QLabel, QLabel]] = {}
        self.facts, self.close_button = ElidedLabel(), QToolButton()
        self.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
        self.setTitleBarWidget(QWidget())
        window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, self)
        self.hide()

    def toggle(self) -> None:
        """Show, or hide."""
        if self.plot is None:
            self._make()
        self.setVisible(self.isHidden())
        self.refresh()

    def refresh(self) -> None:
        """Draw what was measured over the last seconds."""
        if self.plot is None or self.isHidden():
            return
        history, now = list(self.live.history), time.monotonic()
        timings = [timing for moment, timing in history if now - moment <= HISTORY]
        locale = self.locale()
        for part, values in percentiles(timings).items():
            for label, value in zip(self.numbers[part], values, strict=True):
                label.setText(locale.toString(value, "f", 1) if timings else "\u2013")
        moments, stacked = stack(history, now)
        for curve, values in zip(self.curves, stacked, strict=True):
            curve.setData(moments, values)
        totals = np.sort([timing.total * 1000 for timing in timings])
        self.plot.setYRange(0, scale_top(totals[int(len(totals) * COMMON)] if len(totals) else 0.0), padding=0)
        self.facts.set_text(self._facts())

    def _facts(self) -> str:
        rate = tr("{0} fps").format(self.locale().toString(self.live.rate, "f", 1))
        dropped = tr("{0} dropped").format(self.locale().toString(self.live.dropped))
        runtime = self.live.runtime
        return "   ".join([rate, dropped, *([runtime_truth(runtime)[0]] if runtime is not None else [])])

    # ---- building

    def _make(self) -> None:
        import pyqtgraph

        self.plot = pyqtgraph.PlotWidget(antialias=False)
        self.plot.setMenuEnabled(False)
        self.plot.setMouseEnabled(False, False)
        self.plot.hideButtons()
        self.plot.setXRange(-HISTORY, 0, padding=0)
        self.plot.setLimits(yMin=0)
        self.plot.showGrid(x=False, y=True, alpha=0.25)
        self.plot.setAccessibleName(tr("Latency over the last ten seconds"))
        self.curves, self.areas = [], {}
        below = None
        for part in PARTS:
            curve = self.plot.plot([], [])
            if below is None:
                curve.setFillLevel(0)
            else:
                self.areas[part] = pyqtgraph.FillBetweenItem(below, curve)
                self.plot.addItem(self.areas[part])
            self.curves.append(curve)
            below = curve
        self.limit = pyqtgraph.InfiniteLine(LIMIT, angle=0)
        self.plot.addItem(self.limit)
        body, inside = QWidget(), QHBoxLayout()
        body.setObjectName("panel")
        inside.setContentsMargins(16, 0, 16, 12)
        inside.setSpacing(24)
        inside.addWidget(self.plot, 1)
        inside.addLayout(self._table())
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(Line())
        column.addLayout(self._heading())
        column.addLayout(inside, 1)
        self.setWidget(body)
        body.setFixedHeight(theme().size(HEIGHT) + theme().size(BODY))
        theme().changed.connect(self._dress)
        self._dress()

    def _heading(self) -> QHBoxLayout:
        title = QLabel(tr("Statistics"))
        title.setProperty("heading", True)
        title.setFixedHeight(theme().size(HEIGHT))
        self.facts.setProperty("muted", True)
        self.facts.setProperty("small", True)
        self.close_button.setToolTip(tr("Close"))
        self.close_button.setAccessibleName(tr("Close"))
        self.close_button.setFixedSize(24, 24)
        self.close_button.clicked.connect(self.toggle)
        row = QHBoxLayout()
        row.setContentsMargins(16, 0, 12, 0)
        row.setSpacing(16)
        row.addWidget(title)
        row.addWidget(self.facts, 1)
        row.addWidget(self.close_button)
        return row

    def _table(self) -> QVBoxLayout:
        column, grid = QVBoxLayout(), QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        for place, words in ((2, tr("median")), (3, tr("95 %"))):
            grid.addWidget(_small(words, muted=True, right=True), 0, place)
        words = {**part_words(), "total": tr("Total")}
        for row, part in enumerate((*PARTS, "total"), 1):
            if part in PARTS:
                grid.addWidget(Swatch(part), row, 0)
            grid.addWidget(_small(words[part], muted=part != "total"), row, 1)
            self.numbers[part] = _small("\u2013", right=True), _small("\u2013", right=True)
            for place, label in enumerate(self.numbers[part]):
                label.setMinimumWidth(52)
                grid.addWidget(label, row, place + 2)
        column.addLayout(grid)
        column.addStretch(1)
        return column

    def _dress(self) -> None:
        colours = theme().color
        self.close_button.setIcon(icon("close", 16))
        self.plot.setBackground(colours("panel"))
        for part, curve in zip(PARTS, self.curves, strict=True):
            curve.setPen(colour(part), width=1)
            self.areas.get(part, curve).setBrush(colour(part))
        font = QFont(self.font())
        font.setPixelSize(theme().size(11))
        for name, words in (("left", tr("milliseconds")), ("bottom", tr("seconds"))):
            axis = self.plot.getAxis(name)
            axis.setPen(colours("border"))
            axis.setTextPen(colours("muted"))
            axis.setTickFont(font)
            axis.setStyle(tickLength=-4, hideOverlappingLabels=True)
            axis.tickStrings = self._ticks
            axis.setLabel(words, color=colours("muted").name(), **{"font-size": f"{theme().size(11)}px"})
        self.limit.setPen(color=colours("amber"), width=1, style=Qt.PenStyle.DashLine)

    def _ticks(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Whole numbers as everywhere else, with a true minus."""
        return [self.locale().toString(round(value * scale)).replace("-", "\u2212") for value in values]


def _small(text: str, muted: bool = False, right: bool = False) -> QLabel:
    label = QLabel(text)
    label.setProperty("small", True)
    label.setProperty("muted", muted)
    if right:
        label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return label
