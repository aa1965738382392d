"""The landmarks in order: name, side, mirror partner, group, and the numbers to which lines lead."""

from __future__ import annotations

import re

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from app.project.schema_draft import SIDES, Landmark
from app.views.schema.editing import SchemaEditing
from app.views.theme import theme
from app.views.widgets import label_combo
from app.views.words import mark, tr
from engine.schema import SchemaError

NUMBER, NAME, SIDE, PARTNER, GROUP, LINES = range(6)
SIDE_WORDS = {"left": mark("Left"), "right": mark("Right"), "centre": mark("Centre")}
ROW = 28
WIDTHS = {NUMBER: 36, SIDE: 72, PARTNER: 132, GROUP: 104, LINES: 80}


class LandmarksTable(QTableWidget):
    """Every cell but the number is edited in place."""

    def __init__(self, editing: SchemaEditing) -> None:
        super().__init__(0, len(WIDTHS) + 1)
        self.editing = editing
        self.setHorizontalHeaderLabels([
            "#", self.tr("Name"), self.tr("Side"), self.tr("In the mirror"), self.tr("Group"), self.tr("Lines to"),
        ])  # fmt: skip
        head = self.horizontalHeader()
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        head.setHighlightSections(False)
        head.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        for column, width in WIDTHS.items():
            self.setColumnWidth(column, theme().room(width))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(theme().size(ROW))
        self.setShowGrid(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        trigger = QAbstractItemView.EditTrigger
        self.setEditTriggers(trigger.DoubleClicked | trigger.EditKeyPressed | trigger.AnyKeyPressed)
        self.setTabKeyNavigation(False)
        self.setAccessibleName(self.tr("Landmarks in order"))
        for column in (SIDE, PARTNER, GROUP):
            self.setItemDelegateForColumn(column, Choice(self))
        self._filling = False
        self.itemChanged.connect(self._edited)
        self.currentCellChanged.connect(self._chosen)
        editing.changed.connect(self.fill)
        editing.selected.connect(self._select)
        self.fill()

    def fill(self) -> None:
        """Show the draft."""
        self._filling = True
        draft = self.editing.draft
        self.setRowCount(len(draft.landmarks))
        at = {id(landmark): n for n, landmark in enumerate(draft.landmarks)}
        for n, landmark in enumerate(draft.landmarks):
            partner = "" if landmark.partner is None else f"{at[id(landmark.partner)] + 1}  {landmark.partner.name}"
            lines = ", ".join(str(at[id(end)] + 1) for end in draft.joined(landmark))
            for column, words in enumerate((
                str(n + 1), landmark.name, tr(SIDE_WORDS[landmark.side]), partner, landmark.group, lines,
            )):  # fmt: skip
                self._put(n, column, words)
        self._filling = False
        self._select()

    def _put(self, row: int, column: int, words: str) -> None:
        item = self.item(row, column)
        if item is None:
            item = QTableWidgetItem()
            if column == NUMBER:
                item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
            self.setItem(row, column, item)
        item.setText(words)

    def choices(self, row: int, column: int) -> list[tuple[str, object]]:
        """What a cell may be: words and value."""
        draft = self.editing.draft
        if column == SIDE:
            return [(tr(SIDE_WORDS[side]), side) for side in SIDES]
        if column == GROUP:
            return [(name, name) for name in draft.groups()]
        others = [(f"{n + 1}  {one.name}", n) for n, one in enumerate(draft.landmarks) if n != row]
        return [(self.tr("None"), -1), *others]

    def take(self, row: int, column: int, value: object) -> None:
        """A person has chosen what a cell is."""
        draft = self.editing.draft
        landmark = draft.landmarks[row]
        if column == SIDE:
            self.editing.attempt(lambda: draft.set_side(landmark, str(value)))
        elif column == GROUP:
            self.editing.attempt(lambda: setattr(landmark, "group", " ".join(str(value).split())))
        else:
            partner = draft.landmarks[value] if isinstance(value, int) and value >= 0 else None
            self.editing.attempt(lambda: draft.pair(landmark, partner))

    def _edited(self, item: QTableWidgetItem) -> None:
        if self._filling:
            return
        draft = self.editing.draft
        landmark = draft.landmarks[item.row()]
        if item.column() == NAME:
            self.editing.attempt(lambda: draft.rename(landmark, item.text()))
        elif item.column() == LINES:
            self.editing.attempt(lambda: draft.set_lines(landmark, self._ends(item.text())))

    def _ends(self, text: str) -> list[Landmark]:
        numbers = [int(word) for word in re.findall(r"\d+", text)]
        landmarks = self.editing.draft.landmarks
        if any(not 1 <= number <= len(landmarks) for number in numbers):
            raise SchemaError(tr("Lines lead to numbers from 1 to {0}.").format(len(landmarks)))
        return [landmarks[number - 1] for number in numbers]

    def _chosen(self, row: int) -> None:
        if not self._filling and 0 <= row < len(self.editing.draft.landmarks):
            self.editing.select(self.editing.draft.landmarks[row])

    def _select(self) -> None:
        held = self.editing.current
        if held is None:
            return
        row = self.editing.draft.landmarks.index(held)
        if row != self.currentRow():
            self._filling = True
            self.setCurrentCell(row, max(self.currentColumn(), NAME))
            self._filling = False


class Choice(QStyledItemDelegate):
    """A list to choose from while a cell is edited; groups may be new ones."""

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: QModelIndex) -> QWidget:
        """The box with the cell's choices."""
        table, box = self.parent(), QComboBox(parent)
        for words, value in table.choices(index.row(), index.column()):
            box.addItem(words, value)
        box.setEditable(index.column() == GROUP)
        label_combo(box, table.horizontalHeaderItem(index.column()).text())
        box.activated.connect(lambda: (self.commitData.emit(box), self.closeEditor.emit(box)))
        return box

    def setEditorData(self, editor: QComboBox, index: QModelIndex) -> None:
        """What is chosen now."""
        editor.setCurrentIndex(max(editor.findText(index.data()), 0))
        if editor.isEditable():
            editor.setEditText(index.data())

    def setModelData(self, editor: QComboBox, model: object, index: QModelIndex) -> None:
        """Hand the choice on; the table is filled anew."""
        value = editor.currentText() if editor.isEditable() else editor.currentData()
        self.parent().take(index.row(), index.column(), value)
