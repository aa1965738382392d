"""The open project: `apply` is the one door for change; every edit is on the disk when it returns."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from app.project.backups import back_up
from app.project.edits import Edit, Outdated, Predicted, SetState
from app.project.index import ImageIndex
from app.project.plan import Plan
from app.project.records import DamagedError, RowChange, image_bytes, image_from, instance_bytes, instance_from
from app.project.store import Store
from app.project.values import Image, Instance, State
from engine.errors import UserError
from engine.schema import Schema, schema_from_json

INSTANCES_HELD = 512  # images whose instances stay in memory


@dataclass(frozen=True)
class Change:
    """What an edit did: the images to look at again, its kind, and the id of what it created (else 0).

    Kinds: edit, predicted, undo, redo. Of a batch that adds images, `created` is the last image.
    """

    revision: int
    images: frozenset[int]
    kind: str
    created: int = 0


class Document:
    """A project's images and labels in memory, in step with its file.

    `damaged` lists what could not be read, as far as it was looked at; such rows are never written over.
    `undo_title` and `redo_title` say what undo and redo would do, None where there is nothing.
    """

    def __init__(self, store: Store) -> None:
        meta = store.meta()
        self._store, self._lock = store, threading.RLock()
        self.path = store.path
        self.name = meta["name"]
        self.schema: Schema = schema_from_json(json.loads(meta["schema"]))
        self.annotator = ""
        self.damaged: list[str] = []
        self._revision, self._next_id = int(meta["revision"]), int(meta["next_id"])
        self._subscribers: list[Callable[[Change], None]] = []
        self._held: OrderedDict[int, tuple[Instance, ...]] = OrderedDict()
        self._hurt: set[int] = set()  # images of which an instance is damaged
        self._images = ImageIndex()
        for row in store.images():
            self._images.put(self._image_of(row.id, row.data, row.intact))
        self._refresh_titles()

    @classmethod
    def create(cls, path: str | Path, schema: Schema, name: str) -> Document:
        """A new project; raises UserError where it cannot be made."""
        meta = {"name": name, "schema": json.dumps(schema.to_json()), "revision": "0", "next_id": "1"}
        return cls._of(Store.create(Path(path), meta))

    @classmethod
    def open(cls, path: str | Path) -> Document:
        """An existing project, backed up if it changed since; raises UserError with what stands in the way."""
        document = cls._of(Store.open(Path(path)))
        with contextlib.suppress(OSError, UserError):  # a project opens though its backup has no room
            back_up(document._store, document.revision)
        return document

    @classmethod
    def _of(cls, store: Store) -> Document:
        try:
            return cls(store)
        except (KeyError, ValueError) as error:
            store.close()
            raise DamagedError(f"{store.path.name} is damaged ({error}); restore a backup.") from error
        except UserError:
            store.close()
            raise

    def close(self) -> None:
        """Let the file go."""
        self._subscribers.clear()
        self._store.close()

    @property
    def revision(self) -> int:
        """Counts the edits; grows with each."""
        return self._revision

    @property
    def frames_folder(self) -> Path:
        """Where frames that live view adds are stored: beside the project."""
        return self.path.with_name(f"{self.path.stem} frames")

    def images(self) -> list[Image]:
        """All images in natural order of their paths."""
        with self._lock:
            return self._images.ordered()

    def image(self, id: int) -> Image:
        """One image; raises UserError where there is none."""
        try:
            return self._images[id]
        except KeyError:
            raise UserError("This image is no longer in the project; choose another.") from None

    def counts(self) -> dict[State, int]:
        """How many images are in each state."""
        with self._lock:
            return self._images.counts()

    def instances(self, image: int) -> tuple[Instance, ...]:
        """The instances of an image, oldest first; damaged ones are left out and listed in `damaged`."""
        with self._lock:
            if image not in self._held:
                self._held[image] = tuple(self._read_instances(image))
                if len(self._held) > INSTANCES_HELD:
                    self._held.popitem(last=False)
            self._held.move_to_end(image)
            return self._held[image]

    def check(self) -> list[str]:
        """Read every label; returns what is damaged in all of the project."""
        for image in self.images():
            self.instances(image.id)
        try:
            for id in self._store.strays():
                self._report(f"instance {id}")
        except DamagedError:
            self._report("pages of the file")
        return self.damaged

    def picture_path(self, image: Image) -> Path:
        """Where an image's file is: as stored, or beside the project where the folder was moved as a whole."""
        path = Path(image.path)
        if not path.is_absolute():
            return self.path.parent / path
        if not path.exists():
            for start in range(1, len(path.parts)):
                moved = self.path.parent.joinpath(*path.parts[start:])
                if moved.is_file():
                    return moved
        return path

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Call `callback` after every change, in the thread that made it; returns how to end that."""
        self._subscribers.append(callback)

        def unsubscribe() -> None:
            with contextlib.suppress(ValueError):
                self._subscribers.remove(callback)

        return unsubscribe

    def apply(self, edit: Edit, after: int | None = None) -> Change:
        """Carry out an edit: it is on the disk when this returns. Raises UserError, and nothing has changed.

        after: the revision that it was worked out for; where others came since, Outdated is raised.
        One that changes nothing is not recorded and nobody is told; its Change names the images all the same.
        """
        kind = "predicted" if isinstance(edit, Predicted) else "edit"
        with self._lock:
            if after is not None and after != self._revision:
                raise Outdated("The project has changed meanwhile; try again.")
            plan = self._plan(edit)
            rows = self._rows(plan)
            if not rows:
                return Change(self._revision, frozenset(plan.touched), kind, plan.created)
            automatic = _automatic(edit)
            # What redo would bring back rests on what a prediction replaces.
            end_redo = automatic and any(self._store.redo_concerns(image) for image in plan.touched)
            revision = self._revision + 1
            meta = {"revision": str(revision), "next_id": str(plan.next_id)}
            self._store.commit(rows, meta, None if automatic else edit.title, end_redo)
            self._revision, self._next_id = revision, plan.next_id
            self._absorb(rows)
        return self._tell(Change(revision, frozenset(plan.touched), kind, plan.created))

    def undo(self) -> Change | None:
        """Take back the last edit that was not taken back; None where there is none. Raises UserError."""
        return self._flip(undone=True)

    def redo(self) -> Change | None:
        """Bring back the edit that was taken back last; None where there is none. Raises UserError."""
        return self._flip(undone=False)

    def _flip(self, undone: bool) -> Change | None:
        with self._lock:
            entry = self._store.pending(undone=not undone)
            if entry is None:
                return None
            id, changes = entry
            if undone:
                changes = [replace(c, before=c.after, after=c.before) for c in reversed(changes)]
            rows = list({(r.table, r.id): r for c in changes for r in self._restoring(c)}.values())
            revision = self._revision + 1
            self._store.flip(id, undone, rows, {"revision": str(revision)})
            self._revision = revision
            self._absorb(rows)
        return self._tell(Change(revision, frozenset(c.owner for c in changes), "undo" if undone else "redo"))

    def _restoring(self, change: RowChange) -> Iterable[RowChange]:
        """The rows to write so that one is as it was; an image goes with what models have found in it since."""
        if change.table == "images" and change.after is None:
            if self._is_hurt(change.id):
                raise DamagedError("A label of this image is damaged and is left as it is; restore a backup.")
            for row in self._store.instances(change.id):
                yield RowChange("instances", row.id, change.id, row.data, None)
        now = self._store.row(change.table, change.id)
        if now != change.after:
            yield replace(change, before=now)

    def _is_hurt(self, image: int) -> bool:
        """Whether an instance of an image is damaged: a hand may have made it."""
        self.instances(image)
        return image in self._hurt

    def _find(self, id: int) -> Instance:
        data = self._store.row("instances", id)
        if data is None:
            raise UserError("This instance is no longer in the project; choose another.")
        return instance_from(data)

    def _plan(self, edit: Edit) -> Plan:
        reads = (self.image, self.instances, self._find, self._images.find, self._is_hurt)
        plan = Plan(*reads, len(self.schema), self._next_id)
        plan.run(edit)
        return plan

    def _rows(self, plan: Plan) -> list[RowChange]:
        rows = [RowChange("images", i, i, self._before("images", i), image_bytes(m)) for i, m in plan.images.items()]
        for id, instance in plan.instances.items():
            before = self._before("instances", id)
            owner = instance.image if instance is not None else instance_from(before).image if before else 0
            after = None if instance is None else instance_bytes(instance)
            rows.append(RowChange("instances", id, owner, before, after))
        return [row for row in rows if row.before != row.after]

    def _before(self, table: str, id: int) -> bytes | None:
        return None if id >= self._next_id else self._store.row(table, id)

    def _absorb(self, rows: Iterable[RowChange]) -> None:
        """Follow what was written."""
        for row in rows:
            self._held.pop(row.owner, None)
            if row.table == "images" and row.after is None:
                self._images.drop(row.id)
            elif row.table == "images":
                self._images.put(image_from(row.after))
        self._refresh_titles()

    def _refresh_titles(self) -> None:
        self.undo_title, self.redo_title = (self._store.pending_title(undone) for undone in (False, True))

    def _tell(self, change: Change) -> Change:
        for callback in list(self._subscribers):
            try:
                callback(change)
            except Exception:  # the edit is kept; a listener's fault is reported and stops neither it nor the others
                sys.excepthook(*sys.exc_info())
        return change

    def _report(self, what: str) -> None:
        if what not in self.damaged:
            self.damaged.append(what)

    def _image_of(self, id: int, data: bytes, intact: bool) -> Image:
        with contextlib.suppress(DamagedError):
            if intact:
                return image_from(data)
        self._report(f"image {id}")
        return Image(id, f"image {id}", 0, 0, State.BROKEN, reason="Its record is damaged; restore a backup.")

    def _read_instances(self, image: int) -> Iterable[Instance]:
        try:
            for row in self._store.instances(image):
                if row.intact:
                    yield instance_from(row.data)
                else:
                    self._report(f"instance {row.id} of image {image}")
                    self._hurt.add(image)
        except DamagedError:  # pages of the file itself
            self._report(f"labels of image {image}")
            self._hurt.add(image)


def _automatic(edit: Edit) -> bool:
    """Whether no person has made an edit, so that undo passes it over: predictions, and what can be read or not."""
    unread = isinstance(edit, SetState) and edit.state in (State.NEW, State.BROKEN)
    return unread or isinstance(edit, Predicted)
