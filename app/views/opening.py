"""Opening and closing: projects, folders, videos, models and pictures, by menu, by drop and by the first page."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.api import exporters
from app.project.document import Document
from app.project.values import ACCEPTED
from app.services.projects import FACES, MOST_RECENT, SUFFIX, Recent, add_pictures, open_folder, open_sample
from app.views.context import Context
from engine.errors import UserError
from engine.images import IMAGE_SUFFIXES
from engine.schema import load_schema

VIDEOS = (".mp4", ".mkv", ".avi", ".webm", ".mov", ".m4v", ".mpg", ".mpeg")


class Opening(QObject):
    """What brings things in. failed(sentence); said(sentence); show(workspace); video(path)."""

    failed = Signal(str)
    said = Signal(str)
    show = Signal(str)
    video = Signal(object)

    def __init__(self, context: Context, window: QWidget) -> None:
        super().__init__(window)
        self.context, self.window = context, window

    def folder(self, path: str | Path = "") -> None:
        """Open a folder of pictures as a project; asks where no path is given."""
        place = path or QFileDialog.getExistingDirectory(self.window, self.tr("Open folder"), self._last())
        if place:
            self._open(lambda: open_folder(Path(place), self._subject()), Path(place))

    def project(self, path: str | Path = "") -> None:
        """Open a project file."""
        place = path or QFileDialog.getOpenFileName(
            self.window, self.tr("Open project"), self._last(), self.tr("Hourbit projects") + f" (*{SUFFIX})"
        )[0]
        if place:
            self._open(lambda: Document.open(place), Path(place).parent)

    def new_project(self) -> None:
        """Make an empty project."""
        place = QFileDialog.getSaveFileName(
            self.window, self.tr("New project"), self._last(), self.tr("Hourbit projects") + f" (*{SUFFIX})"
        )[0]
        if place:
            path = Path(place if place.endswith(SUFFIX) else place + SUFFIX)
            name = path.name.removesuffix(SUFFIX)
            self._open(lambda: Document.create(path, load_schema(self._subject()), name), path.parent)

    def sample(self) -> None:
        """Open the sample project, made when it is asked for first."""
        self._open(open_sample, None)

    def ask_video(self, path: str | Path = "") -> None:
        """Show a video in Live."""
        names = " ".join(f"*{suffix}" for suffix in VIDEOS)
        place = path or QFileDialog.getOpenFileName(
            self.window, self.tr("Open video"), self._last(), self.tr("Videos") + f" ({names})"
        )[0]
        if place:
            self._remember_place(Path(place).parent)
            self.video.emit(Path(place))

    def close(self) -> None:
        """Close the project; every edit is kept already."""
        self._remember_project()
        self.context.set_document(None)

    def dropped(self, paths: list[Path]) -> None:
        """What a drop does: the first thing decides; pictures join the open project."""
        first = paths[0]
        if first.is_dir():
            self.folder(first)
        elif first.name.endswith(SUFFIX):
            self.project(first)
        elif first.suffix == ".hourbit":
            self._import(first)
        elif first.suffix.lower() in VIDEOS:
            self.ask_video(first)
        elif first.suffix.lower() in IMAGE_SUFFIXES:
            self._pictures([p for p in paths if p.suffix.lower() in IMAGE_SUFFIXES])
        else:
            self.failed.emit(self.tr("{0} is nothing that Hourbit opens; drop a folder, picture, video, project or "
                                     "model.").replace("{0}", first.name))  # fmt: skip

    def describe(self, path: Path) -> str:
        """One line that says what a drop of this would do."""
        if path.is_dir():
            return self.tr("Open the folder as a project")
        if path.name.endswith(SUFFIX):
            return self.tr("Open the project")
        if path.suffix == ".hourbit":
            return self.tr("Add the model to the library")
        if path.suffix.lower() in VIDEOS:
            return self.tr("Play the video in Live")
        if path.suffix.lower() in IMAGE_SUFFIXES:
            return self.tr("Add the pictures to the project")
        return self.tr("Hourbit cannot open this")

    def export(self, name: str, path: str | Path = "") -> None:
        """Write the accepted labels in a format."""
        document = self.context.document
        exporter = next(e for e in exporters() if e.name == name)
        if document is None:
            self.failed.emit(self.tr("No project is open; open one, then export its labels."))
            return
        start = str(document.path.with_name(f"{document.name}{exporter.suffix}"))
        place = path or QFileDialog.getSaveFileName(self.window, exporter.title, start, f"(*{exporter.suffix})")[0]
        if not place:
            return
        try:
            report = exporter.export(document, Path(place), ACCEPTED)
        except (UserError, OSError) as error:
            self.failed.emit(str(error))
            return
        words = self.tr("Exported {0} instances in {1} images to {2}")
        words = words.replace("{0}", str(report.instances)).replace("{1}", str(report.images))
        lost = "".join(f"; {entry['count']} {entry['what']} left out" for entry in report.lost)
        self.said.emit(words.replace("{2}", Path(place).name) + lost)

    def recent(self) -> list[Recent]:
        """Projects that were open before and still exist, newest first."""
        found = []
        for entry in self.context.settings.get("recent", []):
            try:
                recent = Recent(Path(entry["path"]), str(entry["name"]), int(entry["done"]), int(entry["total"]),
                                float(entry["when"]))  # fmt: skip
            except (KeyError, TypeError, ValueError):
                continue
            if recent.path.is_file():
                found.append(recent)
        return found

    def _open(self, make: Callable[[], Document], place: Path | None) -> None:
        """Open in place of what was open; a fault leaves that as it is."""
        current = self.context.document
        try:
            document = make()
        except (UserError, OSError) as error:
            if current is not None and current.path.is_file() and str(current.path.name) in str(error):
                self.show.emit("label")  # it is this very project that is open
                return
            self.failed.emit(str(error))
            return
        self._remember_project()
        if place is not None:
            self._remember_place(place)
        self.context.set_document(document)
        self._remember_project()
        self.show.emit("label")

    def _import(self, path: Path) -> None:
        try:
            entry = self.context.library.import_file(path)
        except UserError as error:
            self.failed.emit(str(error))
            return
        self.context.model_changed.emit()
        self.said.emit(self.tr("{0} is in the library").replace("{0}", entry.title))
        self.show.emit("models")

    def _pictures(self, paths: list[Path]) -> None:
        if self.context.document is None:
            self.folder(paths[0].parent)
            return
        try:
            new = add_pictures(self.context.document, paths)
        except UserError as error:
            self.failed.emit(str(error))
            return
        self.said.emit(self.tr("{0} pictures added").replace("{0}", str(new)))
        self.show.emit("label")

    def _subject(self) -> str:
        return str(self.context.settings.get("subject", FACES))

    def _last(self) -> str:
        return str(self.context.settings.get("last folder", str(Path.home())))

    def _remember_place(self, folder: Path) -> None:
        self.context.settings.set("last folder", str(folder))

    def _remember_project(self) -> None:
        document = self.context.document
        if document is None:
            return
        counts = document.counts()
        entry = {
            "path": str(document.path.resolve()), "name": document.name, "total": sum(counts.values()),
            "done": sum(counts[state] for state in ACCEPTED), "when": time.time(),
        }  # fmt: skip
        others = [e for e in self.context.settings.get("recent", []) if e.get("path") != entry["path"]]
        self.context.settings.set("recent", [entry, *others][:MOST_RECENT])
