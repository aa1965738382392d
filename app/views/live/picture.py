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
        painter.setClipRect(target, Qt.ClipOperation.IntersectClip)
        maximum = overlay.paint_heat(painter, shown, fit)
    painter.restore()
    if trouble:
        painter.setOpacity(1 - DIM)
        painter.fillRect(target, Qt.GlobalColor.black)
        painter.setOpacity(1)
    return maximum


def paint_other(painter: QPainter, view: LiveView, fit: Fit, image: QImage) -> list[QRectF]:
    """The same frame in the other half, with what the second model found; both halves have their model's name.

    The places of the names.
    """
    other, (first, second) = view.result.other, view.halves
    inside = QRectF(0, 0, second.width(), second.height())
    sheet = Sheet(replace(view.result, subjects=other.subjects, schema=other.schema), view.look, inside, view.locale())
    painter.save()
    painter.translate(second.topLeft())
    painter.setClipRect(inside)
    paint_picture(painter, sheet, fit, image, view.trouble)
    if not view.trouble:
        overlay.paint_subjects(painter, sheet, fit, [place.translated(-second.topLeft()) for place in view.plates])
    overlay.paint_parts(painter, sheet, inside.bottomRight())
    painter.restore()
    gap = QRectF(second.left() - 1, second.top(), 2, second.height())
    if second.left() == first.left():
        gap = QRectF(second.left(), second.top() - 1, second.width(), 2)
    painter.fillRect(gap, theme().color("canvas"))
    timing, result = view.result.timing, view.result
    note = tr("corrected here") if view.frozen is not None and not overlay.has_parts(view) else ""
    return [
        overlay.paint_name_of_model(painter, view, first, ("A", result.model), timing.engine + timing.decode, note),
        overlay.paint_name_of_model(painter, view, second, ("B", other.model), other.seconds, ""),
    ]


def read_out(view: LiveView) -> list[tuple[str, str]]:
    """Pairs of a value and its unit for the plate at the left."""
    if view.result is None:
        return []
    height, width = view.result.frame.pixels.shape[:2]
    locale = view.locale()
    size = [("", f"{width} \u00d7 {height}")]
    if view.zooming.near:
        size.append(("", f"{locale.toString(round(view.fit.scale * 100))} %"))
    if view.frozen is not None:
        return [(tr("Frozen"), f"{view.frozen.moment:%H:%M:%S}"), *size]
    if view.trouble:
        age = max(0.0, time.monotonic() - view.result.frame.time)
        return [(tr("Last picture"), ""), (locale.toString(age, "f", 0), tr("s ago")), *size]
    rate, latency = locale.toString(view.rate, "f", 1), locale.toString(view.latency * 1000, "f", 0)
    parts = [(tr("Paused"), "")] if view.paused else [(rate, tr("fps")), (latency, tr("ms"))]
    schema = view.result.schema
    if schema is not None and not view.result.subjects:
        words = {"face": tr("No face found"), "person": tr("No person found")}
        size.append((words.get(schema.subject, tr("Nothing found")), ""))
    return [*parts, *size]
