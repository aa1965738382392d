"""What video file and slide show share: frames with numbers and times, given as the transport wishes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from app.sources.base import Interruptible
from app.sources.transport import Transport, Wish
from engine.types import Frame


class Played(Interruptible, ABC):
    """A source with an end. After the last frame it ends, starts again with `loop`, or waits there with `hold`.

    `paced` False gives every frame, one after the other; otherwise frames come at their times, and those that are
    late are passed over. Subclasses open and close, and say how to reach a frame: `_seek`, `_next`, `_back`, `_frame`.
    """

    live = False
    noisy = False

    def __init__(self, title: str, loop: bool, paced: bool, hold: bool) -> None:
        super().__init__()
        self.title = title
        self.paced = paced
        self.hold = hold
        self.transport = Transport(loop)
        self._is_open = False
        self._unreadable: set[int] = set()
        self._expected = 0
        self._around = False  # whether the next frame follows the last one
        self._some = False  # whether a frame came since the first one was due

    @property
    def count(self) -> int:
        """How many frames there are, as far as known; 0 before it was opened."""
        return self.transport.count

    def interrupt(self) -> None:
        """End our own waits at once."""
        super().interrupt()
        self.transport.wake()

    def read(self) -> Frame | None:
        """Wait until the next frame is due, or one is sought, and give it; None at the end."""
        transport = self.transport
        while self._is_open and not self.interrupted:
            seen = transport.changes
            if not (transport.playing or transport.sought):
                transport.rest(lambda: self.interrupted)
                continue
            wish = transport.take_target()
            found = self._next() if wish is None else self._sought(wish)
            if found is None:
                if not (transport.sought or self.interrupted or self._at_end()):
                    return None
                continue
            if wish is None and self.paced:
                found = self._due(*found, seen)
            if found is not None:
                number, raw = found
                self._arrived(number)
                frame = self._frame(number, raw)
                transport.came(number)
                return frame
        return None

    # ---- what subclasses say

    @abstractmethod
    def _seek(self, number: int) -> bool:
        """Make a frame the next one; False where a newer wish or an interruption ended it."""

    @abstractmethod
    def _next(self) -> tuple[int, Any] | None:
        """The next frame that can be read, with its number; None at the end."""

    @abstractmethod
    def _back(self, number: int, raw: Any) -> None:
        """Make a frame that was taken the next one again."""

    @abstractmethod
    def _frame(self, number: int, raw: Any) -> Frame:
        """What is given."""

    def _ends_at(self, count: int) -> None:
        """Fewer frames came than were promised: what can be read is the length."""

    # ---- inside

    def _begin(self, times: tuple[float, ...], last: float) -> None:
        """Opened, at the first frame; `times` and `last` as the transport's."""
        self._unreadable = set()
        self._expected = 0
        self._around = self._some = False
        self.transport.times, self.transport.last = times, last
        self.transport.came(-1)
        self.transport.restart_clock()
        self._is_open = True

    def _sought(self, wish: Wish) -> tuple[int, Any] | None:
        """The frame that is wished for, or the nearest that can be read; None where there is none or a wish came."""
        target, self._around = wish.index, False
        if not self._seek(target):
            return None
        found = self._next()
        if found is None or (wish.back and found[0] > target):
            if self.interrupted or self.transport.sought:
                return None
            before = self._before(target)
            if before is not None:
                self._unreadable.update(range(before[0] + 1, found[0] if found else self.count))
                if found is None:
                    self._ends_at(before[0] + 1)
            found = before or found
        if found is not None:
            self._unreadable.update(range(target, found[0]))
            self._expected = found[0]
            self.transport.restart_clock(now=True)
        return found

    def _before(self, number: int) -> tuple[int, Any] | None:
        """The last frame before `number` that can be read."""
        reach = 1
        while reach < 2 * number:
            last = found = None
            if not self._seek(max(0, number - reach)):
                return None
            while (found := self._next()) is not None and found[0] < number:
                last = found
                if self.interrupted or self.transport.sought:
                    return None
            if found is not None:
                self._back(*found)
            if last is not None:
                return last
            reach *= 2
        return None

    def _due(self, number: int, raw: Any, seen: int) -> tuple[int, Any] | None:
        """Wait until a frame is due, passing over those that are late; None where a wish came first."""
        transport = self.transport
        while True:
            first = transport.last if self._around else 0.0
            period = transport.times[number] - transport.times[number - 1] if number else first
            self._around = False
            left = transport.late(period)
            if left >= 0 or -left <= period / transport.speed:
                break
            if (following := self._next()) is None:
                break
            self._arrived(number)
            number, raw = following
        if transport.wait(left, seen, lambda: self.interrupted):
            return number, raw
        self._back(number, raw)
        return None

    def _arrived(self, number: int) -> None:
        """What lies between the frame that was expected and this one could not be read."""
        self._unreadable.update(range(self._expected, number))
        self._expected, self._some = number + 1, True

    def _at_end(self) -> bool:
        """After the last frame: True where there is something to wait for or to show again."""
        if self._expected < self.count:
            self._unreadable.update(range(self._expected, self.count))
            self._ends_at(self._expected)
        if self.transport.loop and self._some:
            self._expected, self._some = 0, False
            self._around = self._seek(0)
            return True
        if self.hold:
            self.transport.finished()
            return True
        return False
