"""What an edit does to images and instances, worked out on values before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from app.project.edits import (
    Accept,
    AddImages,
    Batch,
    Edit,
    Predicted,
    PutInstance,
    Reject,
    RemoveInstance,
    SetState,
)
from app.project.index import path_key
from app.project.values import ACCEPTED, Image, Instance, State
from engine.errors import UserError

WORKED = {State.NEW: State.IN_WORK, State.PREDICTED: State.IN_WORK, State.DONE_EMPTY: State.IN_WORK,
          State.BROKEN: State.IN_WORK, State.REJECTED: State.IN_WORK}  # fmt: skip
PREDICTABLE = (State.NEW, State.PREDICTED, State.BROKEN)  # no hand has been at work


@dataclass
class Plan:
    """The project as it would be after an edit: reads fall through to the document, writes stay here."""

    read_image: Callable[[int], Image]
    read_instances: Callable[[int], tuple[Instance, ...]]
    find_instance: Callable[[int], Instance]
    find_path: Callable[[str], int]
    is_hurt: Callable[[int], bool]
    landmarks: int
    next_id: int
    images: dict[int, Image] = field(default_factory=dict)
    instances: dict[int, Instance | None] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    created: int = 0
    last_image: int = 0
    paths: dict[str, int] = field(default_factory=dict)
    added: dict[int, list[int]] = field(default_factory=dict)  # image -> its new instances

    def __post_init__(self) -> None:
        self._first_new = self.next_id

    def image(self, id: int) -> Image:
        """An image as it stands in this plan."""
        return self.images[id] if id in self.images else self.read_image(id)

    def of_image(self, image: int) -> list[Instance]:
        """The instances of an image as they stand in this plan."""
        held = [self.instances.get(i.id, i) for i in self._stored(image)]
        held += [i for id in self.added.get(image, ()) if (i := self.instances[id]) is not None]
        return [i for i in held if i is not None]

    def _stored(self, image: int) -> tuple[Instance, ...]:
        return () if image >= self._first_new else self.read_instances(image)

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
            case Accept():
                self._set(edit.image, State.DONE if self.of_image(edit.image) else State.DONE_EMPTY)
            case Reject():
                self._set(edit.image, State.REJECTED)
            case Predicted():
                self._predicted(edit)

    def _new_id(self) -> int:
        self.next_id += 1
        return self.next_id - 1

    def _add(self, edit: AddImages) -> None:
        for new in edit.images:
            key = path_key(new.path)
            id = self.paths.get(key) or self.find_path(new.path)
            if not id:
                id = self._new_id()
                self.images[id] = Image(id, new.path, new.width, new.height, digest=new.digest)
            self.paths[key] = id
            self.touched.add(id)
            self.last_image = self.created = id

    def _put(self, instance: Instance) -> None:
        image = instance.image or self.last_image
        self.image(image)  # must exist
        if len(instance.points) != self.landmarks:
            raise UserError(f"This project's labels have {self.landmarks} landmarks, not {len(instance.points)}.")
        if instance.id:
            if self._existing(instance.id).image != image:
                raise UserError("An instance stays in its image; add a new one to the other image.")
            instance = replace(instance, image=image)
        else:
            instance = replace(instance, id=self._new_id(), image=image)
            self.added.setdefault(image, []).append(instance.id)
            self.created = self.last_image if instance.image == self.last_image else instance.id
        self.instances[instance.id] = instance
        self.touched.add(image)
        self._work(image)

    def _remove(self, id: int) -> None:
        instance = self._existing(id)
        self.instances[id] = None
        self.touched.add(instance.image)
        state = self.image(instance.image).state
        if state in ACCEPTED and not self.of_image(instance.image):
            self._set(instance.image, State.DONE_EMPTY)
        else:
            self._work(instance.image)

    def _existing(self, id: int) -> Instance:
        found = self.instances[id] if id in self.instances else self.find_instance(id)
        if found is None:
            raise UserError("This instance was deleted meanwhile; undo brings it back.")
        return found

    def _work(self, image: int) -> None:
        state = self.image(image).state
        self._set(image, WORKED.get(state, state))

    def _set(self, image: int, state: State, reason: str = "") -> None:
        self.images[image] = replace(self.image(image), state=state, reason=reason)
        self.touched.add(image)

    def _predicted(self, edit: Predicted) -> None:
        id = edit.image or self.last_image
        image, held = self.image(id), self.of_image(id)
        if image.state not in PREDICTABLE or any(i.touched for i in held) or self.is_hurt(image.id):
            return
        for instance in held:
            self.instances[instance.id] = None
        for instance in edit.instances:
            if len(instance.points) != self.landmarks:
                raise UserError(f"This project's labels have {self.landmarks} landmarks, not {len(instance.points)}.")
            own = self._new_id()
            self.instances[own] = replace(instance, id=own, image=id)
            self.added.setdefault(id, []).append(own)
        doubt = None if edit.doubt is None else float(np.clip(edit.doubt, 0, 1))
        self.images[id] = replace(image, state=State.PREDICTED, doubt=doubt, reason="")
        self.touched.add(id)
