"""Cameras, by name where the system tells names."""

from __future__ import annotations

import glob
import importlib
import sys
from dataclasses import dataclass

from app.sources.base import SourceError
from app.sources.capture import Capture
from engine.opencv import cv2
from engine.types import Frame


@dataclass(frozen=True)
class CameraInfo:
    """A camera that the system lists: its name, its index and the OpenCV back end that the index belongs to."""

    name: str
    index: int
    backend: int = cv2.CAP_ANY


def list_cameras() -> list[CameraInfo]:
    """The cameras of this machine, each index once; by index only where the system gives no names."""
    found: dict[int, CameraInfo] = {}
    try:
        listed = importlib.import_module("cv2_enumerate_cameras").enumerate_cameras()
    except (ImportError, OSError, RuntimeError):
        listed = []
    for camera in listed:
        # Linux lists a camera's metadata nodes too; the first node of a name is the one with pictures.
        if all(camera.name != known.name for known in found.values()) or not sys.platform.startswith("linux"):
            found.setdefault(camera.index, CameraInfo(str(camera.name), int(camera.index), int(camera.backend)))
    if not found and sys.platform.startswith("linux"):
        nodes = (path.removeprefix("/dev/video") for path in glob.glob("/dev/video*"))
        found = {int(n): CameraInfo(f"Camera {n}", int(n)) for n in sorted(nodes) if n.isdigit()}
    return list(found.values())


class Camera(Capture):
    """A camera of this machine, asked for `size` (width, height) pixels; it may give another size."""

    live = True
    noisy = True

    def __init__(self, info: CameraInfo, size: tuple[int, int] = (1280, 720)) -> None:
        super().__init__(info.name)
        self.info = info
        self.size = size

    def open(self) -> None:
        """Open the device; raises SourceError when it is not there or held by another program."""
        self.close()
        self.rearm()
        capture = cv2.VideoCapture(self.info.index, self.info.backend)
        if not capture.isOpened():
            capture.release()
            raise SourceError(f"{self.title} does not open; close other programs that use it, or connect it again.")
        # Compressed pictures: uncompressed ones do not fit through USB 2 at 30 a second from 720 lines on.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, self.size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self.size[1])
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self._capture = capture

    def read(self) -> Frame | None:
        """Wait for the next picture; None when the camera gave none."""
        return None if self.interrupted else self.grab()
