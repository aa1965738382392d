"""Guided placement: one click a landmark in the schema's order, with ghosts of where the rest may be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.project.edits import PutInstance
from app.project.values import Box, Image, Instance, Origin, Visibility
from app.views.label import moves, shapes
from app.views.label.editing import Editing
from app.views.words import mark

FOLLOWS = "landmarks"  # origin of a box that lies around the placed landmarks
LEAST = 8.0  # least side of such a box, pixels


def begun(image: Image, count: int, annotator: str) -> Instance:
    """A new instance of which nothing is placed yet."""
    return Instance(
        0, image.id, Box(image.width / 2, image.height / 2, max(min(image.width, image.height), 1), 1.0, FOLLOWS),
        np.zeros((count, 2)), np.full(count, Visibility.ABSENT, np.uint8), np.full(count, Origin.NONE, np.uint8),
        np.zeros(count, np.float32), np.full((count, 2), np.nan), "", annotator,
    )  # fmt: skip


def around(instance: Instance) -> Instance:
    """The instance with its box around what is placed, where the box follows the landmarks."""
    seen = instance.visibility != Visibility.ABSENT
    if instance.box.origin != FOLLOWS or not seen.any():
        return instance
    x0, y0, x1, y1 = moves.bounds(instance.points[seen])
    return replace(instance, box=Box((x0 + x1) / 2, (y0 + y1) / 2, max(x1 - x0, y1 - y0, LEAST), 1.0, FOLLOWS))


class Placing(QObject):
    """Which landmark is next, and putting it. finished: every landmark has been placed or said to be absent."""

    finished = Signal()

    def __init__(self, editing: Editing, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.editing = editing

    def left(self) -> np.ndarray:
        """(K,) bool: landmarks of the active instance that no hand has placed."""
        instance = self.editing.current
        count = len(self.editing.document.schema) if self.editing.document else 0
        return np.ones(count, bool) if instance is None else np.isin(instance.origin, (Origin.NONE, Origin.MODEL))

    def begin(self) -> None:
        """Select the first landmark that is still to be placed."""
        self._go(-1)

    def _go(self, after: int) -> bool:
        """Select the next landmark that is left after one, round the end; False where none is."""
        left = np.flatnonzero(self.left())
        later = left[left > after]
        if len(left) and self.editing.current is not None:
            self.editing.select(int(later[0] if len(later) else left[0]))
        return len(left) > 0

    @property
    def turn(self) -> int:
        """The landmark whose turn it is: the selected one, at the start the first; -1 without a picture."""
        if self.editing.image is None or self.editing.document is None:
            return -1
        return max(self.editing.landmark, 0)

    def placed(self, x: float, y: float, visibility: Visibility) -> Instance:
        """The active instance, or a new one, with the landmark whose turn it is at a place."""
        editing, k = self.editing, self.turn
        instance = editing.current
        if instance is None:
            instance = begun(editing.image, len(editing.document.schema), editing.document.annotator)
        instance = instance.with_point(k, *editing.clamp(x, y))
        if visibility != Visibility.VISIBLE:
            instance = shapes.with_visibility(instance, [k], visibility)
        return around(instance)

    def preview(self, x: float, y: float, visibility: Visibility) -> None:
        """Show the landmark at a place while the mouse button is down."""
        if self.editing.current is not None and self.turn >= 0:
            self.editing.show_preview(self.placed(x, y, visibility))

    def put(self, x: float, y: float, visibility: Visibility = Visibility.VISIBLE) -> bool:
        """Place the landmark whose turn it is and go on to the next; one edit. True when it was kept."""
        k = self.turn
        if k < 0:
            return False
        name = self.editing.document.schema.landmarks[k]
        return self._commit(self.placed(x, y, visibility), mark("Place {0}").format(name), k)

    def absent(self) -> bool:
        """Say that the landmark whose turn it is cannot be placed, and go on."""
        k = self.turn
        if k < 0:
            return False
        editing = self.editing
        instance = editing.current or begun(editing.image, len(editing.document.schema), editing.document.annotator)
        made = around(shapes.with_visibility(instance, [k], Visibility.ABSENT))
        return self._commit(made, mark("{0}: absent").format(editing.document.schema.landmarks[k]), k)

    def _commit(self, instance: Instance, title: str, landmark: int) -> bool:
        done = self.editing.apply(PutInstance(instance, title))
        self.editing.cancel_preview()
        if done is None:
            return False
        if not instance.id:
            self.editing.activate(done.created)
        if not self._go(landmark):
            self.finished.emit()
        return True

    def ghosts(self) -> np.ndarray:
        """(K, 2) picture pixels: where the mean shape, fitted to what is placed, has the rest; NaN where not."""
        instance = self.editing.shown_current()
        if instance is None:
            return np.empty((0, 2))
        placed = np.isin(instance.origin, (Origin.HAND, Origin.EDITED)) & (instance.visibility != Visibility.ABSENT)
        ghosts = np.full_like(instance.points, np.nan)
        unknown = (instance.origin == Origin.NONE) & (instance.visibility == Visibility.ABSENT)
        if placed.sum() >= 2:
            mean = np.array(self.editing.document.schema.mean)
            fitted = moves.moved_by(moves.similarity(mean[placed], instance.points[placed]), mean)
            ghosts[unknown] = fitted[unknown]
        return ghosts

    def hint(self) -> str:
        """What to do now, in one line."""
        k = self.turn
        if k < 0:
            return ""
        names = self.editing.document.schema.landmarks
        text = self.tr("Click: {0}, {1} of {2}   Shift: occluded   right: absent")
        return text.format(names[k], k + 1, len(names))
