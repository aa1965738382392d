"""The peaks in figures: score, distance from the label, and what the flip test does."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

from app.views.label.numbers import number
from app.views.theme import theme
from app.views.widgets import ElidedLabel

PEAKS = 3
BUTTON = 64
LARGE = 115  # per cent of text size from which what moves the landmark stands below


class Foot(QWidget):
    """One button a peak, its distance from the label below it. taken(int): 1, 2 or 3."""

    taken = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(0)
        grid.setVerticalSpacing(4)
        grid.setColumnMinimumWidth(0, 72)
        grid.setColumnStretch(PEAKS + 1, 1)
        self.buttons: list[QPushButton] = []
        self.distances: list[QLabel] = []
        for row, words in enumerate((self.tr("Take peak"), self.tr("From label"))):
            grid.addWidget(self._muted(words), row, 0)
        for n in range(PEAKS):
            button = QPushButton("")
            button.setProperty("seg", ("first", "mid", "last")[n])
            button.setMinimumWidth(BUTTON)
            button.clicked.connect(lambda _=False, n=n: self.taken.emit(n + 1))
            distance = self._muted("")
            distance.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self.buttons.append(button)
            self.distances.append(distance)
            grid.addWidget(button, 0, n + 1)
            grid.addWidget(distance, 1, n + 1)
        self.moves = [ElidedLabel(), ElidedLabel()]
        for row, label in enumerate(self.moves):
            label.setProperty("muted", True)
            label.setProperty("small", True)
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            place = (row, PEAKS + 1, 1, 1) if theme().scale <= LARGE else (row + 2, 0, 1, PEAKS + 2)
            grid.addWidget(label, *place)

    def _muted(self, text: str) -> QLabel:
        label = QLabel(text)
        label.setProperty("muted", True)
        label.setProperty("small", True)
        return label

    def show_peaks(self, peaks: np.ndarray, label: np.ndarray | None, usable: bool) -> None:
        """peaks (n, 3): x, y in picture pixels, score; label (2,) the place by hand; usable: a peak can be taken."""
        for n, (button, distance) in enumerate(zip(self.buttons, self.distances, strict=True)):
            there = n < len(peaks)
            button.setEnabled(there and usable)
            button.setText(f"{n + 1}   {number(peaks[n, 2], 2)}" if there else f"{n + 1}")
            apart = float(np.linalg.norm(peaks[n, :2] - label)) if there and label is not None else float("nan")
            distance.setText(self.tr("{0} px").format(number(apart, 1)) if np.isfinite(apart) else number(apart, 1))
            words = self.tr("Take peak {0}, score {1}, {2} from the label")
            name = words.format(n + 1, number(peaks[n, 2], 2), distance.text()) if there else ""
            button.setAccessibleName(name or self.tr("No peak {0}").format(n + 1))

    def show_moves(self, flip: float, other: float) -> None:
        """Picture pixels that the flip test and, where it is compared with, the other model move the landmark by."""
        self.moves[0].set_text(self.tr("Flip test moves it {0} px").format(number(flip, 1)))
        words = self.tr("B has it {0} px away").format(number(other, 1))
        self.moves[1].set_text(words if np.isfinite(other) else "")

    def clear(self) -> None:
        """Nothing is selected."""
        self.show_peaks(np.empty((0, 3)), None, False)
        for label in self.moves:
            label.set_text("")
