"""The thread that reads a source, so that no old frame ever waits in a device's queue."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from app.services.mailbox import Mailbox
from app.services.seeing import Caught
from app.sources.base import Source
from engine.errors import UserError
from engine.types import Frame

PATIENCE = 1.5  # seconds without a new picture until a live source counts as stalled
BACK_OFF = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)  # seconds before the first, second, ... attempt to open it again


class Grabber:
    """Reads one source into a mailbox until told to stop; opens a lost live source again, ever more slowly.

    `heard` is when the last new picture came (`clock` seconds). `report(kind, sentence)` is called from
    this thread: running, lost, stalled, ended, failed.
    """

    def __init__(
        self, source: Source, box: Mailbox[Caught], report: Callable[[str, str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.source = source
        self.box = box
        self.heard = clock()
        self.frames = 0
        self._report = report
        self._clock = clock
        self._stop = threading.Event()
        self._go = threading.Event()
        self._go.set()
        self._failures = 0
        self._last: Frame | None = None
        self._thread = threading.Thread(target=self._run, name="grab", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def pause(self, paused: bool) -> None:
        """Hold a source that ends; a live one goes on, so that it is fresh when it is wanted again."""
        if paused and not self.source.live:
            self._go.clear()
        else:
            self._go.set()

    def stop(self) -> None:
        """Ask the thread to end; what it says from now on is not reported."""
        self._stop.set()
        self._go.set()
        self.source.interrupt()

    def join(self, timeout: float) -> None:
        """Wait for the thread, which may hang in a read."""
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def is_alive(self) -> bool:
        """Whether the thread is still there, and will end by itself."""
        return self._thread.is_alive()

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                message = self._read_on()
                if self._stop.is_set() or not self._again(message):
                    break
        finally:
            self.source.close()

    def _again(self, message: tuple[str, str]) -> bool:
        """Say what happened and wait for the next attempt; False when there is none."""
        if not self.source.live:
            self._report(*message)
            return False
        delay = BACK_OFF[min(self._failures, len(BACK_OFF) - 1)]
        # The first attempt comes at once and unannounced: one bad read is no news.
        if self._failures or message[0] == "stalled":
            self._report(*message)
        self._failures += 1
        return not self._stop.wait(delay)

    def _read_on(self) -> tuple[str, str]:
        """Open and read until something ends it; what it was, as a state and a sentence."""
        title = self.source.title
        try:
            self.source.close()
            self.source.open()
            while not self._stop.is_set():
                self._go.wait()
                frame = self.source.read()
                if frame is None:
                    if self.source.live:
                        return "lost", f"{title} stopped sending pictures; check that it is connected."
                    return "ended", f"{title} has ended."
                if not self._take(frame):
                    return "stalled", f"{title} sends the same picture again and again; connect it anew."
        except UserError as error:
            self._failures = max(self._failures, 1)
            return ("lost" if self.source.live else "failed"), str(error)
        except (Exception, SystemExit) as error:  # a plugin's source; the window goes on
            self._failures = max(self._failures, 1)
            sentence = f"{title} failed ({type(error).__name__}: {error}); choose another source."
            return ("lost" if self.source.live else "failed"), sentence
        return "ended", ""

    def _take(self, frame: Frame) -> bool:
        """Hand a frame on; False when the device hangs on one picture."""
        now = self._clock()
        if self.source.noisy and self._last is not None and _equal(frame.pixels, self._last.pixels):
            return now - self.heard < PATIENCE
        self._last = frame
        self.heard = now
        self.frames += 1
        self._failures = 0
        self.box.put(Caught(frame, time.monotonic()))
        if not self._stop.is_set():
            self._report("running", "")
        return True


def _equal(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two pictures are the same to the last bit; a few rows are compared first, as that is cheap."""
    return one.shape == other.shape and np.array_equal(one[::16], other[::16]) and np.array_equal(one, other)
