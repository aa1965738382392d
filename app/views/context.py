"""What the workspaces share: handed to each by its constructor, wired once by app/main.py."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, QTimer, Signal

from app.library import Library
from app.project.document import Change, Document
from app.services.live import Live
from app.services.stills import Stills
from app.services.training import Training
from app.settings import Settings
from app.views.keymap import KeyMap
from engine.runtime import Runtime, open_runtime

BACKUP_MS = 300  # after a project is on screen


class Context(QObject):
    """The open project, the models and the services.

    keys: which key does what. document_changed: another project is open, or none, or it has other
    landmarks; model_changed: another model is in use somewhere; pointed(image, points, landmark): a landmark of the
    subject that lies at these points, in picture pixels, is to be shown in Label.
    """

    document_changed = Signal()
    _heard = Signal(object)  # edits may come from any thread
    model_changed = Signal()
    pointed = Signal(int, object, int)

    def __init__(
        self, settings: Settings, library: Library, stills: Stills, live: Live, training: Training,
        parent: QObject | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.settings, self.library = settings, library
        self.stills, self.live, self.training = stills, live, training
        self.keys = KeyMap(settings.path.with_name("keys.json"), self)
        self.document: Document | None = None
        self._heard.connect(self._follow)
        self._backup = QTimer(self, singleShot=True, interval=BACKUP_MS)
        self._backup.timeout.connect(self._back_up)

    def set_document(self, document: Document | None) -> None:
        """Open a project in place of the one that was open; every edit of that is on the disk already."""
        before, self.document = self.document, document
        self._backup.stop()
        if document is not None:
            self._backup.start()
            document.annotator = str(self.settings.get("annotator", ""))
            document.subscribe(self._heard.emit)  # until it is closed
        self._announce()
        if before is not None:
            before.close()  # a backup of it that is being made is cut short

    def _back_up(self) -> None:
        """Beside the window's own work: it takes a while for a large project."""
        if self.document is not None:
            threading.Thread(target=self.document.back_up, name="backup", daemon=True).start()

    def _announce(self) -> None:
        self.stills.cancel()
        self.stills.set_schema(self.document.schema if self.document is not None else None)
        self.document_changed.emit()

    def _follow(self, change: Change) -> None:
        """Other landmarks are as good as another project to everybody who shows them."""
        if change.schema and self.document is not None:
            self._announce()

    def runtime_for(self, schema: str) -> Runtime:
        """A new handle of the model in use, for one thread; raises UserError where there is none."""
        return open_runtime(self.library.in_use(schema).model)
