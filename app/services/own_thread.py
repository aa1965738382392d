"""A service's own thread: started when there is work, woken through a condition, ended by `close`."""

from __future__ import annotations

import threading
from typing import Any

JOIN_SECONDS = 3.0


class OwnThread:
    """For a QObject that does its work in one thread, a piece at a time.

    The class says in `_next` what is to be done, and does it in `_work`, which may look at `_closed` to end early.
    """

    _thread_name = "service"

    def _prepare_thread(self) -> None:
        """Call first in the constructor; the thread itself starts with the first `_wake`."""
        self._ready = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def _next(self) -> Any | None:
        """The next piece of work, taken off what waits; None where there is none. `_ready` is held meanwhile."""
        raise NotImplementedError

    def _work(self, piece: Any) -> None:
        """Do a piece of work, in the thread."""
        raise NotImplementedError

    def _run(self) -> None:
        while True:
            with self._ready:
                while not self._closed and (piece := self._next()) is None:
                    self._ready.wait()
                if self._closed:
                    return
            self._work(piece)

    def close(self, timeout: float = JOIN_SECONDS) -> bool:
        """End the thread after the picture in hand; True when it has ended in time."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()
        if self._thread is not None:
            self._thread.join(timeout)
            return not self._thread.is_alive()
        return True

    def _wake(self) -> None:
        with self._ready:
            if not self._closed and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._run, name=self._thread_name, daemon=True)
                self._thread.start()
            self._ready.notify_all()
