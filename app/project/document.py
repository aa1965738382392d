"""The open project: `apply` is the one door for change; every edit is on the disk when it returns."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from app.files import as_text
from app.project import migration
from app.project.backups import back_up
from app.project.contents import Contents
from app.project.edits import Edit, Migrate, Outdated, Predicted, ReadOnly
from app.project.opening import Unwritable
from app.project.places import Places, homes_of, homes_with, settle
from app.project.plan import Plan, is_automatic
from app.project.reading import open_copy
from app.project.records import SCHEMA, DamagedError, RowChange, turned
from app.project.rows import Rows, schema_text
from app.project.store import Store
from app.project.values import Image, Instance, State
from engine.errors import UserError
from engine.schema import Schema, schema_from_json


@dataclass(frozen=True)
class Change:
    """What an edit did: the images to look at again, its kind, and the id of what it created (else 0).

    Kinds: edit, predicted, undo, redo. Of a batch that adds images, `created` is the last image. `schema`: the
    document has another schema now, and all images are named.
    """

    revision: int
    images: frozenset[int]
    kind: str
    created: int = 0
    schema: bool = False


class Document:
    """A project's images and labels in memory, in step with its file.

    `read_only` says why it can only be read, "" where it can be worked in: edits are then refused.
    `undo_title` and `redo_title` say what undo and redo would do, None where there is nothing. `clock` gives the
    seconds since 1970 that landmarks remember; nothing is ordered by it.
    """

    def __init__(self, store: Store, path: Path | None = None, read_only: str = "") -> None:
        meta = store.meta()
        self._store, self._lock = store, threading.RLock()
        self.path, self.read_only = path or store.path, read_only
        self.name = meta["name"]
        self.schema: Schema = schema_from_json(json.loads(meta["schema"]))
        self.annotator = ""
        self.clock: Callable[[], float] = time.time
        self._revision, self._next_id = int(meta["revision"]), int(meta["next_id"])
        self._order = 0  # of the predictions that the last step of undo consists of
        self._subscribers: list[Callable[[Change], None]] = []
        self._contents = Contents(store)
        self._places = Places(self.path, homes_of(meta))
        self._rows = Rows(store, self._contents)
        self._refresh_titles()

    @classmethod
    def create(cls, path: str | Path, schema: Schema, name: str, place: Path | None = None) -> Document:
        """A new project; raises UserError where it cannot be made. place: where it goes that is made elsewhere."""
        meta = {"name": as_text(name), "schema": schema_text(schema), "revision": "0", "next_id": "1"}
        return cls._of(Store.create(Path(path), meta | homes_with((), place or Path(path)), place))

    @classmethod
    def open(cls, path: str | Path, backed_up: bool = True) -> Document:
        """An existing project, backed up if it changed since; raises UserError with what stands in the way.

        Unwritable among them: `read` opens such a project from a copy. backed_up: False leaves that to a call of
        `back_up`, unless an earlier version wrote the project.
        """
        document = cls._of(Store.open(Path(path)))
        try:
            if backed_up or document._store.is_older:
                document.back_up()
            document._store.upgrade()
            settle(document._store)
        except UserError:
            document.close()
            raise
        return document

    @classmethod
    def read(cls, path: str | Path, reason: str = "", place: Path | None = None) -> Document:
        """A project to look at, whoever has it open and whatever wrote it; raises UserError where it is damaged.

        reason: why it cannot be worked in. It is a copy as of now, or its newest backup, as `read_only` then says.
        place: where the project is whose backup `path` is.
        """
        store, backup = open_copy(Path(path))
        said = reason or f"{Path(path).name} is open to read."
        return cls._of(store, place or Path(path), f"{said} This is its backup of {backup}." if backup else said)

    def back_up(self) -> None:
        """Copy it to the data folder if it changed since; a project is open though its backup has no room.

        Takes a second for 100,000 images. Edits go on meanwhile; closing cuts it short, and the next opening makes it.
        """
        with contextlib.suppress(OSError, UserError):
            if not self.read_only:
                back_up(self._store)

    def copy_to(self, path: Path) -> Path:
        """Write all of it, with its history, to a new project file; raises UserError where that cannot be made."""
        if os.path.exists(path):
            raise UserError(f"{path.name} exists already; choose another name.")
        self._store.backup(path)
        return path

    @classmethod
    def _of(cls, store: Store, path: Path | None = None, read_only: str = "") -> Document:
        try:
            return cls(store, path, read_only)
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

    # ---- what it holds
    @property
    def revision(self) -> int:
        """Counts the edits; grows with each."""
        return self._revision

    @property
    def damaged(self) -> list[str]:
        """What could not be read, as far as it was looked at; such rows are never written over."""
        return self._contents.damaged

    @property
    def frames_folder(self) -> Path:
        """Where frames that live view adds are stored: beside the project."""
        return self.path.with_name(f"{self.path.stem} frames")

    def images(self) -> list[Image]:
        """All images in natural order of their paths."""
        with self._lock:
            return self._contents.images.ordered()

    def image(self, id: int) -> Image:
        """One image; raises UserError where there is none."""
        return self._contents.image(id)

    def counts(self) -> dict[State, int]:
        """How many images are in each state."""
        with self._lock:
            return self._contents.images.counts()

    def instances(self, image: int) -> tuple[Instance, ...]:
        """The instances of an image, oldest first; damaged ones are left out and listed in `damaged`."""
        with self._lock:
            return self._contents.instances(image)

    def is_hurt(self, image: int) -> bool:
        """Whether a label of an image is damaged."""
        with self._lock:
            return self._contents.is_hurt(image)

    def check(self) -> list[str]:
        """Read every label; returns what is damaged in all of the project."""
        for image in self.images():
            self.instances(image.id)  # one at a time, so that others come in between
        with self._lock:
            self._contents.check()
        return self.damaged

    def picture_path(self, image: Image) -> Path:
        """Where an image's file is: beside the project where all was moved or copied together, else as stored."""
        return self._places.path(image)

    def known_paths(self) -> set[str]:
        """The paths of all images, as stored and as they are."""
        return self._places.known(self.images())

    def migration_preview(self, edit: Migrate) -> migration.Preview:
        """What a change of the schema would do; raises UserError where it cannot be done."""
        with self._lock:
            return migration.preview(self._contents, self.schema, edit)

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Call `callback` after every change, in the thread that made it; returns how to end that."""
        self._subscribers.append(callback)

        def unsubscribe() -> None:
            with contextlib.suppress(ValueError):
                self._subscribers.remove(callback)

        return unsubscribe

    # ---- change
    def apply(self, edit: Edit, after: int | None = None) -> Change:
        """Carry out an edit: it is on the disk when this returns. Raises UserError, and nothing has changed.

        after: the revision that it was worked out for; where others came since, Outdated is raised.
        One that changes nothing is not recorded and nobody is told; its Change names the images all the same.
        """
        kind = "predicted" if isinstance(edit, Predicted) else "edit"
        with self._lock:
            if after is not None and after != self._revision:
                raise Outdated("The project has changed meanwhile; try again.")
            automatic = is_automatic(edit, self._contents)
            if self.read_only:
                return self._refuse(automatic, kind)
            plan = Plan(self._contents, self.schema, self._next_id, int(self.clock()), self.annotator)
            plan.run(edit)
            rows = self._rows.of_plan(plan)
            if not rows:
                return Change(self._revision, frozenset(plan.touched), kind, plan.created)
            # What redo would bring back rests on what a prediction replaces.
            end_redo = automatic and any(self._store.redo_concerns(image) for image in plan.touched)
            revision = self._revision + 1
            meta = {"revision": str(revision), "next_id": str(plan.next_id)}
            order = edit.order if isinstance(edit, Predicted) else 0
            joins = order != 0 and order == self._order
            self._store.commit(rows, meta, None if automatic else edit.title, end_redo, joins)
            self._order = self._order if automatic else order
            self._revision, self._next_id = revision, plan.next_id
            schema = self._absorb(rows)
        return self._tell(Change(revision, frozenset(plan.touched), kind, plan.created, schema))

    def _refuse(self, automatic: bool, kind: str) -> Change:
        """A project to read takes no edit; what nobody asked for passes in silence."""
        if not automatic:
            raise ReadOnly(self.read_only)
        return Change(self._revision, frozenset(), kind)

    def undo(self) -> Change | None:
        """Take back the last edit that was not taken back; None where there is none. Raises UserError."""
        return self._flip(undone=True)

    def redo(self) -> Change | None:
        """Bring back the edit that was taken back last; None where there is none. Raises UserError."""
        return self._flip(undone=False)

    def _flip(self, undone: bool) -> Change | None:
        with self._lock:
            entry = None if self.read_only else self._store.pending(undone=not undone)
            if entry is None:
                return None
            entries, changes = entry
            if undone:
                changes = turned(changes)
            rows = self._rows.of_journal(changes)
            revision = self._revision + 1
            self._store.flip(entries, undone, changes, rows, {"revision": str(revision)})
            self._revision, self._order = revision, 0
            images = {c.owner for c in changes if c.table != SCHEMA} | {r.owner for r in rows if r.table != SCHEMA}
            schema = self._absorb(rows)
            if schema:
                images |= {image.id for image in self._contents.images.ordered()}
        return self._tell(Change(revision, frozenset(images), "undo" if undone else "redo", 0, schema))

    def _absorb(self, rows: Iterable[RowChange]) -> bool:
        """Follow what was written; whether the schema is another now."""
        rows = list(rows)
        self._contents.absorb(rows)
        texts = [row.after for row in rows if row.table == SCHEMA]
        if texts:
            self.schema = schema_from_json(json.loads(texts[-1]))
        self._refresh_titles()
        return bool(texts)

    def _refresh_titles(self) -> None:
        titles = (None if self.read_only else self._store.pending_title(undone) for undone in (False, True))
        self.undo_title, self.redo_title = titles

    def _tell(self, change: Change) -> Change:
        for callback in list(self._subscribers):
            try:
                callback(change)
            except Exception:  # the edit is kept; a listener's fault is reported and stops neither it nor the others
                sys.excepthook(*sys.exc_info())
        return change


def to_read(path: str | Path) -> Document:
    """A project for what only reads: the file itself, or a copy where that cannot be had; raises UserError."""
    try:
        return Document.open(path)
    except Unwritable as error:
        return Document.read(path, str(error))
