"""All landmarks' maps as small multiples."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.services.inspection import Inspection
from app.services.maps import Look, shown
from app.views import tokens
from app.views.heatmaps import colours
from app.views.label.numbers import number
from app.views.label.overlay import PLATE, PLATE_TEXT
from app.views.theme import theme
from app.views.words import named, shortened
from engine.schema import Schema

CELL, TEXT, GAP_X, GAP_Y = 84, 18, 12, 10
DOUBTFUL = 0.5
LANDMARK = Qt.ItemDataRole.UserRole


class MapModel(QAbstractListModel):
    """Landmarks of one inspection in a chosen order; row data is made when it is painted."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.inspection: Inspection | None = None
        self.schema: Schema | None = None
        self.look = Look()
        self.crop = QImage()
        self.order = np.empty(0, int)
        self._images: dict[int, QImage] = {}

    def show_maps(self, inspection: Inspection | None, schema: Schema | None, look: Look, order: np.ndarray) -> None:
        """Show these maps; with other colours only, rows stay where they are, and with the same nothing happens."""
        same = inspection is self.inspection and np.array_equal(order, self.order)
        alike = (look.scale, look.kind, look.fixed) == (self.look.scale, self.look.kind, self.look.fixed)
        if same and alike:
            return
        if not same:
            self.beginResetModel()
        if inspection is None:
            self.crop = QImage()
        elif self.inspection is None or inspection.crop is not self.inspection.crop:
            self.crop = colours.pale(inspection.crop)
        self.inspection, self.schema, self.order = inspection, schema, order
        self.look, self._images = look, {}
        if not same:
            self.endResetModel()
        elif len(order):
            self.dataChanged.emit(self.index(0), self.index(len(order) - 1))

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """One row a landmark."""
        return len(self.order)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Name, and name with score for screen readers and tooltips."""
        landmark = int(self.order[index.row()])
        name = named(self.schema.landmarks[landmark])
        if role == Qt.ItemDataRole.DisplayRole:
            return name
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return f"{name}  {number(self.score(landmark), 2)}"
        return landmark if role == LANDMARK else None

    def score(self, landmark: int) -> float:
        """The landmark's score."""
        return float(self.inspection.landmarks[landmark, 2])

    def heat(self, landmark: int) -> QImage:
        """The landmark's map as pixels."""
        if landmark not in self._images:
            look = Look(landmark, "one", self.look.scale, self.look.kind, self.look.fixed)
            made = QImage() if look.kind == "crop" else colours.over_picture(shown(self.inspection, look), 1.0)
            self._images[landmark] = made
        return self._images[landmark]


class MapDelegate(QStyledItemDelegate):
    """A cell: crop and map, name and score below."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Picture and one line of text."""
        return QSize(CELL, CELL + TEXT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """The chosen one with an accent edge one pixel off."""
        model: MapModel = index.model()
        landmark = index.data(LANDMARK)
        place = option.rect
        picture = QRectF(place.left(), place.top() + 3, CELL, CELL)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for image in (model.crop, model.heat(landmark)):
            if not image.isNull():
                painter.drawImage(picture, image)
        chosen = option.state & QStyle.StateFlag.State_Selected
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(QPen(theme().color("accent" if chosen else "muted"), 2 if chosen else 1))
            painter.drawRect(picture.adjusted(-2, -2, 2, 2))
        font = QFont(option.font)
        font.setPixelSize(theme().size(11))
        painter.setFont(font)
        score = model.score(landmark)
        metrics, vertical = QFontMetrics(font), Qt.AlignmentFlag.AlignVCenter
        wide, high = metrics.horizontalAdvance("0.00") + 6, metrics.height()
        plate = QRectF(picture.right() - wide, picture.bottom() - high, wide, high)
        painter.fillRect(plate, PLATE)
        painter.setPen(QColor(tokens.DOUBT) if score < DOUBTFUL else PLATE_TEXT)
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, number(score, 2))
        painter.setPen(theme().color("text"))
        text = QRectF(place.left(), picture.bottom() + 3, CELL, max(TEXT - 6, high))
        name = metrics.elidedText(shortened(index.data()), Qt.TextElideMode.ElideMiddle, CELL)
        painter.drawText(text, vertical | Qt.AlignmentFlag.AlignLeft, name)
        painter.restore()


class MapGrid(QListView):
    """chosen(landmark): by mouse or arrow keys. hovered(landmark): -1 when the mouse has left."""

    chosen = Signal(int)
    hovered = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.maps = MapModel(self)
        self.setModel(self.maps)
        self.setItemDelegate(MapDelegate(self))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setGridSize(QSize(CELL + GAP_X, CELL + TEXT + GAP_Y))
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Maps of all landmarks"))
        self.selectionModel().currentChanged.connect(self._current)
        self.entered.connect(lambda index: self.hovered.emit(index.data(LANDMARK)))
        theme().changed.connect(self.viewport().update)
        self._quiet = False

    def choose(self, landmark: int) -> None:
        """Mark a landmark, without a signal, and bring it into view."""
        rows = np.flatnonzero(self.maps.order == landmark)
        self._quiet = True
        if len(rows):
            self.setCurrentIndex(self.maps.index(int(rows[0])))
        else:
            self.selectionModel().clear()
        self._quiet = False

    def rows_height(self, width: int) -> int:
        """Height that shows all maps at a width."""
        columns = max((width - 4) // (CELL + GAP_X), 1)
        return -(-len(self.maps.order) // columns) * (CELL + TEXT + GAP_Y) + 8

    def leaveEvent(self, event: object) -> None:
        """No map is looked at in passing any more."""
        super().leaveEvent(event)
        self.hovered.emit(-1)

    def _current(self, index: QModelIndex) -> None:
        if not self._quiet and index.isValid():
            self.chosen.emit(index.data(LANDMARK))


def ordered(inspection: Inspection, by: str, label: np.ndarray | None) -> np.ndarray:
    """(K,) int: landmarks, those first that need a look; label (K, 2) places by hand, picture pixels."""
    places = inspection.landmarks
    if by == "flip":
        return np.argsort(-np.linalg.norm(inspection.flip_landmarks[:, :2] - places[:, :2], axis=1), kind="stable")
    if by == "label" and label is not None:
        apart = np.nan_to_num(np.linalg.norm(label - places[:, :2], axis=1), nan=-1.0)
        return np.argsort(-apart, kind="stable")
    return np.arange(len(places)) if by == "schema" else np.argsort(-inspection.doubts, kind="stable")
