"""The last picture's labels, and the picture itself, as an onion skin under the present ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.project.values import Instance, Visibility
from app.services.pictures import Picture
from app.views.label.painted import painted
from app.views.qimage import to_qimage

if TYPE_CHECKING:
    from app.views.label.labelled_view import LabelledView

UNDER, LINE = QColor(0, 0, 0, 130), QColor(255, 255, 255, 205)
DOT = 2.5


class OnionItem(QGraphicsItem):
    """Shows another picture's instances as thin white lines, and its pixels faintly; under everything of this one."""

    def __init__(self, view: LabelledView) -> None:
        super().__init__()
        self._view = view
        self._zoom = 1.0
        self._instances: tuple[Instance, ...] = ()
        self._image = QImage()
        self.opacity_of_picture = 0.0
        self.setZValue(0.5)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    @property
    def instances(self) -> tuple[Instance, ...]:
        """What is shown."""
        return self._instances

    def set_onion(self, instances: tuple[Instance, ...], picture: Picture | None = None) -> None:
        """Show instances, in pixels of the present picture, over a faint picture of the same frame; () for none."""
        self.prepareGeometryChange()
        self._instances = instances
        self._image = to_qimage(picture.levels[-1], QImage.Format.Format_RGB32) if picture is not None else QImage()
        self.update()

    def zoom_changed(self, zoom: float) -> None:
        """The room that lines need, in picture pixels, has changed."""
        self.prepareGeometryChange()
        self._zoom = zoom

    def boundingRect(self) -> QRectF:
        """All of the scene, where there is something to show."""
        return self._view.sceneRect() if self._instances or not self._image.isNull() else QRectF()

    @painted
    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """The picture in its own pixels, the lines in viewport pixels."""
        if not self._image.isNull() and self.opacity_of_picture > 0:
            painter.setOpacity(self.opacity_of_picture)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(self._view.picture.boundingRect(), self._image)
            painter.setOpacity(1.0)
        document = self._view.editing.document
        if document is None or not self._view.labels_shown:
            return
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for instance in self._instances:
            places = self._view.to_view(instance.points)
            draw_skin(painter, places, document.schema.edges, instance.visibility != Visibility.ABSENT)


def draw_skin(painter: QPainter, places: np.ndarray, edges: tuple, seen: np.ndarray) -> None:
    """Thin dashed lines and small dots without colour: a reminder, nothing to grab."""
    for colour, width in ((UNDER, 2.6), (LINE, 1.0)):
        pen = QPen(colour, width)
        if colour is LINE:
            pen.setDashPattern([3.0, 3.0])
        painter.setPen(pen)
        for a, b in edges:
            if seen[a] and seen[b]:
                painter.drawLine(QPointF(*places[a]), QPointF(*places[b]))
    painter.setPen(QPen(UNDER, 1.0))
    painter.setBrush(LINE)
    for k in np.flatnonzero(seen & np.isfinite(places).all(1)):
        painter.drawEllipse(QPointF(*places[k]), DOT, DOT)
    painter.setBrush(Qt.BrushStyle.NoBrush)
