"""Names and scores beside the landmarks of a live picture, as many as can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from app.views.live.plates import PLATE_TEXT

if TYPE_CHECKING:
    from app.views.live.sheet import Sheet
    from app.views.live.view import LiveView

SIZE = 11  # pixels
AWAY = 8.0  # from the mark


def paint_texts(painter: QPainter, view: LiveView | Sheet, placed: np.ndarray, scores: np.ndarray) -> None:
    """In white with a dark edge; placed (K, 2) screen pixels. What would lie over another text is left out."""
    font = QFont(painter.font())
    font.setPixelSize(SIZE)
    names = view.result.schema.landmarks if view.look.names else None
    locale = view.locale()
    texts = []
    for k in range(len(placed)):
        parts = [names[k]] if names is not None else []
        parts += [locale.toString(float(scores[k]), "f", 2)] if view.look.scores else []
        texts.append("  ".join(parts))
    path = QPainterPath()
    for k, area in arrange(QFontMetricsF(font), texts, placed):
        path.addText(area.left(), area.center().y() + 4, font, texts[k])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(0, 0, 0, 178), 2.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap,
                        Qt.PenJoinStyle.RoundJoin))  # fmt: skip
    painter.drawPath(path)
    painter.fillPath(path, PLATE_TEXT)


def arrange(metrics: QFontMetricsF, texts: list[str], placed: np.ndarray) -> list[tuple[int, QRectF]]:
    """Landmark and place of each text that finds room: outward from the middle, the outermost first."""
    shown = np.flatnonzero(np.isfinite(placed).all(1))
    if not len(shown):
        return []
    away = placed - placed[shown].mean(0)
    taken: list[QRectF] = []
    found = []
    for k in sorted(shown, key=lambda k: -np.hypot(*away[k])):
        width, (x, y) = metrics.horizontalAdvance(texts[k]), placed[k]
        left = x + AWAY if away[k][0] >= 0 else x - AWAY - width
        area = QRectF(left, y - SIZE / 2 - 1, width, SIZE + 2)
        if not any(area.intersects(other) for other in taken):
            taken.append(area)
            found.append((int(k), area))
    return found
