"""Several subjects through time: found by a detector now and then, followed by their landmarks in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from app.services.following import next_box, plausible
from app.services.identity import ALIKE, Bearing, look_of
from engine.architecture import SEGMENTATION
from engine.detect import Detector, Watcher
from engine.persons import GUESSED
from engine.predictor import Predictor
from engine.schema import Schema
from engine.smoothing import OneEuro
from engine.types import SAME, Box, Prediction, overlap, suppress

CLOSE = 0.5  # a followed box that overlaps the detector's less than this has drifted
PATIENCE = 3  # looks of the detector that a followed subject may stay unseen in
REMEMBERED = 4.0  # seconds that a lost subject's number is kept for it
NEARBY = 1.0  # seconds in which it is looked for about where it was going
AGAIN = 0.1  # boxes that overlap more than this may be a subject lost a moment ago
YOUNG, KNOWN = 2.0, 0.5  # seconds in which a new subject may turn out to be a lost one that was there this long
CLEARLY = 0.2  # by how much a lost subject must be more like a face than the one that is followed there
ALONE = 0.05  # boxes that overlap more than this spoil each other's looks
FALLEN = 0.6  # of its usual score, under which the detector looks again soon
RECOVER = 2  # frames until then
SHARE = 0.1  # of the newest score in the usual one


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
    bearing: Bearing
    last: Prediction | None = None
    before: Prediction | None = None  # the one before the last
    unseen: int = 0
    usual: float = 0.0  # what its score was like lately
    gone: float = 0.0  # seconds of the frame in which it was lost

    @property
    def fallen(self) -> bool:
        """Whether its score is far under what it was lately."""
        return self.last is not None and self.last.score < FALLEN * self.usual


@dataclass
class Spent:
    """Seconds that a step took."""

    detect: float = 0.0
    engine: float = 0.0
    decode: float = 0.0
    detected: bool = False


@dataclass
class Tracker:
    """Predicts frame after frame.

    every: frames between two looks of the detector while all subjects are followed; longest: seconds between them,
    as on a slow machine much happens from frame to frame; limit: most subjects at once; smoothing: 0 to 1.
    """

    predictor: Predictor
    detector: Detector
    schema: Schema
    every: int = 10
    longest: float = 0.7
    limit: int = 1
    smoothing: float = 0.35
    clock: Callable[[], float] = time.perf_counter
    _tracks: list[_Track] = field(default_factory=list)
    _lost: list[_Track] = field(default_factory=list)
    _wait: int = 0
    _looked: float = 0.0
    looking: bool = False  # whether the detector is at work, for who hears of an error

    def step(self, picture: np.ndarray, moment: float, heatmaps: bool = False) -> tuple[tuple[Subject, ...], Spent]:
        """Subjects in the picture (H, W, 3) uint8 RGB taken at `moment` seconds, and what it cost."""
        spent = Spent()
        begin = self.clock()
        self._lost = [track for track in self._lost if 0 <= moment - track.gone <= REMEMBERED]
        if self._follow(picture, moment):
            self._wait = 0
        overdue = abs(moment - self._looked) > self.longest
        if self._wait <= 0 or overdue or not self._tracks or self.divided:
            self._looked = moment
            self.looking = True
            self._merge(self._sought(picture), picture, moment)
            self.looking = False
            self._wait, spent.detected = self.every, True
        self._wait -= 1
        spent.detect = self.clock() - begin
        begin, before = self.clock(), self.predictor.seconds
        subjects, tracks, self._tracks = [], self._tracks, []
        for track in tracks:
            track.before, track.last = track.last, self.predictor.predict_box(picture, track.box, heatmaps=heatmaps)
            if track.before is None and not self.predictor.stands(track.last):
                continue
            self._tracks.append(track)
            if track.fallen:
                self._wait = min(self._wait, RECOVER)
            track.usual += SHARE * (track.last.score - track.usual) if track.usual else track.last.score
            shown = track.last.landmarks[:, :2]
            if self.smoothing > 0:
                shown = track.smoothing(shown, moment)
            subjects.append(Subject(track.number, track.last, shown))
        self._learn(picture, moment)
        spent.engine = self.predictor.seconds - before
        spent.decode = max(0.0, self.clock() - begin - spent.engine)
        return tuple(subjects), spent

    def _sought(self, picture: np.ndarray) -> list[Box]:
        """What the detector sees; people it need not look for while they are followed."""
        if not isinstance(self.detector, Watcher):
            return self.detector.detect(picture)
        followed = [track.last for track in self._tracks if track.last is not None]
        return self.detector.watch(picture, followed, room=len(self._tracks) < self.limit)

    @property
    def divided(self) -> bool:
        """Whether the model tells parts: nothing to follow by, so that the detector looks at every frame."""
        return self.predictor.runtime.model.head == SEGMENTATION

    def take_over(self, other: Tracker) -> None:
        """Go on with another tracker's subjects, as when the model changes: same boxes, same numbers."""
        for track in other._tracks:
            made = _Track(track.number, track.box, OneEuro(self.smoothing), track.bearing, unseen=track.unseen)
            self._tracks.append(made)
        self._wait = other._wait

    def smooth(self, strength: float) -> None:
        """Change the smoothing of all subjects, 0 (off) to 1."""
        self.smoothing = strength
        for track in self._tracks:
            track.smoothing = OneEuro(strength)

    def forget(self) -> None:
        """Look for subjects anew in the next frame."""
        self._tracks, self._lost, self._wait, self.looking = [], [], 0, False

    def _learn(self, picture: np.ndarray, moment: float) -> None:
        """Where each subject is now, and what it looks like where no other one is near."""
        for track in self._tracks:
            track.bearing.went(track.box, moment)
            others = (other for other in self._tracks if other is not track)
            if self.limit > 1 and not track.fallen and not any(overlap(track.box, o.box) > ALONE for o in others):
                track.bearing.looked(look_of(picture, track.box))

    def _follow(self, picture: np.ndarray, moment: float) -> bool:
        """Move each box to the landmarks of the frame before; subjects whose landmarks fell apart are lost.

        Where two come to the same face, as behind one another, it is the one's whose it looks to be. True where
        one was lost.
        """
        height, width = picture.shape[:2]
        kept: list[tuple[_Track, Box]] = []
        for track in self._tracks:
            box = next_box(self.schema, track.last, track.before) if track.last is not None else track.box
            if box is None or (track.last is not None and not plausible(track.last.box, box)):
                continue
            if not (0 <= box.cx < width and 0 <= box.cy < height):
                continue
            rivals = [pair for pair in kept if overlap(box, pair[1]) > SAME]
            if rivals:
                mine = track.bearing.surprise(box, look_of(picture, box), moment)
                if any(r.bearing.surprise(b, look_of(picture, b), moment) <= mine for r, b in rivals):
                    continue
                kept = [pair for pair in kept if pair not in rivals]
            kept.append((track, box))
        held = [track for track, _ in kept]
        lost = [track for track in self._tracks if track not in held]
        for track in lost:
            track.gone = moment
        for track, box in kept:
            track.box = box
        self._lost += lost
        self._tracks = [track for track in self._tracks if track in held]
        return bool(lost)

    def _merge(self, boxes: list[Box], picture: np.ndarray, moment: float) -> None:
        """Compare with what the detector sees: new subjects begin, and a track that it does not see gives way.

        A detector misses turned heads, so that a track without a counterpart goes on for some looks, unless
        its score has fallen too, or its place is needed for a subject that is certainly there.
        """
        fresh = sorted(suppress(boxes), key=lambda box: -box.side)
        matched = _match(self._tracks, fresh, SAME)
        patience = PATIENCE * (self.every if self.divided else 1)
        for n, track in enumerate(self._tracks):
            seen = matched.get(n)
            track.unseen = 0 if seen is not None else track.unseen + 1
            if seen is not None and (self.divided or seen.origin == GUESSED or overlap(seen, track.box) < CLOSE):
                track.box = seen
        fresh = [box for box in fresh if not any(box is seen for seen in matched.values())]
        if self.limit > 1:
            self._tracks = [self._recognised(track, picture, moment) for track in self._tracks]
        self._leave([t for t in self._tracks if t.unseen > patience or (t.unseen and t.fallen)], moment)
        room = self.limit - sum(track.unseen == 0 for track in self._tracks)
        fresh = fresh[: max(room, 0)]
        doubted = [track for track in self._tracks if track.unseen]
        self._leave(doubted[: max(0, len(self._tracks) + len(fresh) - self.limit)], moment)
        # Who was lost a moment ago and is seen again keeps the number; then new ones get theirs.
        returned = self._returned(fresh, picture, moment)
        for box in sorted(fresh, key=lambda box: id(box) not in returned):
            track = returned.get(id(box))
            if track is not None and track.number in {t.number for t in self._tracks}:
                track = None
            if track is not None:
                self._lost = [lost for lost in self._lost if lost is not track]
                track.bearing.box, track.bearing.moment = box, moment
                self._tracks.append(_Track(track.number, box, track.smoothing, track.bearing))
            else:
                number = self._free_number()
                self._tracks.append(_Track(number, box, OneEuro(self.smoothing), Bearing(box, moment)))
        del self._tracks[self.limit :]

    def _leave(self, tracks: list[_Track], moment: float) -> None:
        for track in tracks:
            track.gone = moment
        self._tracks = [track for track in self._tracks if not any(track is left for left in tracks)]
        self._lost += tracks

    def _recognised(self, track: _Track, picture: np.ndarray, moment: float) -> _Track:
        """The track, or in its place a lost subject whose face it has come to follow."""
        look = look_of(picture, track.box)
        known = [lost for lost in self._lost if lost.gone - lost.bearing.since > KNOWN]
        best = max(known, key=lambda lost: lost.bearing.likeness(look), default=None)
        if best is None or track.unseen or best.number in {t.number for t in self._tracks}:
            return track
        likeness, young = best.bearing.likeness(look), moment - track.bearing.since < YOUNG
        if likeness < ALIKE or not (young or likeness > track.bearing.likeness(look) + CLEARLY):
            return track
        track.gone = moment
        self._lost = [*([] if young else [track]), *(lost for lost in self._lost if lost is not best)]
        best.bearing.box, best.bearing.moment = track.box, moment
        return _Track(best.number, track.box, best.smoothing, best.bearing)

    def _returned(self, fresh: list[Box], picture: np.ndarray, moment: float) -> dict[int, _Track]:
        """Lost subjects by the id of the box in which they are seen again."""
        pairs = []
        for n, track in enumerate(self._lost):
            bearing = track.bearing
            for m, box in enumerate(fresh):
                likeness = bearing.likeness(look_of(picture, box))
                near = moment - track.gone <= NEARBY and max(
                    overlap(box, bearing.expected(moment)), overlap(box, bearing.box)
                ) > AGAIN  # fmt: skip
                if likeness > ALIKE or near:
                    pairs.append((likeness + near, n, m))
        found: dict[int, _Track] = {}
        for _, n, m in sorted(pairs, reverse=True):
            if id(fresh[m]) not in found and not any(self._lost[n] is track for track in found.values()):
                found[id(fresh[m])] = self._lost[n]
        return found

    def _free_number(self) -> int:
        """The lowest number that no subject has."""
        taken = {track.number for track in self._tracks}
        remembered = {track.number for track in self._lost} if len(taken) + len(self._lost) < self.limit else set()
        taken |= remembered
        return next(n for n in range(1, len(taken) + 2) if n not in taken)


def _match(tracks: list[_Track], boxes: list[Box], least: float) -> dict[int, Box]:
    """Each track's box by its place in the list: the pairs that overlap most are served first."""
    pairs = sorted(
        ((overlap(box, track.box), n, m) for n, track in enumerate(tracks) for m, box in enumerate(boxes)), reverse=True
    )
    found: dict[int, Box] = {}
    taken: set[int] = set()
    for shared, n, m in pairs:
        if shared > least and n not in found and m not in taken:
            found[n] = boxes[m]
            taken.add(m)
    return found
