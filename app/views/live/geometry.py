"""Where a frame lies in the view, and the way from its pixels to the screen and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Fit:
    """A frame of (width, height) pixels in (across, down) screen pixels: whole and in the middle, or nearer.

    zoom: how many times as large; centre: the picture pixels in the middle of the screen then, where the frame still
    fills it. The mirror is in the drawing only: picture pixels never change. Picture pixel (0, 0) has its centre
    at (0, 0), so the frame's left edge is at -0.5.
    """

    width: int
    height: int
    across: float
    down: float
    mirror: bool = False
    zoom: float = 1.0
    centre: tuple[float, float] | None = None

    @property
    def scale(self) -> float:
        """Screen pixels a picture pixel."""
        return max(min(self.across / self.width, self.down / self.height) * self.zoom, 1e-6)

    @property
    def rect(self) -> tuple[float, float, float, float]:
        """x, y, width, height of the frame on the screen; the corner on whole pixels."""
        wide, high = self.width * self.scale, self.height * self.scale
        middle = (self.width / 2 - 0.5, self.height / 2 - 0.5) if self.centre is None else self.centre
        x, y = (middle[0] + 0.5) * self.scale, (middle[1] + 0.5) * self.scale
        return _begin(self.across, wide, wide - x if self.mirror else x), _begin(self.down, high, y), wide, high

    def to_screen(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) picture pixels to screen pixels, float64."""
        x, y, wide, _ = self.rect
        placed = (np.asarray(points, np.float64) + 0.5) * self.scale
        if self.mirror:
            placed = np.stack([wide - placed[..., 0], placed[..., 1]], -1)
        return placed + (x, y)

    def to_picture(self, x: float, y: float) -> tuple[float, float]:
        """Screen pixels to picture pixels, kept within the picture."""
        left, top, wide, _ = self.rect
        across, down = x - left, y - top
        if self.mirror:
            across = wide - across
        px, py = across / self.scale - 0.5, down / self.scale - 0.5
        return min(max(px, 0.0), self.width - 1.0), min(max(py, 0.0), self.height - 1.0)


def _begin(room: float, length: float, middle: float) -> float:
    """Where a frame of `length` begins in `room`, so that its `middle` is in the room's."""
    if length <= room:
        return round((room - length) / 2)
    return round(min(max(room / 2 - middle, room - length), 0.0))


def nearest(points: np.ndarray, x: float, y: float, radius: float, selected: int = -1, favour: float = 4.0) -> int:
    """Index of the mark within `radius` of (x, y), the nearest one, -1 if none; the selected reaches farther.

    points (K, 2) screen pixels; NaN where a landmark has no place.
    """
    distance = np.hypot(points[:, 0] - x, points[:, 1] - y)
    if 0 <= selected < len(points):
        distance[selected] -= favour
    distance = np.where(np.isfinite(distance), distance, np.inf)
    best = int(distance.argmin()) if len(distance) else -1
    return best if best >= 0 and distance[best] <= radius else -1
