"""What the project's pictures look like, 64 bits each, found out in a thread of its own."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.project.likeness import fingerprint, groups_of
from app.services.own_thread import OwnThread
from engine.errors import UserError
from engine.images import load_image

AT_ONCE = 64  # pictures that are told of together
GROUP_S, SHARE = 5.0, 10  # seconds between two groupings at least, and how much longer than one takes


class Likeness(OwnThread, QObject):
    """found(token, ((image id, fingerprint), ...)); progress(done, total), (0, 0) at the end; grouped(token, groups).

    The token is the one of the request. Pictures that cannot be read are left.
    """

    found = Signal(object, object)
    grouped = Signal(object, object)
    progress = Signal(int, int)

    _thread_name = "likeness"

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._prepare_thread()
        self._waiting: deque[int] = deque()
        self._path_of: Callable[[int], Path | None] = {}.get
        self._total, self._token = 0, None
        self._to_group: tuple[object, np.ndarray, np.ndarray] | None = None
        self._group_from = 0.0  # monotonic time before which it is not worth while yet

    def look_at(
        self, images: Iterable[int], path_of: Callable[[int], Path | None], token: object = None
    ) -> None:
        """Look at the pictures of these images, in place of those that still wait.

        path_of: where an image's file is, None where it is to be passed over; asked in the thread.
        """
        with self._ready:
            self._waiting, self._path_of = deque(images), path_of
            self._total, self._token = len(self._waiting), token
            some = bool(self._waiting)
        if some:
            self.progress.emit(0, self._total)
            self._wake()

    def cancel(self) -> None:
        """Leave what still waits."""
        with self._ready:
            self._waiting.clear()
        self.progress.emit(0, 0)

    def group(self, prints: np.ndarray, known: np.ndarray, token: object = None) -> None:
        """Find the groups of app.project.likeness among so many; now and then only, while pictures are looked at."""
        with self._ready:
            self._to_group = token, prints, known
        self._wake()

    def _group(self, token: object, prints: np.ndarray, known: np.ndarray) -> None:
        start = time.monotonic()
        groups = groups_of(prints, known)
        end = time.monotonic()
        self._group_from = end + max(GROUP_S, SHARE * (end - start))
        if not self._closed:
            self.grouped.emit(token, groups)

    def _next(self) -> Callable[[], None] | None:
        if self._to_group and not (self._waiting and time.monotonic() < self._group_from):
            (token, prints, known), self._to_group = self._to_group, None
            return lambda: self._group(token, prints, known)
        if self._waiting:
            token, path_of = self._token, self._path_of
            some = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            return lambda: self._look(token, path_of, some)
        return None

    def _work(self, piece: Callable[[], None]) -> None:
        piece()

    def _look(self, token: object, path_of: Callable[[int], Path | None], some: list[int]) -> None:
        made = [(i, found) for i in some if not self._closed and (found := _look(path_of(i)))]
        with self._ready:
            left, total = len(self._waiting), self._total
        if self._closed:
            return
        if made:
            self.found.emit(token, tuple(made))
        self.progress.emit(*((total - left, total) if left else (0, 0)))


def _look(path: Path | None) -> str:
    """A picture's fingerprint, "" where it cannot be read."""
    try:
        return fingerprint(load_image(path)) if path is not None else ""
    except (UserError, OSError):
        return ""
