"""The workspaces by name; each is loaded when it is shown first."""

from __future__ import annotations

from PySide6.QtWidgets import QMainWindow

from app.views.context import Context


def make_workspace(name: str, context: Context) -> QMainWindow:
    """live, label or models."""
    if name == "live":
        from app.views.live.workspace import LiveWorkspace

        return LiveWorkspace(context)
    if name == "label":
        from app.views.label.workspace import LabelWorkspace

        return LabelWorkspace(context)
    from app.views.models.workspace import ModelsWorkspace

    return ModelsWorkspace(context)
