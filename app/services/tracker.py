"""Several subjects through time: found by a detector now and then, followed by their landmarks in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from engine.detect import Detector, follow
from engine.predictor import Predictor
from engine.schema import Schema
from engine.smoothing import OneEuro
from engine.types import Box, Prediction

SAME = 0.5  # boxes whose centres are nearer than this many sides are the same subject


@dataclass(frozen=True)
class Subject:
    """One subject in one frame: the model's prediction, and (K, 2) the smoothed landmarks to draw."""

    number: int
    prediction: Prediction
    shown: np.ndarray


@dataclass
class _Track:
    number: int
    box: Box | None
    smoothing: OneEuro
    last: Prediction | None = None


@dataclass
class Spent:
    """Seconds that a step took."""

    detect: float = 0.0
    engine: float = 0.0
    detected: bool = False


@dataclass
class Tracker:
    """Predicts frame after frame.

    every: frames between two looks of the detector while all subjects are followed; limit: most subjects
    at once; smoothing: 0 to 1.
    """

    predictor: Predictor
    detector: Detector
    schema: Schema
    every: int = 5
    limit: int = 1
    smoothing: float = 0.35
    clock: Callable[[], float] = time.perf_counter
    _tracks: list[_Track] = field(default_factory=list)
    _wait: int = 0
    _numbers: int = 0

    def step(self, picture: np.ndarray, moment: float, heatmaps: bool = False) -> tuple[tuple[Subject, ...], Spent]:
        """Subjects in the picture (H, W, 3) uint8 RGB taken at `moment` seconds, and what it cost."""
        spent = Spent()
        begin = self.clock()
        self._follow(picture)
        if self._wait <= 0 or not self._tracks:
            self._merge(self.detector.detect(picture))
            self._wait, spent.detected = self.every, True
        self._wait -= 1
        spent.detect = self.clock() - begin
        begin = self.clock()
        subjects = []
        for track in self._tracks:
            track.last = self.predictor.predict_box(picture, track.box, heatmaps=heatmaps)
            shown = track.last.landmarks[:, :2]
            if self.smoothing > 0:
                shown = track.smoothing(shown, moment)
            subjects.append(Subject(track.number, track.last, shown))
        spent.engine = self.clock() - begin
        return tuple(subjects), spent

    def smooth(self, strength: float) -> None:
        """Change the smoothing of all subjects, 0 (off) to 1."""
        self.smoothing = strength
        for track in self._tracks:
            track.smoothing = OneEuro(strength)

    def forget(self) -> None:
        """Look for subjects anew in the next frame."""
        self._tracks, self._wait = [], 0

    def _follow(self, picture: np.ndarray) -> None:
        """Move each box to the landmarks of the frame before; subjects whose score fell are lost."""
        height, width = picture.shape[:2]
        kept = []
        for track in self._tracks:
            track.box = follow(track.last, self.schema) if track.last is not None else track.box
            if track.box is not None and -0.5 <= track.box.cx <= width and -0.5 <= track.box.cy <= height:
                kept.append(track)
        self._tracks = [t for i, t in enumerate(kept) if not any(_same(t.box, other.box) for other in kept[:i])]

    def _merge(self, boxes: list[Box]) -> None:
        """Add subjects that no track follows yet, largest first, up to the limit."""
        for box in sorted(boxes, key=lambda box: -box.side):
            if len(self._tracks) >= self.limit:
                break
            if not any(_same(box, track.box) for track in self._tracks):
                self._numbers = self._numbers + 1 if self._tracks else 1
                self._tracks.append(_Track(self._numbers, box, OneEuro(self.smoothing)))
        del self._tracks[self.limit :]


def _same(one: Box, other: Box) -> bool:
    distance = np.hypot(one.cx - other.cx, one.cy - other.cy)
    return bool(distance < SAME * min(one.side, other.side))
