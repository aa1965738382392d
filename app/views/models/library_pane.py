"""The library at the left of Models: the models of a schema, and what is done with their files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QListView,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.library import Entry
from app.views.context import Context
from app.views.fitting import FlowLayout
from app.views.models.description import take_in
from app.views.models.listing import Entries, EntryDelegate
from app.views.theme import icon, theme
from app.views.widgets import Line, label_combo
from app.views.words import tr
from engine.errors import UserError
from engine.models import FILES
from engine.schema import Schema
from engine.squares import is_detector

WIDTH = 272


class LibraryPane(QWidget):
    """chosen(): another row is current; failed(sentence); imported(): a model has come in."""

    chosen = Signal()
    failed = Signal(str)
    imported = Signal()

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.setProperty("panel", True)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.model, self.list = Entries(self), QListView()
        self.filter, self.bring = QComboBox(), QPushButton(self.tr("Import"))
        self.export, self.rename = QPushButton(self.tr("Export")), QPushButton(self.tr("Rename"))
        self.remove = QPushButton(self.tr("Remove"))
        self.note = QLabel()
        self._lay_out()
        self.filter.activated.connect(lambda _: self.fill())
        self.list.selectionModel().currentChanged.connect(lambda *_: self._changed())
        self.list.clicked.connect(lambda _: self.chosen.emit())
        self.bring.clicked.connect(self.ask_import)
        self.export.clicked.connect(self._export)
        self.rename.clicked.connect(self._rename)
        self.remove.clicked.connect(self._remove)
        theme().changed.connect(self._dress)
        self._dress()

    def _lay_out(self) -> None:
        title = QLabel(self.tr("Models"))
        title.setProperty("heading", True)
        self.note.setProperty("muted", True)
        self.note.setProperty("small", True)
        head, tools, foot = QHBoxLayout(), QHBoxLayout(), FlowLayout(8)
        head.setContentsMargins(16, 8, 16, 0)
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(self.note)
        tools.setContentsMargins(16, 8, 16, 8)
        tools.setSpacing(8)
        self.filter.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        label_combo(self.filter, self.tr("Schema"))
        tools.addWidget(self.filter, 1)
        tools.addWidget(self.bring)
        self.list.setModel(self.model)
        self.list.setItemDelegate(EntryDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setAccessibleName(self.tr("Models"))
        foot.setContentsMargins(16, 8, 16, 8)
        foot.setSpacing(8)
        for button in (self.export, self.rename, self.remove):
            foot.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addLayout(tools)
        column.addWidget(self.list, 1)
        column.addWidget(Line())
        column.addLayout(foot)

    @property
    def schema(self) -> str:
        """The schema whose models show."""
        return str(self.filter.currentData() or "")

    @property
    def entry(self) -> Entry | None:
        """The selected model."""
        row = self.list.currentIndex().row()
        return self.model.entries[row] if 0 <= row < len(self.model.entries) else None

    @property
    def used(self) -> bool:
        """Whether the selected model is the one in use."""
        return self.entry is not None and self.model.in_use(self.entry)

    def refresh(self) -> None:
        """Read the library anew; the project's schema leads."""
        wanted, names, document = self.schema, self._schemas(), self.context.document
        self.filter.clear()
        for name, schema in names.items():
            self.filter.addItem(short_title(schema), name)
            self.filter.setItemData(self.filter.count() - 1, tr(schema.title), Qt.ItemDataRole.ToolTipRole)
        first = wanted if wanted in names else document.schema.name if document is not None else ""
        self.filter.setCurrentIndex(max(self.filter.findData(first), 0))
        self.fill()

    def _schemas(self) -> dict[str, Schema]:
        names: dict[str, Schema] = {}
        for entry in self.context.library.entries():
            if entry.schema and entry.schema not in names:
                names[entry.schema] = entry.model.schema
        document = self.context.document
        if document is not None:
            names.setdefault(document.schema.name, document.schema)
        return dict(sorted(names.items(), key=lambda named: is_detector(named[1])))  # landmarks first

    def fill(self) -> None:
        """List the schema's models; the selected one stays, else the one in use is selected."""
        before, library = self.entry, self.context.library
        entries = [e for e in library.entries() if e.schema == self.schema or e.problem]
        used = set()
        if any(not e.problem for e in entries):
            used = {str(library.in_use(self.schema).path)}
        self.list.selectionModel().blockSignals(True)
        self.model.show(entries, used)
        self.select(next((e for e in entries if before is not None and e.path == before.path), None)
                    or next((e for e in entries if str(e.path) in used), None))  # fmt: skip
        self.list.selectionModel().blockSignals(False)
        self.list.viewport().update()
        self._changed()

    def select(self, entry: Entry | None) -> None:
        """Make a model the current one; the first where it is none."""
        rows = [n for n, e in enumerate(self.model.entries) if entry is not None and e.path == entry.path]
        self.list.setCurrentIndex(self.model.index(rows[0] if rows else 0))

    def ask_import(self) -> None:
        """Let a model file be chosen and take it in."""
        words = self.tr("Models") + f" ({' '.join(f'*{suffix}' for suffix in FILES)})"
        path = QFileDialog.getOpenFileName(self, self.tr("Import model"), "", words)[0]
        if path:
            self._guard(lambda: self._take_in(Path(path)))

    def _take_in(self, path: Path) -> None:
        entry = take_in(self.context, path, self)
        if entry is not None:
            self.select_new(entry)

    def select_new(self, entry: Entry) -> None:
        """Show a model that has come in."""
        self.imported.emit()
        self.filter.setCurrentIndex(max(self.filter.findData(entry.schema), 0))
        self.fill()
        self.select(entry)

    def _changed(self) -> None:
        entry = self.entry
        own = entry is not None and entry.origin != "shipped"
        self.export.setEnabled(entry is not None and not entry.problem)
        self.rename.setEnabled(own and not entry.problem)
        self.remove.setEnabled(own and not self.used)
        self.remove.setToolTip(self.tr("The model in use stays") if own and self.used else "")
        self.note.setText(self.model.unit())
        self.chosen.emit()

    def _guard(self, work: Callable[[], object]) -> None:
        try:
            work()
        except (UserError, OSError) as error:
            self.failed.emit(str(error))

    def _export(self) -> None:
        entry = self.entry
        suffix = entry.path.suffix
        path = QFileDialog.getSaveFileName(self, self.tr("Export model"), f"{entry.title}{suffix}", f"(*{suffix})")[0]
        if path:
            self._guard(lambda: self.context.library.export_file(entry, Path(path)))

    def _rename(self) -> None:
        entry = self.entry
        name, ok = QInputDialog.getText(self, self.tr("Rename"), self.tr("Name"), text=entry.title)
        if ok and name.strip():
            self._guard(lambda: self.context.library.rename(entry, name))
            self.fill()

    def _remove(self) -> None:
        self._guard(lambda: self.context.library.remove(self.entry))
        self.fill()

    def _dress(self) -> None:
        self.bring.setIcon(icon("import", 18, "text"))
        self.setFixedWidth(theme().room(WIDTH))


def short_title(schema: Schema) -> str:
    """What it is about and how many landmarks it has, for narrow places."""
    title = tr(schema.title).split(",")[0].split(" (")[0]
    return title if is_detector(schema) else f"{title} {len(schema)}"
