"""Pictures from the network: MJPEG over HTTP, and RTSP."""

from __future__ import annotations

from urllib.parse import urlsplit

from app.sources.base import SourceError
from app.sources.capture import Capture
from engine.opencv import cv2
from engine.types import Frame

SCHEMES = ("http", "https", "rtsp")
PATIENCE_MS = 1500  # for opening and for each read; a stop must be over within 3 s


def short_name(url: str) -> str:
    """The address without what may be secret: user, password and query."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.hostname}{port}{parts.path}"


class Stream(Capture):
    """A stream at a URL, with time-outs on opening and reading. Raises SourceError for an unusable address."""

    live = True
    noisy = False

    def __init__(self, url: str, patience_ms: int = PATIENCE_MS) -> None:
        url = url.strip()
        try:
            parts = urlsplit(url)
            usable = parts.scheme in SCHEMES and bool(parts.hostname)
            name = short_name(url)
        except ValueError:
            usable, name = False, ""
        if not usable:
            raise SourceError("A stream's address starts with http://, https:// or rtsp:// and names a host.")
        super().__init__(name)
        self.url = url
        self.patience_ms = patience_ms

    def open(self) -> None:
        """Connect; raises SourceError when nothing answers in time."""
        self.close()
        self.rearm()
        # Time-outs work with FFmpeg only, and only when given at once with the address.
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, self.patience_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, self.patience_ms]
        capture = cv2.VideoCapture(self.url, cv2.CAP_FFMPEG, limits)
        if not capture.isOpened():
            capture.release()
            raise SourceError(f"{self.title} does not answer; check the address and that the sender is running.")
        self._capture = capture

    def read(self) -> Frame | None:
        """Wait for the next picture; None after the time-out. A stream that failed once must be opened again."""
        return None if self.interrupted else self.grab()
