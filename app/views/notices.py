"""What the status line says about the open project: that edits are kept, and what was just done, with its undo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from PySide6.QtCore import QObject, Signal

from app.project.document import Change, Document
from app.views.context import Context
from app.views.frame import StatusLine
from app.views.words import mark, tr
from engine.errors import UserError

# Title of an edit -> what is said of it; {0} is the image, {1} the project.
# Edits that show on the canvas at once, such as a drag, are left out.
DONE = {
    "Accept": mark("Accepted {0}"), "Reject": mark("Rejected {0}"),
    "Delete the instance": mark("Deleted an instance of {0}"),
    "Add a frame": mark("Added to {1}"), "Correct a frame": mark("Corrected in {1}"),
}  # fmt: skip


class Notices(QObject):
    """Follows the open project; `undo` takes its last edit back where the person sees it."""

    _changed = Signal(object)  # edits may come from any thread

    def __init__(self, context: Context, status: StatusLine, undo: Callable[[], object]) -> None:
        super().__init__(status)
        self._context, self._status, self._undo = context, status, undo
        self._leave: Callable[[], object] = lambda: None
        self._changed.connect(self._tell)
        context.document_changed.connect(self._follow)
        self._follow()

    def refused(self, sentence: str) -> None:
        """An edit was not kept; the next one that is clears it."""
        self._set_saved(False)

    def _set_saved(self, ok: bool) -> None:
        document = self._context.document
        self._status.set_saved(ok, document is not None, document is not None and bool(document.read_only))

    def _follow(self) -> None:
        self._leave()
        document = self._context.document
        self._leave = document.subscribe(self._changed.emit) if document is not None else lambda: None
        self._set_saved(True)
        self._status.unsay()

    def _tell(self, change: Change) -> None:
        document = self._context.document
        if document is None or change.kind == "predicted":
            return
        self._set_saved(True)
        sentence = self._sentence(document, change) if change.kind == "edit" else ""
        if sentence:
            self._status.say(sentence, self._undo)
        elif self._status.undo.isVisible():
            self._status.unsay()  # it would take back another edit than it says

    def _sentence(self, document: Document, change: Change) -> str:
        words = DONE.get(document.undo_title or "")
        if words is None or not change.images:
            return ""
        try:
            name = PurePath(document.image(min(change.images)).path.replace("\\", "/")).name
        except (UserError, KeyError):
            return ""  # gone meanwhile
        return tr(words).format(name, document.name)
