"""Instances from one picture to another: copy, paste, and all of the last picture's at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.project.edits import Batch, PutInstance, RemoveInstance
from app.project.values import Box, Image, Instance
from app.views.label import shapes
from app.views.label.editing import Editing
from app.views.words import mark

LEAST_SIDE = 0.1  # of a box, pixels, however small the picture
ASIDE = 0.1  # of the box: how far a copy in the same picture lies beside its original


@dataclass(frozen=True)
class Clip:
    """What was copied: instances, where from, and the names of their landmarks."""

    instances: tuple[Instance, ...]
    image: Image
    landmarks: tuple[str, ...]


def transplanted(
    instance: Instance, source: Image, image: Image, annotator: str, aside: float = 0.0, inside: bool = True
) -> Instance:
    """A new instance in another picture, at the same place in relation to its size.

    Shapes keep their form: the smaller of the two ratios scales them. Who placed each landmark goes along; what
    the model guessed there does not. `inside` brings what would lie outside the picture to its edge.
    """
    size, old = np.maximum([image.width, image.height], 1), np.maximum([source.width, source.height], 1)
    ratio = size / old
    by = float(ratio.min())
    centre = np.array([instance.box.cx, instance.box.cy])
    target = centre * ratio + aside * instance.box.side
    side = max(instance.box.side * by, LEAST_SIDE)
    box = Box(float(target[0]), float(target[1]), side, instance.box.score, instance.box.origin)
    points = (instance.points - centre) * by + target
    points = shapes.clamped(image, points) if inside else points
    return replace(
        instance, id=0, image=image.id, box=box, points=points, guess=np.full_like(points, np.nan), annotator=annotator
    )


class Transfer(QObject):
    """Commands. pasted: new instances are there, a model may look at them; said: a line for the status bar."""

    pasted = Signal()
    said = Signal(str)

    def __init__(self, editing: Editing, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.editing = editing
        self.clip: Clip | None = None

    def copy(self) -> None:
        """Keep the active instance for a paste."""
        editing = self.editing
        if editing.current is not None:
            self.clip = Clip((editing.current,), editing.image, editing.document.schema.landmarks)
            self.said.emit(self.tr("Copied. Paste it with Ctrl+V, here or in another picture"))

    def paste(self) -> None:
        """Add what was copied as new instances."""
        editing, clip = self.editing, self.clip
        if editing.image is None:
            return
        if clip is None:
            self.said.emit(self.tr("Nothing was copied yet: Ctrl+C copies the active instance"))
        elif clip.landmarks != editing.document.schema.landmarks:
            self.said.emit(self.tr("What was copied has other landmarks than this project"))
        else:
            aside = ASIDE if clip.image.id == editing.image.id else 0.0
            self._put(clip.instances, clip.image, aside, (), mark("Paste"))

    def from_image(self, source: Image | None) -> None:
        """Copy all instances of another picture; they replace those that a model alone has made."""
        editing = self.editing
        if editing.image is None:
            return
        instances = editing.document.instances(source.id) if source is not None else ()
        if not instances:
            self.said.emit(self.tr("There is no earlier picture with labels to copy from"))
            return
        gone = tuple(RemoveInstance(i.id) for i in editing.instances if not i.touched and i.box.origin != "hand")
        self._put(instances, source, 0.0, gone, mark("Copy from the last image"))

    def _put(self, instances: tuple[Instance, ...], source: Image, aside: float, first: tuple, title: str) -> None:
        editing = self.editing
        annotator, inside = editing.document.annotator, not editing.may_leave
        made = [transplanted(i, source, editing.image, annotator, aside, inside) for i in instances]
        known = {i.id for i in editing.instances}
        if editing.apply(Batch((*first, *(PutInstance(i) for i in made)), title)) is None:
            return
        new = [i.id for i in editing.instances if i.id not in known]
        if new:
            editing.activate(new[0])
            self.pasted.emit()
