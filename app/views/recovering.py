"""Projects that cannot be worked in, copies of them, and the way back to a backup."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.project.backups import SUFFIX, Backup, backups, restore
from app.project.document import Document
from app.project.opening import Busy
from app.project.records import DamagedError
from app.services.reading import Make
from app.views.backups_page import LOOK, BackupsPage
from app.views.context import Context
from app.views.words import mark, several
from engine.errors import UserError


class Recovering(QObject):
    """Says what is wrong with a project together with what helps.

    offered(kind, sentence, button, what it does); said(sentence); opened(name, how): a project to open.
    """

    offered = Signal(str, str, str, object)
    said = Signal(str)
    opened = Signal(str, object)

    def __init__(self, context: Context, window: QWidget) -> None:
        super().__init__(window)
        self.context, self.window = context, window
        context.document_changed.connect(self._look)

    def explain(self, error: Exception, place: Path | None) -> None:
        """Tell why a project did not open, with the remedy that there is."""
        button, remedy, sentence = "", None, str(error)
        if isinstance(error, OSError):
            words = self.tr("{0} cannot be used ({1}); check whether it is there and may be written.")
            sentence = words.format(error.filename or place or "", error.strerror or error)
        elif isinstance(error, Busy):
            button, remedy = self.tr("Open a copy to read"), lambda: self._read(error.path, str(error))
        elif isinstance(error, DamagedError) and place is not None and backups(place):
            button, remedy = self.tr("Backups\u2026"), lambda: self.backups(place)
        self.offered.emit("error", sentence, button, remedy)

    def _read(self, path: Path, reason: str) -> None:
        self._open(path, lambda told: Document.read(path, reason))

    def _open(self, path: Path, make: Make) -> None:
        self.opened.emit(path.name.removesuffix(SUFFIX), make)

    def _look(self) -> None:
        """A project that was just opened may be there to read alone, or be damaged."""
        document = self.context.document
        if document is None:
            return
        if document.read_only:
            self.offered.emit("warning", document.read_only, self.tr("Keep a copy\u2026"), self.keep_copy)
        elif document.damaged:
            sentence = several(
                len(document.damaged),
                mark("1 entry of this project is damaged and left as it is; a backup may have it."),
                mark("{0} entries of this project are damaged and left as they are; a backup may have them."),
            )  # fmt: skip
            self.offered.emit("warning", sentence, self.tr("Backups\u2026"), self.backups)

    def keep_copy(self) -> None:
        """Write the whole project to another file and work in that."""
        document = self.context.document
        if document is None:
            return
        place, _ = QFileDialog.getSaveFileName(
            self.window, self.tr("Keep a copy"), str(Path.home() / document.path.name),
            self.tr("Hourbit projects") + f" (*{SUFFIX})",
        )  # fmt: skip
        if not place:
            return
        path = Path(place if place.endswith(SUFFIX) else place + SUFFIX)
        try:
            document.copy_to(path)
        except UserError as error:
            self.offered.emit("error", str(error), "", None)
            return
        if document.read_only:
            self._open(path, lambda told: Document.open(path))
        else:
            self.said.emit(self.tr("Copied to {0}").format(path.name))

    def backups(self, project: Path | None = None) -> None:
        """Show the backups of a project, the open one at first; look at one, or restore it."""
        document = self.context.document
        path = project or (document.path if document is not None else None)
        if path is None:
            return
        page = BackupsPage(path, self.window)
        choice, backup = page.exec(), page.chosen
        page.deleteLater()
        if not choice or backup is None:
            return
        if choice == LOOK:
            reason = self.tr("This is the backup of {0}, open to read.").format(backup.when)
            self._open(path, lambda told: Document.read(backup.path, reason, path))
        else:
            self._restore(path, backup)

    def _restore(self, path: Path, backup: Backup) -> None:
        document = self.context.document
        if document is not None and document.path == path:
            self.context.set_document(None)

        def make(told: object) -> Document:
            restore(path, backup)
            return Document.open(path)

        self._open(path, make)
