"""How the chosen doubt is spread over the images, and the limit above which they are worth a look."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from app.project.queue import BY_DOUBT
from app.views.label.numbers import number, short_count
from app.views.label.queue_model import QueueModel
from app.views.theme import grow, theme

BINS, STEPS = 27, 100
HEIGHT = 48
FIRST = 0.2  # share of the images above the limit at first: what `hourbit evaluate --doubt` measures


class Bars(QWidget):
    """The histogram: bars of 7 px, amber from the limit on."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grow(self, height=HEIGHT)
        self.counts, self.limit = np.zeros(BINS, int), 1.0  # limit: share of the width

    def paintEvent(self, event: QPaintEvent) -> None:
        """All bars; the highest fills the height, and none that counts is invisible."""
        painter = QPainter(self)
        try:
            painter.setPen(Qt.PenStyle.NoPen)
            width, most = self.width() / BINS, max(int(self.counts.max()), 1)
            for n, value in enumerate(self.counts):
                if value:
                    height = max(2.0, self.height() * value / most)
                    above = (n + 0.5) / BINS >= self.limit
                    painter.setBrush(theme().color("amber" if above else "outline"))
                    painter.drawRect(QRectF(n * width, self.height() - height, max(width - 1, 1), height))
        finally:
            painter.end()


class DoubtScale(QWidget):
    """Histogram, slider, and whether only what lies above is listed. changed(): the limit or that has changed."""

    changed = Signal()

    def __init__(self, model: QueueModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model, self.top, self._shown = model, 1.0, None
        self.bars, self.slider = Bars(self), QSlider(Qt.Orientation.Horizontal, self)
        self.only, self.above = QCheckBox(self.tr("Only these"), self), QLabel("", self)
        self.above.setProperty("muted", True)
        self.slider.setRange(0, STEPS)
        self.slider.setAccessibleName(self.tr("Limit of doubt"))
        self.only.setToolTip(self.tr("List only the images above the limit"))
        line = QHBoxLayout()
        line.addWidget(self.above)
        line.addStretch(1)
        line.addWidget(self.only)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.bars)
        column.addWidget(self.slider)
        column.addLayout(line)
        self.slider.valueChanged.connect(self._moved)
        self.only.toggled.connect(self._moved)
        model.opened.connect(self._forget)

    def refresh(self) -> None:
        """Count anew; another criterion or project gets a limit that the most doubtful fifth reaches."""
        model = self.model
        if model.order != BY_DOUBT:
            return
        self.bars.counts, self.top = model.columns.histogram(model.wish, BINS)
        other = model.wish.criterion != self._shown
        if other:
            self._shown = model.wish.criterion
            model.limit = model.columns.quantile(model.wish, FIRST)
        self.slider.blockSignals(True)
        self.slider.setValue(round(STEPS * min(model.limit / self.top, 1.0)))
        self.slider.blockSignals(False)
        if other and self.only.isChecked():
            self._moved()
        self._show()

    def _forget(self) -> None:
        self._shown = None
        self.refresh()

    @property
    def limit(self) -> float:
        """The doubt at which the slider stands, 0 to 1."""
        return self.top * self.slider.value() / STEPS

    def _moved(self) -> None:
        self.model.limit = self.limit
        above = self.limit if self.only.isChecked() else 0.0
        if above != self.model.wish.above:
            self.model.choose(above=above)
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        model = self.model
        self.bars.limit = model.limit / self.top
        self.bars.update()
        doubts = model.columns.doubts[model.columns.passes(type(model.wish)(model.wish.states)), model.wish.criterion]
        with np.errstate(invalid="ignore"):
            above = int((doubts >= model.limit).sum())
        self.above.setText(self.tr("{0} from {1}").format(short_count(above), number(model.limit, 2)))
