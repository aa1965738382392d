"""The dialogue around the schema editor: where to start from, the parts, the preview, and the one edit at the end."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.project.edits import Migrate
from app.project.migration import Preview, by_name
from app.project.schema_draft import SchemaDraft
from app.services.own_schemas import write_schema
from app.services.reading import Make, Reading
from app.services.schemas import read_schemas
from app.views.banner import Banner
from app.views.context import Context
from app.views.schema.editing import SchemaEditing
from app.views.schema.groups import Groups, Measure
from app.views.schema.merging import MergeButton
from app.views.schema.preview import ChangePreview
from app.views.schema.shape import ShapePicture
from app.views.schema.table import LandmarksTable
from app.views.theme import icon, theme
from app.views.widgets import foot
from app.views.words import mark, several, told, tr
from engine.errors import UserError
from engine.schema import Schema, load_schema, schema_names

SIZE = (1160, 780)
SUBJECTS = {"face": mark("Face"), "person": mark("Body"), "object": mark("Other")}
OWN = "-own"


class SchemaPage(QDialog):
    """Edits a draft of the open project's schema; accepted when the project has the new one."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context, self.document = context, context.document
        self.before: Schema = self.document.schema
        self.editing = SchemaEditing(SchemaDraft(self.before), self)
        self.reading, self._working = Reading(self), ""
        self.setWindowTitle(self.tr("Landmarks of the project"))
        theme().fit(self, *SIZE)
        self.table, self.shape = LandmarksTable(self.editing), ShapePicture(self.editing)
        self.groups, self.measure = Groups(self.editing), Measure(self.editing)
        self.preview, self.stack = ChangePreview(), QStackedWidget()
        self.name_field, self.short, self.subject = QLineEdit(), QLineEdit(), QComboBox()
        self.start, self.export = QPushButton(self.tr("Start from\u2026")), QPushButton(self.tr("Export\u2026"))
        self.back, self.cancel = QPushButton(self.tr("Back")), QPushButton(self.tr("Cancel"))
        self.sure = QPushButton()
        self._lay_out()
        self.banner = Banner(self)
        self._connect()
        self._fill()

    # ---- building

    def _lay_out(self) -> None:
        title = QLabel(self.tr("Landmarks of the project"))
        title.setProperty("title", True)
        top = QHBoxLayout()
        top.addWidget(title, 1)
        top.addWidget(self.start)
        top.addWidget(self.export)
        self.start.setMenu(self._start_menu())
        self.stack.addWidget(self._editor())
        self.stack.addWidget(self.preview)
        self.sure.setProperty("primary", True)
        self.start.setAutoDefault(False)
        self.export.setAutoDefault(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(12)
        column.addLayout(top)
        column.addWidget(self.stack, 1)
        column.addLayout(foot(self.back, self.cancel, self.sure))

    def _editor(self) -> QWidget:
        sides = QSplitter()
        sides.setChildrenCollapsible(False)
        sides.setHandleWidth(1)
        left, right = QWidget(), QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 12, 0)
        column.addWidget(self.table, 1)
        row = QHBoxLayout()
        for sign, words, act in (
            ("plus", self.tr("Add"), self.editing.add), ("minus", self.tr("Remove"), self.editing.remove),
            ("arrow-up", self.tr("Up"), lambda: self.editing.move(-1)),
            ("arrow-down", self.tr("Down"), lambda: self.editing.move(1)),
        ):  # fmt: skip
            button = QPushButton(icon(sign, 16, "text"), words)
            button.setAutoDefault(False)
            button.clicked.connect(act)
            row.addWidget(button)
        self.merge = MergeButton(self.editing)
        row.addWidget(self.merge)
        row.addStretch(1)
        column.addLayout(row)
        form = QFormLayout()
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.setHorizontalSpacing(16)
        form.addRow(self.tr("Title"), self.name_field)
        form.addRow(self.tr("Short name"), self.short)
        form.addRow(self.tr("Kind"), self.subject)
        form.addRow(self.tr("Errors by the distance"), self.measure)
        hint = QLabel(self.tr("Drag landmarks to their places; "
                              "Ctrl and a click on another draws a line or takes it away"))  # fmt: skip
        hint.setProperty("muted", True)
        hint.setProperty("small", True)
        hint.setWordWrap(True)
        column = QVBoxLayout(right)
        column.setContentsMargins(12, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.shape, 1)
        column.addWidget(hint)
        column.addWidget(self.groups)
        column.addLayout(form)
        sides.addWidget(left)
        sides.addWidget(right)
        sides.setStretchFactor(0, 3)
        sides.setStretchFactor(1, 2)
        return sides

    def _start_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.addAction(self.tr("The project's landmarks")).triggered.connect(lambda: self.take(self.before))
        menu.addSeparator()
        for name in schema_names():
            schema = load_schema(name)
            menu.addAction(tr(schema.title)).triggered.connect(lambda _=False, s=schema: self.take(s))
        menu.addSeparator()
        menu.addAction(self.tr("A file\u2026")).triggered.connect(lambda: self.import_file())
        return menu

    def _connect(self) -> None:
        editing = self.editing
        editing.refused.connect(lambda words: self.banner.show_message("warning", words) if words
                                else self.banner.dismiss())  # fmt: skip
        editing.changed.connect(self._changed)
        self.name_field.textEdited.connect(lambda text: self._say(title=text))
        self.short.textEdited.connect(lambda text: self._say(name=text.strip()))
        self.subject.activated.connect(lambda: self._say(subject=self.subject.currentData()))
        self.export.clicked.connect(lambda: self.export_file())
        self.back.clicked.connect(self._edit_again)
        self.cancel.clicked.connect(self.reject)
        self.sure.clicked.connect(self.go_on)
        self.preview.reopen_wished.connect(self._look)
        self.reading.made.connect(self._made)
        self.reading.failed.connect(self._failed)
        self.reading.ended.connect(lambda: self.sure.setEnabled(True))

    # ---- the draft

    def _fill(self) -> None:
        """Show what stands in the fields above the table, and what the button does."""
        draft = self.editing.draft
        self.name_field.setText(draft.title)
        self.short.setText(draft.name)
        self.subject.clear()
        for value in dict.fromkeys((*SUBJECTS, draft.subject)):
            self.subject.addItem(tr(SUBJECTS.get(value, value)), value)
        self.subject.setCurrentIndex(self.subject.findData(draft.subject))
        self._edit_again()

    def _say(self, **values: str) -> None:
        for name, value in values.items():
            setattr(self.editing.draft, name, value)

    def _changed(self) -> None:
        """Other landmarks need another short name: a model finds those of the schema it was trained on."""
        draft = self.editing.draft
        known = [self.before, *(load_schema(name) for name in schema_names())]
        names = tuple(landmark.name for landmark in draft.landmarks)
        if any(schema.name == draft.name and schema.landmarks != names for schema in known):
            draft.name += OWN
            self.short.setText(draft.name)

    def take(self, schema: Schema) -> None:
        """Start from a schema: landmarks of the project's names go on as those."""
        source = range(len(schema)) if schema is self.before else by_name(self.before, schema)
        self.editing.show_draft(SchemaDraft(schema, source))
        self._fill()

    # ---- files

    def import_file(self, path: str = "") -> None:
        """Start from a schema file, or from what a label file says of its landmarks."""
        words = self.tr("Schemas and label files (*.json *.yaml *.yml *.xml *.slp *.csv *.h5)")
        path = path or QFileDialog.getOpenFileName(self, self.tr("Start from a file"), "", words)[0]
        if path and not self.reading.busy:
            self._work("file", lambda told_so_far: read_schemas(Path(path), told_so_far))

    def export_file(self, path: str = "") -> None:
        """Write the draft as a schema file."""
        try:
            schema = self.editing.draft.schema()
            words, kinds, file = self.tr("Export the schema"), self.tr("Schema (*.json)"), f"{schema.name}.json"
            path = path or QFileDialog.getSaveFileName(self, words, file, kinds)[0]
            if path:
                write_schema(Path(path), schema)
                self.banner.show_message("success", self.tr("Exported to {0}").format(Path(path).name))
        except UserError as error:
            self.banner.show_message("error", told(error))

    # ---- preview and change

    def go_on(self) -> None:
        """From the editor to the preview, from the preview to the change."""
        if self.stack.currentIndex() == 0:
            self._look()
        else:
            edit = self.edit()
            self._work("change", lambda _: self.document.apply(edit))

    def edit(self) -> Migrate:
        """The change as an edit; raises UserError where the draft is not whole."""
        draft = self.editing.draft
        return Migrate(draft.schema(), draft.source(), self.preview.reopen.isChecked())

    def _look(self) -> None:
        try:
            edit = self.edit()
        except UserError as error:
            self.banner.show_message("warning", told(error))
            return
        self.banner.dismiss()
        self._work("preview", lambda _: self.document.migration_preview(edit))

    def _edit_again(self) -> None:
        self.stack.setCurrentIndex(0)
        self.back.hide()
        self.sure.setText(self.tr("Preview\u2026"))

    def _work(self, what: str, make: Make) -> None:
        if not self.reading.busy:
            self._working = what
            self.sure.setEnabled(False)
            self.reading.start(make)

    def _made(self, result: object) -> None:
        if self._working == "change":
            self.accept()
        elif isinstance(result, Preview):
            self._show(result)
        elif isinstance(result, list):
            titles = [schema.title for schema in result]
            chosen, agreed = (titles[0], True) if len(titles) == 1 else QInputDialog.getItem(
                self, self.tr("Start from a file"), self.tr("The file has several:"), titles, 0, False)  # fmt: skip
            if agreed:
                self.take(result[titles.index(chosen)])

    def _show(self, found: Preview) -> None:
        draft = self.editing.draft
        fits = any(entry.schema == draft.name for entry in self.context.library.entries())
        self.preview.show_preview(len(draft.landmarks), found, fits)
        self.stack.setCurrentIndex(1)
        self.back.show()
        words = several(found.lost, mark("Apply and remove 1 placed landmark"),
                        mark("Apply and remove {0} placed landmarks"))  # fmt: skip
        self.sure.setText(words if found.lost else self.tr("Apply"))

    def _failed(self, sentence: str) -> None:
        self.banner.show_message("error", told(sentence))

    def done(self, result: int) -> None:
        """Stop reading first."""
        self.reading.close()
        super().done(result)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter ends a cell's editor and applies nothing."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
