"""Bringing labels in: asks what is unclear, reads in the background, shows what would happen, does it in one step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QInputDialog, QWidget

from app.project.document import Document
from app.project.imports import Wishes
from app.services.importing import LABEL_SUFFIXES, Preview, candidates, carry_out, look
from app.services.projects import SUFFIX, Told
from app.services.reading import Reading
from app.views.context import Context
from app.views.import_page import ImportPage
from app.views.words import told
from engine.errors import UserError


class Importing(QObject):
    """failed(sentence); said(sentence); working(text, done 0..1), text "" at the end; opened(document): a project that
    was made for the labels; imported: labels are in the open project."""

    failed = Signal(str)
    said = Signal(str)
    working = Signal(str, float)
    opened = Signal(object)
    imported = Signal()

    def __init__(self, context: Context, window: QWidget) -> None:
        super().__init__(window)
        self.context, self.window = context, window
        self.reading = Reading(self)
        self.page: ImportPage | None = None
        self._name = ""
        self.reading.progress.connect(self._progress)
        self.reading.made.connect(self._made)
        self.reading.failed.connect(self.failed)
        self.reading.ended.connect(lambda: self.working.emit("", 0.0))

    def ask(self) -> None:
        """Choose a label file."""
        names = " ".join(f"*{suffix}" for suffix in LABEL_SUFFIXES)
        start = str(self.context.settings.get("last folder", str(Path.home())))
        place = QFileDialog.getOpenFileName(
            self.window, self.tr("Import labels"), start,
            self.tr("Labels") + f" ({names});;" + self.tr("All files") + " (*)",
        )[0]  # fmt: skip
        if place:
            self.start(Path(place))

    def start(self, path: Path) -> None:
        """Read a label file for the open project, or for one to be made."""
        if self.reading.busy:
            self.failed.emit(self.tr("Still reading {0}; wait for it, or cancel it below.").format(self._name))
            return
        try:
            form = self._form(path)
        except UserError as error:
            self.failed.emit(str(error))
            return
        document = self.context.document
        place = None if document is not None else self._place(path)
        if form is None or (document is None and place is None):
            return
        self._name = path.name
        self.context.settings.set("last folder", str(path.parent))
        annotator = document.annotator if document is not None else str(self.context.settings.get("annotator", ""))
        wishes = Wishes(annotator=annotator)
        self.reading.start(lambda tell: look(path, form or None, document, tell, place, None, wishes))

    def close(self) -> bool:
        """Stop reading."""
        return self.reading.close()

    def _form(self, path: Path) -> str | None:
        """The format where a person has to say it, "" where it is clear, None where they do not."""
        found = candidates(path)
        if not found:
            raise UserError(self.tr("{0} is nothing that Hourbit opens: it is of no label format that it knows; choose "
                                    "another file.").format(path.name))  # fmt: skip
        if len(found) < 2:
            return ""
        titles = [told(form.title) for form in found]
        title, sure = QInputDialog.getItem(
            self.window, self.tr("Import labels"), self.tr("{0} may be of these formats:").format(path.name),
            titles, 0, False,
        )  # fmt: skip
        return found[titles.index(title)].name if sure else None

    def _place(self, path: Path) -> Path | None:
        place = QFileDialog.getSaveFileName(
            self.window, self.tr("New project for these labels"), str(path.with_name(f"{path.stem}{SUFFIX}")),
            self.tr("Hourbit projects") + f" (*{SUFFIX})",
        )[0]  # fmt: skip
        return Path(place if place.endswith(SUFFIX) else place + SUFFIX) if place else None

    def _progress(self, done: int, total: int) -> None:
        words = self.tr("Reading {0}").format(self._name)
        self.working.emit(words, done / total if total else 0.0)

    def _made(self, made: Preview | Imported) -> None:
        if isinstance(made, Imported):
            if made.document is not None:
                self.opened.emit(made.document)
            self.imported.emit()
            self.said.emit(made.words)
            return
        self.page = ImportPage(made, self.window)
        self.page.accepted.connect(self._import)
        self.page.rejected.connect(self._drop)
        self.page.open()

    def _import(self) -> None:
        preview, words = self.page.preview, self.page.done_words()
        self._forget()
        if preview.draft is None and self.context.document is not preview.document:
            self.failed.emit(self.tr("The project was closed meanwhile; open it and import again."))
            return
        self.reading.start(lambda tell: _finish(preview, words, tell))

    def _drop(self) -> None:
        if self.page is not None and self.page.preview.draft is not None:
            self.page.preview.draft.close()
        self._forget()

    def _forget(self) -> None:
        if self.page is not None:
            self.page.deleteLater()
        self.page = None


@dataclass(frozen=True)
class Imported:
    """What was done; document: the project that was made for it, None where it was open already."""

    words: str
    document: Document | None


def _finish(preview: Preview, words: str, tell: Told) -> Imported:
    try:
        done = carry_out(preview, tell)
        return Imported(words, Document.open(done.draft.keep()) if done.draft is not None else None)
    except BaseException:
        if preview.draft is not None:
            preview.draft.close()
        raise
