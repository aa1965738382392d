"""The open project: `apply` is the one door for change; every edit is on the disk when it returns."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from app.files import data_folder
from app.project.edits import Edit, Predicted, SetState
from app.project.plan import Plan
from app.project.records import DamagedError, image_bytes, image_from, instance_bytes, instance_from
from app.project.store import RowChange, Store
from app.project.values import Image, Instance, State
from engine.errors import UserError
from engine.images import natural_key
from engine.schema import Schema, schema_from_json

BACKUPS_KEPT = 10


@dataclass(frozen=True)
class Change:
    """What an edit did: the images to look at again, its kind, and the id of what it created (else 0)."""

    revision: int
    images: frozenset[int]
    kind: str
    created: int = 0


class Document:
    """A project's images and labels in memory, in step with its file."""

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
        self._held: dict[int, tuple[Instance, ...]] = {}
        self._images: dict[int, Image] = {}
        for row in store.images():
            self._images[row.id] = self._image_of(row.id, row.data, row.intact)
        self._order: list[int] | None = None
        self._refresh_titles()

    @classmethod
    def create(cls, path: str | Path, schema: Schema, name: str) -> Document:
        """A new project; raises UserError where it cannot be made."""
        path = Path(path)
        meta = {"name": name, "schema": json.dumps(schema.to_json()), "revision": "0", "next_id": "1"}
        return cls(Store.create(path, meta))

    @classmethod
    def open(cls, path: str | Path) -> Document:
        """An existing project, backed up if it changed since; raises UserError with what stands in the way."""
        store = Store.open(Path(path))
        try:
            document = cls(store)
        except (KeyError, ValueError) as error:
            store.close()
            raise UserError(f"{Path(path).name} is damaged ({error}); restore a backup.") from error
        except UserError:
            store.close()
            raise
        with contextlib.suppress(OSError, UserError):
            document._back_up()
        return document

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
            if self._order is None:
                ordered = sorted(self._images.values(), key=lambda image: (natural_key(image.path), image.id))
                self._order = [image.id for image in ordered]
            return [self._images[id] for id in self._order]

    def image(self, id: int) -> Image:
        """One image; raises UserError where there is none."""
        try:
            return self._images[id]
        except KeyError:
            raise UserError("This image is no longer in the project; choose another.") from None

    def counts(self) -> dict[State, int]:
        """How many images are in each state."""
        with self._lock:
            found = Counter(image.state for image in self._images.values())
        return {state: found[state] for state in State}

    def instances(self, image: int) -> tuple[Instance, ...]:
        """The instances of an image, oldest first; damaged ones are left out and listed in `damaged`."""
        with self._lock:
            if image not in self._held:
                self._held[image] = tuple(self._read_instances(image))
            return self._held[image]

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

    @property
    def undo_title(self) -> str | None:
        """What undo would take back; None where there is nothing."""
        return self._undo_title

    @property
    def redo_title(self) -> str | None:
        """What redo would bring back; None where there is nothing."""
        return self._redo_title

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Call `callback` after every change, in the thread that made it; returns how to end that."""
        self._subscribers.append(callback)

        def unsubscribe() -> None:
            with contextlib.suppress(ValueError):
                self._subscribers.remove(callback)

        return unsubscribe

    def apply(self, edit: Edit) -> Change:
        """Carry out an edit: it is on the disk when this returns. Raises UserError, and nothing has changed."""
        with self._lock:
            plan = self._plan(edit)
            rows = self._rows(plan)
            title = None if _automatic(edit) or not rows else edit.title
            revision = self._revision + 1
            meta = {"revision": str(revision), "next_id": str(plan.next_id)}
            self._store.commit(rows, meta, title)
            self._revision, self._next_id = revision, plan.next_id
            self._absorb(rows)
        kind = "predicted" if isinstance(edit, Predicted) else "edit"
        return self._tell(Change(revision, frozenset(plan.touched), kind, plan.created))

    def undo(self) -> Change | None:
        """Take back the last edit that was not taken back; None where there is none."""
        return self._flip(undone=True)

    def redo(self) -> Change | None:
        """Bring back the edit that was taken back last; None where there is none."""
        return self._flip(undone=False)

    def _flip(self, undone: bool) -> Change | None:
        with self._lock:
            entry = self._store.pending(undone=not undone)
            if entry is None:
                return None
            id, _, changes = entry
            if undone:
                changes = [replace(c, before=c.after, after=c.before) for c in reversed(changes)]
            # A row that a prediction has changed since is no longer this edit's to take back.
            changes = [c for c in changes if self._store.row(c.table, c.id) == c.before]
            revision = self._revision + 1
            self._store.flip(id, undone, changes, {"revision": str(revision)})
            self._revision = revision
            self._absorb(changes)
        return self._tell(Change(revision, frozenset(c.owner for c in changes), "undo" if undone else "redo"))

    def _plan(self, edit: Edit) -> Plan:
        paths = {image.path: image.id for image in self._images.values()} if _adds(edit) else {}
        plan = Plan(self.image, self.instances, self._find, paths, len(self.schema), self._next_id)
        plan.run(edit)
        return plan

    def _find(self, id: int) -> Instance:
        data = self._store.row("instances", id)
        if data is None:
            raise UserError("This instance is no longer in the project; choose another.")
        return instance_from(data)

    def _rows(self, plan: Plan) -> list[RowChange]:
        rows = []
        for id, image in plan.images.items():
            rows.append(RowChange("images", id, id, self._before("images", id), image_bytes(image)))
        for id, instance in plan.instances.items():
            before = self._before("instances", id)
            owner = instance.image if instance is not None else instance_from(before).image if before else 0
            rows.append(
                RowChange("instances", id, owner, before, None if instance is None else instance_bytes(instance))
            )
        return [row for row in rows if row.before != row.after]

    def _before(self, table: str, id: int) -> bytes | None:
        return None if id >= self._next_id else self._store.row(table, id)

    def _absorb(self, rows: list[RowChange]) -> None:
        """Follow what was written."""
        for row in rows:
            if row.table == "instances":
                self._held.pop(row.owner, None)
            elif row.after is None:
                self._images.pop(row.id, None)
                self._order = None
            else:
                if row.id not in self._images:
                    self._order = None
                self._images[row.id] = image_from(row.after)
        self._refresh_titles()

    def _refresh_titles(self) -> None:
        undo, redo = self._store.pending(undone=False), self._store.pending(undone=True)
        self._undo_title, self._redo_title = (entry[1] if entry else None for entry in (undo, redo))

    def _tell(self, change: Change) -> Change:
        for callback in list(self._subscribers):
            callback(change)
        return change

    def _image_of(self, id: int, data: bytes, intact: bool) -> Image:
        try:
            if intact:
                return image_from(data)
        except DamagedError:
            pass
        self.damaged.append(f"image {id}")
        return Image(id, f"image {id}", 0, 0, State.BROKEN, reason="Its record is damaged; restore a backup.")

    def _read_instances(self, image: int):
        for row in self._store.instances(image):
            try:
                if not row.intact:
                    raise DamagedError("check sum")
                yield instance_from(row.data)
            except DamagedError:
                name = f"instance {row.id} of image {image}"
                if name not in self.damaged:
                    self.damaged.append(name)

    def _back_up(self) -> None:
        folder = data_folder() / "backups"
        folder.mkdir(parents=True, exist_ok=True)
        prefix = f"{self.path.stem[:60]}-{zlib.crc32(str(self.path.resolve()).encode()):08x}"
        target = folder / f"{prefix}-{self._revision:09d}.hourbit-project"
        if self._revision and not target.exists():
            part = target.with_suffix(".part")
            self._store.backup(part)
            os.replace(part, target)
            for old in sorted(folder.glob(f"{prefix}-*.hourbit-project"))[:-BACKUPS_KEPT]:
                old.unlink(missing_ok=True)


def _automatic(edit: Edit) -> bool:
    """Whether no person has made an edit, so that undo passes it over: predictions, and what can be read or not."""
    unread = isinstance(edit, SetState) and edit.state in (State.NEW, State.BROKEN)
    return unread or isinstance(edit, Predicted)


def _adds(edit: Edit) -> bool:
    parts = getattr(edit, "edits", (edit,))
    return any(hasattr(part, "images") or (part is not edit and _adds(part)) for part in parts)
