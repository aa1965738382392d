"""Which landmarks a new project has: any schema that ships, one's own, or what a file says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.services.own_schemas import keep_schema, known_schemas
from app.services.reading import Reading
from app.services.schemas import read_schemas
from app.views import marks
from app.views.banner import Banner
from app.views.theme import theme
from app.views.widgets import foot
from app.views.words import told, tr
from engine.errors import UserError
from engine.schema import Schema

SIZE, LIST, MARGIN, DOT = (780, 560), 320, 24, 3.5  # pixels


class SchemaChoice(QDialog):
    """`schema` is the chosen one; accepted when it can be found by its name (app.services.own_schemas)."""

    def __init__(self, chosen: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Landmarks of a new project"))
        self.list, self.shape, self.facts = QListWidget(), MeanShape(), QLabel()
        self.file, self.cancel = QPushButton(self.tr("From a file\u2026")), QPushButton(self.tr("Cancel"))
        self.sure = QPushButton(self.tr("Use these"))
        self.reading = Reading(self)
        self._lay_out()
        self.banner = Banner(self)
        self.list.currentRowChanged.connect(self._show)
        self.list.itemActivated.connect(lambda: self.accept())
        self.file.clicked.connect(lambda: self.add_file())
        self.cancel.clicked.connect(self.reject)
        self.sure.clicked.connect(self.accept)
        self.reading.made.connect(self._add)
        self.reading.failed.connect(lambda sentence: self.banner.show_message("error", told(sentence)))
        self.reading.ended.connect(lambda: self._busy(False))
        self.schemas: list[Schema] = []
        self._add(known_schemas())
        self.list.setCurrentRow(next((n for n, one in enumerate(self.schemas) if one.name == chosen), 0))

    def _lay_out(self) -> None:
        title, line = QLabel(self.tr("Landmarks of a new project")), QLabel(self.tr(
            "They can be changed later, also when pictures are labelled: Edit, Landmarks of the project."
        ))  # fmt: skip
        title.setProperty("title", True)
        for label in (line, self.facts):
            label.setProperty("muted", True)
            label.setWordWrap(True)
        self.list.setAccessibleName(title.text())
        self.list.setFixedWidth(theme().size(LIST))
        middle, side = QHBoxLayout(), QVBoxLayout()
        side.addWidget(self.shape, 1)
        side.addWidget(self.facts)
        middle.setSpacing(24)
        middle.addWidget(self.list)
        middle.addLayout(side, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(0)
        column.addWidget(title)
        column.addWidget(line)
        column.addSpacing(16)
        column.addLayout(middle, 1)
        column.addSpacing(16)
        column.addLayout(foot(self.cancel, self.sure, left=[self.file], sure=self.sure))
        theme().fit(self, *SIZE)

    @property
    def schema(self) -> Schema:
        """The chosen one."""
        return self.schemas[max(self.list.currentRow(), 0)]

    def add_file(self, path: str = "") -> None:
        """Offer what a schema file or a label file says, and choose it."""
        words = self.tr("Schemas and label files (*.json *.yaml *.yml *.xml *.slp *.csv *.h5)")
        path = path or QFileDialog.getOpenFileName(self, self.tr("Landmarks from a file"), "", words)[0]
        if path and not self.reading.busy:
            self._busy(True)
            self.reading.start(lambda told_so_far: read_schemas(Path(path), told_so_far))

    def _busy(self, busy: bool) -> None:
        for widget in (self.file, self.sure, self.list):
            widget.setEnabled(not busy)

    def _add(self, schemas: list[Schema]) -> None:
        row = len(self.schemas)
        for schema in schemas:
            item = QListWidgetItem(tr(schema.title))
            item.setToolTip(tr(schema.title))
            item.setSizeHint(QSize(0, theme().size(32)))
            self.list.addItem(item)
            self.schemas.append(schema)
            if len(self.schemas) == row + 1:
                self.list.setCurrentRow(row)
        self.banner.dismiss()

    def _show(self, row: int) -> None:
        schema = self.schemas[row]
        self.shape.show_schema(schema)
        names = ", ".join(tr(name) for name in schema.landmarks[:6])
        more = ", \u2026" if len(schema) > 6 else ""
        parts = self.tr("{0} landmarks: {1}").format(len(schema), f"{names}{more}")
        self.facts.setText(parts)

    def accept(self) -> None:
        """Keep one's own where it can be found again."""
        if self.reading.busy:
            return
        try:
            keep_schema(self.schema)
        except (UserError, OSError) as error:
            self.banner.show_message("error", told(error))
            return
        super().accept()

    def done(self, result: int) -> None:
        """Stop reading first."""
        self.reading.close()
        super().done(result)


class MeanShape(QWidget):
    """A schema's mean shape: lines, and landmarks in the colours of their sides and groups."""

    def __init__(self) -> None:
        super().__init__()
        self.schema: Schema | None = None
        self.setAccessibleName(self.tr("Mean shape"))
        theme().changed.connect(self.update)

    def show_schema(self, schema: Schema) -> None:
        """Draw this one."""
        self.schema = schema
        self.update()

    def places(self) -> np.ndarray:
        """(K, 2) widget pixels."""
        mean = np.array(self.schema.mean, float)
        low, high = mean.min(0), mean.max(0)
        room = np.array([self.width(), self.height()]) - 2 * MARGIN
        scale = float((room / np.maximum(high - low, 1e-9)).min()) if (high > low).any() else 0.0
        return (mean - (low + high) / 2) * scale + [self.width() / 2, self.height() / 2]

    def paintEvent(self, event: QPaintEvent) -> None:
        """Grey lines under coloured dots."""
        if self.schema is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        places = [QPointF(*place) for place in self.places()]
        painter.setPen(QPen(theme().color("outline"), 1))
        for a, b in self.schema.edges:
            painter.drawLine(places[a], places[b])
        painter.setPen(Qt.PenStyle.NoPen)
        for k, place in enumerate(places):
            painter.setBrush(marks.landmark_colour(self.schema, k, on_chrome=True))
            painter.drawEllipse(place, DOT, DOT)
        painter.end()
