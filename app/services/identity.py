"""Who is who among several subjects: by where they were going and by what they look like."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from engine.types import Box

GRID, FINER = 8, 4  # cells a side of a look, and samples a side of a cell
AROUND = 1.3  # of the box: hair and collar tell people apart
LEARN = 0.1  # of the newest look in the one that is held
STEADY = 0.3  # seconds over which a velocity is measured
COAST = 0.7  # seconds that a lost subject is believed to go on as it went
# Looks that correlate more than this may be the same subject's. Of 80 faces moved, turned and scaled by some per cent
# nine tenths stay above it; of pairs of different ones three in a hundred are.
ALIKE = 0.72


def look_of(picture: np.ndarray, box: Box) -> np.ndarray:
    """(192,) float32 of length 1: mean colours of 8 x 8 cells of a box with its surroundings, less their mean grey.

    picture: (H, W, 3) uint8; places outside it repeat its edge. Zeros where all is the same grey.
    """
    height, width = picture.shape[:2]
    steps = ((np.arange(GRID * FINER) + 0.5) / (GRID * FINER) - 0.5) * box.side * AROUND
    rows = np.clip(np.rint(box.cy + steps), 0, height - 1).astype(int)
    columns = np.clip(np.rint(box.cx + steps), 0, width - 1).astype(int)
    samples = picture[rows[:, None], columns].astype(np.float32).reshape(GRID, FINER, GRID, FINER, 3)
    cells = samples.mean((1, 3))
    cells -= cells.mean()
    length = float(np.linalg.norm(cells))
    return (cells / length if length > 1e-3 else np.zeros_like(cells)).reshape(-1)


@dataclass
class Bearing:
    """What is known of one subject's place, motion and look; `moment` in seconds of the frames' own time."""

    box: Box
    moment: float
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(2))
    look: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.since = self.moment  # when it was seen first

    def went(self, box: Box, moment: float) -> None:
        """The subject is at a box now."""
        step = moment - self.moment
        if step > 0:
            share = 1 - math.exp(-step / STEADY)
            now = np.array([box.cx - self.box.cx, box.cy - self.box.cy]) / step
            self.velocity = self.velocity + share * (now - self.velocity)
        self.box, self.moment = box, moment

    def looked(self, look: np.ndarray) -> None:
        """The subject looks so now."""
        self.look = look if self.look is None else self.look + LEARN * (look - self.look)

    def expected(self, moment: float) -> Box:
        """Where the subject should be, as it was going."""
        step = min(max(moment - self.moment, 0.0), COAST)
        x, y = self.velocity * step
        return Box(self.box.cx + x, self.box.cy + y, self.box.side, self.box.score, self.box.origin)

    def likeness(self, look: np.ndarray) -> float:
        """How much a look is like this subject's, -1 to 1; 0 where none is held."""
        if self.look is None:
            return 0.0
        return float(self.look @ look / max(float(np.linalg.norm(self.look)), 1e-6))

    def surprise(self, box: Box, look: np.ndarray, moment: float) -> float:
        """How unlike this subject a box is: by place and size in box sides, and by look."""
        place = self.expected(moment)
        away = math.hypot(box.cx - place.cx, box.cy - place.cy) / place.side
        return away + abs(math.log(box.side / place.side)) + 1 - self.likeness(look)
