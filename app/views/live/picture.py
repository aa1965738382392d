"""The frame itself on the live view, alone or beside what a second model found in it, and the read-out over it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from app.views.live import overlay
from app.views.live.geometry import Fit
from app.views.live.sheet import Sheet
from app.views.theme import theme
from app.views.words import tr

if TYPE_CHECKING:
    from app.views.live.view import LiveView

DIM = 0.6  # brightness of the last frame while the source is silent


def paint_picture(
    painter: QPainter, shown: LiveView | Sheet, fit: Fit, image: QImage, trouble: bool = False
) -> float | None:
    """The frame and its heatmap, in the frame's place; the heatmap's highest value, if any."""
    x, y, wide, high = fit.rect
    target = QRectF(x, y, wide, high)
    painter.save()
    if fit.mirror:
        painter.translate(2 * x + wide, 0)
        painter.scale(-1, 1)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, fit.scale < 3)
    maximum = None
    painter.drawImage(target, image)
    if (shown.look.heatmap != "off" or overlay.has_parts(shown)) and not trouble:
        maximum = overlay.paint_heat(painter, shown, fit)
    painter.restore()
    if trouble:
        painter.setOpacity(1 - DIM)
        painter.fillRect(target, Qt.GlobalColor.black)
        painter.setOpacity(1)
    return maximum


def paint_other(painter: QPainter, view: LiveView, fit: Fit, image: QImage) -> None:
    """The same frame in the right half, with what the second model found; both halves have their model's name."""
    other, half = view.result.other, view.width() / 2
    sheet = Sheet(replace(view.result, subjects=other.subjects, schema=other.schema), view.look,
                  QRectF(0, 0, half, view.height()), view.locale())  # fmt: skip
    x, y, wide, high = fit.rect
    painter.save()
    painter.translate(half, 0)
    painter.setClipRect(QRectF(0, 0, half, view.height()))
    paint_picture(painter, sheet, fit, image, view.trouble)
    if not view.trouble:
        overlay.paint_subjects(painter, sheet, fit)
    painter.restore()
    painter.fillRect(QRectF(half - 1, 0, 2, view.height()), theme().color("canvas"))
    timing, top = view.result.timing, max(y + 12, 48)
    overlay.paint_name_of_model(painter, half / 2, top, view.result.model, timing.engine + timing.decode)
    overlay.paint_name_of_model(painter, half * 1.5, top, other.model, other.seconds)


def read_out(view: LiveView) -> list[tuple[str, str]]:
    """Pairs of a value and its unit for the plate at the left."""
    if view.result is None:
        return []
    height, width = view.result.frame.pixels.shape[:2]
    locale = view.locale()
    size = ("", f"{width} \u00d7 {height}")
    if view.trouble:
        age = max(0.0, time.monotonic() - view.result.frame.time)
        return [(tr("Last picture"), ""), (locale.toString(age, "f", 0), tr("s ago")), size]
    if view.frozen is not None:
        return [(tr("Frozen"), f"{view.frozen.moment:%H:%M:%S}"), size]
    rate, latency = locale.toString(view.rate, "f", 1), locale.toString(view.latency * 1000, "f", 0)
    parts = [(rate, tr("fps")), (latency, tr("ms")), size]
    if view.result.schema is not None and not view.result.subjects:
        parts.append(("", tr("none found")))
    if view.recording is not None:
        parts.append((f"\u25cf {view.recording // 60}:{view.recording % 60:02d}", tr("recording")))
    return parts
