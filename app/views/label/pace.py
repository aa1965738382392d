"""How fast the work goes: images finished an hour, pauses left out, and what is left at that pace."""

from __future__ import annotations

import time
from collections.abc import Callable

PAUSE = 120.0  # seconds without a finished image that count as a pause from there on
FEWEST = 3  # finished images from which a pace is told


class Pace:
    """Fed with the number of finished images; the clock is monotonic, so that a changed time of day is no matter."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.restart(0)

    def restart(self, done: int) -> None:
        """Another project, with so many images done."""
        self._done, self._last, self._worked, self._finished = done, self._clock(), 0.0, 0

    def tell(self, done: int) -> None:
        """So many images are done now; one taken back is taken off. Several at once were no person's work."""
        if abs(done - self._done) > 1:
            self._done = done
        elif done != self._done:
            now = self._clock()
            self._worked += min(now - self._last, PAUSE)
            self._finished = max(0, self._finished + done - self._done)
            self._done, self._last = done, now

    @property
    def per_hour(self) -> float | None:
        """Finished images an hour; None until there are some."""
        if self._finished < FEWEST or self._worked <= 0:
            return None
        return 3600 * self._finished / self._worked

    def left(self, images: int) -> float | None:
        """Seconds for so many images at this pace; None where that is not known."""
        return None if self.per_hour is None else 3600 * images / self.per_hour
