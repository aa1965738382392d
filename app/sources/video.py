"""Video files, played at their own rate."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.sources.base import Pace, SourceError
from app.sources.capture import Capture
from engine.opencv import cv2
from engine.types import Frame

VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv")
TRIES = 25  # frames in a row that may be unreadable before the rest is given up


class Video(Capture):
    """A video file; ends after the last frame, or starts again with `loop`.

    `paced` False gives frames as fast as they decode. `unreadable` lists the numbers of frames that
    could not be read; a frame's `index` is its number in the file.
    """

    live = False
    noisy = False

    def __init__(self, path: str | Path, loop: bool = False, paced: bool = True) -> None:
        self.path = Path(path)
        super().__init__(self.path.name)
        self.loop = loop
        self.paced = paced
        self.rate = 0.0
        self.count = 0
        self.unreadable: list[int] = []
        self._pace = Pace(0.0)

    def open(self) -> None:
        """Open the file at its first frame; raises SourceError when it is missing or no video."""
        self.close()
        self.rearm()
        if self.path.suffix.lower() not in VIDEO_SUFFIXES:
            raise SourceError(f"{self.path.name} is no video that Hourbit knows; choose an mp4, avi, mov, mkv or webm.")
        if not self.path.is_file():
            raise SourceError(f"{self.path.name} is not there any more; choose another video.")
        capture = cv2.VideoCapture(str(self.path.resolve()), cv2.CAP_FFMPEG)
        if not capture.isOpened():
            capture.release()
            raise SourceError(f"{self.path.name} does not open as a video; play it elsewhere or choose another file.")
        rate, count = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.rate = float(rate) if np.isfinite(rate) and 1 <= rate <= 1000 else 25.0
        self.count = int(count) if np.isfinite(count) and 0 < count < 1e9 else 0
        self._capture, self._index = capture, 0
        self._pace = Pace(1 / self.rate)
        self.unreadable = []

    def read(self) -> Frame | None:
        """Wait until the next frame is due and give it; None at the end."""
        frame = self._next()
        if frame is None and self.loop and self._index and not self.interrupted:
            self._rewind()
            frame = self._next()
        return frame

    def _next(self) -> Frame | None:
        if self._capture is None or self.interrupted:
            return None
        if self.paced and not self._keep_pace():
            return None
        for _ in range(TRIES):
            frame = self.grab()
            if frame is not None:
                return frame
            if self._index >= self.count - 1:  # a header may count one frame too many
                return None
            self.unreadable.append(self._index)
            self._index += 1
        return None

    def _keep_pace(self) -> bool:
        """Wait until the next frame is due; pass over frames that are a whole period late."""
        delay = self._pace.next()
        while delay < -self._pace.period and self._index < self.count - 1 and self._capture.grab():
            self._index += 1
            delay = self._pace.next()
        return self.wait(delay)

    def _rewind(self) -> None:
        missed = self.unreadable
        self.open()
        self.unreadable = missed
