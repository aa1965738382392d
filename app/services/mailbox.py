"""A box with one slot between two threads: the newest value wins, so that nothing ever queues."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds at most one value. `dropped` counts values that were replaced before anyone took them."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._value: T | None = None
        self._closed = False
        self.dropped = 0

    def put(self, value: T) -> bool:
        """Place a value; True when the slot was empty, so that its owner has to be told."""
        with self._condition:
            empty = self._value is None
            self.dropped += not empty
            if not self._closed:
                self._value = value
                self._condition.notify()
            return empty

    def take(self, timeout: float = 0.0) -> T | None:
        """Take the value, waiting up to `timeout` seconds for one; None when none came or the box is closed."""
        with self._condition:
            if self._value is None and not self._closed and timeout > 0:
                self._condition.wait(timeout)
            value, self._value = self._value, None
            return value

    def clear(self) -> None:
        """Throw the value away without counting it."""
        with self._condition:
            self._value = None

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def close(self) -> None:
        """Empty the box for good and wake who waits."""
        with self._condition:
            self._closed, self._value = True, None
            self._condition.notify_all()
