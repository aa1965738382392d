"""Corrections in Live, and the starts after them, for the tests of drafts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.project.document import Document
from app.views.live.workspace import LiveWorkspace
from engine.runtime import open_runtime
from tests.app.small import small_model
from tests.app.views import live_bench


def corrected(workspace: LiveWorkspace, qtbot) -> np.ndarray:
    """Freeze, select the first landmark, move it down; the points then."""
    workspace.trigger("freeze")
    workspace.trigger("next_landmark")
    QTest.keyClick(workspace.view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    return workspace.view.points()[0].copy()


def next_start(live_context, qtbot) -> LiveWorkspace:
    """The workspace of another start, shown."""
    made = LiveWorkspace(live_context)
    qtbot.addWidget(made)
    made.resize(1376, 800)
    made.show()
    made.activate()
    return made


def files(workspace: LiveWorkspace) -> list[Path]:
    return sorted(workspace.freezing.drafts.folder.glob("*.draft"))


@pytest.fixture
def another(qtbot, live_context, data_folder) -> Iterator[LiveWorkspace]:
    """The workspace of another start, with services of its own."""
    context = live_bench.Surroundings(data_folder)
    made = LiveWorkspace(context)
    qtbot.addWidget(made)
    made.resize(1376, 800)
    made.live.set_runtime(open_runtime(small_model(5), "reference"))
    made.live.change(detector="middle")
    yield made
    assert context.live.close()


def work_in(workspace: LiveWorkspace, context, document: Document) -> None:
    """Open a project; the model for it is not one of the library's here."""
    context.set_document(document)
    workspace.live.set_runtime(open_runtime(small_model(5), "reference"))


def closed(workspace: LiveWorkspace) -> None:
    workspace.close_services()
    workspace.live.stop()
    workspace.live.source = None
