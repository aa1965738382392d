"""Models and detectors made ready in threads of their own, and handed to the live pipeline between two frames."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from app.services.live_values import Made
from app.services.pipeline import LivePipeline
from app.services.seeing import DRAWN
from engine.detect import DETECTORS, THROUGH_MODEL, make_detector
from engine.errors import UserError
from engine.runtime import Runtime
from engine.schema import Schema

FIRST, SECOND, DETECTOR = "model", "second", "detector"  # what is prepared: of each, the newest wish counts
BLANK = (720, 1280, 3)  # what a detector looks at once, as the first look takes longer than later ones


class Preparing:
    """Belongs to the owner's thread; both callbacks are called from others, or at once where nothing is to be made.

    ready(kind, what): FIRST and SECOND with the Runtime, DETECTOR with its name; failed(kind, sentence): it could not
    be made, which changes nothing.
    """

    def __init__(
        self, pipeline: LivePipeline, ready: Callable[[str, object], None], failed: Callable[[str, str], None]
    ) -> None:
        self._pipeline, self._tell_ready, self._tell_failed = pipeline, ready, failed
        self._wanted: dict[str, object] = {}
        self._one = threading.Lock()  # one after the other: each sees what the one before has handed over
        self._threads: list[threading.Thread] = []
        self._closed = False

    def model(self, make: Callable[[], Runtime], detector: Callable[[Schema], str] | None = None) -> None:
        """Open the first model, and what finds its subjects: `detector` names it, by default it stays."""
        self._begin(FIRST, make, lambda: self._model(FIRST, make, detector))

    def second(self, make: Callable[[], Runtime], detector: Callable[[Schema], str] | None = None) -> None:
        """Open a model to run beside the first; `detector` names what finds subjects of another kind."""
        self._begin(SECOND, make, lambda: self._model(SECOND, make, detector))

    def detector(self, name: str) -> None:
        """Find subjects with another detector."""
        wanted = self._pipeline.wanted
        known = wanted.runtime is None and name in DETECTORS
        if name == DRAWN or known or (wanted.runtime is not None and wanted.ready(wanted.runtime, name)):
            self.forget(DETECTOR)
            self._pipeline.change(detector=name)
            self._tell_ready(DETECTOR, name)
        else:
            wish = [name]  # told from another wish for the same
            self._begin(DETECTOR, wish, lambda: self._detector(wish))

    @property
    def detector_wanted(self) -> str:
        """The detector that looks, or will as soon as it is ready."""
        wish = self._wanted.get(DETECTOR)
        return wish[0] if wish else self._pipeline.options.detector

    def forget(self, kind: str) -> None:
        """What is being made is not wanted any more."""
        self._wanted.pop(kind, None)

    def run(self, name: str, work: Callable[[], None]) -> None:
        """Work in a thread that `close` waits for; nothing once it is closed, as when a project goes last."""
        if self._closed:
            return
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        self._threads.append(threading.Thread(target=work, name=name, daemon=True))
        self._threads[-1].start()

    def running(self, name: str) -> bool:
        """Whether such a thread is at work."""
        return any(thread.name == name and thread.is_alive() for thread in self._threads)

    def close(self, timeout: float) -> bool:
        """Tell nothing more; False where a thread has not ended in time."""
        self._closed = True
        self._wanted.clear()
        end = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    # ---- in the threads

    def _begin(self, kind: str, wish: object, work: Callable[[], None]) -> None:
        self._wanted[kind] = wish
        self.run(kind, work)

    def _stale(self, kind: str, wish: object) -> bool:
        return self._closed or self._wanted.get(kind) is not wish

    def _failed(self, kind: str, wish: object, sentence: str) -> None:
        if not self._stale(kind, wish):
            self.forget(kind)
            self._tell_failed(kind, sentence)

    def _model(self, kind: str, make: Callable[[], Runtime], name_of: Callable[[Schema], str] | None) -> None:
        try:
            runtime = make()
            runtime.run(np.zeros((runtime.model.side, runtime.model.side, 3), np.uint8))  # slower than later ones
        except (UserError, OSError, RuntimeError, ValueError) as error:
            self._failed(kind, make, str(error))
            return
        with self._one:
            if self._stale(kind, make):
                return
            wanted = self._pipeline.wanted
            name = name_of(runtime.model.schema) if name_of is not None else wanted.options.detector
            other = wanted.second if kind == FIRST else wanted.runtime
            made = _made_for(runtime, name) + (_made_for(other, name) if _shared(runtime, other, name) else ())
            if self._stale(kind, make):
                return
            if kind == FIRST:
                self._pipeline.set_runtime(runtime, made, detector=name)
            else:
                self._pipeline.set_second(runtime, made)
        self._tell_ready(kind, runtime)

    def _detector(self, wish: list[str]) -> None:
        (name,) = wish
        with self._one:
            while not self._stale(DETECTOR, wish):
                wanted = self._pipeline.wanted
                try:
                    made = _made(wanted.runtime, name)
                except (UserError, OSError) as error:
                    self._failed(DETECTOR, wish, str(error))
                    return
                except (Exception, SystemExit) as error:  # a plugin's own
                    sentence = f"The detector {name} failed ({type(error).__name__}: {error}); choose another one."
                    self._failed(DETECTOR, wish, sentence)
                    return
                if _shared(wanted.runtime, wanted.second, name):
                    made += _made_for(wanted.second, name)
                now = self._pipeline.wanted
                if now.runtime is wanted.runtime and not self._stale(DETECTOR, wish):
                    self.forget(DETECTOR)
                    self._pipeline.change(made, detector=name)
                    break
            else:
                return
        self._tell_ready(DETECTOR, name)


def _made(runtime: Runtime | None, name: str) -> tuple[Made, ...]:
    """The detector, which has looked once; raises UserError, OSError or what a plugin raises."""
    found = make_detector(name, runtime)
    found.detect(np.zeros(BLANK, np.uint8))
    return (Made(name, runtime, found),) if runtime is not None else ()


def _made_for(runtime: Runtime, name: str) -> tuple[Made, ...]:
    """As `_made`; none where it is drawn by hand or fails, as the pipeline then tries again and says so."""
    try:
        return _made(runtime, name) if name != DRAWN else ()
    except (Exception, SystemExit):
        return ()


def _shared(one: Runtime | None, other: Runtime | None, name: str) -> bool:
    """Whether the second model needs a detector of its own, should it become the first."""
    if one is None or other is None or name not in THROUGH_MODEL:
        return False
    return one.model.schema.subject == other.model.schema.subject
