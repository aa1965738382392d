"""Play, pause, step, seek and speed of a source with an end, asked for by one thread and obeyed by another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
BEHIND = 0.5  # seconds that a paced source tries to catch up; later than that, its clock starts again


@dataclass(frozen=True)
class Wish:
    """A frame that is sought. back: where it cannot be read, the one before is wanted rather than the one after."""

    index: int
    back: bool = False


class Transport:
    """Wishes of the window and the place of the source; every method may be called from any thread.

    playing; speed: 1 is the source's own; loop: start again after the last frame; position: the index of the frame
    given last, -1 before the first; times: seconds of each frame since the first, rising; last: seconds that the last
    frame is shown where it starts again. Waits of the grab thread end as soon as anything changes.
    """

    def __init__(self, loop: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._condition = threading.Condition()
        self._clock = clock
        self._loop = loop
        self._playing, self._speed = True, 1.0
        self._target: Wish | None = None
        self._heading: int | None = None  # where the newest wish leads, until a frame came
        self._changes = 0
        self._due: float | None = None
        self.times: tuple[float, ...] = ()
        self.last = 0.0
        self.position = -1

    # ---- wishes

    def play(self) -> None:
        """Go on; from the first frame where the last one was given."""
        with self._condition:
            if self._target is None and 0 <= self.count - 1 <= self.position:
                self._seek(0)
            self._playing = True
            self._changed()

    def pause(self) -> None:
        """Stay at the frame given last."""
        with self._condition:
            self._playing = False
            self._changed()

    def toggle(self) -> None:
        """Play where paused, pause where playing."""
        self.pause() if self._playing else self.play()

    def step(self, frames: int) -> None:
        """Pause, and give the frame so many after (or, negative, before) the one given or sought last."""
        with self._condition:
            here = self._heading if self._heading is not None else max(self.position, 0)
            self._playing = False
            self._seek(here + frames, back=frames < 0)
            self._changed()

    def seek(self, index: int) -> None:
        """Give the frame of this index next, kept within the source; plays on from there where it was playing."""
        with self._condition:
            self._seek(index)
            self._changed()

    def set_speed(self, speed: float) -> None:
        """Play so many times as fast as the source's own rate. Raises ValueError unless above 0 and at most 64."""
        if not 0 < speed <= 64:
            raise ValueError(f"speed must be above 0 and at most 64, not {speed}")
        with self._condition:
            self._speed = float(speed)
            self._changed()

    def set_loop(self, loop: bool) -> None:
        """Whether to start again after the last frame."""
        with self._condition:
            self._loop = loop
            self._changed()

    # ---- state

    @property
    def playing(self) -> bool:
        return self._playing

    @property
    def speed(self) -> float:
        return self._speed

    @property
    def loop(self) -> bool:
        return self._loop

    @property
    def count(self) -> int:
        """How many frames the source has, as far as known."""
        return len(self.times)

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the last."""
        return self.times[-1] if self.times else 0.0

    # ---- the grab thread's side

    def take_target(self) -> Wish | None:
        """What was sought, once."""
        with self._condition:
            target, self._target = self._target, None
            return target

    @property
    def changes(self) -> int:
        """Rises with every wish."""
        return self._changes

    @property
    def sought(self) -> bool:
        """Whether a seek waits to be obeyed."""
        return self._target is not None

    def came(self, index: int) -> None:
        """A frame is about to be given."""
        with self._condition:
            self.position = index
            if self._target is None:
                self._heading = None

    def finished(self) -> None:
        """The last frame was given and there is nobody to loop: stay there."""
        with self._condition:
            self._playing = False
            if self._target is None:
                self._heading = None
            self._changed()

    def rest(self, interrupted: Callable[[], bool]) -> None:
        """Wait while paused with nothing sought, until anything changes or `interrupted`."""
        with self._condition:
            while not self._playing and self._target is None and not interrupted():
                self._condition.wait(0.5)

    def restart_clock(self, now: bool = False) -> None:
        """The next frame is due at once; with `now`, a frame's time after this moment."""
        self._due = self._clock() if now else None

    def late(self, period: float) -> float:
        """Advance the clock to the next frame, `period` seconds after the one before.

        Seconds until it is due, negative when it is late already.
        """
        now = self._clock()
        period /= self._speed
        if self._due is None or self._due + period < now - BEHIND:
            self._due = now
        else:
            self._due += period
        return self._due - now

    def wait(self, seconds: float, seen: int, interrupted: Callable[[], bool]) -> bool:
        """Wait for a frame to be due; False where a wish that is newer than `seen`, or an interruption, came first."""
        end = self._clock() + seconds
        with self._condition:
            while not interrupted() and self._changes == seen:
                left = end - self._clock()
                if left <= 0:
                    return True
                self._condition.wait(min(left, 0.5))
            return False

    def wake(self) -> None:
        """End all waits, so that an interruption is seen."""
        with self._condition:
            self._condition.notify_all()

    def _seek(self, index: int, back: bool = False) -> None:
        index = min(max(index, 0), max(self.count - 1, 0))
        self._target, self._heading = Wish(index, back), index

    def _changed(self) -> None:
        self._changes += 1
        self._due = None
        self._condition.notify_all()
