"""Every format that can be written is also a way to export a project."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

from app.formats import Exporter, ExportReport, chosen, damage, refuse_nothing, refuse_own
from app.formats.complete import Wishes, export_complete
from app.formats.project import labels_of
from app.formats.registry import Format, FormatError, WriteOptions
from app.formats.report import fitting, losses
from app.project.document import Document
from app.project.values import State


class FormatExporter:
    """Writes a project's labels in a label format (app/formats/registry.py)."""

    def __init__(self, form: Format) -> None:
        self.form = form
        self.name, self.title, self.suffix = form.name, form.title, form.suffix

    def export(self, document: Document, path: Path, states: Set[State]) -> ExportReport:
        """Write the labels of images in `states`, whole or not at all; raises UserError."""
        path = Path(path)
        refuse_own(document, path)
        labels = labels_of(document, states)
        refuse_nothing(labels.instances, states)
        lost = losses(labels, self.form)
        written = fitting(labels, self.form)
        self.form.write(written, path, WriteOptions())
        hurt = damage(document, chosen(document, states))
        return ExportReport(written.instances, len(written.pictures), (*hurt, *lost))


def as_data_set(exporter: Exporter, document: Document, out: Path, wishes: Wishes) -> ExportReport:
    """Write a folder with labels, pictures and what describes them; raises UserError where the exporter cannot."""
    form = getattr(exporter, "form", exporter)
    if not all(hasattr(form, name) for name in ("holds", "write")):
        raise FormatError(f"{exporter.title} is one file without pictures and splits; export it without them.")
    return export_complete(document, form, Path(out), wishes)
