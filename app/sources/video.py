"""Video files, played at their own times, with transport."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from app.sources.base import SourceError
from app.sources.decoding import Reader, to_pixels
from app.sources.played import Played
from engine.types import Frame

if TYPE_CHECKING:
    import av

VIDEO_SUFFIXES = (
    ".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".ts", ".mts", ".m2ts", ".3gp", ".flv",
    ".ogv", ".vob", ".m2v", ".asf", ".3g2", ".mxf", ".dv",
)  # fmt: skip
ANIMATIONS = (".gif", ".apng")  # moving pictures that are single ones to everybody else
FILMS = (*VIDEO_SUFFIXES, ".apng")  # what is played when it is dropped; a gif is a picture first


class Video(Played):
    """A video file.

    A frame's `index` is its number in the file, `moment` its seconds since the first one, by the file's own times.
    """

    def __init__(self, path: str | Path, loop: bool = False, paced: bool = True, hold: bool = False) -> None:
        self.path = Path(path)
        super().__init__(self.path.name, loop, paced, hold)
        self._reader: Reader | None = None

    @property
    def unreadable(self) -> list[int]:
        """The numbers of frames that could not be read so far."""
        return sorted(self._unreadable)

    @property
    def rate(self) -> float:
        """Frames a second, on average; 25 where that is unknown."""
        return (self.count - 1) / self.transport.duration if self.transport.duration > 0 else 25.0

    def open(self) -> None:
        """Open the file at its first frame; raises SourceError when it is missing or no video."""
        self.close()
        self.rearm()
        if self.path.suffix.lower() not in (*VIDEO_SUFFIXES, *ANIMATIONS):
            raise SourceError(f"{self.title} is no video that Hourbit knows; choose an mp4, avi, mov, mkv, webm or ts.")
        if not os.path.isfile(self.path):
            raise SourceError(f"{self.title} is not there any more; choose another video.")
        try:
            self._reader = Reader(self.path.resolve())
        except (ImportError, OSError, ValueError) as error:
            wanted = "install the package av" if isinstance(error, ImportError) else "play it elsewhere"
            message = f"{self.title} does not open as a video; {wanted} or choose another file."
            raise SourceError(message) from error
        self._begin(self._reader.index.moments, self._reader.index.last)

    def close(self) -> None:
        """Let the file go; harmless when closed."""
        self._is_open = False
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    # ---- inside

    def _seek(self, number: int) -> bool:
        # A file that changes while it is played may be gone at a seek: then the frames before count.
        try:
            for _ in self._reader.seek(number):
                if self.interrupted or self.transport.sought:
                    return False
        except (OSError, ValueError) as error:
            raise SourceError(f"{self.title} cannot be read any more; choose it again.") from error
        return True

    def _next(self) -> tuple[int, av.VideoFrame] | None:
        return self._reader.next()

    def _back(self, number: int, raw: av.VideoFrame) -> None:
        self._reader.hold(number, raw)

    def _frame(self, number: int, raw: av.VideoFrame) -> Frame:
        arrived = time.monotonic()
        return Frame(to_pixels(raw), arrived, self.title, number, self.transport.times[number])

    def _ends_at(self, count: int) -> None:
        self._reader.end_at(count)
        self.transport.times = self._reader.index.moments
