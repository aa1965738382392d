"""A source that acts out a script, faults included: for tests and for measuring without a camera."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.sources.base import Interruptible, SourceError, as_rgb
from engine.types import Frame

Kind = Literal["picture", "nothing", "same", "block", "raise", "crash"]


@dataclass(frozen=True)
class Step:
    """One read. picture: a new frame of `size` (width, height); nothing: None, as a lost camera gives;
    same: the last frame's pixels again; block: hang until `release`; raise: SourceError; crash: another error, as a
    plugin's. channels: as the device delivers them, 1, 3 or 4; delay: seconds that the read takes longer; skew:
    seconds by which the frame's time is wrong.
    """

    kind: Kind = "picture"
    size: tuple[int, int] = (160, 120)
    channels: int = 3
    delay: float = 0.0
    skew: float = 0.0


class Synthetic(Interruptible):
    """Plays `script` once, then ends (live False) or gives nothing (live True); one step every `period` seconds.

    Pictures are noise around `base` (H, W, 3) uint8 when given, else a numbered grey ramp. `refuse` is how many
    times `open` fails first. `opened` and `closed` count.
    """

    noisy = True

    def __init__(self, script: Iterable[Step], period: float = 0.0, live: bool = True, refuse: int = 0,
                 base: np.ndarray | None = None) -> None:  # fmt: skip
        super().__init__()
        self.title = "Synthetic"
        self.live = live
        self.period = period
        self.opened = self.closed = 0
        self.refuse = refuse
        self._script = iter(script)
        self._base = base
        self._released = threading.Event()
        self._last: np.ndarray | None = None
        self._index = 0
        self._open = False

    @classmethod
    def endless(cls, period: float = 0.0, step: Step = Step(), **options: object) -> Synthetic:
        """The same step for ever, else pictures of the usual size."""
        return cls(itertools.repeat(step), period, **options)

    def open(self) -> None:
        """Count, and refuse as often as asked."""
        self.rearm()
        self.opened += 1
        if self.refuse > 0:
            self.refuse -= 1
            raise SourceError("The synthetic source refuses to open; wait for it.")
        self._open = True

    def close(self) -> None:
        """Count."""
        self.closed += self._open
        self._open = False

    def release(self) -> None:
        """End a blocked read."""
        self._released.set()

    def read(self) -> Frame | None:
        """Act out the next step."""
        if not self._open or not self.wait(self.period):
            return None
        step = next(self._script, Step("nothing"))
        if step.delay and not self.wait(step.delay):
            return None
        if step.kind == "crash":
            raise ZeroDivisionError("the synthetic source divides by zero")
        if step.kind == "block":
            self._released.wait()
        if step.kind == "raise":
            raise SourceError("The synthetic source broke; start it again.")
        if step.kind in ("nothing", "block"):
            return None
        if step.kind == "picture" or self._last is None:
            picture = self._picture(step.size)
            self._last = picture if step.channels == 3 else as_rgb(np.repeat(picture[..., :1], step.channels, 2))
        frame = Frame(self._last, time.monotonic() + step.skew, self.title, self._index)
        self._index += 1
        return frame

    def _picture(self, size: tuple[int, int]) -> np.ndarray:
        if self._base is not None:
            noise = np.random.default_rng(self._index).integers(0, 2, self._base.shape, np.uint8)
            return np.minimum(self._base, 254) + noise
        ramp = np.linspace(0, 200, size[0]).astype(np.uint8)
        picture = np.broadcast_to(ramp[None, :, None], (size[1], size[0], 3)).copy()
        picture[0, 0] = [self._index % 256, self._index // 256 % 256, self._index // 65536 % 256]
        return picture
