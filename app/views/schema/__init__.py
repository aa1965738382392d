"""The schema editor: which landmarks a project has, and what a change does to its labels."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.services.projects import FACES
from app.views.context import Context
from engine.schema import Schema


def show_schema(context: Context, parent: QWidget) -> None:
    """Edit the landmarks of the open project; the editor is loaded when it is asked for first."""
    from app.views.schema.page import SchemaPage

    if context.document is not None:
        SchemaPage(context, parent).exec()


def choose_schema(context: Context, parent: QWidget) -> Schema | None:
    """Ask which landmarks new projects have, and remember it; None where nobody chose."""
    from app.views.schema.choice import SchemaChoice

    page = SchemaChoice(str(context.settings.get("subject", FACES)), parent)
    if not page.exec():
        return None
    context.settings.set("subject", page.schema.name)
    return page.schema
