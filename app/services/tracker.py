"""Several subjects through time: found by a detector now and then, followed by their landmarks in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from engine.detect import Detector, follow, overlap, suppress
from engine.predictor import Predictor
from engine.schema import Schema
from engine.shape import without_outliers
from engine.smoothing import OneEuro
from engine.types import Box, Prediction

SAME = 0.3  # boxes that overlap more than this (intersection / union) are the same subject
CLOSE = 0.5  # a followed box that overlaps the detector's less than this has drifted
PATIENCE = 3  # looks of the detector that a followed subject may stay unseen in
FARTHEST = 0.5  # box sides that a subject may move between two frames
GROWTH = 1.35  # how much larger or smaller it may become between two frames


@dataclass(frozen=True)
class Subject:
    """One subject in one frame: the model's prediction, and (K, 2) the smoothed landmarks to draw."""

    number: int
    prediction: Prediction
    shown: np.ndarray


@dataclass
class _Track:
    number: int
    box: Box
    smoothing: OneEuro
    last: Prediction | None = None
    unseen: int = 0


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
    every: int = 10
    limit: int = 1
    smoothing: float = 0.35
    clock: Callable[[], float] = time.perf_counter
    _tracks: list[_Track] = field(default_factory=list)
    _wait: int = 0

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
        """Move each box to the landmarks of the frame before; subjects whose landmarks fell apart are lost."""
        height, width = picture.shape[:2]
        kept: list[_Track] = []
        for track in self._tracks:
            box = self._next_box(track.last) if track.last is not None else track.box
            if box is None or (track.last is not None and not _plausible(track.last.box, box)):
                continue
            inside = 0 <= box.cx < width and 0 <= box.cy < height
            if inside and not any(overlap(box, other.box) > SAME for other in kept):
                track.box = box
                kept.append(track)
        self._tracks = kept

    def _next_box(self, last: Prediction) -> Box | None:
        """Where the subject should be now. In a face, single landmarks that went astray must not move the box."""
        if self.schema.subject == "face":
            last = replace(last, landmarks=without_outliers(self.schema, last.landmarks))
        return follow(last, self.schema)

    def _merge(self, boxes: list[Box]) -> None:
        """Compare with what the detector sees: new subjects begin, and a track that it does not see gives way.

        A detector misses turned heads, so that a track without a counterpart goes on for some looks, unless
        its place is needed for a subject that is certainly there.
        """
        fresh = sorted(suppress(boxes), key=lambda box: -box.side)
        for track in self._tracks:
            seen = next((box for box in fresh if overlap(box, track.box) > SAME), None)
            track.unseen = 0 if seen is not None else track.unseen + 1
            if seen is not None and overlap(seen, track.box) < CLOSE:
                track.box = seen
            fresh = [box for box in fresh if box is not seen]
        self._tracks = [track for track in self._tracks if track.unseen <= PATIENCE]
        room = self.limit - sum(track.unseen == 0 for track in self._tracks)
        fresh = fresh[: max(room, 0)]
        doubted = [track for track in self._tracks if track.unseen]
        for track in doubted[: max(0, len(self._tracks) + len(fresh) - self.limit)]:
            self._tracks.remove(track)
        for box in fresh:
            self._tracks.append(_Track(self._free_number(), box, OneEuro(self.smoothing)))
        del self._tracks[self.limit :]

    def _free_number(self) -> int:
        """The lowest number that no subject has."""
        taken = {track.number for track in self._tracks}
        return next(n for n in range(1, len(taken) + 2) if n not in taken)


def _plausible(before: Box, after: Box) -> bool:
    """Whether a subject can have come from one box to the other within a frame."""
    moved = np.hypot(after.cx - before.cx, after.cy - before.cy) / before.side
    return bool(moved < FARTHEST and 1 / GROWTH < after.side / before.side < GROWTH)
