"""What lies over the picture: a heatmap, and the read-outs in the view's corners."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QTransform
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.services.heat import Heat
from app.views.label.items import NEAREST_ABOVE
from app.views.label.painted import painted
from app.views.qimage import to_qimage

PLATE = QColor("#0C0D0F")
PLATE_TEXT = QColor("#E7E9EC")
PLATE_MUTED = QColor("#A1A8B2")
PLATE_HEIGHT = 24
PLATE_MARGIN = 12


class HeatItem(QGraphicsItem):
    """One landmark's heatmap over the picture."""

    def __init__(self) -> None:
        super().__init__()
        self._image = QImage()
        self.setZValue(1)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def set_heat(self, heat: Heat | None) -> None:
        """Show a map, or none."""
        self.prepareGeometryChange()
        self._image = QImage() if heat is None else to_qimage(heat.pixels, QImage.Format.Format_ARGB32_Premultiplied)
        if heat is not None:
            (a, b, dx), (c, d, dy) = heat.affine
            self.setTransform(QTransform(a, c, b, d, dx, dy))
        self.update()

    def boundingRect(self) -> QRectF:
        """In the map's own coordinates, edge to edge."""
        return QRectF(self._image.rect())

    @painted
    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Bilinear up to 300 %, then the map's cells as they are."""
        if self._image.isNull():
            return
        zoom = painter.worldTransform().m11() / max(self.transform().m11(), 1e-9)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, zoom <= NEAREST_ABOVE)
        painter.drawImage(self.boundingRect(), self._image)


class ReadOut(QWidget):
    """A dark plate with numbers in a corner of the view; the last part may be muted."""

    def __init__(self, parent: QWidget, right: bool, top: bool = False) -> None:
        super().__init__(parent)
        self._right, self._top = right, top
        self._text = self._muted = ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def set_text(self, text: str, muted: str = "") -> None:
        """Say something, or hide when there is nothing to say."""
        if (text, muted) == (self._text, self._muted):
            return
        self._text, self._muted = text, muted
        self.setVisible(bool(text))
        self.place()
        self.update()

    @property
    def text(self) -> str:
        """What the plate says."""
        return f"{self._text} {self._muted}".strip()

    def place(self) -> None:
        """Take the size of the text, in the corner."""
        metrics = self.fontMetrics()
        muted = metrics.horizontalAdvance(self._muted) + 8 if self._muted else 0
        width = metrics.horizontalAdvance(self._text) + muted + 16
        area = self.parentWidget().rect()
        left = area.width() - width - PLATE_MARGIN if self._right else PLATE_MARGIN
        top = PLATE_MARGIN if self._top else area.height() - PLATE_HEIGHT - PLATE_MARGIN
        self.setGeometry(left, top, width, PLATE_HEIGHT)

    def paintEvent(self, event: object) -> None:
        """A plate of 24 px with its text."""
        painter = QPainter(self)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(PLATE)
            painter.drawRoundedRect(QRectF(self.rect()), 3, 3)
            painter.setPen(PLATE_TEXT)
            area = self.rect().adjusted(8, 0, -8, 0)
            painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._text)
            painter.setPen(PLATE_MUTED)
            painter.drawText(area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._muted)
        finally:
            painter.end()
