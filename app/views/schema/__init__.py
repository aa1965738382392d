"""The schema editor: which landmarks a project has, and what a change does to its labels."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.views.context import Context


def show_schema(context: Context, parent: QWidget) -> None:
    """Edit the landmarks of the open project; the editor is loaded when it is asked for first."""
    from app.views.schema.page import SchemaPage

    if context.document is not None:
        SchemaPage(context, parent).exec()
