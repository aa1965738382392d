"""The values of the live pipeline: what is wanted of it, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum

from app.services.tracker import Subject
from engine.detect import Detector
from engine.runtime import Runtime
from engine.schema import Schema
from engine.types import Box, Frame


class State(StrEnum):
    """What the source is doing."""

    IDLE = "idle"
    OPENING = "opening"
    RUNNING = "running"
    STALLED = "stalled"
    LOST = "lost"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True)
class Options:
    """What may change while running.

    detector: a name of engine.detect, or hand for `box` alone; every: frames between two looks of the detector;
    limit: most subjects; smoothing: 0 to 1; heatmaps: whether predictions carry theirs; box: drawn by hand.
    """

    detector: str = "face"
    every: int = 10
    limit: int = 1
    smoothing: float = 0.35
    heatmaps: bool = False
    box: Box | None = None


@dataclass(frozen=True, eq=False)
class Made:
    """A detector that is ready: its name, and the model that it was made for."""

    name: str
    runtime: Runtime
    detector: Detector


@dataclass(frozen=True)
class Wanted:
    """What the pipeline shall do from the next frame on. second: another model for the same frames; made: detectors
    for these models that are ready, so that no frame has to wait for one.
    """

    runtime: Runtime | None = None
    second: Runtime | None = None
    options: Options = field(default_factory=Options)
    made: tuple[Made, ...] = ()

    def ready(self, runtime: Runtime, name: str = "") -> Detector | None:
        """The detector of this name, or any, that was made for a model; None where there is none."""
        return next((m.detector for m in self.made if m.runtime is runtime and name in ("", m.name)), None)


@dataclass(frozen=True)
class Timing:
    """Seconds from a picture's arrival to the screen.

    capture: from arrival until it is ready as pixels; wait: until the predictor took it; detect; engine: the networks;
    decode: crops, and landmarks out of heatmaps; draw: until it stood on the screen.
    """

    capture: float = 0.0
    wait: float = 0.0
    detect: float = 0.0
    engine: float = 0.0
    decode: float = 0.0
    draw: float = 0.0

    @property
    def total(self) -> float:
        return sum(getattr(self, part.name) for part in fields(self))


@dataclass(frozen=True)
class Other:
    """What a second model found in the same frame; seconds: what it took."""

    subjects: tuple[Subject, ...]
    model: str
    schema: Schema
    seconds: float


@dataclass(frozen=True)
class Result:
    """A frame with the subjects found in this very frame. sent: monotonic seconds when it was handed over;
    model: the model's name and schema: what its landmarks are, "" and None without one; other: a second model's.
    """

    frame: Frame
    subjects: tuple[Subject, ...]
    timing: Timing
    sent: float
    model: str = ""
    schema: Schema | None = None
    other: Other | None = None

    @property
    def swapped(self) -> Result:
        """The second model's findings in place of the first one's, and the other way round; as it is without one."""
        if self.other is None or self.schema is None:
            return self
        other, timing = self.other, replace(self.timing, engine=self.other.seconds, decode=0.0)
        mine = Other(self.subjects, self.model, self.schema, self.timing.engine + self.timing.decode)
        return Result(self.frame, other.subjects, timing, self.sent, other.model, other.schema, mine)
