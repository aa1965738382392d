"""The One Euro filter (Casiez, Roussel & Vogel, CHI 2012): smooth at rest, quick in motion. Time is passed in."""

from __future__ import annotations

import math

import numpy as np

STILL_CUTOFF = 12.0, 0.6  # Hz at rest, for strength just above 0 and for 1
SPEED_GAIN = 6.0  # Hz of cutoff for each object size a second
SPEED_CUTOFF = 1.5  # Hz, for the speed itself
FORGET = 1.0  # seconds without a frame after which the past does not count


class OneEuro:
    """Smooths landmarks from frame to frame. strength: 0 (off) to 1 (calmest)."""

    def __init__(self, strength: float) -> None:
        if not 0 <= strength <= 1:
            raise ValueError(f"strength must be 0 to 1, not {strength}")
        self.strength = strength
        light, strong = STILL_CUTOFF
        self._cutoff = light * (strong / light) ** strength
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next points come out as they go in."""
        self._time: float | None = None
        self._points = self._speed = np.empty((0, 2))

    def __call__(self, points: np.ndarray, time: float) -> np.ndarray:
        """The smoothed points: (K, 2) pixels at `time` seconds to (K, 2) float64.

        Another number of points, a gap of more than a second or a clock that went back starts anew.
        """
        points = np.array(points, np.float64)
        if self.strength == 0:
            return points
        step = math.inf if self._time is None else time - self._time
        if points.shape != self._points.shape or not 0 <= step <= FORGET or not np.isfinite(points).all():
            self._time, self._points, self._speed = time, points, np.zeros_like(points)
            return points.copy()
        if step == 0:
            return self._points.copy()
        speed = (points - self._points) / step
        self._speed = self._speed + _share(SPEED_CUTOFF, step) * (speed - self._speed)
        size = max(float(np.ptp(points, 0).max()), 1.0)  # speed in object sizes: the same near and far
        pace = np.linalg.norm(self._speed, axis=1, keepdims=True) / size
        share = _share(self._cutoff + SPEED_GAIN * (1 - 0.5 * self.strength) * pace, step)
        self._points = self._points + share * (points - self._points)
        self._time = time
        return self._points.copy()


def _share(cutoff: float | np.ndarray, step: float) -> float | np.ndarray:
    """How much of a change passes a low-pass filter of `cutoff` Hz within `step` seconds."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff * step))
