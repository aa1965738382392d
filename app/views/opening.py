"""Opening and closing: projects, folders, videos, models and pictures, by menu, by drop and by the first page."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.project.document import Document
from app.project.edits import NewImage, Relink
from app.services.importing import LABEL_SUFFIXES
from app.services.projects import (
    FACES,
    SUFFIX,
    Told,
    joined,
    left_out,
    open_folder,
    open_or_read,
    open_sample,
    pictures_in,
    project_of,
    read_new,
)
from app.services.reading import Make, Reading
from app.services.relinking import Found, find_missing
from app.sources.video import FILMS
from app.views.agreement.desk import Agreeing
from app.views.context import Context
from app.views.exporting import Exporting
from app.views.importing import Importing
from app.views.models.description import take_in
from app.views.recents import Recents
from app.views.recovering import Recovering
from app.views.schema import choose_schema
from engine.errors import UserError
from engine.images import IMAGE_SUFFIXES
from engine.models import FILES as MODELS


class Opening(QObject):
    """What brings things in; files are read in the background.

    begun(): what was told before is settled; failed(sentence); said(sentence); show(workspace); video(path);
    working(text, done 0..1), text "" at the end; offered(kind, sentence, button, remedy): what is wrong, what helps.
    """

    offered = Signal(str, str, str, object)
    failed = Signal(str)
    begun = Signal()
    said = Signal(str)
    show = Signal(str)
    video = Signal(object)
    working = Signal(str, float)

    def __init__(self, context: Context, window: QWidget) -> None:
        super().__init__(window)
        self.context, self.window = context, window
        self.reading = Reading(self)
        self.importing, self.exporting = Importing(context, window), Exporting(context, window)
        self.agreeing = Agreeing(context, window)
        self.recents, self.recovering = Recents(context), Recovering(context, window)
        self.recent = self.recents.listed
        self._name, self._place, self._left_out = "", None, ("", 0)  # what is being read, and files it leaves out
        self.recovering.offered.connect(self.offered)
        self.recovering.said.connect(self.said)
        self.recovering.opened.connect(self._read)
        for part in (self.importing, self.exporting):
            part.failed.connect(self.failed)
            part.said.connect(self.said)
            part.working.connect(self.working)
        self.agreeing.shown.connect(self.show)
        self.importing.opened.connect(self._take)
        self.importing.imported.connect(lambda: self.show.emit("label"))
        self.reading.progress.connect(self._progress)
        self.reading.made.connect(self._made)
        self.reading.failed.connect(self._failed)
        self.reading.ended.connect(lambda: self.working.emit("", 0.0))

    # ---- what people ask for

    def folder(self, path: str | Path = "") -> None:
        """Open a folder of pictures as a project; asks where no path is given."""
        place = path or QFileDialog.getExistingDirectory(self.window, self.tr("Open folder"), self._last())
        if not place:
            return
        folder, subject = Path(place).absolute(), self._subject()
        self._remember_place(folder)
        document = self.context.document if self._is_open(project_of(folder, subject)) else None

        def make(told: Told) -> Document | tuple[NewImage, ...]:
            self._left_out = left_out(folder)
            if document is None:
                return open_folder(folder, subject, told)
            return read_new(pictures_in(folder), document.known_paths(), told)

        self._read(folder.name, make)

    def project(self, path: str | Path = "") -> None:
        """Open a project file."""
        place = path or QFileDialog.getOpenFileName(
            self.window, self.tr("Open project"), self._last(), self._projects()
        )[0]
        if not place:
            return
        self._remember_place(Path(place).parent)
        if self._is_open(Path(place)):
            self.show.emit("label")
        else:
            self._read(Path(place).name.removesuffix(SUFFIX), lambda told: open_or_read(place), Path(place))

    def new_project(self) -> None:
        """Make an empty project, with whatever landmarks one wants."""
        schema = choose_schema(self.context, self.window)
        if schema is None:
            return
        place = QFileDialog.getSaveFileName(self.window, self.tr("New project"), self._last(), self._projects())[0]
        if place:
            path = Path(place if place.endswith(SUFFIX) else place + SUFFIX)
            name = path.name.removesuffix(SUFFIX)
            self._remember_place(path.parent)
            self._read(name, lambda told: Document.create(path, schema, name))

    def sample(self) -> None:
        """Open the sample project, made when it is asked for first."""
        document = self.context.document
        if document is not None and document.path.parent.name == "sample" and document.name == "Sample faces":
            self.show.emit("label")
        else:
            self._read(self.tr("sample"), open_sample)

    def ask_video(self, path: str | Path = "") -> None:
        """Show a video in Live."""
        names = " ".join(f"*{suffix}" for suffix in FILMS)
        place = path or QFileDialog.getOpenFileName(
            self.window, self.tr("Open video"), self._last(), self.tr("Videos") + f" ({names})"
        )[0]
        if place:
            self._remember_place(Path(place).parent)
            self.video.emit(Path(place))

    def close(self) -> None:
        """Close the project; every edit is kept already."""
        self.recents.remember()
        self.context.set_document(None)

    def cancel(self) -> None:
        """Stop whatever is being read or written."""
        for part in (self, self.importing, self.exporting, self.agreeing):
            part.reading.cancel()

    def close_services(self) -> None:
        """Stop it and wait."""
        for part in (self, self.importing, self.exporting, self.agreeing):
            part.reading.close()

    def dropped(self, paths: list[Path]) -> None:
        """What a drop does: the first thing decides; pictures join the open project."""
        first = paths[0]
        if os.path.isdir(first):
            self.folder(first)
        elif first.name.endswith(SUFFIX):
            self.project(first)
        elif first.suffix.lower() in MODELS:
            self._import(first)
        elif first.suffix.lower() in FILMS:
            self.ask_video(first)
        elif first.suffix.lower() in IMAGE_SUFFIXES:
            self._pictures([p.absolute() for p in paths if p.suffix.lower() in IMAGE_SUFFIXES])
        elif first.suffix.lower() in LABEL_SUFFIXES:
            self.importing.start(first)
        else:
            self.failed.emit(self.tr("{0} is nothing that Hourbit opens; drop a folder, picture, video, project, model "
                                     "or label file.").format(first.name))  # fmt: skip

    # ---- reading in the background

    def _read(self, name: str, make: Make, place: Path | None = None) -> None:
        if self.reading.busy:
            self.failed.emit(self.tr("Still reading {0}; wait for it, or cancel it below.").format(self._name))
            return
        self._name, self._place, self._left_out = name, place, ("", 0)
        self.begun.emit()
        self.reading.start(make)

    def _progress(self, done: int, total: int) -> None:
        words = self.tr("Reading {0}, {1} of {2}").format(self._name, done, total)
        self.working.emit(words, done / max(total, 1))

    def _failed(self, sentence: str) -> None:
        self.recovering.explain(self.reading.error, self._place)

    def _take(self, made: Document | Found | tuple[NewImage, ...]) -> bool:
        """Show what was read; False where it came to nothing."""
        if isinstance(made, Document):
            self.recents.remember()
            self.context.set_document(made)
            self.recents.remember()
        elif not (self._relink(made) if isinstance(made, Found) else self._add(made)):
            return False
        self.show.emit("label")
        return True

    def _made(self, made: Document | Found | tuple[NewImage, ...]) -> None:
        kinds, count = self._left_out
        if self._take(made) and kinds:
            one = self.tr("1 file was left out, since {1} is not read; save it as PNG or JPEG.")
            many = self.tr("{0} files were left out, since {1} are not read; save them as PNG or JPEG.")
            self.offered.emit("warning", (one if count == 1 else many).format(count, kinds), "", None)

    def _add(self, new: tuple[NewImage, ...]) -> bool:
        document = self.context.document
        if document is None:  # closed while the pictures were read
            return False
        edit, added, found = joined(document, new)
        try:
            if edit is not None:
                document.apply(edit)
        except UserError as error:
            self.failed.emit(str(error))
            return False
        if found:
            self._say_found(found)
            return True
        one, many = self.tr("1 picture added"), self.tr("{0} pictures added")
        self.said.emit(one if added == 1 else many.format(added))
        return True

    def locate(self) -> None:
        """Look for missing pictures in a folder; those that are known by their bytes are found again."""
        document = self.context.document
        place = document and QFileDialog.getExistingDirectory(
            self.window, self.tr("Where are the pictures now?"), self._last()
        )
        if place:
            self._remember_place(Path(place))
            self._read(document.name, lambda told: find_missing(document, Path(place).absolute(), told))

    def _relink(self, found: Found) -> bool:
        document = self.context.document
        if document is None:
            return False
        try:
            if found.links:
                document.apply(Relink(found.links))
        except UserError as error:
            self.failed.emit(str(error))
            return False
        if found.others:
            words = self.tr("{0} are called like missing pictures but hold others: they were left alone.")
            self.offered.emit("warning", words.format(", ".join(found.others[:3])), "", None)
        elif found.missing:
            words = self.tr("Pictures found again: {0}, still missing: {1}; choose another folder for those.")
            self.offered.emit("warning", words.format(len(found.links), found.missing), "", None)
        else:
            self._say_found(len(found.links))
        return True

    def _say_found(self, count: int) -> None:
        self.said.emit(self.tr("1 picture found again") if count == 1 else
                       self.tr("{0} pictures found again").format(count))  # fmt: skip

    def _import(self, path: Path) -> None:
        try:
            entry = take_in(self.context, path, self.window)
        except (UserError, OSError) as error:
            self.failed.emit(str(error))
            return
        if entry is None:
            return
        self.context.model_changed.emit()
        self.said.emit(self.tr("{0} is in the library").format(entry.title))
        self.show.emit("models")

    def _pictures(self, paths: list[Path]) -> None:
        document = self.context.document
        if document is None:
            self.folder(paths[0].parent)
            return
        self._read(document.name, lambda told: read_new(paths, document.known_paths(), told))

    # ---- what is remembered

    def _is_open(self, path: Path) -> bool:
        document = self.context.document
        return document is not None and document.path.resolve() == path.resolve()

    def _subject(self) -> str:
        return str(self.context.settings.get("subject", FACES))

    def _projects(self) -> str:
        return self.tr("Hourbit projects") + f" (*{SUFFIX})"

    def _last(self) -> str:
        return str(self.context.settings.get("last folder", str(Path.home())))

    def _remember_place(self, folder: Path) -> None:
        self.context.settings.set("last folder", str(folder))
