"""What goes into a data set: format, pictures, splits, licence, names, and where it is written."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.api import Exporter, Wishes, exporters, packs_pictures
from app.files import free_name
from app.project.document import Document
from app.project.values import ACCEPTED
from app.settings import Settings
from app.views.widgets import foot
from app.views.words import mark, several, told

WIDTH = 560
PARTS = ("train", "validation", "test")
USUAL = (80, 20, 0)


class ExportPage(QDialog):
    """`exporter`, `wishes` and `place` are what holds when it is accepted."""

    def __init__(self, document: Document, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent)
        self.document, self.settings = document, settings
        self.setWindowTitle(self.tr("Export a data set"))
        self._exporters = [each for each in exporters() if hasattr(getattr(each, "form", each), "write")]
        self.format, self.pictures, self.group = QComboBox(), QComboBox(), QComboBox()
        self.splits, self.seed = [QSpinBox() for _ in PARTS], QSpinBox()
        self.split = QCheckBox(self.tr("Split by group"))
        self.names = QCheckBox(self.tr("Say who labelled what"))
        self.licence, self.folder = QLineEdit(str(settings.get("licence", ""))), QLineEdit()
        self.folder.setAccessibleName(self.tr("Folder to write"))
        self.browse = QPushButton(self.tr("Choose\u2026"))
        self.sum, self.line = QLabel(), QLabel()
        self.cancel, self.sure = QPushButton(self.tr("Cancel")), QPushButton(self.tr("Export"))
        self._fill()
        self._lay_out()
        self._connect()
        self._settle()

    def _fill(self) -> None:
        for each in self._exporters:
            self.format.addItem(told(each.title), each.name)
        for words, how in ((self.tr("Copied into the folder"), "copy"), (self.tr("Linked"), "link"),
                           (self.tr("Stay where they are"), "reference")):  # fmt: skip
            self.pictures.addItem(words, how)
        for words, how in ((self.tr("Same picture"), "picture"), (self.tr("Same folder"), "folder")):
            self.group.addItem(words, how)
        for spin, usual in zip(self.splits, USUAL, strict=True):
            spin.setRange(0, 100)
            spin.setSuffix(" %")
            spin.setValue(usual)
        self.seed.setRange(0, 999_999)
        counts = self.document.counts()
        self._accepted = sum(counts[state] for state in ACCEPTED)
        images = several(self._accepted, mark("1 accepted image"), mark("{0} accepted images"))
        self.line.setText(f"{images}, {self.document.name}")
        self.folder.setText(str(free_name(self.document.path.parent, f"{self.document.name} data set")))
        self.licence.setPlaceholderText(self.tr("Said in the README, for example CC BY 4.0"))

    def _lay_out(self) -> None:
        title, form = QLabel(self.tr("Export a data set")), QFormLayout()
        title.setProperty("title", True)
        self.line.setProperty("muted", True)
        self.sum.setProperty("error", True)
        form.setSpacing(12)
        form.setHorizontalSpacing(24)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.addRow(self.tr("Format"), self.format)
        form.addRow(self.tr("Pictures"), self.pictures)
        form.addRow("", self.split)
        form.addRow(self.tr("Train, validation, test"), _row(*self.splits))
        form.addRow("", self.sum)
        form.addRow(self.tr("Stays together"), self.group)
        form.addRow(self.tr("Seed"), self.seed)
        form.addRow(self.tr("Licence"), self.licence)
        form.addRow("", self.names)
        form.addRow(self.tr("Folder"), _row(self.folder, self.browse))
        self.browse.setAutoDefault(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(0)
        column.addWidget(title)
        column.addWidget(self.line)
        column.addSpacing(16)
        column.addLayout(form)
        column.addSpacing(16)
        column.addLayout(foot(self.cancel, self.sure, sure=self.sure))
        self.setMinimumWidth(WIDTH)
        for spin, name in zip(self.splits, PARTS, strict=True):
            spin.setAccessibleName(name)

    def _connect(self) -> None:
        self.format.currentIndexChanged.connect(self._settle)
        self.split.toggled.connect(self._settle)
        for spin in self.splits:
            spin.valueChanged.connect(self._settle)
        self.folder.textChanged.connect(self._settle)
        self.browse.clicked.connect(self._browse)
        self.cancel.clicked.connect(self.reject)
        self.sure.clicked.connect(self._accept)

    def choose(self, name: str) -> None:
        """Show a format by name, if it is offered."""
        self.format.setCurrentIndex(max(self.format.findData(name), 0))

    def exporter(self) -> Exporter:
        """What writes the format."""
        return next(each for each in self._exporters if each.name == self.format.currentData())

    def place(self) -> Path:
        """The folder to write."""
        return Path(self.folder.text().strip())

    def wishes(self) -> Wishes:
        """What is chosen."""
        shares = {name: spin.value() / 100 for name, spin in zip(PARTS, self.splits, strict=True) if spin.value()}
        return Wishes(
            ACCEPTED, self.pictures.currentData(), shares if self.split.isChecked() else {}, self.seed.value(),
            self.group.currentData(), self.licence.text().strip(), self.names.isChecked(),
        )  # fmt: skip

    def _settle(self) -> None:
        """What can be chosen, and whether it can be exported so."""
        split, total = self.split.isChecked(), sum(spin.value() for spin in self.splits)
        for widget in (*self.splits, self.group, self.seed):
            widget.setEnabled(split)
        stay = self.pictures.model().item(self.pictures.findData("reference"))
        stay.setEnabled(not packs_pictures(self.exporter()))
        if not stay.isEnabled() and self.pictures.currentData() == "reference":
            self.pictures.setCurrentIndex(0)
        wrong = split and total != 100
        self.sum.setText(self.tr("The shares add up to {0} %").format(total) if wrong else " ")
        self.sure.setEnabled(not wrong and self._accepted > 0 and bool(self.folder.text().strip()))

    def _browse(self) -> None:
        place = QFileDialog.getSaveFileName(self, self.tr("Folder to write"), self.folder.text())[0]
        if place:
            self.folder.setText(place)

    def _accept(self) -> None:
        self.settings.set("licence", self.licence.text().strip())
        self.accept()


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    for widget in widgets:
        row.addWidget(widget, 1 if isinstance(widget, (QLineEdit, QSpinBox)) else 0)
    return row
