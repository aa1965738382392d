"""A folder of pictures as a slide show."""

from __future__ import annotations

import time
from pathlib import Path

from app.sources.base import Interruptible, Pace, SourceError
from engine.errors import UserError
from engine.images import IMAGE_SUFFIXES, load_image, natural_key
from engine.types import Frame


class Folder(Interruptible):
    """The pictures of a folder in natural order, `seconds` each; ends, or starts again with `loop`.

    `unreadable` maps the names of pictures that could not be read to why.
    """

    live = False
    noisy = False

    def __init__(self, path: str | Path, seconds: float = 2.0, loop: bool = False) -> None:
        super().__init__()
        self.path = Path(path)
        self.title = self.path.name
        self.seconds = seconds
        self.loop = loop
        self.unreadable: dict[str, str] = {}
        self._files: list[Path] = []
        self._next = 0
        self._pace = Pace(seconds)

    def open(self) -> None:
        """List the folder; raises SourceError when it is missing or holds no picture."""
        self.rearm()
        try:
            files = [p for p in self.path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file()]
        except OSError as error:
            raise SourceError(f"{self.title} cannot be read ({error.strerror}); choose another folder.") from error
        if not files:
            raise SourceError(f"{self.title} holds no pictures; choose a folder with jpg or png files.")
        self._files = sorted(files, key=lambda p: (natural_key(p.name), p.name))
        self._next = 0
        self._pace = Pace(self.seconds)
        self.unreadable = {}

    def read(self) -> Frame | None:
        """Wait until the next picture is due and give it; pictures that cannot be read are passed over."""
        if not self._files or not self.wait(self._pace.next()):
            return None
        for _ in range(len(self._files)):
            if self._next == len(self._files):
                if not self.loop:
                    return None
                self._next = 0
            index, path = self._next, self._files[self._next]
            self._next += 1
            try:
                pixels = load_image(path)
            except (UserError, OSError) as error:
                self.unreadable[path.name] = str(error)
                continue
            return Frame(pixels, time.monotonic(), str(path), index)
        if len(self.unreadable) >= len(self._files):
            raise SourceError(f"No picture in {self.title} can be read; choose another folder.")
        return None

    def close(self) -> None:
        """Forget the list; harmless when closed."""
        self._files = []
