"""Which channels of a layer tell a place apart from the rest of the crop."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

from app.services.maps import standing_out
from app.views.heatmaps.marking import Marks
from app.views.label.numbers import number

BEST = 3


class StandingOut(QWidget):
    """A row for the first peak and one for the label's place, the best channels as buttons. chosen(channel)."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(8)
        title = QLabel(self.tr("Channels that stand out"))
        title.setProperty("heading", True)
        title.setToolTip(self.tr("Channel, and by how many standard deviations it differs there from the whole crop"))
        grid.addWidget(title, 0, 0, 1, BEST + 1)
        self.rows: list[list[QPushButton]] = []
        for row, words in enumerate((self.tr("At peak 1"), self.tr("At the label"))):
            caption = QLabel(words)
            caption.setProperty("muted", True)
            caption.setProperty("small", True)
            grid.addWidget(caption, row + 1, 0)
            self.rows.append([self._button(grid, row + 1, n) for n in range(BEST)])
        for n in range(BEST):
            grid.setColumnStretch(n + 1, 1)

    def _button(self, grid: QGridLayout, row: int, n: int) -> QPushButton:
        button = QPushButton("")
        button.setProperty("chip", True)
        button.clicked.connect(lambda: self.chosen.emit(button.property("channel")))
        grid.addWidget(button, row, n + 1)
        return button

    def show_layer(self, real: np.ndarray | None, marks: Marks, columns: int) -> None:
        """real (H, W, C) float32 or None; marks in cells of heatmaps that are `columns` wide."""
        peak = marks.peaks[0, :2] if len(marks.peaks) else None
        for buttons, place in zip(self.rows, (peak, marks.label), strict=True):
            there = real is not None and place is not None
            found = standing_out(real, (place + 0.5) / columns) if there else np.empty(0)
            best = np.argsort(-np.abs(found), kind="stable")[:BEST]
            for n, button in enumerate(buttons):
                button.setEnabled(n < len(best))
                if n < len(best):
                    button.setProperty("channel", int(best[n]))
                    button.setText(f"{best[n]}   {number(found[best[n]], 1)} \u03c3")
                else:
                    button.setText(number(float("nan"), 1))
