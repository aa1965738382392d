"""The live pipeline for Qt: results wait in a one-slot mailbox, and one queued signal says that one is there."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from app.services.mailbox import Mailbox
from app.services.pipeline import LivePipeline, Options, Result, State, Timing
from app.sources.base import Source
from app.sources.camera import list_cameras
from engine.errors import UserError
from engine.runtime import Runtime

HISTORY = 10.0  # seconds of timings that are kept for the plot


class Live(QObject):
    """Belongs to the GUI thread; the pipeline's threads touch its mailbox and signals only.

    ready: a result waits, fetch it with `take`; state_changed(State, sentence); cameras_found(list of CameraInfo);
    model_ready(Runtime) and model_failed(sentence) after `load`.
    `history` holds (monotonic seconds, Timing) of what was drawn, newest last.
    """

    ready = Signal()
    state_changed = Signal(object, str)
    cameras_found = Signal(list)
    model_ready = Signal(object)
    model_failed = Signal(str)

    def __init__(self, parent: QObject | None = None, options: Options | None = None) -> None:
        super().__init__(parent)
        self._results: Mailbox[Result] = Mailbox()
        self._pipeline = LivePipeline(self._result, self._state, options)
        self._helpers: dict[str, threading.Thread] = {}
        self._wanted: object = None
        self._closed = False
        self._make: Callable[[], Source] | None = None
        self.source: Source | None = None
        self.history: deque[tuple[float, Timing]] = deque()

    def start(self, make: Callable[[], Source]) -> None:
        """Show a source in place of what ran before; raises SourceError where `make` does.

        Each start makes a new one, as a source that hangs in a read may still belong to its old thread.
        """
        source = make()
        self._pipeline.stop()
        self._results.clear()
        self.history.clear()
        self._results.dropped = 0
        self._make, self.source = make, source
        self._pipeline.start(source)

    def again(self) -> None:
        """Start the same source anew."""
        if self._make is not None:
            self.start(self._make)

    def stop(self) -> bool:
        """End all threads within 3 s; False when a device hangs and its thread had to be left."""
        clean = self._pipeline.stop()
        self._results.clear()
        return clean

    def close(self) -> bool:
        """Stop for good, before the window goes; False as `stop`."""
        self._closed = True
        clean = self.stop()
        for helper in self._helpers.values():
            helper.join(0.5)
        return clean and not any(helper.is_alive() for helper in self._helpers.values())

    def take(self) -> Result | None:
        """The newest result, once; None when it was taken already or the picture is frozen."""
        return None if self._pipeline.frozen else self._results.take()

    def drawn(self, result: Result) -> Timing:
        """To be called when `result` stands on the screen: its timing with the drawing added."""
        now = time.monotonic()
        timing = replace(result.timing, draw=max(0.0, now - result.sent))
        self.history.append((now, timing))
        while self.history and self.history[0][0] < now - HISTORY:
            self.history.popleft()
        return timing

    def freeze(self) -> None:
        """Keep what was taken last; nothing newer comes until `resume`."""
        self._pipeline.freeze(True)
        self._results.clear()

    def resume(self) -> None:
        """Let results come again."""
        self._pipeline.freeze(False)

    def set_runtime(self, runtime: Runtime | None) -> None:
        """Use another model from the next frame on."""
        self._pipeline.set_runtime(runtime)

    def change(self, **options: object) -> None:
        """Change fields of Options from the next frame on."""
        self._pipeline.change(**options)

    def find_cameras(self) -> None:
        """Look for cameras without keeping the window waiting; `cameras_found` has the answer."""
        if "cameras" not in self._helpers or not self._helpers["cameras"].is_alive():
            self._help("cameras", self._find)

    def load(self, make: Callable[[], Runtime]) -> None:
        """Open another model without keeping the window waiting, and use it as soon as it is ready.

        `make` may raise UserError or OSError. Of several calls, the last one counts.
        """
        self._wanted = make
        self._help("model", lambda: self._load(make))

    def _help(self, name: str, work: Callable[[], None]) -> None:
        self._helpers[name] = threading.Thread(target=work, name=name, daemon=True)
        self._helpers[name].start()

    @property
    def options(self) -> Options:
        return self._pipeline.options

    @property
    def runtime(self) -> Runtime | None:
        return self._pipeline.runtime

    @property
    def state(self) -> State:
        return self._pipeline.state

    @property
    def frozen(self) -> bool:
        return self._pipeline.frozen

    @property
    def rate(self) -> float:
        """Results a second."""
        return self._pipeline.rate

    @property
    def dropped(self) -> int:
        """Frames and results that newer ones replaced before they were used."""
        return self._pipeline.dropped + self._results.dropped

    # From the pipeline's threads.

    def _result(self, result: Result) -> None:
        if self._results.put(result) and not self._closed:
            self.ready.emit()

    def _state(self, state: State, sentence: str) -> None:
        if not self._closed:
            self.state_changed.emit(state, sentence)

    def _find(self) -> None:
        found = list_cameras()
        if not self._closed:
            self.cameras_found.emit(found)

    def _load(self, make: Callable[[], Runtime]) -> None:
        try:
            runtime = make()
        except (UserError, OSError) as error:
            if self._wanted is make and not self._closed:
                self.model_failed.emit(str(error))
            return
        if self._wanted is make and not self._closed:
            self._pipeline.set_runtime(runtime)
            self.model_ready.emit(runtime)
