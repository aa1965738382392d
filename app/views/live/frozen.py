"""A frozen frame and what hands have corrected on it, until it is added to the project or let go."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from app.project.values import Image, Instance, Origin, State
from app.services.pipeline import Result
from app.views.label.shapes import clamp, instance_of


class Frozen:
    """The instances of a frozen result. added: they are in the project as they stand; image: its id there, or 0."""

    def __init__(self, result: Result, annotator: str = "") -> None:
        height, width = result.frame.pixels.shape[:2]
        self.result = result
        self.picture = Image(0, "", width, height, State.NEW, None, "", "")
        self.instances: list[Instance] = [instance_of(s.prediction, self.picture, annotator) for s in result.subjects]
        self.added = False
        self.image = 0
        self.moment = datetime.now()  # for people only: nothing is ordered by it

    @property
    def touched(self) -> bool:
        """Whether a hand has moved a landmark."""
        return any((instance.origin != Origin.MODEL).any() for instance in self.instances)

    def move(self, subject: int, landmark: int, x: float, y: float) -> None:
        """Put a landmark at (x, y) picture pixels, kept inside the picture."""
        self.instances[subject] = self.instances[subject].with_point(landmark, *clamp(self.picture, x, y))
        self.added = False

    def restore(self, subject: int, instance: Instance) -> None:
        """Take a drag back."""
        self.instances[subject] = instance
        self.added = False

    def doubtful(self, limit: float = 0.5) -> int:
        """How many landmarks the model doubts and no hand has touched."""
        return sum(int(np.sum((i.score < limit) & (i.origin == Origin.MODEL))) for i in self.instances)
