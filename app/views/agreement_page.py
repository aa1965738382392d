"""Agreement with another annotator: by landmark, and the pictures in which the two differ most."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHeaderView,
    QLabel,
    QTabWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.services.agreeing import compare
from app.services.reading import Reading
from app.views.context import Context
from app.views.label.numbers import DASH, count, number
from app.views.theme import theme

ROW = 26  # pixels
NUMBERS = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class AgreementPage(QDialog):
    """What engine.agreement says, in two tables."""

    def __init__(self, value: dict[str, Any], name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Agreement with {0}").format(name))
        said = self.tr("{0} subjects in both; {1} only here, {2} only there. Mean distance {3} px, {4} %.")
        counts = (count(value[key]) for key in ("instances", "only_first", "only_second"))
        words = QLabel(said.format(*counts, _number(value["pixels"], 2), _number(value["percent"], 2)))
        words.setWordWrap(True)
        told = QLabel(self.tr("Per cent of the subject's size. Sigma is what OKS asks for."))
        told.setProperty("muted", True)
        told.setWordWrap(True)
        heads = [self.tr("Landmark"), self.tr("Subjects"), "px", "%", self.tr("Sigma")]
        self.landmarks = _table(heads, [
            [landmark, count(row["n"]), _number(row["pixels"], 2), _number(row["percent"], 2), _number(row["sigma"], 4)]
            for landmark, row in value["landmarks"].items()
        ])  # fmt: skip
        heads = [self.tr("Picture"), "%", self.tr("Farthest apart")]
        self.worst = _table(heads, [[r["picture"], _number(r["percent"], 2), r["landmark"]] for r in value["worst"]])
        tabs = QTabWidget()
        tabs.addTab(self.landmarks, self.tr("Landmarks"))
        tabs.addTab(self.worst, self.tr("Worst pictures"))
        buttons = QDialogButtonBox()
        buttons.addButton(self.tr("Close"), QDialogButtonBox.ButtonRole.RejectRole)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(12)
        for part in (words, told):
            column.addWidget(part)
        column.addWidget(tabs, 1)
        column.addWidget(buttons)
        self.resize(560, 560)


class Agreeing(QObject):
    """Asks for the other labels and shows the agreement.

    failed(sentence); said(sentence); working(text, done 0..1), text "" at the end.
    """

    failed = Signal(str)
    said = Signal(str)
    working = Signal(str, float)

    def __init__(self, context: Context, window: QWidget) -> None:
        super().__init__(window)
        self.context, self.window, self._name = context, window, ""
        self.page: AgreementPage | None = None
        self.reading = Reading(self)
        self.reading.made.connect(self._made)
        self.reading.failed.connect(self.failed)
        self.reading.progress.connect(self._progress)
        self.reading.ended.connect(lambda: self.working.emit("", 0.0))

    def ask(self, path: str | Path = "") -> None:
        """Compare the open project with another one, or with a label file."""
        if self.context.document is None or self.reading.busy:
            return
        title = self.tr("Other labels of the same pictures")
        place = path or QFileDialog.getOpenFileName(self.window, title, str(self.context.document.path.parent))[0]
        if place:
            self._name = Path(place).name
            self.reading.start(partial(compare, self.context.document, Path(place)))

    def _progress(self, done: int, total: int) -> None:
        self.working.emit(self.tr("Reading {0}").format(self._name), done / max(total, 1))

    def _made(self, value: dict[str, Any]) -> None:
        self.page = AgreementPage(value, self._name, self.window)
        self.page.open()


def _table(heads: list[str], rows: list[list[str]]) -> QTreeWidget:
    """A plain table; columns of figures are at the right."""
    made = QTreeWidget()
    made.setHeaderLabels(heads)
    made.setRootIsDecorated(False)
    made.setUniformRowHeights(True)
    made.setAccessibleName(heads[0])
    for row in rows:
        item = QTreeWidgetItem(row)
        item.setSizeHint(0, QSize(0, theme().size(ROW)))
        for column in range(1, len(row)):
            item.setTextAlignment(column, NUMBERS)
        made.addTopLevelItem(item)
    for column in range(1, len(heads)):
        made.headerItem().setTextAlignment(column, NUMBERS)
    made.header().setStretchLastSection(False)
    made.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    made.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    return made


def _number(value: float | None, decimals: int) -> str:
    return DASH if value is None else number(value, decimals)
