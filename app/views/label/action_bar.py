"""The bar under the canvas: where one is in the queue, candidate peaks, reject, accept."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from app.views import theme
from app.views.actions import BY_NAME, title
from app.views.fitting import give_way
from app.views.key_button import KeyButton
from app.views.keymap import KeyMap, KeyTip
from app.views.label.numbers import count, number
from app.views.widgets import Line, bar_row

HEIGHT = 48
PEAKS = 3
NARROWEST = 480


class ActionBar(QWidget):
    """Buttons only; the workspace does the work."""

    stepped = Signal(int)
    peak_taken = Signal(int)
    rejected = Signal()
    accepted = Signal()

    def __init__(self, keys: KeyMap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.keys = keys
        self._scored, self._peaks = True, np.empty((0, 3))
        self.setObjectName("actionBar")
        row = bar_row(self, HEIGHT)
        self.previous = self._arrow("chevron-left", "previous_image", -1)
        self.place = QLabel("")
        self.place.setProperty("muted", True)
        self.place.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.place.setMinimumWidth(88)
        self.next = self._arrow("chevron-right", "next_image", 1)
        self.take = QLabel(self.tr("Take peak"))
        self.take.setProperty("muted", True)
        for widget in (self.previous, self.place, self.next):
            row.addWidget(widget)
        row.addSpacing(8)
        row.addWidget(Line(vertical=True))
        row.addSpacing(8)
        row.addWidget(self.take)
        peaks = QHBoxLayout()
        peaks.setSpacing(0)
        self.peaks = [self._peak(n) for n in range(PEAKS)]
        for button in self.peaks:
            peaks.addWidget(button)
        row.addLayout(peaks)
        row.addStretch(1)
        self.reject = self._key_button(self.tr("Reject"), "reject", self.rejected)
        self.reject.setProperty("flat", True)
        self.accept = self._key_button(self.tr("Accept, next"), "accept", self.accepted)
        self.accept.setProperty("primary", True)
        row.addWidget(self.reject)
        row.addWidget(self.accept)
        self.setMinimumWidth(NARROWEST)
        self.set_peaks(np.empty((0, 3)))
        theme.theme().changed.connect(self._icons)
        self._icons()

    def _arrow(self, name: str, action: str, step: int) -> QToolButton:
        button = QToolButton(self)
        button.setProperty("iconName", name)
        theme.grow(button, icon=20)
        KeyTip(button, self.keys, action)
        button.setAccessibleName(title(BY_NAME[action]))
        button.clicked.connect(lambda: self.stepped.emit(step))
        return button

    def _peak(self, n: int) -> QPushButton:
        button = QPushButton(self)
        button.setProperty("seg", ("first", "mid", "last")[n])
        words = self.tr("Move the landmark to peak {0} of its heatmap").format(n + 1)
        KeyTip(button, self.keys, f"peak_{n + 1}", words)
        button.setAccessibleName(words)
        button.clicked.connect(lambda: self.peak_taken.emit(n + 1))
        return button

    def _key_button(self, text: str, action: str, signal: Signal) -> KeyButton:
        button = KeyButton(text, self.keys, action, self)
        button.clicked.connect(signal)
        return button

    def _icons(self) -> None:
        for button in (self.previous, self.next):
            button.setIcon(theme.icon(button.property("iconName")))
        self.accept.setIcon(theme.icon("check", role="onaccent"))
        self.reject.setIcon(theme.icon("close"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow bar leaves out what the tooltips say."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        size = theme.theme().size
        self.place.setMinimumWidth(size(88))
        give_way(self, (
            self.reject.set_capped, self.accept.set_capped, self.take.setVisible, self._show_scores,
            lambda room: self.place.setVisible(room), self.reject.set_worded, self.accept.set_worded,
        ))  # fmt: skip

    def _show_scores(self, room: bool) -> None:
        for button in self.peaks:
            button.setFixedWidth(theme.theme().size(70 if room else 32))
        self._scored = room
        self._write_peaks()

    def set_peaks(self, peaks: np.ndarray) -> None:
        """Show candidates (n, 3) x, y, score; without a selection the buttons are disabled, not hidden."""
        self._peaks = peaks
        for n, button in enumerate(self.peaks):
            button.setEnabled(n < len(peaks))
        self.take.setEnabled(len(peaks) > 0)
        self._write_peaks()

    def _write_peaks(self) -> None:
        for n, button in enumerate(self.peaks):
            scored = self._scored and n < len(self._peaks)
            button.setText(f"{n + 1}  {number(self._peaks[n, 2], 2)}" if scored else f"{n + 1}")

    def set_place(self, row: int, rows: int) -> None:
        """Say where the picture stands in the list."""
        text = self.tr("{0} of {1}").format(count(row + 1), count(rows)) if row >= 0 else ""
        if text != self.place.text():
            self.place.setText(text)
            self._fit()
        self.previous.setEnabled(row > 0)
        self.next.setEnabled(row < rows - 1)

    def set_usable(self, usable: bool) -> None:
        """Whether there is a picture to accept or reject."""
        self.reject.setEnabled(usable)
        self.accept.setEnabled(usable)
        if usable:
            self._fit()
        else:
            self.accept.setToolTip(self.tr("There is no picture to accept"))
