"""Which source runs: chosen in the panel, the stage or the window, opened without keeping anything waiting."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog

from app.services.live import Live
from app.sources import Folder, Source, SourceError, Stream, open_place
from app.sources.camera import Camera, CameraInfo
from app.sources.video import ANIMATIONS, VIDEO_SUFFIXES
from app.views.live.panel import SidePanel
from app.views.live.stage import Stage


class SourceChoice(QObject):
    """Starts sources. starting: one is about to run; started: it was handed to the live service."""

    starting = Signal()
    started = Signal()

    def __init__(self, live: Live, stage: Stage, panel: SidePanel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.live, self.stage, self.panel = live, stage, panel
        self.cameras: list[CameraInfo] = []
        self._camera: CameraInfo | None = None
        self._size = (1280, 720)
        self._looked = False
        self._start_found = False
        live.cameras_found.connect(self._found)
        panel.source.camera.connect(self.start_camera)
        panel.source.place.connect(self.ask)
        panel.source.size.connect(self._size_chosen)
        stage.open_video.connect(lambda: self.ask("video"))
        stage.look_again.connect(live.find_cameras)
        stage.start_camera.connect(self.start_first_camera)
        self.show_source()

    def look(self) -> None:
        """Look for cameras, the first time only."""
        if not self._looked:
            self._looked = True
            self.live.find_cameras()

    def start_first_camera(self) -> None:
        """Start the first camera, or look for one and start it when there is one."""
        if self.cameras:
            self.start_camera(self.cameras[0])
        else:
            self._looked = self._start_found = True
            self.live.find_cameras()

    def start_camera(self, camera: CameraInfo) -> None:
        """Show a camera."""
        self._camera = camera
        self.start(lambda: Camera(camera, self._size))

    def open_place(self, place: str | Path) -> None:
        """Show a video file, a folder of pictures or a stream's address; what is wrong is told in the banner."""
        self._camera = None
        self.start(lambda: open_place(place, hold=True))

    def start(self, make: Callable[[], Source]) -> None:
        """Run what `make` gives."""
        self.starting.emit()
        self.stage.clear()
        try:
            self.live.start(make)
        except SourceError as error:
            self.stage.fault(str(error))
            return
        self.show_source()
        self.started.emit()

    def fault(self, sentence: str) -> None:
        """Tell that the source fails, with what helps: connect again, or choose another one."""
        source = self.live.source
        if source is None or source.live:
            self.stage.silent(sentence, self.tr("Reconnect"), self.again)
        elif isinstance(source, Folder):
            self.stage.silent(sentence, self.tr("Open folder"), lambda: self.ask("folder"))
        else:
            self.stage.silent(sentence, self.tr("Open video"), lambda: self.ask("video"))

    def again(self) -> None:
        """Start the same source anew."""
        self.stage.clear()
        self.live.again()

    def ask(self, kind: str) -> None:
        """Ask which video, folder or stream; with "again", look for cameras."""
        if kind == "again":
            self.live.find_cameras()
        elif kind == "stream":
            self.stage.ask_address(self._stream_given)
        else:
            dialog = QFileDialog(self.stage)
            if kind == "folder":
                dialog.setFileMode(QFileDialog.FileMode.Directory)
            else:
                dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
                patterns = " ".join(f"*{suffix}" for suffix in (*VIDEO_SUFFIXES, *ANIMATIONS))
                dialog.setNameFilter(self.tr("Videos ({0})").format(patterns))
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.fileSelected.connect(self.open_place)
            dialog.open()

    def show_source(self) -> None:
        """Say in the panel and on the stage what runs."""
        title = self.live.source.title if self.live.source is not None else ""
        self.panel.source.set_cameras(self.cameras, title, self._camera is not None)
        self.stage.set_empty(not title and self.stage.view.result is None, bool(self.cameras))

    def _stream_given(self, address: str) -> None:
        self._camera = None
        self.start(lambda: open_place(address, hold=True) if "://" in address else Stream(address))

    def _size_chosen(self, size: tuple[int, int]) -> None:
        self._size = size
        if self._camera is not None:
            self.start_camera(self._camera)

    def _found(self, cameras: list[CameraInfo]) -> None:
        self.cameras = cameras
        self.show_source()
        if self._start_found and cameras:
            self.start_camera(cameras[0])
        self._start_found = False
