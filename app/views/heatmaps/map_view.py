"""The large map over the crop: cells as they are, peaks, the label's place, the profile's line, a read-out."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.services.inspection import Inspection
from app.services.maps import Look, Shown, to_picture
from app.views.heatmaps import colours
from app.views.heatmaps.marking import Marks, paint_marks
from app.views.label.numbers import number
from app.views.live.plates import PLATE_HEIGHT, draw_legend, draw_plate, legend_height
from app.views.theme import theme
from engine.parts import Parts

NEAREST_ABOVE = 3.0
REACH = 12.0
LEAST = 200
ARROWS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}


class MapView(QWidget):
    """A square. line_changed((2, 2) cells or None for the line through the peaks); read(str): the read-out's words."""

    line_changed = Signal(object)
    read = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(LEAST, LEAST)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Map over the crop"))
        self._inspection: Inspection | None = None
        self._shown: Shown | None = None
        self._crop, self._heat = QImage(), QImage()
        self._marks = Marks()
        self._division: Parts | None = None
        self._cell: tuple[int, int] | None = None  # column and row under the cursor
        self._grabbed = -1

    def show_map(
        self, inspection: Inspection | None, shown: Shown | None, look: Look, marks: Marks,
        division: Parts | None = None,
    ) -> None:  # fmt: skip
        """Take over what to paint; with a division its parts, in place of the map's colours."""
        self._division = None if look.kind == "crop" else division
        same = inspection is not None and self._inspection is not None and inspection.crop is self._inspection.crop
        if inspection is None:
            self._crop, self._heat, self._cell = QImage(), QImage(), None
        else:
            plain = look.kind == "crop"
            if not same or plain != self._plain:
                self._crop = (colours.plain if plain else colours.pale)(inspection.crop)
            self._plain = plain
            if plain:
                self._heat = QImage()
            elif division is not None:
                self._heat = colours.parts_over(inspection.maps, division, look.opacity)
            else:
                self._heat = colours.over_picture(shown, look.opacity)
        self._inspection, self._shown, self._marks = inspection, shown, marks
        self._tell()
        self.update()

    def show_line(self, line: np.ndarray | None) -> None:
        """Only the profile's line has changed."""
        self._marks = self._marks.with_line(line)
        self.update()

    # ---- places
    def room(self) -> QRectF:
        """The largest square, to the left and at the top."""
        side = min(self.width(), self.height())
        return QRectF(0, 0, side, side)

    def sizeHint(self) -> QSize:
        """As the design has it."""
        return QSize(448, 448)

    def to_view(self, cells: np.ndarray) -> np.ndarray:
        """Cells (..., 2) to pixels of this widget."""
        return (np.asarray(cells) + 0.5) * (self.room().width() / self._columns())

    def to_cells(self, place: QPointF) -> np.ndarray:
        """A pixel of this widget to cells (2,)."""
        return np.array([place.x(), place.y()]) / (self.room().width() / self._columns()) - 0.5

    def _columns(self) -> int:
        return self._shown.values.shape[1] if self._shown is not None else 1

    # ---- the cursor
    @property
    def words(self) -> str:
        """The value under the cursor, or "" without one."""
        return "   ".join(f"{unit} {value}".strip() for value, unit in self._parts())

    def _parts(self) -> list[tuple[str, str]]:
        if self._cell is None or self._shown is None:
            return []
        column, row = self._cell
        x, y = to_picture(self._inspection.maps, np.array([column, row], float))
        return [
            (f"{column}, {row}", self.tr("map")), (f"{number(x, 1)}, {number(y, 1)}", self.tr("image")),
            (number(float(self._shown.values[row, column]), 2), ""),
        ]  # fmt: skip

    def _put_cursor(self, column: int, row: int) -> None:
        height, width = self._shown.values.shape
        self._cell = (min(max(column, 0), width - 1), min(max(row, 0), height - 1))
        self._tell()
        self.update()

    def _tell(self) -> None:
        self.setAccessibleDescription(self.words)
        self.read.emit(self.words)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The value under the cursor; a grabbed end of the line follows."""
        if self._shown is None:
            return
        place = event.position()
        if self._grabbed >= 0:
            line = np.array(self._marks.line)
            height, width = self._shown.values.shape
            line[self._grabbed] = np.clip(self.to_cells(place), 0, [width - 1, height - 1])
            self.line_changed.emit(line)
        self.setCursor(Qt.CursorShape.SizeAllCursor if self._end_at(place) >= 0 else Qt.CursorShape.CrossCursor)
        if self.room().contains(place):
            self._put_cursor(*np.floor(self.to_cells(place) + 0.5).astype(int).tolist())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Grab an end of the line."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._grabbed = self._end_at(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._grabbed = -1

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """The line goes back through the peaks."""
        self.line_changed.emit(None)

    def leaveEvent(self, event: object) -> None:
        """No value without a cursor, but for one that keys have put there."""
        if not self.hasFocus():
            self._cell = None
            self._tell()
            self.update()

    def _end_at(self, place: QPointF) -> int:
        if self._marks.line is None:
            return -1
        apart = np.linalg.norm(self.to_view(self._marks.line) - (place.x(), place.y()), axis=1)
        return int(apart.argmin()) if apart.min() <= REACH else -1

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move the read-out by a cell, with Shift by five; Home puts it on the peak."""
        step = ARROWS.get(Qt.Key(event.key()))
        if self._shown is None or (step is None and event.key() != Qt.Key.Key_Home):
            super().keyPressEvent(event)
            return
        row, column = np.unravel_index(int(np.abs(self._shown.values).argmax()), self._shown.values.shape)
        if step is None or self._cell is None:
            self._put_cursor(int(column), int(row))
            return
        far = 5 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
        self._put_cursor(self._cell[0] + far * step[0], self._cell[1] + far * step[1])

    # ---- painting
    def paint_map(self, painter: QPainter, room: QRectF) -> None:
        """Crop and map; both in cells where they are large enough."""
        for image in (self._crop, self._heat):
            if not image.isNull():
                smooth = room.width() / image.width() <= NEAREST_ABOVE
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
                painter.drawImage(room, image)
        if self._division is not None:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            named = [(part.name, part.colour) for part in self._division.parts[1:]]
            draw_legend(painter, room.right() - 8, room.bottom() - 8 - legend_height(len(named)), named)

    def picture(self) -> QImage:
        """Map, peaks and line as they show, at twice their size."""
        side = int(self.room().width())
        image = QImage(2 * side, 2 * side, QImage.Format.Format_RGB888)
        image.setDevicePixelRatio(2.0)
        painter = QPainter(image)
        painter.setFont(self.font())
        self.paint_map(painter, QRectF(0, 0, side, side))
        paint_marks(painter, self._marks, self.to_view, QRectF(0, 0, side, side))
        painter.end()
        return image

    def paintEvent(self, event: QPaintEvent) -> None:
        """Everything, then the read-out and the focus."""
        painter, room = QPainter(self), self.room()
        painter.fillRect(room, theme().color("canvas"))
        if self._inspection is not None:
            self.paint_map(painter, room)
            paint_marks(painter, self._marks, self.to_view, room)
            self._paint_cursor(painter, room)
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme().color("focus"), 2))
            painter.drawRect(room.adjusted(1, 1, -1, -1))
        painter.end()

    def _paint_cursor(self, painter: QPainter, room: QRectF) -> None:
        parts = self._parts()
        if not parts:
            return
        cell = room.width() / self._columns()
        box = QRectF(self._cell[0] * cell, self._cell[1] * cell, cell, cell)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((Qt.GlobalColor.black, 3), (Qt.GlobalColor.white, 1)):
            painter.setPen(QPen(colour, width))
            painter.drawRect(box)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_plate(painter, 8, room.bottom() - PLATE_HEIGHT - 8, parts)
