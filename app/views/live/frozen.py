"""A frozen frame and what hands have corrected on it, until it is added to the project or let go."""

from __future__ import annotations

from datetime import datetime

from app.project.values import Image, Instance, State, Visibility
from app.services.drafts import Draft
from app.services.pipeline import Result
from app.views.label.shapes import clamp, instance_of, with_visibility


class Frozen:
    """The instances of a frozen result. added: they are in the project as they stand; image: its id there, or 0.

    kept: id and file name of the image that it last was added as, in this project or another; see Draft.
    """

    def __init__(self, result: Result, annotator: str = "") -> None:
        height, width = result.frame.pixels.shape[:2]
        self.result = result
        self.picture = Image(0, "", width, height, State.NEW, None, "", "")
        self.instances: list[Instance] = [instance_of(s.prediction, self.picture, annotator) for s in result.subjects]
        self.added = False
        self.image = 0
        self.kept: tuple[int, str] = (0, "")
        self.moment = datetime.now()  # for people only: nothing is ordered by it
        self._past: list[list[Instance]] = []
        self._future: list[list[Instance]] = []

    @classmethod
    def again(cls, draft: Draft) -> Frozen:
        """As it was kept."""
        made = cls(draft.result)
        made.instances[:] = draft.instances
        made.moment, made.kept = draft.moment, draft.kept
        return made

    @property
    def draft(self) -> Draft:
        """What is to be kept of it as it stands."""
        return Draft(self.result, tuple(self.instances), self.moment, self.kept)

    @property
    def touched(self) -> bool:
        """Whether a hand has moved a landmark or judged its visibility."""
        return any(instance.touched for instance in self.instances)

    def move(self, subject: int, landmark: int, x: float, y: float, again: bool = False) -> None:
        """Put a landmark at (x, y) picture pixels, kept inside the picture; again: a drag goes on, one step to undo."""
        self._put(subject, self.instances[subject].with_point(landmark, *clamp(self.picture, x, y)), again)

    def judge(self, subject: int, landmark: int, visibility: Visibility) -> None:
        """Say whether a landmark is visible, occluded or absent."""
        self._put(subject, with_visibility(self.instances[subject], [landmark], visibility))

    def undo(self) -> bool:
        """Take the last correction back; False where there is none."""
        return self._step(self._past, self._future)

    def redo(self) -> bool:
        """Correct again what was taken back; False where there is nothing."""
        return self._step(self._future, self._past)

    def _put(self, subject: int, instance: Instance, again: bool = False) -> None:
        if not again:
            self._past.append(list(self.instances))
            self._future.clear()
        self.instances[subject] = instance
        self.added = False

    def _step(self, source: list[list[Instance]], target: list[list[Instance]]) -> bool:
        if not source:
            return False
        target.append(list(self.instances))
        self.instances[:] = source.pop()
        self.added = False
        return True
