"""The live pipeline without Qt: grab thread, one-slot mailbox, predictor thread, results by callback."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from app.services.grabber import PATIENCE, Grabber
from app.services.mailbox import Mailbox
from app.services.tracker import Spent, Subject, Tracker
from app.sources.base import Source
from engine.detect import make_detector
from engine.errors import UserError
from engine.predictor import Predictor
from engine.runtime import Runtime
from engine.schema import Schema
from engine.types import Frame

TICK = 0.25  # seconds between two looks of the watchdog
RATE_WINDOW = 2.0  # seconds over which frames a second are counted


class State(StrEnum):
    """What the source is doing."""

    IDLE = "idle"
    OPENING = "opening"
    RUNNING = "running"
    STALLED = "stalled"
    LOST = "lost"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True)
class Options:
    """What may change while running.

    detector: a name of engine.detect; every: frames between two looks of the detector; limit: most
    subjects; smoothing: 0 to 1; heatmaps: whether predictions carry theirs.
    """

    detector: str = "face"
    every: int = 10
    limit: int = 1
    smoothing: float = 0.35
    heatmaps: bool = False


@dataclass(frozen=True)
class Timing:
    """Seconds from a picture's arrival to the screen. capture: from arrival until the predictor took it."""

    capture: float = 0.0
    detect: float = 0.0
    engine: float = 0.0
    draw: float = 0.0

    @property
    def total(self) -> float:
        return self.capture + self.detect + self.engine + self.draw


@dataclass(frozen=True)
class Result:
    """A frame with the subjects found in this very frame. sent: monotonic seconds when it was handed over;
    model: the model's name and schema: what its landmarks are, "" and None without one.
    """

    frame: Frame
    subjects: tuple[Subject, ...]
    timing: Timing
    sent: float
    model: str = ""
    schema: Schema | None = None


class LivePipeline:
    """Runs a source through a model. Callbacks come from its threads and must return at once.

    on_result(Result); on_state(State, sentence). Without a runtime, frames pass with no subjects.
    """

    def __init__(
        self, on_result: Callable[[Result], None], on_state: Callable[[State, str], None],
        options: Options | None = None, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._on_result = on_result
        self._on_state = on_state
        self._clock = clock
        self._lock = threading.Lock()
        self._wanted: tuple[Runtime | None, Options] = (None, options or Options())
        self._state = State.IDLE
        self._ended = threading.Event()
        self._frozen = False
        self._grabber: Grabber | None = None
        self._box: Mailbox[Frame] | None = None
        self._thread: threading.Thread | None = None
        self._dropped = 0
        self._sent: deque[float] = deque(maxlen=600)

    # What the owner asks for, from the owner's thread.

    def start(self, source: Source) -> bool:
        """Run `source`, after stopping what ran before. False when the old one had to be left hanging."""
        clean = self.stop()
        self._ended.clear()
        self._sent.clear()
        self._dropped = 0
        self._frozen = False
        self._box = Mailbox()
        self._set_state(State.OPENING, "")
        grabber = Grabber(source, self._box, lambda kind, text: self._heard(grabber, State(kind), text), self._clock)
        self._grabber = grabber
        self._thread = threading.Thread(target=self._predict, args=(grabber, self._box), name="predict", daemon=True)
        self._thread.start()
        grabber.start()
        return clean

    def stop(self, timeout: float = 2.5) -> bool:
        """End both threads within `timeout` seconds. False when a read hangs: its thread ends with it, later."""
        grabber, thread, box = self._grabber, self._thread, self._box
        if grabber is None or thread is None or box is None:
            return True
        deadline = time.monotonic() + timeout
        grabber.stop()
        box.close()
        # The predictor first: it never waits for a device.
        thread.join(max(0.0, deadline - time.monotonic()))
        clean = grabber.join(max(0.0, deadline - time.monotonic())) and not thread.is_alive()
        self._grabber = self._thread = None
        self._set_state(State.IDLE, "")
        return clean

    def set_runtime(self, runtime: Runtime | None) -> None:
        """Use another model from the next frame on."""
        with self._lock:
            self._wanted = (runtime, self._wanted[1])

    def change(self, **options: object) -> Options:
        """Change options from the next frame on; the options that hold then."""
        with self._lock:
            self._wanted = (self._wanted[0], replace(self._wanted[1], **options))
            return self._wanted[1]

    @property
    def options(self) -> Options:
        return self._wanted[1]

    @property
    def runtime(self) -> Runtime | None:
        return self._wanted[0]

    @property
    def state(self) -> State:
        return self._state

    @property
    def frozen(self) -> bool:
        return self._frozen

    def freeze(self, frozen: bool = True) -> None:
        """Send no more results until called with False; files pause, cameras go on unseen."""
        self._frozen = frozen
        if self._grabber is not None:
            self._grabber.pause(frozen)

    def wait_ended(self, timeout: float) -> bool:
        """Wait until the source ended or failed and all its frames were handled."""
        return self._ended.wait(timeout)

    @property
    def dropped(self) -> int:
        """Frames that came while the predictor was busy and were replaced by newer ones."""
        return self._dropped

    @property
    def rate(self) -> float:
        """Results a second, over the last two seconds."""
        now = self._clock()
        recent = [moment for moment in tuple(self._sent) if now - moment <= RATE_WINDOW]
        if len(recent) < 2:
            return 0.0
        return (len(recent) - 1) / max(recent[-1] - recent[0], 1e-6)

    # What happens in the threads.

    def _heard(self, grabber: Grabber, state: State, sentence: str) -> None:
        """News from a grabber; an abandoned one is not listened to."""
        if grabber is self._grabber and not grabber.stopped and (state is not State.RUNNING or self._state != state):
            self._set_state(state, sentence)

    def _set_state(self, state: State, sentence: str) -> None:
        if state != self._state or sentence:
            self._state = state
            self._on_state(state, sentence)

    def _predict(self, grabber: Grabber, box: Mailbox[Frame]) -> None:
        held: tuple[Runtime | None, Options] | None = None
        tracker: Tracker | None = None
        while not box.closed:
            frame = box.take(TICK)
            if frame is None:
                self._watch(grabber)
                continue
            self._dropped = box.dropped
            if self._frozen:
                continue
            with self._lock:
                wanted = self._wanted
            if wanted != held:
                tracker, held = self._tracker(tracker, held, wanted), wanted
            result = self._result(frame, tracker, wanted)
            if not (self._frozen or box.closed):
                self._sent.append(result.sent)
                self._on_result(result)

    def _tracker(
        self, old: Tracker | None, held: tuple[Runtime | None, Options] | None, wanted: tuple[Runtime | None, Options]
    ) -> Tracker | None:
        """The tracker for what is wanted; the old one, adjusted, where model and detector are the same."""
        runtime, options = wanted
        if runtime is None:
            return None
        if old is None or held is None or held[0] is not runtime or held[1].detector != options.detector:
            try:
                detector = make_detector(options.detector, runtime)
            except UserError as error:
                self._on_state(self._state, str(error))
                return None
            old = Tracker(Predictor(runtime, detector), detector, runtime.model.schema)
        old.every, old.limit = options.every, options.limit
        if old.smoothing != options.smoothing:
            old.smooth(options.smoothing)
        return old

    def _result(self, frame: Frame, tracker: Tracker | None, wanted: tuple[Runtime | None, Options]) -> Result:
        taken = self._clock()
        subjects, spent = (), Spent()
        if tracker is not None:
            subjects, spent = tracker.step(frame.pixels, frame.time, wanted[1].heatmaps)
        timing = Timing(max(0.0, taken - frame.time), spent.detect, spent.engine)
        if tracker is None or wanted[0] is None:
            return Result(frame, (), timing, self._clock())
        return Result(frame, subjects, timing, self._clock(), wanted[0].model.name, tracker.schema)

    def _watch(self, grabber: Grabber) -> None:
        """Called while no frame comes: says when a live source stalls, and when a finite one is done."""
        if self._state in (State.ENDED, State.FAILED):
            self._ended.set()
        silent = self._clock() - grabber.heard
        if grabber.source.live and self._state in (State.RUNNING, State.OPENING) and silent >= PATIENCE:
            name = grabber.source.title
            self._heard(grabber, State.STALLED, f"{name} sends no pictures; check that it is connected.")
