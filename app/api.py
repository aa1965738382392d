"""What plugins may import; the formats that ship are registered through it too."""

from __future__ import annotations

from app.files import atomic_file, atomic_folder, atomic_write
from app.formats import Exporter, ExportReport, chosen, damage, file_name, refuse_nothing, refuse_own
from app.formats.complete import Wishes, packs_pictures
from app.formats.exporting import FormatExporter, as_data_set
from app.formats.names import written_name
from app.formats.registry import Format, FormatError, Holds, ReadOptions, WriteOptions, formats, register
from app.formats.rows import by_picture
from app.project.document import Document
from app.project.values import ACCEPTED, Image, Instance, Origin, State, Visibility
from app.sources import Source, SourceError, register_source
from engine.detect import register_detector
from engine.errors import UserError
from engine.label_pictures import Finder
from engine.label_reading import csv_rows, number, read_text, refuse, whole
from engine.labels import ABSENT, VISIBLE, LabelSet, Picture, Problem, Problems, Skeleton, Table, table
from engine.opencv import cv2
from engine.rows import Rows
from engine.schema import Schema
from engine.types import Box, Frame

__all__ = [
    "ABSENT", "ACCEPTED", "Box", "Document", "ExportReport", "Exporter", "Finder", "Format", "FormatError", "Frame",
    "Holds", "Image", "Instance", "LabelSet", "Origin", "Picture", "Problem", "Problems", "ReadOptions", "Rows",
    "Schema", "Skeleton", "Source", "SourceError", "State", "Table", "UserError", "VISIBLE", "Visibility", "Wishes",
    "WriteOptions", "as_data_set", "atomic_file", "atomic_folder", "atomic_write", "by_picture", "chosen", "csv_rows",
    "cv2", "damage", "exporter", "exporters", "file_name", "formats", "number", "packs_pictures", "read_text",
    "refuse", "refuse_nothing", "refuse_own", "register_detector", "register_exporter", "register_format",
    "register_source", "table", "whole", "written_name",
]  # fmt: skip

_EXPORTERS: dict[str, Exporter] = {}


def register_exporter(exporter: Exporter) -> None:
    """Offer a format in the window and on the command line; raises UserError where the name is taken by another."""
    held = _EXPORTERS.get(exporter.name)
    taken = exporter.name in {form.name for form in formats()}
    if taken or (held is not None and type(held).__qualname__ != type(exporter).__qualname__):
        raise UserError(f"There is a format {exporter.name!r} already; give this one another name.")
    _EXPORTERS[exporter.name] = exporter


def register_format(form: Format) -> None:
    """Offer a label format for reading, and for export where it can be written; raises UserError as above."""
    register(form)


def exporters() -> list[Exporter]:
    """All ways to export a project: formats that can be written, then what was registered for projects alone."""
    own = [form if hasattr(form, "export") else FormatExporter(form) for form in formats() if writes(form)]
    return [*own, *_EXPORTERS.values()]


def writes(form: Format) -> bool:
    """Whether a format can be written, known without importing those that ship."""
    told = getattr(form, "writes", None)
    return form.holds is not None if told is None else bool(told)


def exporter(name: str) -> Exporter:
    """A way to export by name; raises UserError."""
    found = {each.name: each for each in exporters()}
    if name not in found:
        raise UserError(f"There is no format {name!r}; choose one of: {', '.join(sorted(found))}.")
    return found[name]
