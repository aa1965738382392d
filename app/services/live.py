"""The live pipeline for Qt: results wait in a one-slot mailbox, and one queued signal says that one is there."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.services.mailbox import Mailbox
from app.services.pipeline import LivePipeline, Options, Result, State, Timing
from app.services.preparing import DETECTOR, FIRST, SECOND, Preparing
from app.services.recording import Recorder, Recording
from app.sources.base import Source
from app.sources.camera import list_cameras
from app.sources.transport import Transport
from engine.runtime import Runtime
from engine.schema import Schema

PATIENCE = 2.7  # seconds in which all threads end and the rest of a recording is written when the window closes
CAMERAS = "cameras"
RATE_WINDOW = 2.0  # seconds of frames that the rate speaks for
HISTORY = 10.0  # seconds of timings that are kept for the plot


class Live(QObject):
    """Belongs to the GUI thread; the pipeline's threads touch its mailbox and signals only.

    ready: a result waits, fetch it with `take`; state_changed(State, sentence); cameras_found(list of CameraInfo);
    model_ready(Runtime) and model_failed(sentence) after `load` and `load_second` (then second_ready(Runtime));
    detector_ready(name) and detector_failed(sentence) after a change of `detector`;
    recorded(Recording) once a recording is written and checked.
    `history` holds (monotonic seconds, Timing) of what was drawn, newest last.
    """

    ready = Signal()
    state_changed = Signal(object, str)
    cameras_found = Signal(list)
    model_ready = Signal(object)
    model_failed = Signal(str)
    second_ready = Signal(object)
    detector_ready = Signal(str)
    detector_failed = Signal(str)
    recorded = Signal(object)

    def __init__(self, parent: QObject | None = None, options: Options | None = None) -> None:
        super().__init__(parent)
        self._results: Mailbox[Result] = Mailbox()
        self._pipeline = LivePipeline(self._result, self._state, options)
        self._preparing = Preparing(self._pipeline, self._prepared, self._not_prepared)
        self._recorder: Recorder | None = None
        self._written: list[Recorder] = []  # that may have something to write still, though they take no more
        self._closed = False
        self._newest = 0.0  # when what was drawn last had been sent
        self._make: Callable[[], Source] | None = None
        self.source: Source | None = None
        self.history: deque[tuple[float, Timing]] = deque()

    def start(self, make: Callable[[], Source]) -> None:
        """Show a source in place of what ran before; raises SourceError where `make` does.

        Each start makes a new one, as a source that hangs in a read may still belong to its old thread.
        """
        source = make()
        self.stop_recording()
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
        begin = time.monotonic()
        self.stop_recording()
        clean = self._pipeline.stop()
        self._results.clear()
        written = [one.join(max(0.0, begin + PATIENCE - time.monotonic())) for one in self._written]
        return all(written) and clean

    def close(self) -> bool:
        """Stop for good, before the window goes; False as `stop`."""
        self._closed, begin = True, time.monotonic()
        clean = self.stop()
        return self._preparing.close(max(0.0, begin + PATIENCE - time.monotonic())) and clean

    def take(self) -> Result | None:
        """The newest result, once; None when it was taken already or the picture is frozen."""
        result = self._results.take()  # also one that came while it froze: it would stand in the way of later ones
        return None if self._pipeline.frozen else result

    def drawn(self, result: Result) -> Timing:
        """To be called when `result` stands on the screen: its timing with the drawing added.

        One that is shown again, as a frozen frame that is had back, says nothing about the speed.
        """
        now = time.monotonic()
        timing = replace(result.timing, draw=max(0.0, now - result.sent))
        if result.sent <= self._newest:
            return timing
        self._newest = result.sent
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
        self._show_again()

    def set_second(self, runtime: Runtime | None) -> None:
        """Run a second model on the same frames; None for none."""
        self._preparing.forget(SECOND)
        self._pipeline.set_second(runtime)
        self._show_again()

    def swap(self, detector: str) -> None:
        """Make the second model the first, and the first the second; `detector` finds what is the first's from now."""
        if detector == self.detector:  # in force, or still being made
            self._pipeline.swap()
        else:
            self._preparing.forget(DETECTOR)
            self._pipeline.swap(detector=detector)
        self._show_again()

    def change(self, detector: str = "", **options: object) -> None:
        """Change fields of Options from the next frame on; another detector as soon as it is ready."""
        self._pipeline.change(**options)
        if detector:
            self._preparing.detector(detector)
        self._show_again()

    @property
    def transport(self) -> Transport | None:
        """Play, pause, step and seek of a source with an end; None of others."""
        return getattr(self.source, "transport", None)

    def _show_again(self) -> None:
        """A paused source gives its frame once more, so that what was changed is seen on it."""
        transport = self.transport
        if transport is not None and not transport.playing and transport.position >= 0:
            transport.step(0)

    # ---- recording

    def record(
        self, stem: Path, landmarks: Literal["csv", "json"] = "csv",
        paint: Callable[[Result], np.ndarray] | None = None,
    ) -> None:  # fmt: skip
        """Record from the next result on; `recorded` tells when it has ended, for whatever reason."""
        self.stop_recording()
        recorder = Recorder(stem, self._recording_ended, landmarks, paint)
        self._written = [*(one for one in self._written if not one.join(0)), recorder]
        self._recorder = recorder

    def stop_recording(self) -> None:
        """End the recording; harmless without one."""
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.finish()

    @property
    def recording(self) -> Recorder | None:
        return self._recorder

    def find_cameras(self) -> None:
        """Look for cameras without keeping the window waiting; `cameras_found` has the answer."""
        if not self.finding:
            self._preparing.run(CAMERAS, self._find)

    @property
    def finding(self) -> bool:
        """Whether cameras are being looked for."""
        return self._preparing.running(CAMERAS)

    def load(self, make: Callable[[], Runtime], detector: Callable[[Schema], str] | None = None) -> None:
        """Open another model without keeping the window waiting, and use it as soon as it is ready.

        `make` may raise UserError or OSError; `detector` names what finds the subjects of its schema, and is called
        in another thread. Of several calls, the last one counts.
        """
        self._preparing.model(make, detector)

    def load_second(self, make: Callable[[], Runtime], detector: Callable[[Schema], str] | None = None) -> None:
        """Open a model to run beside the first, as `load`."""
        self._preparing.second(make, detector)

    @property
    def detector(self) -> str:
        """The detector that looks, or will as soon as it is ready."""
        return self._preparing.detector_wanted

    @property
    def options(self) -> Options:
        return self._pipeline.options

    @property
    def runtime(self) -> Runtime | None:
        return self._pipeline.runtime

    @property
    def second(self) -> Runtime | None:
        return self._pipeline.second

    @property
    def state(self) -> State:
        return self._pipeline.state

    @property
    def frozen(self) -> bool:
        return self._pipeline.frozen

    @property
    def rate(self) -> float:
        """Frames a second that came to the screen, over the last two seconds."""
        now = time.monotonic()
        recent = [moment for moment, _ in self.history if now - moment <= RATE_WINDOW]
        return (len(recent) - 1) / max(recent[-1] - recent[0], 1e-6) if len(recent) > 1 else 0.0

    @property
    def dropped(self) -> int:
        """Frames and results that newer ones replaced before they were used."""
        return self._pipeline.dropped + self._results.dropped

    # From the pipeline's threads.

    def _result(self, result: Result) -> None:
        recorder = self._recorder
        if recorder is not None:
            recorder.put(result)
        if self._results.put(result) and not self._closed:
            self.ready.emit()

    def _state(self, state: State, sentence: str) -> None:
        if state in (State.LOST, State.STALLED, State.ENDED, State.FAILED):
            self.stop_recording()
        if not self._closed:
            self.state_changed.emit(state, sentence)

    def _recording_ended(self, recording: Recording) -> None:
        if self._recorder is not None and self._recorder.over:
            self._recorder = None  # it ended by itself
        if not self._closed:
            self.recorded.emit(recording)

    def _find(self) -> None:
        found = list_cameras()
        if not self._closed:
            self.cameras_found.emit(found)

    def _prepared(self, kind: str, what: object) -> None:
        if not self._closed:
            {FIRST: self.model_ready, SECOND: self.second_ready, DETECTOR: self.detector_ready}[kind].emit(what)
            self._show_again()

    def _not_prepared(self, kind: str, sentence: str) -> None:
        if not self._closed:
            {FIRST: self.model_failed, SECOND: self.model_failed, DETECTOR: self.detector_failed}[kind].emit(sentence)
