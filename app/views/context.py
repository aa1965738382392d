"""What the workspaces share: handed to each by its constructor, wired once by app/main.py."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.library import Library
from app.project.document import Document
from app.services.live import Live
from app.services.stills import Stills
from app.services.training import Training
from app.settings import Settings
from app.views.keymap import KeyMap
from engine.runtime import Runtime, open_runtime


class Context(QObject):
    """The open project, the models and the services.

    keys: which key does what. document_changed: another project is open, or none; model_changed: another model is
    in use somewhere.
    """

    document_changed = Signal()
    model_changed = Signal()

    def __init__(
        self, settings: Settings, library: Library, stills: Stills, live: Live, training: Training,
        parent: QObject | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.settings, self.library = settings, library
        self.stills, self.live, self.training = stills, live, training
        self.keys = KeyMap(settings.path.with_name("keys.json"), self)
        self.document: Document | None = None

    def set_document(self, document: Document | None) -> None:
        """Open a project in place of the one that was open; every edit of that is on the disk already."""
        before, self.document = self.document, document
        if document is not None:
            document.annotator = str(self.settings.get("annotator", ""))
        self.stills.cancel()
        self.stills.set_schema(document.schema if document is not None else None)
        self.document_changed.emit()
        if before is not None:
            before.close()

    def runtime_for(self, schema: str) -> Runtime:
        """A new handle of the model in use, for one thread; raises UserError where there is none."""
        return open_runtime(self.library.in_use(schema).model)
