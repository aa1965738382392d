"""The Models workspace: library, fine-tuning, before and after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QWidget

from app.library import Entry
from app.project.values import ACCEPTED
from app.services.runs import read_worst
from app.views.banner import Banner
from app.views.context import Context
from app.views.models.comparison import Comparison
from app.views.models.library_pane import LibraryPane
from app.views.models.pages import CardPage, FormPage
from app.views.widgets import EmptyState, fixed_dock
from app.views.words import mark
from engine.errors import UserError
from engine.modelfile import read_model

if TYPE_CHECKING:
    from app.views.models.evaluation import EvaluationDesk
    from app.views.models.run_page import RunPage


class ModelsWorkspace(QMainWindow):
    """One of the window's three workspaces."""

    facts_changed = Signal(str)
    wanted = Signal(str)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context, self.training = context, context.training
        self.library = LibraryPane(context)
        self.card, self.form, self.side = CardPage(), FormPage(), Comparison()
        self.empty = EmptyState(self.tr("No model for this schema"), self.tr("Import"))
        self.evaluation: EvaluationDesk | None = None  # made when it is asked for first
        self.run: RunPage | None = None  # made when a training is shown first, because of its plots
        self._offered: set[Path] = set()
        self.stack = QStackedWidget()
        for page in (self.card, self.form, self.empty):
            self.stack.addWidget(page)
        self.banner = Banner(self.stack)
        self.setCentralWidget(self.stack)
        fixed_dock(self, mark("Library"), self.library, Qt.DockWidgetArea.LeftDockWidgetArea)
        self.side_dock = fixed_dock(self, mark("Comparison"), self.side, Qt.DockWidgetArea.RightDockWidgetArea)
        self._connect()
        self.refresh()

    def _connect(self) -> None:
        context, training = self.context, self.training
        context.model_changed.connect(self.refresh)
        context.document_changed.connect(self.refresh)
        training.state_changed.connect(self._state)
        training.progress.connect(lambda record: self._run_page().progress(record))
        training.metric.connect(lambda record: self._run_page().measured(record))
        training.finished.connect(self._finished)
        training.failed.connect(self._failed)
        training.silent.connect(self._silent)
        self.library.chosen.connect(self._show)
        self.library.imported.connect(context.model_changed)
        self.library.failed.connect(lambda sentence: self.banner.show_message("error", sentence))
        self.empty.clicked.connect(self.library.ask_import)
        self.card.tune.connect(self._set_up)
        self.card.evaluated.connect(self._evaluate)
        self.card.used.connect(self._take)
        self.card.rolled_back.connect(self._roll_back)
        self.form.back.connect(self._show)
        self.form.start.connect(self._start)
        self.side.used.connect(self._use)
        self.side.kept.connect(self._keep)

    # ---- what the window asks

    def activate(self) -> None:
        """The workspace came on screen."""
        self.refresh()
        self.library.list.setFocus()
        self._offer_to_go_on()

    def facts(self) -> str:
        """One line for the status bar."""
        return self.tr("Labelling and live view stay usable while training runs") if self.training.active else ""

    def trigger(self, name: str) -> bool:
        """Do an action of the table; False where it is not one of ours."""
        command = {"fine_tune": self._set_up, "import_model": self.library.ask_import}.get(name)
        if command is not None:
            command()
        return command is not None

    def focus_regions(self) -> list[QWidget]:
        """What F6 goes round."""
        regions = [self.library.list, self.stack.currentWidget(), self.side.use]
        return [region for region in regions if region.isVisible() and region.isEnabled()]

    def refresh(self) -> None:
        """Read the library anew."""
        self.library.refresh()

    @property
    def busy(self) -> bool:
        """Whether a training is under way or waits for an answer."""
        return self.training.active or self.training.state == "finished"

    def _show(self) -> None:
        """Show what belongs in the middle; a training that runs or waits for an answer comes first."""
        entry = self.library.entry
        self.side_dock.setVisible(self.busy)
        if self.busy:
            self.stack.setCurrentWidget(self._run_page())
        elif entry is None:
            self.stack.setCurrentWidget(self.empty)
        else:
            used = self.library.used
            self.card.show_entry(entry, used, used and self.context.library.can_roll_back(entry.schema))
            self.stack.setCurrentWidget(self.card)

    def _guard(self, work: Callable[..., Any], *values: Any) -> Any:
        """Do something that may be refused with a sentence; None where it was."""
        try:
            return work(*values)
        except (UserError, OSError) as error:
            self.banner.show_message("error", str(error))
            return None

    def close_services(self) -> None:
        """End an evaluation that is under way."""
        if self.evaluation is not None:
            self.evaluation.service.close()

    def _evaluate(self) -> None:
        entry = self.library.entry
        if entry is None or self.busy:
            return
        if self.evaluation is None:
            from app.views.models.evaluation import EvaluationDesk

            self.evaluation = EvaluationDesk(self.context, self)
            self.stack.addWidget(self.evaluation.page)
            self.evaluation.left.connect(self._show)
            self.evaluation.failed.connect(lambda sentence: self.banner.show_message("error", sentence))
        if self._guard(lambda: self.evaluation.offer(entry, self._labels(entry)[1]) or True):
            self.stack.setCurrentWidget(self.evaluation.page)

    # ---- which model predicts

    def _take(self) -> None:
        entry = self.library.entry
        if self._guard(lambda: self.context.library.adopt(entry) or True):
            self.context.model_changed.emit()

    def _roll_back(self) -> None:
        before = self._guard(self.context.library.roll_back, self.library.schema)
        if before is not None:
            self.library.select(before)
            self.context.model_changed.emit()

    # ---- training

    def _run_page(self) -> RunPage:
        if self.run is None:
            from app.views.models.run_page import RunPage

            self.run = RunPage()
            self.run.paused.connect(
                lambda: self.training.resume() if self.training.state == "paused" else self.training.pause()
            )
            self.run.stopped.connect(self.training.stop)
            self.stack.addWidget(self.run)
        return self.run

    def _set_up(self) -> None:
        entry = self.library.entry
        if entry is None or self.busy or entry.external:
            return
        labels, problem = self._labels(entry)
        self.form.show_state(entry, labels, problem)
        self.stack.setCurrentWidget(self.form)

    def _labels(self, entry: Entry) -> tuple[int, str]:
        """Accepted images with landmarks, and why a training cannot start with them, or ""."""
        document = self.context.document
        if document is None:
            return 0, self.tr("No project is open; open one and accept some images first.")
        if document.schema.name != entry.schema:
            return 0, self.tr("The open project has another schema; choose a model that fits it.")
        labels = sum(bool(document.instances(i.id)) for i in document.images() if i.state in ACCEPTED)
        return labels, "" if labels else self.tr("No image is accepted yet; accept some in Label first.")

    def _start(self, settings: dict[str, Any]) -> None:
        entry, broken_off = self.library.entry, self.training.unfinished()
        if not self._guard(lambda: self.training.start(self.context.document, entry, settings) or True):
            return
        if broken_off is not None:
            self.training.give_up(broken_off)  # who begins anew does not want to be asked again
        page = self._run_page()
        words = self.tr("From {0}, with the labels of {1}")
        page.begin(self.training.name, words.format(entry.title, self.context.document.name))
        self.side.begin(entry.title, {
            self.tr("Starts from"): entry.title, self.tr("Epochs"): settings.get("epochs"),
            self.tr("Rate"): settings.get("rate"),
        })  # fmt: skip
        self.banner.dismiss()
        self._show()

    def _offer_to_go_on(self) -> None:
        """A run that broke off, by a crash or a power cut, can go on from its last checkpoint."""
        folder = None if self.busy else self.training.unfinished()
        if folder is not None and folder not in self._offered:
            self._offered.add(folder)
            self.banner.show_message("warning", self.tr("A training stopped before its end."), self.tr("Resume"),
                                     lambda: self._go_on(folder))  # fmt: skip

    def _go_on(self, folder: Path) -> None:
        if self._guard(lambda: self.training.go_on(folder) or True):
            self._run_page().begin(self.training.name, self.tr("Goes on from its last checkpoint"))
            self.side.begin("", {})
            self._show()

    def _state(self, state: str) -> None:
        if self.run is not None:
            self.run.show_state(state)
        self.facts_changed.emit(self.facts())

    def _finished(self, result: dict[str, Any]) -> None:
        worst = read_worst(Path(result["folder"])) if result.get("folder") else None
        model = self._guard(read_model, result["path"])
        self._run_page().finish(result, worst, model.schema if model is not None else None)
        self.side.show_result(result["metrics"], result["notice"] or "")
        self._show()

    def _failed(self, sentence: str) -> None:
        self._show()
        folder = self.training.unfinished()
        if folder is not None and folder == self.training.folder:
            self._offered.add(folder)
            self.banner.show_message("warning", sentence, self.tr("Resume"), lambda: self._go_on(folder))
        else:
            self.banner.show_message("warning", sentence)

    def _silent(self, silent: bool) -> None:
        if silent:
            self.banner.show_message("warning", self.tr("The training does not respond; wait, or stop it."))
        else:
            self.banner.dismiss()

    def _use(self) -> None:
        entry = self._guard(self.training.adopt)
        if entry is not None:
            self.library.select_new(entry)

    def _keep(self) -> None:
        self.training.dismiss()
        self._show()
