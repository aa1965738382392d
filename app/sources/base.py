"""What every source of frames keeps to, and what they share: interruption and pixel kinds.

A source is opened, read and closed by one thread, the grab thread. Only `interrupt` may be called from
another one.
"""

from __future__ import annotations

import threading
from typing import Protocol, runtime_checkable

import numpy as np

from engine.errors import UserError
from engine.opencv import cv2
from engine.types import Frame


class SourceError(UserError):
    """A source that cannot be used; the message is one sentence with a remedy."""


@runtime_checkable
class Source(Protocol):
    """A camera, file, folder or stream that gives frames one after the other.

    title: what people call it; live: True where pictures come in real time and may be lost and come
    back, False where they end; noisy: True where two equal pictures in a row mean that it hangs, as a
    sensor's noise never repeats.
    """

    title: str
    live: bool
    noisy: bool

    def open(self) -> None:
        """Make ready to read from the start; may be called again after `close`. Raises SourceError."""

    def read(self) -> Frame | None:
        """Wait for the next frame; None when it ended, was interrupted or gave nothing. Raises SourceError."""

    def close(self) -> None:
        """Let the device or file go; harmless when closed."""

    def interrupt(self) -> None:
        """End our own waits at once, from any thread; reads return None until it is opened again."""


class Interruptible:
    """Waits that another thread can end; the base of the sources that ship."""

    def __init__(self) -> None:
        self._interrupted = threading.Event()

    @property
    def interrupted(self) -> bool:
        """Whether `interrupt` was called since the source was opened."""
        return self._interrupted.is_set()

    def interrupt(self) -> None:
        """End our own waits at once."""
        self._interrupted.set()

    def rearm(self) -> None:
        """Allow waits again; the first thing that `open` does."""
        self._interrupted.clear()

    def wait(self, seconds: float) -> bool:
        """Wait; True unless interrupted."""
        return not self._interrupted.wait(max(0.0, seconds))


def as_rgb(pixels: np.ndarray) -> np.ndarray:
    """Whatever a device delivers as (H, W, 3) uint8 RGB; colour devices deliver BGR. Raises SourceError."""
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or not pixels.size:
        raise SourceError("This source sends pictures of an unknown kind; choose another format in its settings.")
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    codes = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}
    if channels not in codes:
        raise SourceError(f"This source sends pictures of {channels} channels; choose another format in its settings.")
    return cv2.cvtColor(pixels, codes[channels])
