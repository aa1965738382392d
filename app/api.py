"""What plugins may import; the formats that ship are registered through it too."""

from __future__ import annotations

from app.files import atomic_write
from app.formats import Exporter, ExportReport, chosen, damage, file_name, refuse_nothing, refuse_own
from app.project.document import Document
from app.project.values import ACCEPTED, Image, Instance, Origin, State, Visibility
from engine.errors import UserError
from engine.schema import Schema

__all__ = [
    "ACCEPTED", "Document", "ExportReport", "Exporter", "Image", "Instance", "Origin", "Schema", "State",
    "UserError", "Visibility", "atomic_write", "chosen", "damage", "exporter", "exporters", "file_name",
    "refuse_nothing", "refuse_own", "register_exporter",
]  # fmt: skip

_EXPORTERS: dict[str, Exporter] = {}


def register_exporter(exporter: Exporter) -> None:
    """Offer a format in the window and on the command line; raises UserError where the name is taken by another."""
    held = _EXPORTERS.get(exporter.name)
    if held is not None and type(held).__qualname__ != type(exporter).__qualname__:
        raise UserError(f"There is a format {exporter.name!r} already; give this one another name.")
    _EXPORTERS[exporter.name] = exporter


def exporters() -> list[Exporter]:
    """All formats, in the order in which they were registered."""
    return list(_EXPORTERS.values())


def exporter(name: str) -> Exporter:
    """A format by name; raises UserError."""
    if name not in _EXPORTERS:
        raise UserError(f"There is no format {name!r}; choose one of: {', '.join(sorted(_EXPORTERS))}.")
    return _EXPORTERS[name]
