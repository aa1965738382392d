"""Items of the canvas: the picture, an instance with its lines and marks, the box being drawn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QTransform
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.project.values import Box, Instance, Origin, Visibility
from app.services.look import Look, change
from app.services.pictures import Picture
from app.views import marks
from app.views.label import plates, shape_frame
from app.views.label.painted import painted
from app.views.qimage import to_qimage
from app.views.words import named
from engine.schema import Schema

if TYPE_CHECKING:
    from app.views.label.labelled_view import LabelledView

NEAREST_ABOVE = 3.0  # zoom above which pixels are shown as squares
OTHERS = 0.45  # opacity of instances that are not the active one
RADIUS, SMALLEST = 5.0, 2.5  # viewport pixels of a mark
SMALL_FACE = 200.0  # viewport pixels of a box under which its marks shrink
MARGIN = 260.0  # viewport pixels around the points: rings, tails and the name plate stay inside


class PictureItem(QGraphicsItem):
    """The picture, from the level of its pyramid that fits the zoom."""

    def __init__(self) -> None:
        super().__init__()
        self._size = (0, 0)
        self._levels: list[QImage] = []
        self._table: np.ndarray | None = None
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def set_picture(self, picture: Picture | None) -> None:
        """Show a picture, or none."""
        self.prepareGeometryChange()
        self._size = picture.size if picture else (0, 0)
        self._levels = [to_qimage(level, QImage.Format.Format_RGB32) for level in picture.levels] if picture else []
        self.update()

    def set_look(self, look: Look) -> None:
        """Change what the eye sees of every pixel; the picture itself stays as it is."""
        self._table = look.table()
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
        target = option.exposedRect.intersected(self.boundingRect())
        if self._table is None:
            self._draw(painter, target)
            return
        # Only what is on screen is changed, so that a slider is as quick on a large picture as on a small one.
        ratio = painter.device().devicePixelRatioF()
        seen = painter.worldTransform().mapRect(target).toAlignedRect().intersected(painter.viewport())
        buffer = QImage(seen.size() * ratio, QImage.Format.Format_RGB32)
        if buffer.isNull():
            return
        buffer.setDevicePixelRatio(ratio)
        buffer.fill(0)
        inside = QPainter(buffer)
        inside.setTransform(painter.worldTransform() * QTransform.fromTranslate(-seen.x(), -seen.y()))
        self._draw(inside, target)
        inside.end()
        change(np.frombuffer(buffer.bits(), np.uint8).reshape(buffer.height(), buffer.bytesPerLine()), self._table)
        painter.setClipRect(target)
        painter.resetTransform()
        painter.drawImage(seen.topLeft(), buffer)

    def _draw(self, painter: QPainter, target: QRectF) -> None:
        zoom = painter.worldTransform().m11()
        scale = zoom * painter.device().devicePixelRatioF()
        level = min(max(math.floor(-math.log2(scale)), 0), len(self._levels) - 1) if scale > 0 else 0
        image = self._levels[level]
        by_x, by_y = image.width() / self._size[0], image.height() / self._size[1]
        source = QRectF(
            (target.x() + 0.5) * by_x, (target.y() + 0.5) * by_y, target.width() * by_x, target.height() * by_y
        )
        crisp = zoom > NEAREST_ABOVE
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not crisp)
        painter.drawImage(target, image, source)


class RubberItem(QGraphicsItem):
    """The square or rectangle that is being drawn."""

    def __init__(self) -> None:
        super().__init__()
        self._rect = QRectF()
        self.setZValue(9)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def show_box(self, box: Box | None) -> None:
        """Show a box, or none."""
        x0, y0, x1, y1 = box.corners if box is not None else (0.0, 0.0, 0.0, 0.0)
        self.show_rect(QRectF(x0, y0, x1 - x0, y1 - y0) if box is not None else None)

    def show_rect(self, rect: QRectF | None) -> None:
        """Show a rectangle in picture pixels, or none."""
        self.prepareGeometryChange()
        self._rect = QRectF() if rect is None else rect
        self.update()

    def boundingRect(self) -> QRectF:
        """The rectangle with room for its lines at any zoom."""
        if self._rect.isNull():
            return QRectF()
        room = max(self._rect.width(), self._rect.height()) + 1
        return self._rect.adjusted(-room, -room, room, room)

    @painted
    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """White over black, so that it shows on any picture."""
        if self._rect.isNull():
            return
        rect = painter.worldTransform().mapRect(self._rect)
        painter.resetTransform()
        plates.draw_box(painter, rect, handles=False)


class InstanceItem(QGraphicsItem):
    """One instance: box, lines, tails, marks, candidates, plate, painted in viewport pixels at any zoom."""

    def __init__(self, canvas: LabelledView, instance: int) -> None:
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

    @painted
    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """In viewport pixels: the active instance whole, others as faint lines."""
        canvas, editing = self._canvas, self._canvas.editing
        instance = next((i for i in editing.shown() if i.id == self.instance), None)
        if instance is None or not canvas.labels_shown or canvas.picture.boundingRect().isEmpty():
            return  # nothing lies where there is no picture: it is being read, or missing
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
        canvas, editing = self._canvas, self._canvas.editing
        view = QRectF(canvas.viewport().rect())
        state = (instance.visibility, instance.origin, instance.score)
        box = canvas.box_on_screen(instance)
        if canvas.frame() is None or canvas.tool != "move":
            plates.draw_box(painter, box, canvas.hover_box or canvas.tool == "box")
        radius = mark_radius(box)
        marks.draw_landmarks(painter, points, schema, *state, marks=False, clear=True, radius=radius)
        plates.draw_tails(
            painter, points, canvas.to_view(instance.guess), instance.origin, instance.visibility, editing.chosen
        )
        if canvas.tool == "place":
            plates.draw_ghosts(painter, canvas.to_view(canvas.placing.ghosts()), editing.landmark)
        marks.draw_landmarks(
            painter, points, schema, *state, lines=False, selected=editing.landmark, hovered=canvas.hover_landmark,
            chosen=editing.chosen, radius=radius,
        )  # fmt: skip
        absent = canvas.absent_marks(instance)
        for k, place in absent.items():
            marks.draw_visibility(painter, place.x(), place.y(), Visibility.ABSENT, plates.BLACK, 6.0)
            colour = QColor("white") if k in editing.chosen else plates.CROSS
            marks.draw_visibility(painter, place.x(), place.y(), Visibility.ABSENT, colour, 5.0)
        self._paint_tools(painter, points, absent, schema, view)

    def _paint_tools(
        self, painter: QPainter, points: np.ndarray, absent: dict[int, QPointF], schema: Schema, view: QRectF
    ) -> None:
        """The frame of several landmarks, or the one selected landmark's candidates and name."""
        canvas, chosen = self._canvas, self._canvas.editing.landmark
        frame = canvas.frame()
        if canvas.turning is not None:
            shape_frame.draw_turn(painter, *canvas.turning)
        elif frame is not None:
            shape_frame.draw(painter, frame, view)
        if chosen < 0 or len(canvas.editing.chosen) > 1 or canvas.tool in ("move", "place"):
            return
        at = absent.get(chosen, QPointF(*points[chosen]))
        if canvas.gesture is None or canvas.snaps:
            found = canvas.to_view(canvas.guesses.peaks()[:, :2])
            plates.draw_candidates(painter, [QPointF(*p) for p in found], at)
            if canvas.gesture is None:
                others = np.concatenate([np.delete(points, chosen, 0), found])
                plates.draw_plate(painter, at, named(schema.landmarks[chosen]), others, view)


def mark_radius(box: QRectF) -> float:
    """Viewport pixels: small faces of a crowd have small marks, so that these do not lie over each other."""
    return min(max(box.width() / SMALL_FACE * RADIUS, SMALLEST), RADIUS)


def draw_glyph_of(painter: QPainter, x: float, y: float, instance: Instance, landmark: int, schema: Schema) -> None:
    """A landmark's mark as the canvas draws it, for tables; 16 px around (x, y)."""
    colour = marks.landmark_colour(schema, landmark, on_chrome=True)
    kind = marks.KINDS[Origin(int(instance.origin[landmark]))]
    visibility = Visibility(int(instance.visibility[landmark]))
    marks.draw_glyph(painter, QRectF(x - 8, y - 8, 16, 16), kind, colour, visibility)
