"""What an agreement says by landmark, and the subjects in which the two differ most."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QImage, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QHeaderView, QListView, QListWidget, QListWidgetItem, QTreeWidget, QTreeWidgetItem

from app.services.agreeing import SIDE, Agreed, Shot
from app.views.label.numbers import DASH, count, number
from app.views.qimage import to_qimage
from app.views.theme import theme
from app.views.words import tr
from engine.schema import Schema

ROW, GAP, TEXT = 26, 8, 40  # pixels
PLACE = Qt.ItemDataRole.UserRole
CROWD = 30  # landmarks from which dots are small
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
HERE, DARK = QColor("#FFFFFF"), QColor(0, 0, 0, 150)  # on pictures, in both schemes
THERE = QColor("#FFB000")  # beside white also for the colour-blind


def shown(value: float | None, decimals: int) -> str:
    """A figure, or a dash where there is none."""
    return DASH if value is None else number(value, decimals)


class _Row(QTreeWidgetItem):
    """Sorted by its numbers, not by their digits; what has none comes last either way."""

    def __lt__(self, other: QTreeWidgetItem) -> bool:
        column = self.treeWidget().sortColumn()
        mine, theirs = self.data(column, PLACE), other.data(column, PLACE)
        return (-1.0 if mine is None else mine) < (-1.0 if theirs is None else theirs)


class LandmarkFigures(QTreeWidget):
    """A row a landmark: subjects, distance in pixels and per cent, sigma; a click on a head sorts."""

    def __init__(self) -> None:
        super().__init__()
        self.setHeaderLabels([self.tr("Landmark"), self.tr("Subjects"), "px", "%", self.tr("Sigma")])
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAccessibleName(self.tr("Agreement by landmark"))
        head = self.header()
        head.setStretchLastSection(False)
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in range(1, self.columnCount()):
            self.headerItem().setTextAlignment(column, RIGHT)

    def show_figures(self, landmarks: dict[str, dict[str, Any]]) -> None:
        """List these in their order."""
        self.setSortingEnabled(False)
        self.clear()
        for n, (name, row) in enumerate(landmarks.items()):
            words = (tr(name), count(row["n"]), shown(row["pixels"], 2), shown(row["percent"], 2),
                     shown(row["sigma"], 4))  # fmt: skip
            item = _Row(list(words))
            item.setSizeHint(0, QSize(0, theme().size(ROW)))
            for column, value in enumerate((float(n), row["n"], row["pixels"], row["percent"], row["sigma"])):
                item.setData(column, PLACE, value)
                if column:
                    item.setTextAlignment(column, RIGHT)
            self.addTopLevelItem(item)
        self.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)


class WorstSubjects(QListWidget):
    """Pictures of the worst, both shapes drawn over them. wanted(Shot): a click or Enter."""

    wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setSpacing(GAP)
        self.setAccessibleName(self.tr("Farthest apart"))
        self.shots: tuple[Shot, ...] = ()
        self.itemClicked.connect(self._choose)
        self.itemActivated.connect(self._choose)

    def show_shots(self, agreed: Agreed, schema: Schema) -> None:
        """Show these, the worst first."""
        self.clear()
        self.shots = agreed.shots
        side = theme().size(SIDE - 48)
        self.setIconSize(QSize(side, side))
        at = {k: n for n, k in enumerate(agreed.landmarks)}
        edges = [(at[a], at[b]) for a, b in schema.edges if a in at and b in at]
        names = list(agreed.figures["landmarks"])
        for shot in self.shots:
            words = f"{shown(shot.percent, 1)} %  {tr(names[shot.landmark])}\n{shot.name}"
            item = QListWidgetItem(QIcon(drawn(shot, edges)), words)
            item.setSizeHint(QSize(side + 2 * GAP, side + theme().size(TEXT) + GAP))
            item.setTextAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
            item.setToolTip(self.tr("{0}: {1} % of the subject's size on average, farthest at {2}").format(
                shot.name, shown(shot.percent, 2), tr(names[shot.landmark])))  # fmt: skip
            self.addItem(item)

    def _choose(self, item: QListWidgetItem) -> None:
        self.wanted.emit(self.shots[self.row(item)])


def drawn(shot: Shot, edges: list[tuple[int, int]]) -> QPixmap:
    """A subject with the project's shape in white and the other in amber, a line between where they are apart."""
    made = QPixmap.fromImage(to_qimage(shot.picture, QImage.Format.Format_RGB888))
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    dot = 2.2 if shot.both.sum() <= CROWD else 1.2
    for points, colour in ((shot.one, HERE), (shot.other, THERE)):
        for width, pen in ((3.0, DARK), (1.4, colour)):
            painter.setPen(QPen(pen, width))
            for a, b in edges:
                if shot.both[a] and shot.both[b]:
                    painter.drawLine(QPointF(*points[a]), QPointF(*points[b]))
        painter.setPen(QPen(DARK, 0.8))
        painter.setBrush(colour)
        for k in np.flatnonzero(shot.both):
            painter.drawEllipse(QPointF(*points[k]), dot, dot)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    one, other = QPointF(*shot.one[shot.landmark]), QPointF(*shot.other[shot.landmark])
    for width, pen in ((4.0, DARK), (2.0, THERE)):
        painter.setPen(QPen(pen, width))
        painter.drawLine(one, other)
        painter.drawEllipse(QRectF(other.x() - 5, other.y() - 5, 10, 10))
    painter.end()
    return made
