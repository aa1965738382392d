"""The live pipeline without Qt: grab thread, one-slot mailbox, predictor thread, results by callback."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace

from app.services.grabber import PATIENCE, Grabber
from app.services.live_values import Made, Options, Other, Result, State, Timing, Wanted
from app.services.mailbox import Mailbox
from app.services.seeing import Caught, Seeing
from app.sources.base import Source
from engine.runtime import Runtime

__all__ = ["LivePipeline", "Options", "Other", "Result", "State", "Timing"]

TICK = 0.25  # seconds between two looks of the watchdog
RATE_WINDOW = 2.0  # seconds over which frames a second are counted
LINGER = 0.3  # seconds in which a read of the source before may end by itself
MOST_MADE = 6  # detectors that are kept ready, the newest ones


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
        self._wanted = Wanted(options=options or Options())
        self._state = State.IDLE
        self._ended = threading.Event()
        self._frozen = False
        self._grabber: Grabber | None = None
        self._box: Mailbox[Caught] | None = None
        self._thread: threading.Thread | None = None
        self._left: list[Grabber | threading.Thread] = []  # of earlier sources, until they have ended
        self._dropped = 0
        self._sent: deque[float] = deque(maxlen=600)

    # What the owner asks for, from the owner's thread.

    def start(self, source: Source) -> bool:
        """Run `source`, after stopping what ran before. False when the old one had to be left hanging."""
        clean = self.stop(linger=LINGER)
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

    def stop(self, timeout: float = 2.5, linger: float | None = None) -> bool:
        """End all threads within `timeout` seconds. False when a read hangs: its thread ends with it, later.

        With `linger` no longer than that is waited for a read, as nobody shall wait for the next source.
        """
        deadline = time.monotonic() + timeout
        grabber, thread, box = self._grabber, self._thread, self._box
        if grabber is not None and thread is not None and box is not None:
            grabber.stop()
            box.close()
            thread.join(max(0.0, deadline - time.monotonic()))  # first: it never waits for a device
            self._left += [grabber, thread]
            self._grabber = self._thread = None
            self._set_state(State.IDLE, "")
        if linger is not None:
            deadline = min(deadline, time.monotonic() + linger)
        for one in self._left:
            one.join(max(0.0, deadline - time.monotonic()))
        self._left = [one for one in self._left if one.is_alive()]
        return not self._left

    def set_runtime(self, runtime: Runtime | None, made: Iterable[Made] = (), **options: object) -> None:
        """Use another model from the next frame on, with detectors that are ready: frames wait for others."""
        self._want(made, options, runtime=runtime)

    def set_second(self, runtime: Runtime | None, made: Iterable[Made] = ()) -> None:
        """Run a second model beside the first from the next frame on; None for none."""
        self._want(made, {}, second=runtime)

    def swap(self, **options: object) -> None:
        """Make the second model the first from the next frame on, and the first the second; nothing without one."""
        with self._lock:
            wanted = self._wanted
            if wanted.second is not None:
                options = replace(wanted.options, **options)
                self._wanted = replace(wanted, runtime=wanted.second, second=wanted.runtime, options=options)

    def change(self, made: Iterable[Made] = (), **options: object) -> Options:
        """Change options from the next frame on; the options that hold then."""
        return self._want(made, options)

    def _want(self, made: Iterable[Made], options: dict[str, object], **models: Runtime | None) -> Options:
        """Detectors that were made before are kept as long as their models are."""
        with self._lock:
            wanted = replace(self._wanted, options=replace(self._wanted.options, **options), **models)
            both = wanted.runtime, wanted.second
            kept = tuple(m for m in (*made, *wanted.made) if any(m.runtime is one for one in both))
            self._wanted = replace(wanted, made=kept[:MOST_MADE])
            return wanted.options

    @property
    def wanted(self) -> Wanted:
        """What holds from the next frame on."""
        return self._wanted

    @property
    def options(self) -> Options:
        return self._wanted.options

    @property
    def runtime(self) -> Runtime | None:
        return self._wanted.runtime

    @property
    def second(self) -> Runtime | None:
        return self._wanted.second

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

    def _predict(self, grabber: Grabber, box: Mailbox[Caught]) -> None:
        seeing = Seeing(lambda sentence: self._said(grabber, sentence), self._clock)
        while not box.closed:
            caught = box.take(TICK)
            if caught is None:
                self._watch(grabber)
                continue
            self._dropped = box.dropped
            if self._frozen:
                continue
            with self._lock:
                wanted = self._wanted
            result = seeing.see(caught, wanted)
            if not (self._frozen or box.closed):
                self._sent.append(result.sent)
                self._on_result(result)

    def _said(self, grabber: Grabber, sentence: str) -> None:
        """A detector or model failed; the source goes on as it was."""
        if grabber is self._grabber and not grabber.stopped:
            self._on_state(self._state, sentence)

    def _watch(self, grabber: Grabber) -> None:
        """Called while no frame comes: says when a live source stalls, and when a finite one is done."""
        if self._state in (State.ENDED, State.FAILED):
            self._ended.set()
        silent = self._clock() - grabber.heard
        if grabber.source.live and self._state in (State.RUNNING, State.OPENING) and silent >= PATIENCE:
            name = grabber.source.title
            self._heard(grabber, State.STALLED, f"{name} sends no pictures; check that it is connected.")
