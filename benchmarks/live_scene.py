"""A moving person at 720p as a webcam sends it, JPEG by JPEG, for measuring Live; each picture carries its number."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import numpy as np

from app.sources.base import Interruptible, as_rgb
from engine.opencv import cv2
from engine.samples import CLIP_FRAMES, sample_frames
from engine.types import Frame

SIZE = 1280, 720
BITS, SQUARE = 12, 40  # the number's binary digits, black or white squares along the lower edge


def put_number(pixels: np.ndarray, number: int) -> None:
    """Write a number into (H, W, 3) uint8, in place."""
    for bit in range(BITS):
        pixels[-SQUARE:, bit * SQUARE : (bit + 1) * SQUARE] = 255 * (number >> bit & 1)


def number_in(row: np.ndarray) -> int:
    """The number in a row (W, 3) of pixels cut along the squares, at any scale."""
    places = ((np.arange(BITS) + 0.5) / BITS * len(row)).astype(int)
    return sum(int(row[place].mean() > 128) << bit for bit, place in enumerate(places))


def scene(count: int = CLIP_FRAMES) -> list[bytes]:
    """JPEGs of a person who sways before a blurred background, numbered from 0."""
    wide, high = SIZE
    found = []
    for number, (pixels, _) in enumerate(sample_frames(count)):
        shown = cv2.resize(pixels, (high * 4 // 3, high), interpolation=cv2.INTER_LINEAR)
        side = (wide - shown.shape[1]) // 2
        frame = cv2.copyMakeBorder(shown, 0, 0, side, wide - shown.shape[1] - side, cv2.BORDER_REFLECT_101)
        put_number(frame, number)
        found.append(cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())
    return found


class Webcam(Interruptible):
    """Decodes its pictures over and over, as the driver of a webcam does; one every `period` seconds.

    `left` notes at which monotonic second the frame of each index arrived. With `drawn`, a frame comes when the one
    before is on the screen (the event is set), with the time that it would have come at: then the work of a frame does
    not depend on what else the machine does.
    """

    title, live, noisy = "Webcam", True, False

    def __init__(self, pictures: Sequence[bytes], period: float = 1 / 30, drawn: threading.Event | None = None) -> None:
        super().__init__()
        self.pictures, self.period, self.drawn = pictures, period, drawn
        self.left: list[float] = []
        self._due: float | None = None

    def open(self) -> None:
        """Begin."""
        self.rearm()
        self.left, self._due = [], time.monotonic()

    def close(self) -> None:
        """End."""
        self._due = None

    def read(self) -> Frame | None:
        """The next picture; those that nobody read in time are lost, as in a driver with one buffer."""
        if self._due is None or not self.wait(0.0 if self.drawn else self._due - time.monotonic()):
            return None
        index = len(self.left)
        if self.drawn is not None:
            self.drawn.wait(1.0)
            self.drawn.clear()
        arrived = self._due if self.drawn is not None else time.monotonic()
        self._due = max(self._due + self.period, arrived)
        self.left.append(arrived)
        data = np.frombuffer(self.pictures[index % len(self.pictures)], np.uint8)
        return Frame(as_rgb(cv2.imdecode(data, cv2.IMREAD_COLOR)), arrived, self.title, index)
