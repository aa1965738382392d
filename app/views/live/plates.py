"""Dark plates with numbers on the picture."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter

from app.services.heat import inferno
from app.views.qimage import to_qimage
from app.views.weights import HEAVY, weighted

PLATE = QColor("#0C0D0F")
PLATE_TEXT = QColor("#E7E9EC")
PLATE_MUTED = QColor("#A1A8B2")
RECORDING = QColor("#F57F82")
PLATE_HEIGHT, DOT = 24.0, 8.0
GAP, PADDING = 12.0, 8.0
BAR_WIDTH, BAR_HEIGHT = 96.0, 8.0
SWATCH, LEGEND_ROW, LEGEND_EDGE = 12.0, 20.0, 4.0


def _plate_font(painter: QPainter, bold: bool) -> QFont:
    return weighted(painter.font(), HEAVY if bold else 400)


def plate_width(painter: QPainter, parts: list[tuple[str, str]]) -> float:
    """How wide a plate with these parts is."""
    return sum(a + b for a, b in _widths(painter, parts)) + GAP * (len(parts) - 1) + 2 * PADDING


def _widths(painter: QPainter, parts: list[tuple[str, str]]) -> list[tuple[float, float]]:
    wide, narrow = QFontMetricsF(_plate_font(painter, True)), QFontMetricsF(_plate_font(painter, False))
    return [
        (wide.horizontalAdvance(value), (4 if value and unit else 0) + narrow.horizontalAdvance(unit))
        for value, unit in parts
    ]


def draw_plate(painter: QPainter, x: float, y: float, parts: list[tuple[str, str]]) -> QRectF:
    """A dark plate at (x, y) with pairs of a bold value and a muted unit; the place it takes."""
    bold, plain = _plate_font(painter, True), _plate_font(painter, False)
    widths = _widths(painter, parts)
    plate = QRectF(x, y, plate_width(painter, parts), PLATE_HEIGHT)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(PLATE)
    painter.drawRoundedRect(plate, 3, 3)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    at = x + PADDING
    vertical = Qt.AlignmentFlag.AlignVCenter
    for (value, unit), (first, second) in zip(parts, widths, strict=True):
        painter.setFont(bold)
        painter.setPen(PLATE_TEXT)
        painter.drawText(QRectF(at, y, first + 1, PLATE_HEIGHT), vertical | Qt.AlignmentFlag.AlignLeft, value)
        painter.setFont(plain)
        painter.setPen(PLATE_MUTED)
        end = QRectF(at + first, y, second + 1, PLATE_HEIGHT)
        painter.drawText(end, vertical | Qt.AlignmentFlag.AlignRight, unit)
        at += first + second + GAP
    painter.setFont(plain)
    return plate


def draw_recording(painter: QPainter, right: float, y: float, time: str) -> QRectF:
    """A red dot and for how long one records, on a plate that ends at `right`; its place."""
    bold = _plate_font(painter, True)
    width = QFontMetricsF(bold).horizontalAdvance(time) + 2 * PADDING + DOT + 8
    plate = QRectF(right - width, y, width, PLATE_HEIGHT)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(PLATE)
    painter.drawRoundedRect(plate, 3, 3)
    painter.setBrush(RECORDING)
    painter.drawEllipse(QRectF(plate.left() + PADDING, plate.center().y() - DOT / 2, DOT, DOT))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setFont(bold)
    painter.setPen(PLATE_TEXT)
    vertical = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
    painter.drawText(plate.adjusted(0, 0, -PADDING, 0), vertical, time)
    painter.setFont(_plate_font(painter, False))
    return plate


def draw_colour_bar(painter: QPainter, right: float, y: float, maximum: str) -> None:
    """Inferno from 0 to a map's maximum, 96 x 8, on a plate that ends at `right`."""
    metrics = QFontMetricsF(_plate_font(painter, False))
    first, last = metrics.horizontalAdvance("0"), metrics.horizontalAdvance(maximum)
    width = first + BAR_WIDTH + last + 2 * PADDING + 12
    plate = QRectF(right - width, y, width, PLATE_HEIGHT)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(PLATE)
    painter.drawRoundedRect(plate, 3, 3)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    bar = QRectF(plate.left() + PADDING + first + 6, y + (PLATE_HEIGHT - BAR_HEIGHT) / 2, BAR_WIDTH, BAR_HEIGHT)
    colours = np.ascontiguousarray(inferno()[None])
    painter.drawImage(bar, to_qimage(colours, QImage.Format.Format_BGR888))
    painter.setPen(PLATE_MUTED)
    painter.setFont(_plate_font(painter, False))
    inside = plate.adjusted(PADDING, 0, -PADDING, 0)
    painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, "0")
    painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, maximum)


def legend_height(rows: int) -> float:
    """How high a legend of so many rows is."""
    return rows * LEGEND_ROW + 2 * LEGEND_EDGE


def draw_legend(painter: QPainter, right: float, y: float, named: list[tuple[str, tuple[int, int, int]]]) -> QRectF:
    """Names beside squares of their colours (RGB), one below the other, on a plate that ends at `right`; its place."""
    painter.setFont(_plate_font(painter, False))
    widest = max(QFontMetricsF(painter.font()).horizontalAdvance(name) for name, _ in named)
    width = widest + SWATCH + 8 + 2 * PADDING
    plate = QRectF(right - width, y, width, legend_height(len(named)))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(PLATE)
    painter.drawRoundedRect(plate, 3, 3)
    for row, (name, colour) in enumerate(named):
        line = QRectF(plate.left() + PADDING, y + LEGEND_EDGE + row * LEGEND_ROW, width - 2 * PADDING, LEGEND_ROW)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(*colour))
        painter.drawRoundedRect(QRectF(line.left(), line.center().y() - SWATCH / 2, SWATCH, SWATCH), 2, 2)
        painter.setPen(PLATE_TEXT)
        painter.drawText(line.adjusted(SWATCH + 8, 0, 1, 0), Qt.AlignmentFlag.AlignVCenter, name)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    return plate
