"""What video file and slide show share: frames with numbers and times, given as the transport wishes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from app.sources.base import Interruptible
from app.sources.transport import Transport
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
            target = transport.take_target()
            if target is not None:
                if not self._seek(target):
                    continue
                self._expected = target
                transport.restart_clock()
            found = self._next()
            if found is None:
                if not self._at_end():
                    return None
                continue
            if target is None and self.paced:
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

    def _begin(self, times: tuple[float, ...]) -> None:
        """Opened, at the first frame."""
        self._unreadable = set()
        self._expected = 0
        self.transport.times = times
        self.transport.came(-1)
        self.transport.restart_clock()
        self._is_open = True

    def _due(self, number: int, raw: Any, seen: int) -> tuple[int, Any] | None:
        """Wait until a frame is due, passing over those that are late; None where a wish came first."""
        transport = self.transport
        while True:
            period = transport.times[number] - transport.times[number - 1] if number else 0.0
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
        self._expected = number + 1

    def _at_end(self) -> bool:
        """After the last frame: True where there is something to wait for or to show again."""
        if self._expected < self.count:
            self._unreadable.update(range(self._expected, self.count))
            self._ends_at(self._expected)
        if self.transport.loop and self.count > len(self._unreadable):
            self.transport.seek(0)
            return True
        if self.hold:
            self.transport.finished()
            return True
        return False
