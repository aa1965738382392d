"""A picture to zoom and pan: pixel-true, crisp above 300 %, cheap at any size.

Scene coordinates are picture pixels: the centre of the top-left pixel is (0, 0).
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QPainter, QPen, QResizeEvent, QTransform, QWheelEvent
from PySide6.QtWidgets import QFrame, QGraphicsScene, QGraphicsView, QWidget

from app.services.pictures import Picture
from app.views import theme
from app.views.label.items import PictureItem
from app.views.label.numbers import number
from app.views.label.overlay import ReadOut

ZOOM = (0.01, 64.0)
BY_KEY = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)
PATIENCE = 300  # ms after which one is told that a picture is being read
WHEEL = 1.25  # zoom of one wheel notch


class PictureView(QGraphicsView):
    """Shows one picture; `zoomed` tells viewport pixels a picture pixel."""

    zoomed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fitted, self._ringed = True, False
        self.setScene(QGraphicsScene(self))
        # A tree of places forgets items whose bounds change with the view, and paints them when they are long gone.
        self.scene().setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self.picture = PictureItem()
        self.scene().addItem(self.picture)
        self.value_plate = ReadOut(self.viewport(), right=False)
        self.zoom_plate = ReadOut(self.viewport(), right=True)
        self._slow = QTimer(self)
        self._slow.setSingleShot(True)
        self._slow.setInterval(PATIENCE)
        self._slow.timeout.connect(lambda: self.value_plate.set_text(self.tr("Reading the picture\u2026")))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.FullViewportUpdate)
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.viewport().setMouseTracking(True)
        theme.theme().changed.connect(self._recolour)
        self._recolour()

    def _recolour(self) -> None:
        self.setBackgroundBrush(theme.theme().color("canvas"))

    def set_picture(self, picture: Picture | None, keep_view: bool = False) -> None:
        """Show a picture, fitted, or none."""
        self.picture.set_picture(picture)
        self.await_picture(False)
        if picture is None:
            self.zoom_plate.set_text("")
        self._update_scene_rect()
        if not keep_view:
            self.fit()
        self.place_plates()

    def await_picture(self, waiting: bool) -> None:
        """Say after a moment that a picture is being read, until it comes or cannot."""
        if waiting:
            self._slow.start()
        else:
            self._slow.stop()
            self.value_plate.set_text("")

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Who comes by key sees that the keys go here; who clicked knows."""
        super().focusInEvent(event)
        self._ringed = event.reason() in BY_KEY
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The ring goes."""
        super().focusOutEvent(event)
        self._ringed = False
        self.viewport().update()

    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:
        """The ring along the inside edge."""
        if self._ringed:
            painter.save()
            painter.resetTransform()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setPen(QPen(theme.theme().color("focus"), 4))  # the outer half lies beyond the edge
            painter.drawRect(self.viewport().rect())
            painter.restore()

    @property
    def zoom(self) -> float:
        """Viewport pixels a picture pixel."""
        return self.transform().m11()

    def to_picture(self, position: QPointF) -> QPointF:
        """Viewport pixels to picture pixels."""
        return self.viewportTransform().inverted()[0].map(position)

    def to_view(self, points: np.ndarray) -> np.ndarray:
        """Picture pixels (..., 2) to viewport pixels (..., 2)."""
        t = self.viewportTransform()
        return np.asarray(points) * [t.m11(), t.m22()] + [t.dx(), t.dy()]

    def fit(self) -> None:
        """Show the whole picture."""
        rect = self.picture.boundingRect()
        if rect.isEmpty():
            return
        scale = min(self.viewport().width() / rect.width(), self.viewport().height() / rect.height())
        self._zoom_to(scale)
        self.centerOn(rect.center())
        self._fitted = True

    def actual_size(self) -> None:
        """One picture pixel a viewport pixel, around the middle of the view."""
        middle = QPointF(self.viewport().rect().center())
        self.zoom_at(middle, 1.0 / self.zoom)

    def zoom_at(self, position: QPointF, factor: float) -> None:
        """Zoom so that what lies under `position` stays there."""
        if self.picture.boundingRect().isEmpty():
            return
        place = self.to_picture(position)
        self._zoom_to(self.zoom * factor)
        now = self.viewportTransform().map(place)
        self.scroll_by(position - now)

    def _zoom_to(self, scale: float) -> None:
        scale = min(max(scale, ZOOM[0]), ZOOM[1])
        self._fitted = False
        self.setTransform(QTransform.fromScale(scale, scale))
        self._update_scene_rect()
        self.zoom_changed(scale)
        self.zoomed.emit(scale)

    def scroll_by(self, by: QPointF) -> None:
        """Move the picture by viewport pixels."""
        if by.isNull():
            return
        self._fitted = False
        for bar, distance in ((self.horizontalScrollBar(), by.x()), (self.verticalScrollBar(), by.y())):
            bar.setValue(bar.value() - round(distance))

    def _update_scene_rect(self) -> None:
        rect = self.picture.boundingRect()
        mx, my = self.viewport().width() * 0.9 / self.zoom, self.viewport().height() * 0.9 / self.zoom
        self.setSceneRect(rect.adjusted(-mx, -my, mx, my))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep a fitted picture fitted, and the read-outs in their corners."""
        super().resizeEvent(event)
        if self._fitted:
            self.fit()
        else:
            self._update_scene_rect()
        self.place_plates()

    def zoom_changed(self, scale: float) -> None:
        """What subclasses draw at another zoom; here the read-out."""
        if self.picture.boundingRect().isEmpty():
            return
        per_cent = scale * 100
        self.zoom_plate.set_text(f"{number(per_cent, 0)} %" if per_cent >= 10 else f"{number(per_cent, 1)} %")

    def place_plates(self) -> None:
        """Put the read-outs into the lower corners."""
        self.value_plate.place()
        self.zoom_plate.place()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the cursor."""
        notches = event.angleDelta().y() / 120
        if notches:
            self.zoom_at(event.position(), WHEEL**notches)
        event.accept()
