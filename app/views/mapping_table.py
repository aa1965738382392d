"""Which landmark of a file becomes which of the project: a table whose second column can be changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QBrush
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QLabel,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from app.project.imports import Match
from app.views.theme import icon, theme
from engine.schema import Schema

ROW = 26
TARGET = Qt.ItemDataRole.UserRole


class MappingTable(QTableWidget):
    """changed(the file's name -> the schema's, "" to leave it out): all that a person has chosen."""

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__(0, 2)
        self.note = QLabel()
        self._chosen: dict[str, str] = {}
        self._names: tuple[str, ...] = ()
        self.setHorizontalHeaderLabels([self.tr("In the file"), self.tr("In the project")])
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.horizontalHeader().setHighlightSections(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW)
        self.setShowGrid(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.AllEditTriggers)
        self.setItemDelegateForColumn(1, _Choice(self))
        self.setAccessibleName(self.tr("Which landmark of the file is which of the project"))

    def show_matches(self, matches: Sequence[Match], schema: Schema, chosen: Mapping[str, str]) -> None:
        """Rows of all skeletons; what has no counterpart comes first, since it needs a person."""
        self._chosen, self._names = dict(chosen), schema.landmarks
        rows = dict.fromkeys(
            (name, at) for found in matches for name, at in zip(found.skeleton.landmarks, found.target, strict=True)
        )
        ordered = sorted(rows, key=lambda row: row[1] >= 0)
        place = self.verticalScrollBar().value()
        self.setRowCount(len(ordered))
        for n, (name, at) in enumerate(ordered):
            self.setItem(n, 0, _fixed(name))
            self.setItem(n, 1, self._target(at))
        self.verticalScrollBar().setValue(place)
        matched = sum(at >= 0 for _, at in ordered)
        words = self.tr("{0} of {1} have a counterpart; click one to change it")
        self.note.setText(words.format(matched, len(ordered)))

    def names(self) -> tuple[str, ...]:
        """The schema's landmarks."""
        return self._names

    def choose(self, row: int, wanted: str) -> None:
        """A person says what a landmark is; "" leaves it out."""
        name = self.item(row, 0).text()
        if self.item(row, 1).data(TARGET) != wanted:
            self.changed.emit(self._chosen | {name: wanted})

    def _target(self, at: int) -> QTableWidgetItem:
        item = QTableWidgetItem(self._names[at] if at >= 0 else self.tr("Left out"))
        item.setData(TARGET, self._names[at] if at >= 0 else "")
        if at < 0:
            item.setForeground(QBrush(theme().color("warning")))
            item.setIcon(icon("alert-outline", 14, "warning"))
        return item


class _Choice(QStyledItemDelegate):
    """A combo box of the schema's landmarks while a cell is edited."""

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: QModelIndex) -> QWidget:
        """The box, open."""
        table = self.parent()
        box = QComboBox(parent)
        box.addItem(table.tr("Left out"), "")
        for name in table.names():
            box.addItem(name, name)
        box.activated.connect(lambda: (self.commitData.emit(box), self.closeEditor.emit(box)))
        return box

    def setEditorData(self, editor: QComboBox, index: QModelIndex) -> None:
        """What is chosen now."""
        editor.setCurrentIndex(max(editor.findData(index.data(TARGET)), 0))

    def setModelData(self, editor: QComboBox, model: object, index: QModelIndex) -> None:
        """Hand the choice on; the table is filled anew when the plan is."""
        self.parent().choose(index.row(), editor.currentData())


def _fixed(text: str) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
    return item
