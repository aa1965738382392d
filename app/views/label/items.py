"""Items of the canvas: the picture, an instance with its lines and marks, the box being drawn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.project.values import Box, Instance, Origin, Visibility
from app.services.pictures import Picture
from app.views import marks
from app.views.label import plates
from app.views.label.painted import painted
from app.views.qimage import to_qimage
from engine.schema import Schema

if TYPE_CHECKING:
    from app.views.label.canvas import Canvas

NEAREST_ABOVE = 3.0  # zoom above which pixels are shown as squares
OTHERS = 0.45  # opacity of instances that are not the active one
MARGIN = 260.0  # viewport pixels around the points: rings, tails and the name plate stay inside


class PictureItem(QGraphicsItem):
    """The picture, from the level of its pyramid that fits the zoom."""

    def __init__(self) -> None:
        super().__init__()
        self._size = (0, 0)
        self._levels: list[QImage] = []
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def set_picture(self, picture: Picture | None) -> None:
        """Show a picture, or none."""
        self.prepareGeometryChange()
        self._size = picture.size if picture else (0, 0)
        self._levels = [to_qimage(level, QImage.Format.Format_RGB32) for level in picture.levels] if picture else []
        self.update()

    def boundingRect(self) -> QRectF:
        """Half a pixel around the centres of the outer pixels."""
        width, height = self._size
        return QRectF(-0.5, -0.5, width, height) if width else QRectF()

    @painted
    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Draw the exposed part only."""
        if not self._levels:
            return
        zoom = painter.worldTransform().m11()
        scale = zoom * painter.device().devicePixelRatioF()
        level = min(max(math.floor(-math.log2(scale)), 0), len(self._levels) - 1) if scale > 0 else 0
        image = self._levels[level]
        target = option.exposedRect.intersected(self.boundingRect())
        by_x, by_y = image.width() / self._size[0], image.height() / self._size[1]
        source = QRectF(
            (target.x() + 0.5) * by_x, (target.y() + 0.5) * by_y, target.width() * by_x, target.height() * by_y
        )
        crisp = zoom > NEAREST_ABOVE
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not crisp)
        painter.drawImage(target, image, source)


class RubberItem(QGraphicsItem):
    """The square that is being drawn."""

    def __init__(self) -> None:
        super().__init__()
        self._box: Box | None = None
        self.setZValue(9)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def show_box(self, box: Box | None) -> None:
        """Show a box, or none."""
        self.prepareGeometryChange()
        self._box = box
        self.update()

    def boundingRect(self) -> QRectF:
        """The box with room for its lines at any zoom."""
        if self._box is None:
            return QRectF()
        x0, y0, x1, y1 = self._box.corners
        room = self._box.side + 1
        return QRectF(x0 - room, y0 - room, x1 - x0 + 2 * room, y1 - y0 + 2 * room)

    @painted
    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """White over black, so that it shows on any picture."""
        if self._box is None:
            return
        x0, y0, x1, y1 = self._box.corners
        rect = painter.worldTransform().mapRect(QRectF(x0, y0, x1 - x0, y1 - y0))
        painter.resetTransform()
        plates.draw_box(painter, rect, handles=False)


class InstanceItem(QGraphicsItem):
    """One instance: box, lines, tails, marks, candidates, plate, painted in viewport pixels at any zoom."""

    def __init__(self, canvas: Canvas, instance: int) -> None:
        super().__init__()
        self._canvas = canvas
        self.instance = instance
        self._zoom = 1.0
        self.setZValue(2)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def zoom_changed(self, zoom: float) -> None:
        """The room that marks need, in picture pixels, has changed."""
        self.prepareGeometryChange()
        self._zoom = zoom

    def boundingRect(self) -> QRectF:
        """The whole view's scene: the view paints all of itself anyway, and nothing may leave residue."""
        room = MARGIN / self._zoom
        return self._canvas.sceneRect().adjusted(-room, -room, room, room)

    def points_on_screen(self) -> np.ndarray:
        """(K, 2) viewport pixels, as drawn."""
        instance = next(i for i in self._canvas.editing.shown() if i.id == self.instance)
        return self._canvas.to_view(instance.points)

    @painted
    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """In viewport pixels: the active instance whole, others as faint lines."""
        canvas, editing = self._canvas, self._canvas.editing
        instance = next((i for i in editing.shown() if i.id == self.instance), None)
        if instance is None or not canvas.labels_shown:
            return
        points = canvas.to_view(instance.points)
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        schema = editing.document.schema
        if instance.id != editing.active:
            painter.setOpacity(OTHERS)
            marks.draw_landmarks(
                painter, points, schema, instance.visibility, instance.origin, instance.score, marks=False
            )
            return
        self._paint_active(painter, instance, points, schema)

    def _paint_active(self, painter: QPainter, instance: Instance, points: np.ndarray, schema: Schema) -> None:
        canvas, chosen = self._canvas, self._canvas.editing.landmark
        view = QRectF(canvas.viewport().rect())
        state = (instance.visibility, instance.origin, instance.score)
        box = canvas.box_on_screen(instance)
        plates.draw_box(painter, box, canvas.hover_box or canvas.tool == "box")
        marks.draw_landmarks(painter, points, schema, *state, marks=False, clear=True)
        plates.draw_tails(painter, points, canvas.to_view(instance.guess), instance.origin, instance.visibility)
        marks.draw_landmarks(
            painter, points, schema, *state, lines=False, selected=chosen, hovered=canvas.hover_landmark
        )
        absent = plates.absent_places(box, instance.visibility, view)
        for k, place in absent.items():
            marks.draw_visibility(painter, place.x(), place.y(), Visibility.ABSENT, plates.BLACK, 6.0)
            colour = QColor("white") if k == chosen else plates.CROSS
            marks.draw_visibility(painter, place.x(), place.y(), Visibility.ABSENT, colour, 5.0)
        if chosen < 0:
            return
        at = absent.get(chosen, QPointF(*points[chosen]))
        if canvas.gesture is None:
            found = canvas.to_view(canvas.guesses.peaks()[:, :2])
            plates.draw_candidates(painter, [QPointF(*p) for p in found], at)
            others = np.concatenate([np.delete(points, chosen, 0), found])
            plates.draw_plate(painter, at, schema.landmarks[chosen], others, view)


def draw_glyph_of(painter: QPainter, x: float, y: float, instance: Instance, landmark: int, schema: Schema) -> None:
    """A landmark's mark as the canvas draws it, for tables; 16 px around (x, y)."""
    colour = marks.side_colour(schema.sides[landmark], on_chrome=True)
    kind = marks.KINDS[Origin(int(instance.origin[landmark]))]
    visibility = Visibility(int(instance.visibility[landmark]))
    marks.draw_glyph(painter, QRectF(x - 8, y - 8, 16, 16), kind, colour, visibility)
