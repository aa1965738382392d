"""Latency as a plot and six numbers, kept calm: the plot moves five times a second, the numbers twice."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from app.services.pipeline import Timing
from app.views.live.statistics import PARTS, LatencyPlot, colour
from app.views.theme import theme
from app.views.words import tr

NUMBERS_EVERY = 0.5  # seconds
AVERAGED = 1.0  # seconds of frames that a number speaks for


def average(history: Sequence[tuple[float, Timing]], now: float, window: float = AVERAGED) -> Timing | None:
    """The mean of each part over the last `window` seconds; None when no frame was drawn in them."""
    recent = [timing for moment, timing in history if now - moment <= window]
    if not recent:
        return None
    return Timing(*(sum(getattr(t, part) for t in recent) / len(recent) for part in PARTS))


def part_words() -> dict[str, str]:
    """What the parts of the latency are called."""
    return {"capture": tr("Capture"), "wait": tr("Wait"), "detect": tr("Detect"), "engine": tr("Engine"),
            "decode": tr("Decode"), "draw": tr("Draw")}  # fmt: skip


class Swatch(QWidget):
    """A small square in a part's colour."""

    def __init__(self, part: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._part = part
        self.setFixedSize(8, 18)
        theme().changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        """8 x 8 in the middle."""
        painter = QPainter(self)
        try:
            painter.fillRect(0, self.height() // 2 - 4, 8, 8, colour(self._part))
        finally:
            painter.end()


class LatencyPanel(QWidget):
    """The plot and its numbers. total_changed(text): the total, for the section's heading."""

    total_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plot = LatencyPlot()
        self.numbers: dict[str, QLabel] = {}
        self._told = 0.0
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.plot)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        texts = part_words()
        for place, part in enumerate(PARTS):
            row, column = place // 2, place % 2 * 4
            name, number = QLabel(texts[part]), QLabel("\u2013")
            name.setProperty("muted", True)
            name.setProperty("small", True)
            number.setProperty("small", True)
            number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.numbers[part] = number
            grid.addWidget(Swatch(part), row, column)
            grid.addWidget(name, row, column + 1)
            grid.addWidget(number, row, column + 2)
        grid.setColumnStretch(2, 1)
        grid.setColumnStretch(6, 1)
        grid.setColumnMinimumWidth(3, 12)
        layout.addLayout(grid)

    def show_history(self, history: Sequence[tuple[float, Timing]]) -> Timing | None:
        """Draw what was measured; the averages, when the numbers were due, else None."""
        now = time.monotonic()
        self.plot.show_history(history)
        if now - self._told < NUMBERS_EVERY:
            return None
        self._told = now
        mean = average(history, now)
        for part, label in self.numbers.items():
            label.setText("\u2013" if mean is None else milliseconds(self.locale(), getattr(mean, part)))
        self.total_changed.emit("" if mean is None else milliseconds(self.locale(), mean.total))
        return mean


def milliseconds(locale: QLocale, seconds: float) -> str:
    """Seconds as milliseconds with one decimal and the unit."""
    return f"{locale.toString(seconds * 1000, 'f', 1)} ms"
