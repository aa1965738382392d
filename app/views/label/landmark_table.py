"""The inspector's table of landmarks: model, delegate, and a view kept in step with the selection."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app.project.values import Origin, Visibility
from app.views import theme
from app.views.label.editing import Editing
from app.views.label.items import draw_glyph_of
from app.views.label.numbers import DASH, number, parse
from app.views.label.painted import painted
from app.views.marks import doubt_limit
from app.views.weights import HEAVY, weighted
from app.views.words import named, shortened

Index = QModelIndex | QPersistentModelIndex
GLYPH, NAME, X, Y, SCORE, MOVED = range(6)
WIDEST = {X: "000", Y: "000", SCORE: "0.00", MOVED: "00.0"}  # what a column holds at least; x and y have a decimal
GLYPHS, SPARE = 32, 10  # width of the glyphs; what a cell needs beside its text
ROW = 26
NAMES = 96  # pixels that names need before the distance moved is told
LARGE = 115  # per cent of text size from which x and y have no room
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class LandmarkModel(QAbstractTableModel):
    """Landmarks of the active instance as drawn; x and y can be edited."""

    def __init__(self, editing: Editing, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._editing = editing
        self._count = 0
        editing.changed.connect(self.refresh)
        editing.selected.connect(self.refresh)
        editing.previewed.connect(self.refresh)

    def refresh(self) -> None:
        """Take over the instance on screen."""
        instance = self._editing.shown_current()
        count = 0 if instance is None else len(instance.points)
        if count != self._count:
            self.beginResetModel()
            self._count = count
            self.endResetModel()
        elif count:
            self.dataChanged.emit(self.index(0, 0), self.index(count - 1, MOVED))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """One row a landmark."""
        return 0 if parent.isValid() else self._count

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Glyph, name, x, y, score, moved."""
        return 0 if parent.isValid() else 6

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Column titles."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return ("", self.tr("Name"), "x", "y", self.tr("Score"), self.tr("Moved"))[section]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return LEFT if section <= NAME else RIGHT
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """x and y take numbers."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() in (X, Y) else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Texts and numbers of a landmark."""
        instance = self._editing.shown_current()
        if instance is None or not 0 <= index.row() < len(instance.points):
            return None
        k, column = index.row(), index.column()
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return LEFT if column <= NAME else RIGHT
        if role == Qt.ItemDataRole.EditRole and column in (X, Y):
            return float(instance.points[k, column - X])
        if role == Qt.ItemDataRole.AccessibleTextRole and column == GLYPH:
            return Visibility(int(instance.visibility[k])).name.lower()
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return self.text(instance, k, column)

    def text(self, instance: object, k: int, column: int) -> str:
        """What a cell says."""
        if column == NAME:
            return named(self._editing.document.schema.landmarks[k])
        if column in (X, Y):
            absent = instance.visibility[k] == Visibility.ABSENT
            return DASH if absent else number(instance.points[k, column - X], 1)
        if column == SCORE:
            return DASH if instance.origin[k] in (Origin.NONE, Origin.HAND) else number(instance.score[k], 2)
        if column == MOVED:
            away = instance.moved(k)
            return DASH if not np.isfinite(away) or away < 0.05 else number(away, 1)
        return ""

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Move a landmark to a typed number; false where it is none."""
        if role != Qt.ItemDataRole.EditRole or index.column() not in (X, Y):
            return False
        typed = parse(str(value))
        if typed is None:
            return False
        self._editing.set_number(index.row(), index.column() - X, typed)
        return True


class LandmarkDelegate(QStyledItemDelegate):
    """Paints the glyph as on the canvas, numbers in muted or warning colours; edits with a line."""

    def __init__(self, editing: Editing, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._editing = editing
        self._fonts: dict[tuple[str, int, bool], tuple[QFont, QFontMetricsF]] = {}  # by base, size, whether heavy

    def _font(self, base: QFont, heavy: bool) -> tuple[QFont, QFontMetricsF]:
        """A cell's font with its metrics, made once: a table is a hundred cells, and they are painted at each step."""
        key = base.key(), theme.theme().scale, heavy
        if key not in self._fonts:
            font = QFont(base)
            font.setPixelSize(theme.theme().size(12))
            font = weighted(font, HEAVY) if heavy else font
            self._fonts[key] = font, QFontMetricsF(font)
        return self._fonts[key]

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Rows of 26 px."""
        return QSize(40, ROW)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        """A line without a frame."""
        line = QLineEdit(parent)
        line.setFrame(False)
        line.setProperty("cell", True)
        line.setAlignment(Qt.AlignmentFlag.AlignRight)
        line.setProperty("of", self._editing.active)
        return line

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        """Start from the number as shown, and select it."""
        editor.setText(number(index.data(Qt.ItemDataRole.EditRole), 1))
        editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractTableModel, index: Index) -> None:
        """Take the text over, unless it is as it was, or what it was typed for is on screen no more."""
        same = editor.text() == number(index.data(Qt.ItemDataRole.EditRole), 1)
        if editor.property("of") == self._editing.active and not same:
            model.setData(index, editor.text())

    @painted
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """One cell."""
        instance = self._editing.shown_current()
        if instance is None or index.row() >= len(instance.points):
            return
        colours, k, column = theme.theme(), index.row(), index.column()
        chosen = k in self._editing.chosen
        hover = option.state & QStyle.StateFlag.State_MouseOver
        if chosen or hover:
            painter.fillRect(option.rect, colours.color("sel" if chosen else "hover"))
        if column == GLYPH:
            rect = QRectF(option.rect)
            draw_glyph_of(painter, rect.left() + 22, rect.center().y(), instance, k, self._editing.document.schema)
            return
        font, metrics = self._font(option.font, k == self._editing.landmark and column == NAME)
        text = index.model().text(instance, k, column)
        role = "text" if column in (NAME, X, Y) else "muted"
        if column == SCORE and instance.score[k] < doubt_limit(self._editing.document.schema) and text != DASH:
            role = "warning"
        painter.setFont(font)
        painter.setPen(colours.color(role))
        area = QRectF(option.rect).adjusted(4, 0, -4, 0)
        if column == NAME and metrics.horizontalAdvance(text) > area.width():
            text = metrics.elidedText(shortened(text), Qt.TextElideMode.ElideMiddle, area.width())
        painter.drawText(area, RIGHT if column > NAME else LEFT, text)


class LandmarkTable(QTableView):
    """The table; selection goes both ways."""

    hovered = Signal(int)

    def __init__(self, editing: Editing, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editing = editing
        self._mute = False
        self.setModel(LandmarkModel(editing, self))
        self.setItemDelegate(LandmarkDelegate(editing, self))
        self.setAccessibleName(self.tr("Landmarks"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # so that columns keep their places
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setMinimumSectionSize(24)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        self._places_hidden, self._moved_width = False, 0
        self._scale()
        theme.theme().changed.connect(self._scale)
        self.selectionModel().currentRowChanged.connect(self._row_changed)
        editing.selected.connect(self._follow)
        editing.changed.connect(self._follow)
        editing.image_changed.connect(self._measure)
        editing.image_changed.connect(self._close_lines)

    def _close_lines(self) -> None:
        """What is being typed belongs to the picture before."""
        for line in self.findChildren(QLineEdit):
            self.closeEditor(line, QAbstractItemDelegate.EndEditHint.NoHint)

    def _scale(self) -> None:
        """Columns and rows grow with the text."""
        self.verticalHeader().setDefaultSectionSize(theme.theme().size(ROW))
        self._measure()
        self.hide_places(self._places_hidden)

    def _measure(self) -> None:
        """Columns are as wide as their titles and numbers: four digits where the picture is so large."""
        font, heading = QFont(self.font()), QFont(self.font())
        font.setPixelSize(theme.theme().size(12))
        heading.setPixelSize(theme.theme().size(11))
        image = self._editing.image
        sizes = {X: image.width, Y: image.height} if image is not None else {}
        self.setColumnWidth(GLYPH, theme.theme().tall(GLYPHS))
        for column, least in WIDEST.items():
            widest = f"{'0' * len(str(sizes[column]))}.0" if column in sizes else least
            title = self.model().headerData(column, Qt.Orientation.Horizontal)
            widths = (QFontMetricsF(font).horizontalAdvance(widest), QFontMetricsF(heading).horizontalAdvance(title))
            wide = math.ceil(max(widths)) + SPARE
            self.setColumnWidth(column, wide)
            if column == MOVED:
                self._moved_width = wide  # a hidden column has none

    def hide_places(self, hidden: bool) -> None:
        """Leave x and y out where there is little room, for the window or for large text."""
        self._places_hidden = hidden
        for column in (X, Y):
            self.setColumnHidden(column, hidden or theme.theme().scale > LARGE)
        self._fit_names()

    def _fit_names(self) -> None:
        taken = sum(self.columnWidth(column) for column in (GLYPH, SCORE)) + self._moved_width
        self.setColumnHidden(MOVED, self.width() - taken < theme.theme().size(NAMES))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Names come before distances."""
        super().resizeEvent(event)
        self._fit_names()

    def _row_changed(self, current: QModelIndex, previous: QModelIndex) -> None:
        if not self._mute and current.isValid():
            self._editing.select(current.row())

    def _follow(self) -> None:
        self._mute = True
        k = self._editing.landmark
        if k < 0:
            self.setCurrentIndex(QModelIndex())
            self.clearSelection()
        elif k < self.model().rowCount() and self.currentIndex().row() != k:
            self.setCurrentIndex(self.model().index(k, NAME))
            self.scrollTo(self.model().index(k, NAME))
        self._mute = False
        self.viewport().update()
