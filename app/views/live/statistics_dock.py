"""Statistics of the live view under the picture: frames a second, where the time goes at the median and at the 95th
percentile, and a rolling plot. The plot's library is loaded when the dock is opened first.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Qt
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
from app.views.live.statistics import COLOURS, PARTS
from app.views.sample import runtime_truth
from app.views.theme import icon, theme
from app.views.words import tr

if TYPE_CHECKING:
    from app.services.live_values import Timing

HEIGHT = 256
SHARES = (50, 95)


def percentiles(timings: list[Timing]) -> dict[str, tuple[float, float]]:
    """Milliseconds of each part and of the total, at the median and at the 95th percentile."""
    found = {}
    for part in (*PARTS, "total"):
        values = [getattr(timing, part) * 1000 for timing in timings]
        found[part] = tuple(float(v) for v in np.percentile(values, SHARES)) if values else (0.0, 0.0)
    return found


class StatisticsDock(QDockWidget):
    """Opened and closed by `toggle`; `refresh` does nothing while it is closed."""

    def __init__(self, window: QMainWindow, live: Live) -> None:
        super().__init__(window)
        self.setWindowTitle(tr("Statistics"))
        self.setObjectName("LiveStatistics")
        self.live = live
        self.plot: Any = None
        self.numbers: dict[str, tuple[QLabel, QLabel]] = {}
        self.facts = QLabel()
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
        moments = np.array([moment - now for moment, _ in history])
        total = np.zeros(len(history))
        for part, curve in zip(PARTS, self.curves, strict=True):
            total = total + [getattr(timing, part) * 1000 for _, timing in history]
            curve.setData(moments, total)
        self.facts.setText(self._facts())

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
        self.plot.setAccessibleName(tr("Latency over the last ten seconds"))
        self.curves = []
        below = None
        for part in PARTS:
            curve = self.plot.plot([], [], pen=pyqtgraph.mkPen(COLOURS[part], width=1))
            if below is None:
                curve.setFillLevel(0)
                curve.setBrush(COLOURS[part])
            else:
                self.plot.addItem(pyqtgraph.FillBetweenItem(below, curve, brush=COLOURS[part]))
            self.curves.append(curve)
            below = curve
        body = QWidget()
        body.setObjectName("panel")
        row = QHBoxLayout(body)
        row.setContentsMargins(16, 8, 16, 12)
        row.setSpacing(16)
        row.addWidget(self.plot, 1)
        row.addLayout(self._table())
        self.setWidget(body)
        body.setFixedHeight(HEIGHT)
        theme().changed.connect(self._dress)
        self._dress()

    def _table(self) -> QVBoxLayout:
        column, grid = QVBoxLayout(), QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        for place, words in ((2, tr("median")), (3, tr("95 %"))):
            grid.addWidget(_small(words, muted=True, right=True), 0, place)
        words = {**part_words(), "total": tr("Total")}
        for row, part in enumerate((*PARTS, "total"), 1):
            if part in COLOURS:
                grid.addWidget(Swatch(COLOURS[part]), row, 0)
            grid.addWidget(_small(words[part], muted=part != "total"), row, 1)
            self.numbers[part] = _small("\u2013", right=True), _small("\u2013", right=True)
            for place, label in enumerate(self.numbers[part]):
                label.setMinimumWidth(52)
                grid.addWidget(label, row, place + 2)
        self.facts.setProperty("muted", True)
        self.facts.setProperty("small", True)
        self.facts.setWordWrap(True)
        self.facts.setFixedWidth(232)
        title, close = QLabel(tr("Statistics")), QToolButton()
        title.setProperty("heading", True)
        close.setIcon(icon("close", 16))
        close.setToolTip(tr("Close"))
        close.setAccessibleName(tr("Close"))
        close.clicked.connect(self.toggle)
        heading = QHBoxLayout()
        heading.addWidget(title, 1)
        heading.addWidget(close)
        column.addLayout(heading)
        column.addLayout(grid)
        column.addWidget(self.facts)
        column.addStretch(1)
        return column

    def _dress(self) -> None:
        self.plot.setBackground(theme().color("panel"))
        for name in ("left", "bottom"):
            axis = self.plot.getAxis(name)
            axis.setPen(theme().color("border"))
            axis.setTextPen(theme().color("muted"))
        self.plot.setLabel("left", tr("milliseconds"), color=theme().color("muted").name())
        self.plot.setLabel("bottom", tr("seconds"), color=theme().color("muted").name())


def _small(text: str, muted: bool = False, right: bool = False) -> QLabel:
    label = QLabel(text)
    label.setProperty("small", True)
    label.setProperty("muted", muted)
    if right:
        label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return label
