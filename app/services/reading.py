"""Reading a folder or a project in the background, one at a time, with progress and a way to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.project.document import Document
from app.services.projects import Cancelled, Told
from engine.errors import UserError

QUIET = 0.3  # seconds before progress is shown at all
EVERY = 0.1  # seconds between two figures
PATIENCE = 2.0  # seconds that closing waits

Make = Callable[[Told], object]


class Reading(QObject):
    """One thread that makes a project, or reads pictures or labels for the one that is open.

    progress(done, total); made(document, new images or what else was asked for); failed(sentence); ended() in any case.
    """

    progress = Signal(int, int)
    made = Signal(object)
    failed = Signal(str)
    ended = Signal()
    _result = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.error: Exception | None = None  # what `failed` told last
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._result.connect(self._finish)

    @property
    def busy(self) -> bool:
        """Whether something is being read."""
        return self._thread is not None

    def start(self, make: Make) -> None:
        """Read; nothing else may be under way."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._work, args=(make,), name="reading")
        self._thread.start()

    def cancel(self) -> None:
        """Stop at the next picture."""
        self._stop.set()

    def close(self) -> bool:
        """Stop and wait; True when the thread has ended in time."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(PATIENCE)
            return not self._thread.is_alive()
        return True

    def _work(self, make: Make) -> None:
        started = shown = time.monotonic()

        def told(done: int, total: int) -> bool:
            nonlocal shown
            now = time.monotonic()
            if now - started > QUIET and now - shown > EVERY:
                shown = now
                self.progress.emit(done, total)
            return not self._stop.is_set()

        result: object = None
        try:
            result = make(told)
        except Cancelled:
            pass
        except (UserError, OSError) as error:
            result = error
        finally:
            self._result.emit(result)

    def _finish(self, result: object) -> None:
        self._thread.join()
        self._thread = None
        self.ended.emit()
        if self._stop.is_set():
            if isinstance(result, Document):
                result.close()
        elif isinstance(result, Exception):
            self.error = result
            self.failed.emit(str(result))
        elif result is not None:
            self.made.emit(result)
