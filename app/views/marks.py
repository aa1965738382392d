"""Landmarks, lines, rings and glyphs, painted alike on pictures, in tables and in the guide (design.md 3).

Colour means anatomy, shape means state; solid means trusted, hollow not yet. All sizes are
device-independent pixels: the painter must not be scaled by the picture's zoom.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

from app.project.values import Origin, Visibility
from app.views import tokens
from app.views.theme import theme
from engine.schema import Schema

# A model's score under which a landmark is doubtful. Of pose16's in LSP half are right between 0.25 and 0.3, and 70 %
# between 0.4 and 0.5; of face68's in AFW a third between 0.5 and 0.6, and 89 % over 0.7.
DOUBT_LIMIT, DOUBT_LIMITS = 0.5, {"person": 0.3}
CASING = QColor(0, 0, 0, 178)
UNDER_LINE = QColor(0, 0, 0, 115)
RING_DOUBT, RING_SELECTED, RING_CHOSEN = 6.0, 8.0, 3.5
KINDS = {Origin.NONE: "hand", Origin.MODEL: "model", Origin.EDITED: "edited", Origin.HAND: "hand"}


def side_colour(side: str, on_chrome: bool = False) -> QColor:
    """Colour of a side of the body; on light chrome a darker one of the same hue."""
    light = on_chrome and not theme().dark
    return QColor((tokens.SIDES_ON_LIGHT if light else tokens.SIDES)[side])


def landmark_colour(schema: Schema, landmark: int, on_chrome: bool = False) -> QColor:
    """Colour of a landmark: its group's where the schema has one, else its side's."""
    own = schema.colour(landmark)
    return QColor(own) if own else side_colour(schema.sides[landmark], on_chrome)


def doubt_limit(schema: Schema) -> float:
    """The score under which a landmark that a model found is doubtful, by the schema's subject."""
    return DOUBT_LIMITS.get(schema.subject, DOUBT_LIMIT)


def draw_landmarks(
    painter: QPainter, points: np.ndarray, schema: Schema, visibility: np.ndarray | None = None,
    origin: np.ndarray | None = None, scores: np.ndarray | None = None, *, selected: int = -1, hovered: int = -1,
    chosen: Collection[int] = (), radius: float = 5.0, sure_is_solid: bool = False, lines: bool = True,
    marks: bool = True, clear: bool | None = None, colours: Sequence[QColor] | None = None,
) -> None:  # fmt: skip
    """Paint one instance.

    points (K, 2) in the painter's pixels; visibility, origin, scores (K,), by default all visible, from the
    model, sure. `sure_is_solid` fills a model's sure landmarks, as in Live; `clear` keeps lines out of hollow
    marks also where another call paints those (default: as `marks`); colours replaces the sides' (K). `chosen` are
    selected too, `selected` is the last of them.
    """
    k = len(points)
    visibility = np.full(k, Visibility.VISIBLE) if visibility is None else visibility
    origin = np.full(k, Origin.MODEL) if origin is None else origin
    scores = np.ones(k) if scores is None else scores
    doubtful = (origin == Origin.MODEL) & (scores < doubt_limit(schema))
    shown = (visibility != Visibility.ABSENT) & np.isfinite(points).all(1)
    kinds = _kinds(origin, doubtful, sure_is_solid)
    hues = colours or [landmark_colour(schema, n) for n in range(k)]
    clear_middle = marks if clear is None else clear
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if lines:
        weak = doubtful | (visibility == Visibility.OCCLUDED)
        hollow = [radius if clear_middle and kind == "model" else 0.0 for kind in kinds]
        edges = [(a, b) for a, b in schema.edges if shown[a] and shown[b]]
        _draw_lines(painter, points, edges, schema, hues, weak, hollow)
    if marks:
        order = [n for n in range(k) if shown[n] and n != selected]
        if 0 <= selected < k and shown[selected]:
            order.append(selected)
        for n in order:
            at = QPointF(*points[n])
            draw_mark(painter, at, kinds[n], hues[n], radius, Visibility(int(visibility[n])))
            if doubtful[n]:
                draw_ring(painter, at, radius + RING_DOUBT, QColor(tokens.DOUBT), 1.5, dashed=True)
            if n in (selected, hovered):
                draw_ring(painter, at, radius + RING_SELECTED, QColor("white"), 2.0 if n == selected else 1.0)
            elif n in chosen:
                draw_ring(painter, at, radius + RING_CHOSEN, QColor("white"), 1.5)
    painter.restore()


def _kinds(origin: np.ndarray, doubtful: np.ndarray, sure_is_solid: bool) -> list[str]:
    solid = ~doubtful & (origin == Origin.MODEL) & sure_is_solid
    return ["hand" if full else KINDS[number] for number, full in zip(origin.tolist(), solid.tolist(), strict=True)]


def _draw_lines(
    painter: QPainter, points: np.ndarray, edges: Sequence[tuple[int, int]], schema: Schema, hues: Sequence[QColor],
    weak: np.ndarray, hollow: Sequence[float],
) -> None:  # fmt: skip
    """Lines between landmarks, from the edge of hollow marks; dotted where an end is not trusted.

    Those that look alike are painted in one call, as there are dozens in every frame.
    """
    alike: dict[tuple[int, bool], list[QLineF]] = {}
    for a, b in edges:
        line = QLineF(*points[a], *points[b])
        length = line.length()
        if length <= hollow[a] + hollow[b] + 0.5:
            continue
        if hollow[a] or hollow[b]:
            line = QLineF(line.pointAt(hollow[a] / length), line.pointAt(1 - hollow[b] / length))
        hue = hues[a] if schema.sides[a] != "centre" else hues[b]
        alike.setdefault((hue.rgba(), bool(weak[a] or weak[b])), []).append(line)
    for (hue, dotted), lines in alike.items():
        for colour, width in ((UNDER_LINE, 3.4), (QColor.fromRgba(hue), 1.8)):
            pen = QPen(colour, width)
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            if dotted:
                pen.setDashPattern([2 / width * 1.8, 4 / width * 1.8])
            painter.setPen(pen)
            painter.drawLines(lines)


def draw_mark(
    painter: QPainter, at: QPointF, kind: str, colour: QColor, radius: float = 5.0,
    visibility: Visibility = Visibility.VISIBLE, casing: bool = True,
) -> None:  # fmt: skip
    """One landmark: kind is model (hollow), edited (solid with a dot) or hand (solid)."""
    if visibility == Visibility.ABSENT:
        draw_visibility(painter, at.x(), at.y(), Visibility.ABSENT, colour, radius)
        return
    shape = _shape(at, radius, visibility)
    width = max(1.4, radius * 0.36)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if casing:
        painter.setPen(QPen(CASING, width + 2.0 if kind == "model" else 2.4))
        painter.drawPath(shape)
    if kind == "model":
        painter.setPen(QPen(colour, width))
        painter.drawPath(_shape(at, radius - width / 2 + 0.3, visibility))
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPath(shape)
    if kind == "edited":
        painter.setBrush(QColor("black"))
        painter.drawEllipse(at, radius * 0.36, radius * 0.36)


def _shape(at: QPointF, radius: float, visibility: Visibility) -> QPainterPath:
    path = QPainterPath()
    if visibility == Visibility.OCCLUDED:
        r = radius * 1.2
        path.addPolygon(QPolygonF([at + QPointF(0, -r), at + QPointF(r, 0), at + QPointF(0, r), at + QPointF(-r, 0)]))
        path.closeSubpath()
    else:
        path.addEllipse(at, radius, radius)
    return path


def draw_ring(
    painter: QPainter, at: QPointF, radius: float, colour: QColor, width: float, dashed: bool = False
) -> None:
    """A ring around a mark, over black."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for hue, pen_width in ((QColor(0, 0, 0, 140), width + 1.6), (colour, width)):
        pen = QPen(hue, pen_width)
        if dashed:
            pen.setDashPattern([4 / pen_width, 3 / pen_width])
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawEllipse(at, radius, radius)


def draw_glyph(painter: QPainter, area: QRectF, kind: str, colour: QColor,
               visibility: Visibility = Visibility.VISIBLE) -> None:  # fmt: skip
    """A landmark's mark in a table or legend, in the middle of `area`."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    hue = theme().color("outline") if visibility == Visibility.ABSENT else colour
    draw_mark(painter, area.center(), kind, hue, 4.0, visibility, casing=theme().dark)
    painter.restore()


def draw_visibility(
    painter: QPainter, x: float, y: float, visibility: Visibility, colour: QColor, radius: float = 4.0
) -> None:
    """The sign of a visibility: disc, diamond or cross, around (x, y)."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    at = QPointF(x, y)
    if visibility == Visibility.ABSENT:
        painter.setPen(QPen(colour, 1.8))
        r = radius * 0.8
        painter.drawLine(at + QPointF(-r, -r), at + QPointF(r, r))
        painter.drawLine(at + QPointF(-r, r), at + QPointF(r, -r))
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawPath(_shape(at, radius if visibility == Visibility.OCCLUDED else radius * 0.85, visibility))
    painter.restore()
