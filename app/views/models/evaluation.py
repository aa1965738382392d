"""Between the evaluation page and the service: what is measured, and when the page may show it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.library import Entry
from app.services.evaluation import Evaluating, Task
from app.services.importing import LABEL_SUFFIXES
from app.services.labelled import load_subjects, project_subjects
from app.views.context import Context
from app.views.models.evaluate_page import FILE, PROJECT, EvaluatePage
from engine.errors import UserError
from engine.evaluate import Options
from engine.labelled import sample_subjects
from engine.parts import label_schema


class EvaluationDesk(QObject):
    """left: back to the model's card; failed(sentence)."""

    left = Signal()
    failed = Signal(str)

    def __init__(self, context: Context, parent: QWidget) -> None:
        super().__init__(parent)
        self.context, self.page, self.service = context, EvaluatePage(), Evaluating(self)
        self.entry: Entry | None = None
        self.page.back.connect(self.left)
        self.page.start.connect(self._start)
        self.page.stop.connect(self.service.stop)
        self.service.progress.connect(self.page.show_progress)
        self.service.finished.connect(self._finished)
        self.service.failed.connect(self._failed)
        self.service.stopped.connect(lambda: self.page.show_running(False))

    def offer(self, entry: Entry, problem: str) -> None:
        """Show what a model can be measured on; one that is being measured keeps its page. Raises UserError."""
        if self.service.active:
            return
        if self.entry is None or self.entry.path != entry.path or not self.page.result.isVisibleTo(self.page):
            model = entry.model
            self.page.show_entry(entry, model.schema, problem, model.head)
        self.entry = entry
        self.page.show_running(False)

    def _start(self, where: str) -> None:
        entry = self.entry
        if entry is None:
            return
        try:
            model, options = entry.model, Options(**self.page.options())
            if where == PROJECT:
                if self.context.document is None:
                    raise UserError(self.tr("No project is open; open one and accept some images first."))
                name, found = self.context.document.name, project_subjects(self.context.document)
                task = Task(model, name, lambda: found.unchanged().subjects, options)
            elif where == FILE:
                words = self.tr("Labels") + f" (*{' *'.join(('.npz', *LABEL_SUFFIXES))})"
                path = QFileDialog.getOpenFileName(self.page, self.tr("Evaluate on"), "", words)[0]
                if not path:
                    return
                task = Task(model, Path(path).name, partial(load_subjects, path, label_schema(model)), options)
            else:
                found = partial(sample_subjects, label_schema(model))
                task = Task(model, self.tr("the sample pictures"), found, options)
            self.service.start(task)
        except (UserError, OSError) as error:
            self.failed.emit(str(error))
            return
        self.page.result.hide()
        self.page.show_running(True)

    def _finished(self, task: Task, figures: dict) -> None:
        self.page.show_running(False)
        self.page.show_result(task.name, figures)

    def _failed(self, sentence: str) -> None:
        self.page.show_running(False)
        self.failed.emit(sentence)
