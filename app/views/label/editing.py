"""What the Label workspace edits: the picture on screen, its instances, the selection, and every command.

No widgets: the canvas, the inspector and the queue listen to one `Editing` and call its methods. All
changes go through `document.apply`; what is shown is what the document holds, but for a drag in hand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from app.project.document import Change, Document
from app.project.edits import Accept, PutInstance, Reject, RemoveImages, RemoveInstance, SetTags
from app.project.values import Box, Image, Instance, Visibility
from app.views.label import shapes
from app.views.words import mark
from engine.errors import UserError

FLAG = "flagged"  # the tag of key G
CYCLE = (Visibility.VISIBLE, Visibility.OCCLUDED, Visibility.ABSENT)


class Editing(QObject):
    """State and commands. `landmark` is -1 and `active` None where nothing is selected.

    `chosen` are all selected landmarks, `landmark` the one that was selected last. `may_leave`: landmarks may
    lie outside the picture. `unseen`: the picture cannot be shown; `awaited`: it is still being read; what needs
    eyes is then refused.
    """

    image_changed = Signal()  # another picture is on screen
    changed = Signal()  # instances or the state of the picture
    selected = Signal()  # landmark or instance selection
    previewed = Signal()  # a drag in hand moved something
    failed = Signal(str)  # an edit was refused, with the reason
    let_go = Signal()  # no drag is in hand any more
    said = Signal(str)  # a line for the status bar

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document: Document | None = None
        self.image: Image | None = None
        self.instances: tuple[Instance, ...] = ()
        self.active: int | None = None  # an instance's id
        self.landmark = -1
        self.chosen: frozenset[int] = frozenset()
        self.may_leave = self.unseen = self.awaited = False
        self.preview: Instance | None = None
        self.grabbed = False
        self._refused: object | None = None

    # ---- what is on screen
    def open(self, document: Document | None) -> None:
        """Edit another document, or none; what is in hand is let go of while its own is still there."""
        self.release()
        self.cancel_preview()
        self.document = document
        self.show(None)

    def show(self, image: int | None) -> None:
        """Put a picture on screen."""
        self._refused, self.unseen, self.awaited = None, False, False
        self.release()
        self.cancel_preview()
        self.image = shapes.find(self.document, image)
        self._reload(keep=False)
        self._choose(())
        self.image_changed.emit()
        self.changed.emit()
        self.selected.emit()

    def heard(self, change: Change) -> None:
        """The document changed: take over what is on screen."""
        if self.image is None or self.document is None or self.image.id not in change.images:
            return
        self.image = shapes.find(self.document, self.image.id)
        self._reload(keep=True)
        self.changed.emit()
        self.selected.emit()

    def _reload(self, keep: bool) -> None:
        index = self._index() if keep else 0
        self.instances = self.document.instances(self.image.id) if self.document and self.image else ()
        ids = [i.id for i in self.instances]
        if not (keep and self.active in ids):
            self.active = ids[min(index, len(ids) - 1)] if ids else None
        if self.active is None:
            self._choose(())

    def _index(self) -> int:
        return next((n for n, i in enumerate(self.instances) if i.id == self.active), 0)

    def set_unseen(self, unseen: bool) -> None:
        """Say whether the picture on screen cannot be shown."""
        if unseen != self.unseen:
            self.unseen = unseen
            self.changed.emit()

    @property
    def current(self) -> Instance | None:
        """The active instance as committed."""
        return next((i for i in self.instances if i.id == self.active), None)

    def shown(self) -> tuple[Instance, ...]:
        """The instances as drawn: committed ones, with the drag in hand."""
        if self.preview is None:
            return self.instances
        return tuple(self.preview if i.id == self.preview.id else i for i in self.instances)

    def shown_current(self) -> Instance | None:
        """The active instance as drawn."""
        return next((i for i in self.shown() if i.id == self.active), None)

    # ---- selection
    def activate(self, instance: int) -> None:
        """Make another instance the active one."""
        if instance != self.active:
            self.active = instance
            self._choose(())
            self.selected.emit()

    def select(self, landmark: int) -> None:
        """Select one landmark of the active instance, -1 for none."""
        self.choose((landmark,) if landmark >= 0 else ())

    def choose(self, landmarks: Iterable[int], last: int = -1) -> None:
        """Select several landmarks of the active instance; `last` is the one whose name and map show."""
        before = self.landmark, self.chosen
        self._choose(landmarks if self.current is not None else (), last)
        if (self.landmark, self.chosen) != before:
            self.selected.emit()

    def _choose(self, landmarks: Iterable[int], last: int = -1) -> None:
        self.chosen = frozenset(landmarks)
        kept = next((k for k in (last, self.landmark) if k in self.chosen), None)
        self.landmark = min(self.chosen, default=-1) if kept is None else kept

    def toggle(self, landmark: int) -> None:
        """Add a landmark to the selection, or take it out."""
        self.choose(self.chosen ^ {landmark}, landmark)

    def step_landmark(self, step: int) -> None:
        """Select the next or previous landmark in schema order, round the end."""
        if self.current is not None:
            count = len(self.current.points)
            start = self.landmark if self.landmark >= 0 else (-1 if step > 0 else 0)
            self.select((start + step) % count)

    # ---- edits
    def apply(self, edit: object) -> Change | None:
        """Apply an edit; a refusal is told by `failed` and leaves the last good state on screen."""
        if self.document is None:
            return None
        if (self.unseen or self.awaited) and shapes.needs_eyes(edit, self.image.id):
            self.cancel_preview()
            self.said.emit(self.tr("Labels are changed and accepted only while their picture can be seen"))
            self.changed.emit()  # what was typed goes
            return None
        try:
            change = self.document.apply(edit)
        except UserError as error:
            self._refused = edit
            self.cancel_preview()
            self.failed.emit(str(error))
            return None
        self._refused = None
        return change

    def retry(self) -> None:
        """Apply the edit again that was refused last."""
        if self._refused is not None:
            self.apply(self._refused)

    def clamp(self, x: float, y: float) -> tuple[float, float]:
        """The nearest place whose pixel centre lies inside the picture, where landmarks may not leave it."""
        return (x, y) if self.may_leave else shapes.clamp(self.image, x, y)

    def put(self, instance: Instance, title: str) -> bool:
        """Commit an instance in place of the stored one: one edit. True when it was kept."""
        done = self.apply(PutInstance(instance, title))
        self.cancel_preview()
        return done is not None

    def show_preview(self, instance: Instance) -> None:
        """Show the active instance otherwise while the mouse button is down."""
        self.preview = instance
        self.previewed.emit()

    def drag(self, landmark: int, x: float, y: float) -> None:
        """Show a landmark elsewhere while the mouse button is down."""
        if self.current is not None:
            self.show_preview(self.current.with_point(landmark, *self.clamp(x, y)))

    def drag_box(self, box: Box) -> None:
        """Show the active instance's box elsewhere while the mouse button is down."""
        if self.current is not None:
            self.show_preview(replace(self.current, box=box))

    def grab(self) -> None:
        """The mouse button went down: until `release` what is on screen is the hand's, and predictions wait."""
        self.grabbed = True

    def release(self) -> None:
        """The button is up."""
        if self.grabbed:
            self.grabbed = False
            self.let_go.emit()

    def cancel_preview(self) -> None:
        """End a drag without an edit."""
        if self.preview is not None:
            self.preview = None
            self.previewed.emit()
            self.let_go.emit()

    def drop(self, landmark: int, x: float, y: float, title: str = mark("Move {0}")) -> bool:
        """Commit a landmark's place: one edit. True when it was kept."""
        instance = self.current
        if instance is None or not 0 <= landmark < len(instance.points):
            return False
        x, y = self.clamp(x, y)
        moved = instance.with_point(landmark, x, y)
        name = self.document.schema.landmarks[landmark]
        return self.put(moved, title.format(name))

    def set_number(self, landmark: int, axis: int, value: float) -> None:
        """Set x (axis 0) or y (axis 1) of a landmark as typed."""
        if self.current is not None:
            place = self.current.points[landmark].copy()
            place[axis] = value
            self.drop(landmark, place[0], place[1])

    def set_visibility(self, visibility: Visibility, landmark: int | None = None) -> None:
        """Say whether a landmark, or all that are selected, are visible, occluded or absent."""
        chosen = sorted(self.chosen) if landmark is None else [landmark]
        instance = self.current
        if instance is None or all(instance.visibility[k] == visibility for k in chosen):
            return
        names = self.document.schema.landmarks
        what = names[chosen[0]] if len(chosen) == 1 else f"{len(chosen)} landmarks"
        changed = shapes.with_visibility(instance, chosen, visibility)
        self.apply(PutInstance(changed, f"{what}: {visibility.name.lower()}"))

    def toggle_visibility(self, visibility: Visibility) -> None:
        """Give the selected landmarks this visibility, or make them visible again where all have it."""
        if self.current is not None and self.chosen:
            same = all(self.current.visibility[k] == visibility for k in self.chosen)
            self.set_visibility(Visibility.VISIBLE if same else visibility)

    def cycle_visibility(self, landmark: int) -> None:
        """Visible, occluded, absent, and round again."""
        if self.current is not None:
            now = Visibility(int(self.current.visibility[landmark]))
            self.set_visibility(CYCLE[(CYCLE.index(now) + 1) % 3], landmark)

    def remove_instance(self) -> None:
        """Delete the active instance."""
        if self.current is not None:
            self.apply(RemoveInstance(self.current.id))

    def remove_image(self) -> None:
        """Take the picture out of the project; its file stays."""
        if self.image is not None:
            self.apply(RemoveImages((self.image.id,)))

    def toggle_flag(self) -> None:
        """Mark the picture to come back to, or take the mark away."""
        if self.image is not None:
            flagged = FLAG in self.image.tags
            title = mark("Take the flag away") if flagged else mark("Flag")
            self.apply(SetTags(self.image.id, tuple({*self.image.tags} ^ {FLAG}), title))

    def accept(self) -> bool:
        """Store the picture's labels as checked."""
        return self.image is not None and self.apply(Accept(self.image.id)) is not None

    def reject(self) -> bool:
        """Keep the picture out of training and export."""
        return self.image is not None and self.apply(Reject(self.image.id)) is not None

    def undo(self) -> Change | None:
        """Take back the last edit."""
        return self._travel("undo")

    def redo(self) -> Change | None:
        """Do the last edit again that was taken back."""
        return self._travel("redo")

    def _travel(self, way: str) -> Change | None:
        if self.document is None:
            return None
        self.cancel_preview()
        try:
            return getattr(self.document, way)()
        except UserError as error:
            self.failed.emit(str(error))
            return None
