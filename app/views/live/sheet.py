"""A result as it is painted apart from the live view: at the frame's own size, in halves, in another thread."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QLocale, QRectF
from PySide6.QtGui import QFont, QImage, QPainter

from app.services.live_values import Result
from app.views.live import overlay
from app.views.live.geometry import Fit
from app.views.live.look import Look
from app.views.qimage import to_qimage


class Sheet:
    """What the overlay needs to know to paint a result: the live view's own names, nothing selected."""

    frozen = None
    selection = hover = (-1, -1)
    heat_maximum: float | None = None

    def __init__(self, result: Result, look: Look, area: QRectF, locale: QLocale) -> None:
        self.result, self.look = result, look
        self._area, self._locale = area, locale

    def points(self) -> list[np.ndarray]:
        """(K, 2) picture pixels of each subject, as drawn."""
        return [subject.shown for subject in self.result.subjects]

    def rect(self) -> QRectF:
        """Where there is room for plates."""
        return self._area

    def locale(self) -> QLocale:
        """How numbers are written."""
        return self._locale


def painted(result: Result, look: Look, font: QFont, locale: QLocale) -> np.ndarray:
    """(H, W, 3) uint8 RGB: a frame with what is drawn over it, never mirrored; from any thread.

    What a second model found stands beside it, as (H, 2 W, 3).
    """
    if result.other is not None:
        halves = (replace(result, other=None), replace(result.swapped, other=None))
        return np.concatenate([painted(half, look, font, locale) for half in halves], 1)
    height, width = result.frame.pixels.shape[:2]
    image = to_qimage(result.frame.pixels, QImage.Format.Format_RGB888).copy()
    fit = Fit(width, height, width, height)
    sheet = Sheet(result, look, QRectF(0, 0, width, height), locale)
    painter = QPainter(image)
    try:
        painter.setFont(font)
        if look.heatmap != "off" or overlay.has_parts(sheet):
            overlay.paint_heat(painter, sheet, fit)
        overlay.paint_subjects(painter, sheet, fit)
    finally:
        painter.end()
    return pixels_of(image)


def pixels_of(image: QImage) -> np.ndarray:
    """(H, W, 3) uint8: a copy of the pixels of an RGB888 picture."""
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()
