"""What is painted over a live frame: heatmap, brackets, landmarks, name plates and the read-out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPainterPath, QPen, QTransform

from app.services.heat import heat
from app.views.live.geometry import Fit
from app.views.marks import draw_landmarks
from app.views.qimage import to_qimage
from app.views.theme import theme
from engine.types import Box, Prediction

if TYPE_CHECKING:
    from app.views.live.view import LiveView

BRACKET = 18.0
PLATE = QColor("#0C0D0F")
PLATE_TEXT = QColor("#E7E9EC")
PLATE_MUTED = QColor("#A1A8B2")
PLATE_HEIGHT = 24.0
MARGIN = 12.0
HIDDEN = 12.0  # how far a mark reaches around its landmark


def heat_landmark(view: LiveView, subject: int, prediction: Prediction) -> int:
    """Whose heatmap is shown when one is: the selected landmark's, else the most doubtful one's."""
    chosen = view.selection[1] if view.selection[0] in (subject, -1) else -1
    return chosen if chosen >= 0 else int(prediction.landmarks[:, 2].argmin())


def paint_heat(painter: QPainter, view: LiveView, fit: Fit) -> None:
    """The heatmaps of all subjects, in the frame's place; the painter is mirrored already where it must be."""
    left, top, _, _ = fit.rect
    place = painter.transform()
    for number, subject in enumerate(view.result.subjects):
        mode = view.look.heatmap
        what = heat_landmark(view, number, subject.prediction) if mode == "one" else mode
        found = heat(subject.prediction, what, view.look.opacity)
        if found is None:
            continue
        (a, b, dx), (c, d, dy) = found.affine
        to_picture = QTransform(a, c, b, d, dx + 0.5, dy + 0.5)
        to_screen = QTransform.fromScale(fit.scale, fit.scale) * QTransform.fromTranslate(left, top)
        painter.setTransform(to_picture * to_screen * place)
        image = to_qimage(found.pixels, QImage.Format.Format_ARGB32_Premultiplied)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(image.rect()), image)
    painter.setTransform(place)


def paint_subjects(painter: QPainter, view: LiveView, fit: Fit) -> None:
    """Brackets, lines, landmarks and name plates of all subjects."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for number, points in enumerate(view.points()):
        prediction = view.result.subjects[number].prediction
        box = screen_box(fit, prediction.box)
        if view.look.box:
            paint_brackets(painter, box)
        _paint_marks(painter, view, fit, number, points, box.width())
    if view.look.box:
        for number in range(len(view.result.subjects)):
            _paint_plate(painter, view, fit, number)


def _paint_marks(
    painter: QPainter, view: LiveView, fit: Fit, number: int, points: np.ndarray, side: float
) -> None:
    placed = fit.to_screen(points)
    look, frozen = view.look, view.frozen
    instance = frozen.instances[number] if frozen is not None else None
    draw_landmarks(
        painter, placed, view.result.schema,
        visibility=instance.visibility if instance is not None else None,
        origin=instance.origin if instance is not None else None,
        scores=view.result.subjects[number].prediction.landmarks[:, 2],
        selected=view.selection[1] if view.selection[0] == number else -1,
        hovered=view.hover[1] if view.hover[0] == number else -1,
        radius=5.0 if frozen is not None else min(max(side / 90, 2.5), 5.0),
        sure_is_solid=frozen is None, lines=look.lines, marks=look.landmarks,
    )  # fmt: skip
    if look.names or look.scores:
        _paint_texts(painter, view, number, placed)


def _paint_texts(painter: QPainter, view: LiveView, number: int, placed: np.ndarray) -> None:
    """Names and scores beside the landmarks, in white with a dark edge."""
    font = QFont(painter.font())
    font.setPixelSize(11)
    scores = view.result.subjects[number].prediction.landmarks[:, 2]
    path = QPainterPath()
    for k, (x, y) in enumerate(placed):
        parts = [view.result.schema.landmarks[k]] if view.look.names else []
        parts += [view.locale().toString(float(scores[k]), "f", 2)] if view.look.scores else []
        path.addText(x + 8, y + 4, font, "  ".join(parts))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(0, 0, 0, 178), 2.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap,
                        Qt.PenJoinStyle.RoundJoin))  # fmt: skip
    painter.drawPath(path)
    painter.fillPath(path, PLATE_TEXT)


def screen_box(fit: Fit, box: Box) -> QRectF:
    """A box of the picture on the screen."""
    x0, y0, x1, y1 = box.corners
    corners = fit.to_screen(np.array([[x0, y0], [x1, y1]]))
    return QRectF(QPointF(*corners[0]), QPointF(*corners[1])).normalized()


def paint_brackets(painter: QPainter, box: QRectF) -> None:
    """The four corners of a box, white over black."""
    reach = min(BRACKET, box.width() / 3)
    lines = []
    for corner, dx, dy in ((box.topLeft(), 1, 1), (box.topRight(), -1, 1),
                           (box.bottomLeft(), 1, -1), (box.bottomRight(), -1, -1)):  # fmt: skip
        lines += [(corner, corner + QPointF(dx * reach, 0)), (corner, corner + QPointF(0, dy * reach))]
    for colour, width in ((QColor(0, 0, 0, 89), 4.0), (QColor(255, 255, 255, 217), 2.0)):
        painter.setPen(QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.SquareCap))
        for begin, end in lines:
            painter.drawLine(begin, end)


def _plate_font(painter: QPainter, bold: bool) -> QFont:
    font = QFont(painter.font())
    font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return font


def draw_plate(
    painter: QPainter, x: float, y: float, parts: list[tuple[str, str]], gap: float = 12.0, padding: float = 8.0
) -> QRectF:
    """A dark plate at (x, y) with pairs of a bold value and a muted unit; the place it takes."""
    bold, plain = _plate_font(painter, True), _plate_font(painter, False)
    wide, narrow = QFontMetricsF(bold), QFontMetricsF(plain)
    widths = [
        (wide.horizontalAdvance(value), (4 if value and unit else 0) + narrow.horizontalAdvance(unit))
        for value, unit in parts
    ]
    total = sum(a + b for a, b in widths) + gap * (len(parts) - 1) + 2 * padding
    plate = QRectF(x, y, total, PLATE_HEIGHT)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(PLATE)
    painter.drawRoundedRect(plate, 3, 3)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    at = x + padding
    vertical = Qt.AlignmentFlag.AlignVCenter
    for (value, unit), (first, second) in zip(parts, widths, strict=True):
        painter.setFont(bold)
        painter.setPen(PLATE_TEXT)
        painter.drawText(QRectF(at, y, first + 1, PLATE_HEIGHT), vertical | Qt.AlignmentFlag.AlignLeft, value)
        painter.setFont(plain)
        painter.setPen(PLATE_MUTED)
        end = QRectF(at + first, y, second + 1, PLATE_HEIGHT)
        painter.drawText(end, vertical | Qt.AlignmentFlag.AlignRight, unit)
        at += first + second + gap
    painter.setFont(plain)
    return plate


def paint_read_out(painter: QPainter, view: LiveView, parts: list[tuple[str, str]]) -> None:
    """The plate at the view's upper left."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    draw_plate(painter, MARGIN, MARGIN, parts)


def _paint_plate(painter: QPainter, view: LiveView, fit: Fit, number: int) -> None:
    """The subject's name and its detector's score above its box, kept inside the frame."""
    subject = view.result.subjects[number]
    box = screen_box(fit, subject.prediction.box)
    left, top, wide, high = fit.rect
    x = min(max(box.left(), left + 4), left + wide - 100)
    highest = fit.to_screen(view.points()[number])[:, 1].min() - HIDDEN if view.look.landmarks else box.top()
    y = min(box.top(), float(highest)) - PLATE_HEIGHT - 6
    if y < max(top, 0) + (MARGIN + PLATE_HEIGHT + 4 if x < 280 else 4):
        y = min(box.bottom() + 6, top + high - PLATE_HEIGHT - 4)
    names = {"face": view.tr("Face"), "person": view.tr("Person")}
    name = names.get(view.result.schema.subject, view.tr("Subject"))
    score = view.locale().toString(subject.prediction.box.score, "f", 2)
    draw_plate(painter, x, y, [(f"{name} {subject.number}", ""), ("", score)])


def paint_focus(painter: QPainter, view: LiveView) -> None:
    """The focus ring, two pixels inside the edge."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme().color("focus"), 2))
    painter.drawRect(view.rect().adjusted(1, 1, -1, -1))
