"""The Live workspace with the real pipeline and what the window gives it, for its tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Signal

from app.library import Library
from app.project.document import Document
from app.services.live import Live
from app.settings import Settings
from app.sources.synthetic import Synthetic
from app.views.keymap import KeyMap
from app.views.live.workspace import LiveWorkspace
from engine import detect
from engine.runtime import open_runtime
from tests.app.live_bench import Middle
from tests.app.small import small_model


class Surroundings(QObject):
    """What the window gives a workspace."""

    document_changed = Signal()
    model_changed = Signal()

    def __init__(self, home: Path) -> None:
        super().__init__()
        self.document: Document | None = None
        self.library = Library(home)
        self.settings = Settings(home / "settings.json")
        self.live = Live()
        self.keys = KeyMap(home / "keys.json", self)

    def set_document(self, document: Document | None) -> None:
        self.document = document
        self.document_changed.emit()


@pytest.fixture
def live_context(monkeypatch, data_folder) -> Iterator[Surroundings]:
    """No camera, no model of the library, and a detector that finds the middle of the picture."""
    monkeypatch.setitem(detect.DETECTORS, "middle", lambda runtime=None: Middle())
    monkeypatch.setattr("app.services.live.list_cameras", lambda: [])
    monkeypatch.setattr(Library, "entries", lambda self, schema=None: [])
    context = Surroundings(data_folder)
    yield context
    assert context.live.close()
    if context.document is not None:
        context.document.close()


@pytest.fixture
def workspace(qtbot, live_context) -> LiveWorkspace:
    workspace = LiveWorkspace(live_context)
    qtbot.addWidget(workspace)
    workspace.resize(1376, 800)
    workspace.show()
    workspace.live.set_runtime(open_runtime(small_model(5), "reference"))
    workspace.live.change(detector="middle")
    return workspace


def run(workspace: LiveWorkspace, qtbot, source: Synthetic | None = None) -> None:
    """Start a source and wait for the first result with a subject on screen."""
    workspace.sources.start(lambda: source or Synthetic.endless(0.01))
    qtbot.waitUntil(lambda: workspace.view.result is not None and workspace.view.result.subjects != (), timeout=8000)
