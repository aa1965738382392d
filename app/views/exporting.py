"""Taking labels out: one file by the menu, or a complete data set by its page; written in the background."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.api import Exporter, ExportReport, Wishes, as_data_set, exporters, packs_pictures
from app.project.document import Document
from app.project.values import ACCEPTED
from app.services.importing import telling
from app.services.projects import Told
from app.services.reading import Reading
from app.views.context import Context
from app.views.export_page import ExportPage
from app.views.words import mark, several, told


@dataclass(frozen=True)
class Exported:
    """What was written where."""

    report: ExportReport
    path: Path


class Exporting(QObject):
    """failed(sentence); said(sentence); working(text, done 0..1), text "" at the end."""

    failed = Signal(str)
    said = Signal(str)
    working = Signal(str, float)

    def __init__(self, context: Context, window: QWidget) -> None:
        super().__init__(window)
        self.context, self.window = context, window
        self.reading = Reading(self)
        self.page: ExportPage | None = None
        self._name = ""
        self.reading.progress.connect(self._progress)
        self.reading.made.connect(self._made)
        self.reading.failed.connect(self.failed)
        self.reading.ended.connect(lambda: self.working.emit("", 0.0))

    def one_file(self, name: str, path: str | Path = "") -> None:
        """Write the accepted labels in a format; formats that are folders have their page."""
        document = self._document()
        if document is None:
            return
        exporter = next(e for e in exporters() if e.name == name)
        if not exporter.suffix or packs_pictures(exporter):
            self.ask(name)
            return
        start = str(document.path.with_name(f"{document.name}{exporter.suffix}"))
        title, kinds = told(exporter.title), f"(*{exporter.suffix})"
        place = path or QFileDialog.getSaveFileName(self.window, title, start, kinds)[0]
        if place:
            self._name = Path(place).name
            self.reading.start(partial(_write_file, exporter, document, Path(place)))

    def ask(self, name: str = "") -> None:
        """Show the page of data sets, with a format chosen."""
        document = self._document()
        if document is not None:
            self.page = ExportPage(document, self.context.settings, self.window)
            self.page.finished.connect(self.page.deleteLater)
            self.page.choose(name)
            self.page.accepted.connect(self._data_set)
            self.page.open()

    def _data_set(self) -> None:
        page, document = self.page, self._document()
        self.page = None
        if page is None or document is None:
            return
        exporter, wishes, place = page.exporter(), page.wishes(), page.place()
        self._name = place.name
        self.reading.start(partial(_write_folder, exporter, document, place, wishes))

    def _document(self) -> Document | None:
        """The open project, where nothing is being written."""
        if self.context.document is None:
            self.failed.emit(self.tr("No project is open; open one, then export its labels."))
        elif self.reading.busy:
            self.failed.emit(self.tr("Still exporting {0}; wait for it, or cancel it below.").format(
                self._name))  # fmt: skip
            return None
        return self.context.document

    def _progress(self, done: int, total: int) -> None:
        self.working.emit(self.tr("Exporting {0}").format(self._name), done / max(total, 1))

    def _made(self, made: Exported) -> None:
        words, report = self.tr("Exported to {0}: {1}, {2}"), made.report
        counts = (several(report.instances, mark("1 instance"), mark("{0} instances")),
                  several(report.images, mark("1 image"), mark("{0} images")))  # fmt: skip
        left_out = self.tr("{0}: {1} left out")
        lost = [left_out.format(told(entry["what"]), entry["count"]) for entry in report.lost]
        self.said.emit("; ".join([words.format(made.path.name, *counts), *lost]))


def _write_file(exporter: Exporter, document: Document, place: Path, _: Told) -> Exported:
    return Exported(exporter.export(document, place, ACCEPTED), place)


def _write_folder(exporter: Exporter, document: Document, place: Path, wishes: Wishes, tell: Told) -> Exported:
    return Exported(as_data_set(exporter, document, place, replace(wishes, progress=telling(tell))), place)
