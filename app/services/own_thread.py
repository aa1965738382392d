"""A service's own thread: started when there is work, woken through a condition, ended by `close`."""

from __future__ import annotations

import threading

JOIN_SECONDS = 3.0


class OwnThread:
    """For a QObject that does its work in one thread.

    The class says what to do in `_run`, which waits on `_ready` and returns once `_closed` is set.
    """

    _thread_name = "service"

    def _prepare_thread(self) -> None:
        """Call first in the constructor; the thread itself starts with the first `_wake`."""
        self._ready = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

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
