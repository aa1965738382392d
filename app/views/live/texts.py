"""Names and scores beside the landmarks of a live picture, as many as can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from app.views.live.plates import PLATE_TEXT
from app.views.words import named

if TYPE_CHECKING:
    from app.views.live.sheet import Sheet
    from app.views.live.view import LiveView

SIZE = 11  # pixels
AWAY = 8.0  # from the mark
EDGE = QColor(0, 0, 0, 178)
AROUND = tuple(QPointF(x, y) for x, y in ((-1, 0), (1, 0), (0, -1), (0, 1)))


def paint_texts(painter: QPainter, view: LiveView | Sheet, placed: np.ndarray, scores: np.ndarray) -> None:
    """In white with a dark edge; placed (K, 2) screen pixels. What would lie over another text is left out."""
    font = QFont(painter.font())
    font.setPixelSize(SIZE)
    names = view.result.schema.landmarks if view.look.names else None
    locale = view.locale()
    texts = []
    for k in range(len(placed)):
        parts = [named(names[k])] if names is not None else []
        parts += [locale.toString(float(scores[k]), "f", 2)] if view.look.scores else []
        texts.append("  ".join(parts))
    painter.save()
    painter.setFont(font)
    placed_texts = [(QPointF(a.left(), a.center().y() + 4), texts[k]) for k, a in arrange(font, texts, placed)]
    # Outlines as paths would take ten times as long.
    for colour, shifts in ((EDGE, AROUND), (PLATE_TEXT, (QPointF(),))):
        painter.setPen(colour)
        for shift in shifts:
            for place, text in placed_texts:
                painter.drawText(place + shift, text)
    painter.restore()


def arrange(font: QFont, texts: list[str], placed: np.ndarray) -> list[tuple[int, QRectF]]:
    """Landmark and place of each text that finds room: outward from the middle, the outermost first."""
    shown = np.flatnonzero(np.isfinite(placed).all(1))
    if not len(shown):
        return []
    away, metrics = placed - placed[shown].mean(0), QFontMetricsF(font)
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
