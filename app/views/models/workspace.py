"""The Models workspace: library, fine-tuning, before and after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDockWidget,
    QFileDialog,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QListView,
    QMainWindow,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.files import atomic_write
from app.library import Entry
from app.project.values import ACCEPTED
from app.views.context import Context
from app.views.models.comparison import Comparison
from app.views.models.listing import Entries, EntryDelegate
from app.views.models.pages import CardPage, FormPage
from app.views.widgets import Banner, EmptyState
from engine.errors import UserError

WIDTH = 272


class ModelsWorkspace(QMainWindow):
    """One of the window's three workspaces."""

    facts_changed = Signal(str)
    wanted = Signal(str)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context, self.training = context, context.training
        self.model = Entries(self)
        self.filter, self.import_button, self.list = QComboBox(), QPushButton(self.tr("Import")), QListView()
        self.export_button, self.rename_button = QPushButton(self.tr("Export")), QPushButton(self.tr("Rename"))
        self.remove_button = QPushButton(self.tr("Remove"))
        self.card, self.form, self.side = CardPage(), FormPage(), Comparison()
        self.empty = EmptyState(self.tr("No model for this schema"), self.tr("Import"))
        self.run = None  # made when a training is shown first, because of its plots
        self.stack = QStackedWidget()
        for page in (self.card, self.form, self.empty):
            self.stack.addWidget(page)
        self.banner = Banner(self.stack)
        self._lay_out()
        self._connect()
        self.refresh()

    # ---- building

    def _lay_out(self) -> None:
        self.setCentralWidget(self.stack)
        left = QWidget()
        left.setProperty("panel", True)
        title = QLabel(self.tr("Models"))
        title.setProperty("heading", True)
        note = QLabel(self.tr("hold-out, %"))
        note.setProperty("muted", True)
        note.setProperty("small", True)
        head, tools, foot = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        head.setContentsMargins(16, 8, 16, 0)
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(note)
        tools.setContentsMargins(16, 8, 16, 8)
        tools.addWidget(self.filter, 1)
        tools.addWidget(self.import_button)
        self.list.setModel(self.model)
        self.list.setItemDelegate(EntryDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setAccessibleName(self.tr("Models"))
        bar = QWidget()
        bar.setProperty("foot", True)
        bar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        bar.setLayout(foot)
        foot.setContentsMargins(16, 9, 16, 9)
        foot.setSpacing(8)
        for button in (self.export_button, self.rename_button, self.remove_button):
            button.setProperty("flat", True)
            foot.addWidget(button)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addLayout(tools)
        column.addWidget(self.list, 1)
        column.addWidget(bar)
        left.setFixedWidth(WIDTH)
        self._dock("Library", left, Qt.DockWidgetArea.LeftDockWidgetArea)
        self._dock("Comparison", self.side, Qt.DockWidgetArea.RightDockWidgetArea)

    def _dock(self, name: str, content: QWidget, area: Qt.DockWidgetArea) -> None:
        dock = QDockWidget(name, self)
        dock.setObjectName(f"Models {name}")
        dock.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
        dock.setTitleBarWidget(QWidget())
        dock.setWidget(content)
        self.addDockWidget(area, dock)

    def _connect(self) -> None:
        context, training = self.context, self.training
        context.model_changed.connect(self.refresh)
        context.document_changed.connect(self.refresh)
        training.state_changed.connect(self._state)
        training.progress.connect(lambda record: self._run_page().progress(record))
        training.metric.connect(lambda record: self._run_page().metric(record))
        training.finished.connect(self._finished)
        training.failed.connect(self._failed)
        training.silent.connect(self._silent)
        self.filter.activated.connect(lambda _: self._fill())
        self.list.selectionModel().currentChanged.connect(lambda now, _: self._show(now.row()))
        self.list.clicked.connect(lambda now: self._show(now.row()))
        self.import_button.clicked.connect(lambda: self.trigger("import_model"))
        self.empty.clicked.connect(lambda: self.trigger("import_model"))
        self.export_button.clicked.connect(self._export)
        self.rename_button.clicked.connect(self._rename)
        self.remove_button.clicked.connect(self._remove)
        self.card.tune.connect(self._set_up)
        self.form.back.connect(lambda: self._show(self.list.currentIndex().row()))
        self.form.start.connect(self._start)
        self.side.used.connect(self._use)
        self.side.kept.connect(self._keep)
        self.side.rolled_back.connect(self._roll_back)

    # ---- what the window asks

    def activate(self) -> None:
        """The workspace came on screen."""
        self.refresh()
        self.list.setFocus()

    def facts(self) -> str:
        """One line for the status bar."""
        return self.tr("Labelling and live view stay usable while training runs") if self.training.active else ""

    def trigger(self, name: str) -> bool:
        """Do an action of the table; False where it is not one of ours."""
        command = {"fine_tune": self._set_up, "import_model": self._ask_import}.get(name)
        if command is not None:
            command()
        return command is not None

    def focus_regions(self) -> list[QWidget]:
        """What F6 goes round."""
        return [self.filter, self.list, self.card.button, self.side.use]

    # ---- the list

    @property
    def schema(self) -> str:
        """The schema whose models show."""
        return str(self.filter.currentData() or "")

    @property
    def entry(self) -> Entry | None:
        """The selected model."""
        row = self.list.currentIndex().row()
        return self.model.entries[row] if 0 <= row < len(self.model.entries) else None

    def refresh(self) -> None:
        """Read the library anew; the project's schema leads."""
        wanted = self.schema
        names: dict[str, str] = {}
        for entry in self.context.library.entries():
            if entry.schema and entry.schema not in names:
                names[entry.schema] = entry.model.schema.title
        document = self.context.document
        if document is not None:
            names.setdefault(document.schema.name, document.schema.title)
        self.filter.clear()
        for name, text in names.items():
            self.filter.addItem(text, name)
        first = wanted if wanted in names else document.schema.name if document is not None else ""
        self.filter.setCurrentIndex(max(self.filter.findData(first), 0))
        self._fill()

    def _fill(self) -> None:
        before = self.entry.path if self.entry is not None else None
        library = self.context.library
        entries = [e for e in library.entries() if e.schema == self.schema or e.problem]
        used = set()
        if any(not e.problem for e in entries):
            used = {str(library.in_use(self.schema).path)}
        self.model.show(entries, used)
        rows = [n for n, e in enumerate(entries) if e.path == before] or [
            n for n, e in enumerate(entries) if str(e.path) in used
        ]
        self.list.setCurrentIndex(self.model.index(rows[0] if rows else 0))
        self.side.back.setVisible(bool(entries) and library.can_roll_back(self.schema))
        self._show(rows[0] if rows else 0)

    def _show(self, row: int) -> None:
        if self.training.active or self.training.state == "finished":
            self.stack.setCurrentWidget(self._run_page())
        elif 0 <= row < len(self.model.entries):
            self.card.show_entry(self.model.entries[row])
            self.stack.setCurrentWidget(self.card)
        else:
            self.stack.setCurrentWidget(self.empty)
        entry = self.entry
        own = entry is not None and entry.origin != "shipped"
        self.export_button.setEnabled(entry is not None and not entry.problem)
        self.rename_button.setEnabled(own and not entry.problem)
        self.remove_button.setEnabled(own)

    def _guard(self, work, *values: Any) -> Any:
        """Do something that may be refused with a sentence; None where it was."""
        try:
            return work(*values)
        except (UserError, OSError) as error:
            self.banner.show_message("error", str(error))
            return None

    def _ask_import(self) -> None:
        path = QFileDialog.getOpenFileName(self, self.tr("Import model"), "", self.tr("Models") + " (*.hourbit)")[0]
        if path and self._guard(self.context.library.import_file, path) is not None:
            self.context.model_changed.emit()

    def _export(self) -> None:
        entry = self.entry
        path = QFileDialog.getSaveFileName(self, self.tr("Export model"), f"{entry.title}.hourbit", "(*.hourbit)")[0]
        if path:
            self._guard(lambda: atomic_write(Path(path), entry.path.read_bytes()))

    def _rename(self) -> None:
        entry = self.entry
        name, ok = QInputDialog.getText(self, self.tr("Rename"), self.tr("Name"), text=entry.title)
        if ok and name.strip():
            self._guard(self.context.library.rename, entry, name)
            self.refresh()

    def _remove(self) -> None:
        self._guard(self.context.library.remove, self.entry)
        self.refresh()

    # ---- training

    def _run_page(self):
        if self.run is None:
            from app.views.models.pages import RunPage

            self.run = RunPage()
            self.run.paused.connect(
                lambda: self.training.resume() if self.training.state == "paused" else self.training.pause()
            )
            self.run.stopped.connect(self.training.stop)
            self.stack.addWidget(self.run)
        return self.run

    def _set_up(self) -> None:
        entry = self.entry
        if entry is None or self.training.active:
            return
        labels, problem = 0, ""
        document = self.context.document
        if document is None:
            problem = self.tr("No project is open; open one and accept some images first.")
        elif document.schema.name != entry.schema:
            problem = self.tr("The open project has another schema; choose a model that fits it.")
        else:
            labels = sum(bool(document.instances(i.id)) for i in document.images() if i.state in ACCEPTED)
            if not labels:
                problem = self.tr("There are no accepted labels yet; accept some images in Label first.")
        self.form.show_state(entry, labels, problem)
        self.stack.setCurrentWidget(self.form)

    def _start(self, settings: dict[str, Any]) -> None:
        entry = self.entry
        page = self._run_page()
        page.begin(entry.title, self.tr("Fine-tuning with the labels of {0}").replace(
            "{0}", self.context.document.name))  # fmt: skip
        self.side.clear(self.tr("Available when the run ends. Stop keeps the best weights."))
        if self._guard(lambda: self.training.start(self.context.document, entry, settings) or True):
            self.stack.setCurrentWidget(page)

    def _state(self, state: str) -> None:
        if self.run is not None:
            self.run.show_state(state)
        self.facts_changed.emit(self.facts())

    def _finished(self, result: dict[str, Any]) -> None:
        self._run_page().finish(result["metrics"])
        self.side.show_result(result["metrics"], result["notice"] or "")

    def _failed(self, sentence: str) -> None:
        self.banner.show_message("warning", sentence)
        self.side.clear("")

    def _silent(self, silent: bool) -> None:
        if silent:
            self.banner.show_message("warning", self.tr("The training does not respond; wait, or stop it."))
        else:
            self.banner.dismiss()

    def _use(self) -> None:
        if self._guard(self.training.adopt) is not None:
            self.side.clear(self.tr("The new model is in use."))
            self.context.model_changed.emit()

    def _keep(self) -> None:
        self.training.dismiss()
        self.side.clear("")
        self.refresh()

    def _roll_back(self) -> None:
        if self._guard(self.context.library.roll_back, self.schema) is not None:
            self.context.model_changed.emit()
