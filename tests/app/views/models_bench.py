"""The Models workspace on two small models, one of them for bodies; what fixtures of its tests are made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.views.context import Context
from app.views.models.workspace import ModelsWorkspace
from tests.app.projects import SCHEMA
from tests.app.views.window_bench import adopt_small, close_context, make_context


def models_context(qapp, tmp_path: Path) -> Iterator[Context]:
    """What the workspace is given."""
    made = make_context(tmp_path)
    adopt_small(made.library, tmp_path, SCHEMA.name, 1)
    yield made
    close_context(made)


def models_workspace(qtbot, context: Context) -> Iterator[ModelsWorkspace]:
    """The workspace, shown and in use."""
    workspace = ModelsWorkspace(context)
    workspace.resize(1376, 838)
    workspace.show()
    workspace.activate()
    yield workspace
    workspace.close_services()
    workspace.close()
    workspace.deleteLater()
