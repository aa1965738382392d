"""What an edit does to images and instances, worked out on values before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from app.project import migration
from app.project.contents import Contents
from app.project.credit import credited
from app.project.edits import (
    Accept,
    AddImages,
    Batch,
    Edit,
    Fingerprint,
    Migrate,
    Onto,
    Predicted,
    PutInstance,
    Refit,
    Reject,
    Relink,
    RemoveImages,
    RemoveInstance,
    SetState,
    SetTags,
)
from app.project.index import path_key
from app.project.queue import packed
from app.project.values import ACCEPTED, Box, Image, Instance, State
from engine.errors import UserError
from engine.schema import Schema
from engine.types import overlap

WORKED = {State.NEW: State.IN_WORK, State.PREDICTED: State.IN_WORK, State.DONE_EMPTY: State.IN_WORK,
          State.BROKEN: State.IN_WORK, State.REJECTED: State.IN_WORK}  # fmt: skip
PREDICTABLE = (State.NEW, State.PREDICTED, State.BROKEN)  # no hand has been at work
SAME_SUBJECT = 0.5  # overlap of two boxes, over their union, from which they are of one subject


def is_automatic(edit: Edit, contents: Contents) -> bool:
    """Whether no person is concerned, so that undo passes it over: predictions, and what can be read or not."""
    if isinstance(edit, Predicted):
        return contents.image(edit.image).state in PREDICTABLE
    if isinstance(edit, Refit):
        return not contents.instances(edit.image)
    if isinstance(edit, Fingerprint):
        return True
    return isinstance(edit, SetState) and edit.state in (State.NEW, State.BROKEN)


@dataclass
class Plan:
    """The project as it would be after an edit: reads fall through to its contents, writes stay here.

    now: the time to remember for landmarks that change, seconds since 1970; annotator: who changes them, "" unknown.
    """

    contents: Contents
    schema: Schema
    next_id: int
    now: int
    annotator: str = ""
    images: dict[int, Image | None] = field(default_factory=dict)
    instances: dict[int, Instance | None] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    same_landmarks: bool = True  # whatever they are called now
    created: int = 0
    last_image: int = 0
    paths: dict[str, int] = field(default_factory=dict)
    added: dict[int, list[int]] = field(default_factory=dict)  # image -> its new instances

    def __post_init__(self) -> None:
        self.first_new, self.schema_before = self.next_id, self.schema

    def image(self, id: int) -> Image:
        """An image as it stands in this plan; raises UserError where there is none."""
        found = self.images[id] if id in self.images else self.contents.image(id)
        if found is None:
            raise UserError("This image is no longer in the project; choose another.")
        return found

    def of_image(self, image: int) -> list[Instance]:
        """The instances of an image as they stand in this plan."""
        held = [self.instances.get(i.id, i) for i in self._stored(image)]
        held += [i for id in self.added.get(image, ()) if (i := self.instances[id]) is not None]
        return [i for i in held if i is not None]

    def _stored(self, image: int) -> tuple[Instance, ...]:
        return () if image >= self.first_new else self.contents.instances(image)

    def run(self, edit: Edit) -> None:
        """Work an edit into the plan; raises UserError where it cannot be done."""
        match edit:
            case Batch():
                for part in edit.edits:
                    self.run(part)
            case AddImages():
                self._add(edit)
            case PutInstance():
                self._put(edit.instance)
            case RemoveInstance():
                self._remove(edit.id)
            case SetState():
                self._set(edit.image or self.last_image, edit.state, edit.reason)
            case SetTags():
                tags = tuple(sorted({t for t in (tag.strip() for tag in edit.tags) if t}))
                self._change(edit.image, tags=tags)
            case Accept():
                self._accept(edit.image)
            case Reject():
                self._set(edit.image, State.REJECTED)
            case RemoveImages():
                self._remove_images(edit)
            case Relink():
                self._relink(edit)
            case Refit():
                self._refit(edit)
            case Migrate():
                self._migrate(edit)
            case Predicted():
                self._predicted(edit)
            case Fingerprint():
                for image, found in edit.prints:
                    self._change(image, fingerprint=found)

    def _new_id(self) -> int:
        self.next_id += 1
        return self.next_id - 1

    def _find(self, path: str) -> int:
        key = path_key(path)
        found = self.paths[key] if key in self.paths else self.contents.images.find(path)
        return 0 if found in self.images and self.images[found] is None else found

    def _change(self, image: int, **values: object) -> None:
        self.images[image] = self.image(image).but(**values)
        self.touched.add(image)

    def _set(self, image: int, state: State, reason: str = "") -> None:
        self._change(image, state=state, reason=reason)

    def _accept(self, image: int) -> None:
        if self._lacks(image):
            raise UserError("A label of this image is damaged: it is not empty; restore a backup, or label it anew.")
        held = self.of_image(image)
        for instance in held if self.annotator else ():
            if not instance.annotator:  # a model's: it is the label of who agrees with it
                self.instances[instance.id] = replace(instance, annotator=self.annotator)
        self._set(image, State.DONE if held else State.DONE_EMPTY)

    def _lacks(self, image: int) -> bool:
        """Whether an image seems to be empty because what it holds is damaged."""
        return image < self.first_new and not self.of_image(image) and self.contents.is_hurt(image)

    def _work(self, image: int) -> None:
        state = self.image(image).state
        self._set(image, WORKED.get(state, state))

    # ---- images
    def _add(self, edit: AddImages) -> None:
        for new in edit.images:
            id = self._find(new.path)
            if not id:
                id = self._new_id()
                self.images[id] = Image(id, new.path, new.width, new.height, digest=new.digest)
            self.paths[path_key(new.path)] = id
            self.touched.add(id)
            self.last_image = self.created = id

    def _remove_images(self, edit: RemoveImages) -> None:
        for id in edit.images:
            self.image(id)  # must exist
            if self.contents.is_hurt(id):
                raise UserError("A label of this image is damaged and is left as it is; restore a backup.")
            for instance in self.of_image(id):
                self.instances[instance.id] = None
            self.images[id] = None
            self.touched.add(id)

    def _relink(self, edit: Relink) -> None:
        for link in edit.links:  # all leave their places before any takes another's
            self.paths[path_key(self.image(link.image).path)] = 0
        for link in edit.links:
            if self._find(link.path):
                raise UserError(f"{link.path} is in the project already; remove one of the two images first.")
            self._change(link.image, path=link.path, digest=link.digest or self.image(link.image).digest)
            self.paths[path_key(link.path)] = link.image

    def _refit(self, edit: Refit) -> None:
        old = self.image(edit.image)
        by = np.array([edit.width, edit.height]) / [max(old.width, 1), max(old.height, 1)]
        side = float(np.sqrt(by[0] * by[1]))
        for held in self.of_image(edit.image):
            box = Box((held.box.cx + 0.5) * by[0] - 0.5, (held.box.cy + 0.5) * by[1] - 0.5, held.box.side * side,
                      held.box.score, held.box.origin)  # fmt: skip
            points, guess = ((values + 0.5) * by - 0.5 for values in (held.points, held.guess))  # edges are at -0.5
            self.instances[held.id] = replace(held, box=box, points=points, guess=guess)
        self._change(edit.image, width=edit.width, height=edit.height, digest=edit.digest or old.digest)

    # ---- instances
    def _sized(self, instance: Instance) -> Instance:
        if len(instance.points) != len(self.schema):
            own, count = len(self.schema), len(instance.points)
            raise UserError(f"This project's labels have {own} landmarks, not {count}; import them instead.")
        return instance

    def _put(self, instance: Instance) -> None:
        image = instance.image or self.last_image
        self.image(image)  # must exist
        self._sized(instance)
        if instance.id:
            old = self._existing(instance.id)
            if old.image != image:
                raise UserError("An instance stays in its image; add a new one to the other image.")
            instance = credited(old, replace(instance, image=image), self.annotator, self.now)
        else:
            instance = self._new(image, credited(None, instance, self.annotator, self.now))
            self.created = self.last_image if image == self.last_image else instance.id
        self.instances[instance.id] = instance
        self.touched.add(image)
        self._work(image)

    def _new(self, image: int, instance: Instance) -> Instance:
        own = self._new_id()
        self.added.setdefault(image, []).append(own)
        made = replace(instance, id=own, image=image, when=np.full(len(instance.points), self.now, np.int64))
        self.instances[own] = made
        return made

    def _remove(self, id: int) -> None:
        instance = self._existing(id)
        self.instances[id] = None
        self.touched.add(instance.image)
        state = self.image(instance.image).state
        if state in ACCEPTED and not self.of_image(instance.image):
            self._set(instance.image, State.IN_WORK if self._lacks(instance.image) else State.DONE_EMPTY)
        else:
            self._work(instance.image)

    def _existing(self, id: int) -> Instance:
        found = self.instances[id] if id in self.instances else self.contents.instance(id)
        if found is None:
            raise UserError("This instance was deleted meanwhile; undo brings it back.")
        return found

    def _migrate(self, edit: Migrate) -> None:
        migration.check(edit, self.schema)
        same = edit.source == tuple(range(len(self.schema)))
        self.schema, self.same_landmarks = edit.schema, self.same_landmarks and same
        if same:  # other names, lines or sigmas: no label is another than before
            self.touched |= {image.id for image in self.contents.images.ordered()}
            return
        for image in self.contents.images.ordered():
            if self.contents.is_hurt(image.id):
                raise UserError("Some labels are damaged and would be lost; restore a backup first.")
            held = self.of_image(image.id)
            for instance in held:
                self.instances[instance.id] = migration.migrated(instance, edit.source)
            if held and edit.reopen and None in edit.source and image.state in ACCEPTED:
                self._set(image.id, State.IN_WORK)
            self.touched.add(image.id)

    # ---- what models find
    def _predicted(self, edit: Predicted) -> None:
        id = edit.image or self.last_image
        image, held = self.image(id), self.of_image(id)
        kept = [i for i in held if edit.onto is Onto.MODEL and (i.touched or i.box.origin == "hand")]
        if not _lets_in(edit.onto, image, held) or (id < self.first_new and self.contents.is_hurt(id)):
            return
        found = [self._sized(i) for i in edit.instances if all(overlap(i.box, k.box) < SAME_SUBJECT for k in kept)]
        if not found and edit.onto is Onto.EMPTY and image.state in ACCEPTED:
            return  # a person said so before
        for instance in held:
            if instance not in kept:
                self.instances[instance.id] = None
        for instance in found:
            self._new(id, instance)
        doubt = None if edit.doubt is None else float(np.clip(edit.doubt, 0, 1))
        state = image.state if kept else State.PREDICTED
        self._change(id, state=state, doubt=doubt, doubts=packed(edit.doubts), reason="")


def _lets_in(onto: Onto, image: Image, held: list[Instance]) -> bool:
    """Whether a model's findings may come into an image with these instances."""
    if onto is Onto.EMPTY:
        return not held and image.state is not State.REJECTED
    if onto is Onto.MODEL:
        return image.state not in ACCEPTED and image.state is not State.REJECTED
    return image.state in PREDICTABLE and not any(i.touched for i in held)
