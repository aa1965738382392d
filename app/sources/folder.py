"""A folder of pictures as a slide show."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from app.sources.base import SourceError
from app.sources.played import Played
from engine.errors import UserError
from engine.images import IMAGE_SUFFIXES, load_image, natural_key
from engine.types import Frame


class Folder(Played):
    """The pictures of a folder in natural order, `seconds` each, with transport.

    `unreadable` maps the names of pictures that could not be read to why.
    """

    def __init__(self, path: str | Path, seconds: float = 2.0, loop: bool = False, hold: bool = False) -> None:
        self.path = Path(path)
        super().__init__(self.path.name, loop, seconds > 0, hold)
        self.seconds = seconds
        self.unreadable: dict[str, str] = {}
        self._files: list[Path] = []
        self._at = 0
        self._held: tuple[int, np.ndarray] | None = None

    def open(self) -> None:
        """List the folder; raises SourceError when it is missing or holds no picture."""
        self.close()
        self.rearm()
        try:
            files = [p for p in self.path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and os.path.isfile(p)]
        except OSError as error:
            raise SourceError(f"{self.title} cannot be read ({error.strerror}); choose another folder.") from error
        if not files:
            raise SourceError(f"{self.title} holds no pictures; choose a folder with jpg or png files.")
        self._files = sorted(files, key=lambda p: (natural_key(p.name), p.name))
        self._at = 0
        self.unreadable = {}
        self._begin(tuple(n * self.seconds for n in range(len(files))), self.seconds)

    def close(self) -> None:
        """Forget the list; harmless when closed."""
        self._is_open = False
        self._files, self._held = [], None

    # ---- inside

    def _seek(self, number: int) -> bool:
        if self._held is None or self._held[0] != number:
            self._at, self._held = number, None
        return True

    def _next(self) -> tuple[int, np.ndarray] | None:
        if self._held is not None:
            held, self._held = self._held, None
            return held
        while self._at < len(self._files) and not self.interrupted:
            number, path = self._at, self._files[self._at]
            self._at += 1
            try:
                return number, load_image(path)
            except (UserError, OSError) as error:
                self.unreadable[path.name] = str(error)
        if len(self.unreadable) >= len(self._files):
            raise SourceError(f"No picture in {self.title} can be read; choose another folder.")
        return None

    def _back(self, number: int, raw: np.ndarray) -> None:
        self._held = number, raw

    def _frame(self, number: int, raw: np.ndarray) -> Frame:
        return Frame(raw, time.monotonic(), str(self._files[number]), number, self.transport.times[number])
