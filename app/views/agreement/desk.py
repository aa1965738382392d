"""Between the window of agreement and the service: what is compared, and whose figures may be shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.library import Entry
from app.project.document import Document
from app.services.importing import LABEL_SUFFIXES
from app.services.projects import SUFFIX
from app.services.reading import Make, Reading
from app.views.context import Context
from engine.errors import UserError

if TYPE_CHECKING:
    from app.services.agreeing import Agreed, Shot
    from app.views.agreement.page import AgreementPage

OTHERS = (SUFFIX, ".npz", *LABEL_SUFFIXES)


class Agreeing(QObject):
    """Shows the window of agreement for the open project. shown(workspace): a subject is to be seen there."""

    shown = Signal(str)

    def __init__(self, context: Context, window: QWidget) -> None:
        super().__init__(window)
        self.context, self.window, self._name = context, window, ""
        self.page: AgreementPage | None = None
        self.reading = Reading(self)
        self.reading.made.connect(self._made)
        self.reading.failed.connect(lambda sentence: self.page and self.page.show_problem(sentence))
        self.reading.progress.connect(lambda done, total: self.page and self.page.show_progress(done, total))
        self.reading.ended.connect(lambda: self.page and self.page.show_running(False))
        context.document_changed.connect(self._document_changed)

    def ask(self) -> None:
        """Show the window; nothing is compared until somebody says with what."""
        document = self.context.document
        if document is None:
            return
        if self.page is None:
            from app.views.agreement.page import AgreementPage  # with what it needs, when it is asked for first

            entries = [e for e in self.context.library.entries() if not e.problem and self._fits(e)]
            self.page = AgreementPage(document, entries, self.window)
            self.page.model_asked.connect(self.compare_model)
            self.page.labels_asked.connect(self.compare_labels)
            self.page.people_asked.connect(self.compare_people)
            self.page.copy_wanted.connect(lambda: self.copy_for_another())
            self.page.stopped.connect(self.reading.cancel)
            self.page.wanted.connect(self._show)
        self.page.show()
        self.page.raise_()

    def _fits(self, entry: Entry) -> bool:
        """Models of the project's landmarks, whatever their schema is called."""
        return entry.schema == self.context.document.schema.name

    def copy_for_another(self, path: str = "") -> None:
        """Make a project of the same pictures without labels, and say what to do with it."""
        from app.services.agreeing import copy_without_labels

        document = self.context.document
        if document is None or self.page is None:
            return
        stem = document.path.name.removesuffix(SUFFIX)
        wanted = str(document.path.with_name(self.tr("{0}, second person").format(stem) + SUFFIX))
        kinds = self.tr("Projects") + f" (*{SUFFIX})"
        path = path or QFileDialog.getSaveFileName(self.page, self.tr("Copy without labels"), wanted, kinds)[0]
        if not path:
            return
        path = path if path.endswith(SUFFIX) else path + SUFFIX
        try:
            copy_without_labels(document, Path(path))
        except UserError as error:
            self.page.show_problem(str(error))
        else:
            self.page.offer(Path(path))

    def compare_model(self, entry: Entry) -> None:
        """Compare the accepted labels with a model."""
        from app.services.agreeing import compare_with_model

        self._start(lambda document: partial(compare_with_model, document, entry.model), entry.title)

    def compare_people(self) -> None:
        """Compare what two people have labelled in the project."""
        from app.services.agreeing import compare_people

        self._start(lambda document: partial(compare_people, document), "")

    def compare_labels(self, path: str | Path = "") -> None:
        """Compare with the labels of a file, which is asked for where none is given."""
        from app.services.agreeing import compare

        if self.context.document is None or self.page is None:
            return
        title = self.tr("Other labels of the same pictures")
        kinds = self.tr("Projects and labels") + f" (*{' *'.join(OTHERS)})"
        folder = str(self.context.document.path.parent)
        place = path or QFileDialog.getOpenFileName(self.page, title, folder, kinds)[0]
        if place:
            self._start(lambda document: partial(compare, document, Path(place)), Path(place).name)

    def _start(self, work: Callable[[Document], Make], name: str) -> None:
        document = self.context.document
        if document is None or self.page is None or self.reading.busy:
            return
        try:
            make = work(document)
        except (UserError, OSError) as error:  # of a model that cannot be read
            self.page.show_problem(str(error))
            return
        self._name = name
        self.page.show_running(True)
        self.reading.start(make)

    def _made(self, agreed: Agreed) -> None:
        if self.page is not None:
            people = self.tr("{0} and {1}").format(*agreed.people) if agreed.people else self._name
            self.page.show_agreed(agreed, people)

    def _show(self, shot: Shot) -> None:
        self.shown.emit("label")
        self.context.pointed.emit(shot.image, shot.points, self.page.agreed.landmarks[shot.landmark])

    def _document_changed(self) -> None:
        """Figures of another project, or of other landmarks, are of no use."""
        page, document = self.page, self.context.document
        if page is None or (page.document is document and page.schema == document.schema.landmarks):
            return
        self.page = None
        self.reading.cancel()
        page.hide()
        page.deleteLater()
