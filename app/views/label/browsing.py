"""Going through the project's pictures: which one is on screen, loading it, accepting and moving on."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.project.document import Change, Document
from app.project.edits import Fingerprint, Onto, Predicted, SetState
from app.project.values import Image, State
from app.services.likeness import Likeness
from app.services.pictures import Picture, Pictures
from app.services.stills import Stills
from app.views.label import shapes
from app.views.label.editing import Editing
from app.views.label.guesses import Guesses, Order
from app.views.label.queue_model import QueueModel
from engine.errors import UserError

OPEN = frozenset({State.NEW, State.PREDICTED, State.IN_WORK, State.BROKEN})
THUMBNAIL = 96  # pixels: 48 at twice their size


class Browsing(QObject):
    """Keeps queue, editing and the loading of pictures in step."""

    moved = Signal()  # another picture, or another place in the list
    picture_loaded = Signal(object)  # Picture
    picture_failed = Signal(str)
    picture_missing = Signal(str)
    size_differs = Signal(int, int)

    def __init__(self, editing: Editing, guesses: Guesses, stills: Stills, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.editing, self.guesses, self.stills = editing, guesses, stills
        self.pictures = Pictures(stills.cache, THUMBNAIL, self)
        self.model = QueueModel(self.pictures, self)
        self.likeness = Likeness(self)
        self.document: Document | None = None
        self.picture: Picture | None = None
        self._unsubscribe = None
        self.pictures.loaded.connect(self._loaded)
        self.pictures.failed.connect(self._failed)
        self.pictures.missing.connect(self._missing)
        stills.failed.connect(self._unreadable)
        self.likeness.found.connect(self._looked)
        self.likeness.grouped.connect(self.model.take_groups)
        self.model.group_wanted.connect(self._group)

    # ---- the document
    def open(self, document: Document | None) -> None:
        """Go through another document's pictures, or none."""
        self.leave()
        self.likeness.cancel()
        self.document = document
        self.stills.set_schema(document.schema if document else None)
        self.editing.open(document)
        self.model.open(document)
        if document is not None:
            self._unsubscribe = document.subscribe(self._heard)
        first = self.model.neighbour(None, 1, to_check=True)
        self.show(first if first is not None else self.model.neighbour(None, 1))
        self.predict_all()

    def leave(self) -> None:
        """Stop listening to the document."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def close(self) -> bool:
        """End the loading thread; True when it has ended in time."""
        self.leave()
        return self.pictures.close() & self.likeness.close()

    def compare(self) -> None:
        """Find out in the background what the pictures look like that nobody has looked at for that."""
        if self.document is not None and not self.document.read_only:
            document = self.document
            self.likeness.look_at(self.model.columns.without_print(), partial(_place, document), document)

    def _group(self) -> None:
        columns = self.model.columns
        self.likeness.group(columns.prints.copy(), columns.has_print.copy(), columns)

    def _looked(self, document: Document, prints: tuple[tuple[int, str], ...]) -> None:
        if document is not self.document:
            return
        held = tuple((id, found) for id, found in prints if shapes.find(self.document, id) is not None)
        if held:
            self.editing.apply(Fingerprint(held))

    def _heard(self, change: Change) -> None:
        known, current = self.model.count("all"), self.current
        around = [self.model.neighbour(current, step) for step in (1, -1)] if current in change.images else []
        self.model.heard(change)
        self.editing.heard(change)
        if self.editing.image is None:  # it was taken out
            left = (image for image in around if shapes.find(self.document, image) is not None)
            self.show(next(left, self.model.neighbour(None, 1)))
        if self.model.count("all") > known:
            self.predict_all()
        self.moved.emit()

    def path(self, image: Image) -> Path:
        """Where a picture lies."""
        return Path(self.document.picture_path(image))

    def predict_all(self, again: bool = False) -> None:
        """Predict the new pictures in the background; `again` also those that only a model has labelled."""
        states = (State.NEW, State.PREDICTED) if again else (State.NEW,)
        if self.document is not None and not self.document.read_only:
            self.stills.predict_all(self.model.ids_in(states), partial(_place, self.document))

    def predict_onto(self, onto: Onto) -> None:
        """Predict in the background what has no labels at all, or all that only models have labelled."""
        if self.document is not None and not self.document.read_only:
            images = self.model.ids_in(OPEN if onto is Onto.MODEL else OPEN | {State.DONE_EMPTY})
            self.stills.predict_all(images, partial(_place, self.document, onto=onto), Order(onto))

    # ---- the picture on screen
    @property
    def current(self) -> int | None:
        """The id of the picture on screen."""
        return self.editing.image.id if self.editing.image else None

    def show(self, image: int | None) -> None:
        """Put a picture on screen."""
        if image is not None and image == self.current:
            return
        self.picture = None
        self.editing.show(image)
        self.model.keep(image)
        self.moved.emit()
        if self.editing.image is not None:
            self.editing.awaited = True
            self.load()
            self.guesses.ask()
            after = self.model.image_at(self.model.row_of(image) + 1)
            if after is not None:
                self.pictures.prefetch(after.id, self.path(after))

    def point_at(self, image: int, points: np.ndarray, landmark: int) -> None:
        """Show a landmark of a subject: the picture, and the instance that lies nearest in hand."""
        self.show(image)
        middle = np.asarray(points).mean(0)
        away = {i.id: float(np.linalg.norm(i.points.mean(0) - middle)) for i in self.editing.instances}
        if away:
            self.editing.activate(min(away, key=away.__getitem__))
            self.editing.select(landmark)

    def before(self, image: int) -> int | None:
        """The picture before one in the list."""
        return self.model.neighbour(image, -1)

    def load(self) -> None:
        """Read the picture on screen from its file."""
        self.pictures.show(self.current, self.path(self.editing.image))

    def look_again(self) -> None:
        """Try a picture again that could not be read."""
        if self.editing.image is None:
            return
        if self.editing.image.state is State.BROKEN:
            self.editing.apply(SetState(self.current, State.NEW))
        self.load()
        self.guesses.ask()

    def step(self, step: int) -> None:
        """The next or previous picture of the list."""
        found = self.model.neighbour(self.current, step)
        if found is not None:
            self.show(found)

    def step_to_check(self, step: int) -> bool:
        """The next or previous picture that needs a look; False where there is none."""
        found = self.model.neighbour(self.current, step, to_check=True)
        if found is not None:
            self.show(found)
        return found is not None

    def accept(self) -> bool:
        """Store the labels as checked, and go on; a picture that cannot be read is nothing to accept."""
        image = self.editing.image
        return image is not None and image.state is not State.BROKEN and self._finish(self.editing.accept)

    def reject(self) -> bool:
        """Keep the picture out, and go on."""
        return self._finish(self.editing.reject)

    def remove(self) -> None:
        """Take the picture out of the project, and go on with its neighbour."""
        self.editing.remove_image()

    def _finish(self, command: object) -> bool:
        after = self.model.neighbour(self.current, 1, to_check=True)
        if not command():
            return False
        if after is not None:
            self.show(after)
        return True

    def undo(self) -> None:
        """Take back the last edit; where predictions that were ordered are, nothing more comes of any order."""
        adopted = self.document is not None and self.document.undo_title == Predicted.title
        change = self.editing.undo()
        if adopted and change is not None:
            self.guesses.withdraw_orders()
        self.travel(change)

    def travel(self, change: Change | None) -> None:
        """Show what undo or redo has changed."""
        if change is None or self.current in change.images:
            return
        for image in sorted(change.images):
            if shapes.find(self.document, image) is not None:
                self.show(image)
                return

    # ---- what the threads say
    def _loaded(self, image: int, picture: Picture) -> None:
        if image != self.current:
            return
        self.picture = picture
        self._came(seen=True)
        self.picture_loaded.emit(picture)
        if picture.size != (self.editing.image.width, self.editing.image.height):
            self.size_differs.emit(*picture.size)

    def _came(self, seen: bool) -> None:
        self.editing.awaited = False
        self.editing.set_unseen(not seen)

    def _failed(self, image: int, reason: str) -> None:
        if image == self.current:
            self._came(seen=False)
            self.picture_failed.emit(reason)

    def _missing(self, image: int, reason: str) -> None:
        if image == self.current:
            self._came(seen=False)
            self.picture_missing.emit(reason)

    def _unreadable(self, image: int, reason: str) -> None:
        """A picture that no model could read is marked, unless it has been worked on."""
        held = shapes.find(self.document, image)
        if held is not None and held.state is State.NEW:
            self.editing.apply(SetState(image, State.BROKEN, reason))


def _place(document: Document, image: int, onto: Onto = Onto.NEW) -> Path | None:
    """Where an image's file is; None where the image is gone, or has labels and is wanted without. For any thread."""
    try:
        held = shapes.find(document, image)
        if held is None or (onto is Onto.EMPTY and document.instances(image)):
            return None
        return document.picture_path(held)
    except UserError:  # gone meanwhile
        return None
