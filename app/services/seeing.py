"""What happens to one live frame: subjects found, followed and predicted, by one model or two."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from app.services.live_values import Options, Other, Result, Timing, Wanted
from app.services.tracker import Spent, Subject, Tracker
from engine.detect import THROUGH_MODEL, Detector, default_detector, make_detector
from engine.errors import UserError
from engine.predictor import Predictor
from engine.runtime import Runtime
from engine.smoothing import OneEuro
from engine.types import Box, Frame, check_picture

DRAWN = "hand"
SELDOM = 1 << 30  # frames between two looks where only a lost subject is looked for anew
LONGEST = 0.7  # seconds between two looks at most
TRIES = 3  # failures of a detector or model until it is left alone


@dataclass(frozen=True)
class Caught:
    """A frame from the source, and the monotonic seconds at which its pixels were ready."""

    frame: Frame
    ready: float


class DrawnBox:
    """A detector that only knows the box drawn by hand; none where nothing was drawn."""

    name = DRAWN

    def __init__(self, box: Box | None) -> None:
        self.box = box

    def detect(self, picture: np.ndarray) -> list[Box]:
        """The box as it was drawn."""
        check_picture(picture)
        return [] if self.box is None else [self.box]


class Seeing:
    """Predicts frame after frame as it is wanted. One thread only.

    `say(sentence)` hears what failed. A detector or model that raises three times in a row is left alone: the
    detector gives way to the whole picture, the model to none, until another one is wanted.
    """

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._held: Wanted | None = None
        self._tracker: Tracker | None = None
        self._second: Second | None = None
        self._failures = 0

    def see(self, caught: Caught, wanted: Wanted) -> Result:
        """The frame with what is found in it."""
        frame, taken = caught.frame, self._clock()
        if wanted != self._held:
            self._adjust(wanted)
        timing = Timing(max(0.0, caught.ready - frame.time), max(0.0, taken - max(caught.ready, frame.time)))
        tracker, second = self._tracker, self._second
        if tracker is None or wanted.runtime is None:
            return Result(frame, (), timing, self._clock())
        heatmaps, other = wanted.options.heatmaps, None
        try:
            subjects, spent = tracker.step(frame.pixels, frame.time, heatmaps)
            if second is not None:
                other = second.step(frame, subjects, heatmaps)
            self._failures = 0
        except (Exception, SystemExit) as error:  # a plugin's or a model's own; the pictures go on
            subjects, spent = (), Spent()
            self._failed(error, wanted)
        timing = replace(timing, detect=spent.detect, engine=spent.engine, decode=spent.decode)
        model, schema = wanted.runtime.model.name, tracker.schema
        return Result(frame, subjects, timing, self._clock(), model, schema, other)

    # ---- inside

    def _failed(self, error: BaseException, wanted: Wanted) -> None:
        self._failures += 1
        looking = self._tracker.looking
        name = f"The detector {wanted.options.detector}" if looking else wanted.runtime.model.name
        if self._failures == 1:
            self._say(f"{name} failed ({type(error).__name__}: {error}); it is tried again.")
        self._tracker.forget()
        self._kept = "", "", None
        if self._failures < TRIES:
            return
        self._failures = 0
        if looking and self._tracker.detector.name != "whole":
            self._tracker.detector = make_detector("whole", wanted.runtime)
            self._say(f"{name} failed {TRIES} times and is left alone; choose another one.")
        else:
            self._tracker = self._second = None
            self._say(f"{name} failed {TRIES} times and is left alone; choose another model.")

    def _adjust(self, wanted: Wanted) -> None:
        """Make what is wanted; keep what can be kept, so that subjects keep their numbers."""
        held, self._held = self._held, wanted
        runtime, options = wanted.runtime, wanted.options
        same = held is not None and held.runtime is runtime and looks_alike(held.options, options)
        if runtime is None:
            self._tracker = None
        elif self._tracker is None or not same:
            self._tracker = self._make(wanted, runtime)
        if self._tracker is not None:
            drawn = options.detector == DRAWN
            self._tracker.every, self._tracker.longest = (SELDOM, math.inf) if drawn else (options.every, LONGEST)
            self._tracker.limit = options.limit
            if self._tracker.smoothing != options.smoothing:
                self._tracker.smooth(options.smoothing)
        if wanted.second is None or self._tracker is None:
            self._second = None
        elif self._second is None or self._second.runtime is not wanted.second:
            self._second = Second(wanted.second, self._tracker.schema.subject, wanted.ready(wanted.second))
        if self._second is not None:
            self._second.adjust(options)

    def _make(self, wanted: Wanted, runtime: Runtime) -> Tracker | None:
        self._failures, options = 0, wanted.options
        try:
            detector = self._detector(wanted, runtime)
        except UserError as error:
            self._say(str(error))
            return None
        made = Tracker(Predictor(runtime, detector), detector, runtime.model.schema)
        if self._tracker is not None and self._tracker.schema.subject == made.schema.subject:
            redrawn = options.detector == DRAWN and options.box != self._box_drawn
            if not redrawn:
                made.take_over(self._tracker)
        self._box_drawn = options.box
        return made

    def _detector(self, wanted: Wanted, runtime: Runtime) -> Detector:
        """The one that is wanted: ready already, the one before, or made now."""
        options, subject = wanted.options, runtime.model.schema.subject
        if options.detector == DRAWN:
            return DrawnBox(options.box)
        ready = wanted.ready(runtime, options.detector)
        if ready is not None:
            found = ready
        elif self._kept[:2] == (options.detector, subject) and options.detector not in THROUGH_MODEL:
            found = self._kept[2]
        else:
            found = make_detector(options.detector, runtime)
        self._kept = options.detector, subject, found
        return found

    _box_drawn: Box | None = None
    _kept: tuple[str, str, Detector | None] = "", "", None


def looks_alike(one: Options, other: Options) -> bool:
    """Whether both look for subjects in the same way."""
    return one.detector == other.detector and (one.detector != DRAWN or one.box == other.box)


class Second:
    """A second model on the same frames: in the first one's boxes where both are for faces, or both for bodies."""

    def __init__(self, runtime: Runtime, subject: str, ready: Detector | None = None) -> None:
        self.runtime, self._own = runtime, None
        schema = runtime.model.schema
        if schema.subject == subject:
            self._predictor = Predictor(runtime, make_detector("whole", runtime))
        else:
            detector = ready or make_detector(default_detector(schema), runtime)
            self._predictor = Predictor(runtime, detector)
            self._own = Tracker(self._predictor, detector, schema)
        self._smoothing = 0.0
        self._filters: dict[int, OneEuro] = {}

    def adjust(self, options: Options) -> None:
        """Follow the first model's options."""
        if self._own is not None:
            self._own.every, self._own.limit = options.every, options.limit
            self._own.smooth(options.smoothing)
        if options.smoothing != self._smoothing:
            self._smoothing, self._filters = options.smoothing, {}

    def step(self, frame: Frame, subjects: tuple[Subject, ...], heatmaps: bool) -> Other:
        """What it finds in a frame, in which the first model found `subjects`."""
        begin = time.perf_counter()
        if self._own is not None:
            found, _ = self._own.step(frame.pixels, frame.time, heatmaps)
        else:
            self._filters = {s.number: self._filters.get(s.number) or OneEuro(self._smoothing) for s in subjects}
            found = tuple(self._same_box(frame, subject, heatmaps) for subject in subjects)
        model = self.runtime.model
        return Other(found, model.name, model.schema, time.perf_counter() - begin)

    def _same_box(self, frame: Frame, subject: Subject, heatmaps: bool) -> Subject:
        prediction = self._predictor.predict_box(frame.pixels, subject.prediction.box, heatmaps=heatmaps)
        shown = self._filters[subject.number](prediction.landmarks[:, :2], frame.time)
        return Subject(subject.number, prediction, shown)
