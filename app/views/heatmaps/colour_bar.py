"""The scale of a map: its colours with a number at each end."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.services.maps import Shown
from app.views.heatmaps.colours import scale_colours, viridis
from app.views.label.numbers import number
from app.views.qimage import to_qimage
from app.views.theme import theme

BAR = (96.0, 8.0)
GAP = 6.0


class ColourBar(QWidget):
    """96 x 8 pixels of colour; it keeps its width whatever the numbers are."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ends, self._colours = ("0", ""), None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme().changed.connect(self.update)
        self.setAccessibleName(self.tr("Colour scale"))

    def show_scale(self, shown: Shown | None) -> None:
        """The scale of a map, or none."""
        if shown is None:
            self._set(None, 0.0, 0.0)
        else:
            self._set(scale_colours(shown.signed), shown.low, shown.high)

    def show_residual(self, low: float, high: float) -> None:
        """The scale of a layer's real values."""
        self._set(viridis(), low, high)

    def _set(self, colours: np.ndarray | None, low: float, high: float) -> None:
        self._colours = colours
        self._ends = (number(low, 2) if low else "0", number(high, 2))
        self.setAccessibleDescription(self.tr("from {0} to {1}").format(*self._ends) if colours is not None else "")
        self.update()

    @property
    def ends(self) -> tuple[str, str]:
        """The numbers at the ends, as they show."""
        return self._ends

    def sizeHint(self) -> QSize:
        """Room for a signed number with two decimals at each end."""
        metrics = QFontMetricsF(self._small())
        return QSize(int(BAR[0] + 2 * GAP + 2 * metrics.horizontalAdvance("\u221200.00")) + 2, 20)

    def _small(self) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(theme().size(12))
        return font

    def paintEvent(self, event: QPaintEvent) -> None:
        """Numbers muted, their bar between them, all to the right."""
        if self._colours is None:
            return
        painter = QPainter(self)
        painter.setFont(self._small())
        painter.setPen(theme().color("muted"))
        room = QRectF(self.rect())
        right = QFontMetricsF(painter.font()).horizontalAdvance(self._ends[1])
        vertical = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(room, vertical | Qt.AlignmentFlag.AlignRight, self._ends[1])
        bar = QRectF(room.right() - right - GAP - BAR[0], (room.height() - BAR[1]) / 2, *BAR)
        image = to_qimage(np.ascontiguousarray(self._colours[None]), QImage.Format.Format_BGR888)
        painter.drawImage(bar, image)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(theme().color("border"))
        painter.drawRect(bar)
        painter.setPen(theme().color("muted"))
        left = QRectF(0, 0, bar.left() - GAP, room.height())
        painter.drawText(left, vertical | Qt.AlignmentFlag.AlignRight, self._ends[0])
        painter.end()
