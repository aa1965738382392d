"""What camera, video file and stream share: one OpenCV capture, read in two steps."""

from __future__ import annotations

import time

import numpy as np

from app.sources.base import Interruptible, as_rgb
from engine.opencv import cv2
from engine.types import Frame


class Capture(Interruptible):
    """Holds a `cv2.VideoCapture` and turns what it delivers into frames."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title
        self._capture: cv2.VideoCapture | None = None
        self._index = 0

    def close(self) -> None:
        """Let the device or file go; harmless when closed."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def grab(self) -> Frame | None:
        """The next frame; its time is the moment the picture arrived, before it is converted."""
        if self._capture is None or not self._capture.grab():
            return None
        arrived = time.monotonic()
        found, pixels = self._capture.retrieve()
        if not found or pixels is None:
            return None
        return self.frame(pixels, arrived)

    def frame(self, pixels: np.ndarray, arrived: float) -> Frame:
        """A frame from a device's pixels, numbered."""
        frame = Frame(as_rgb(pixels), arrived, self.title, self._index)
        self._index += 1
        return frame
