"""A document beside a plain dictionary: undo, redo, reopening and kills must bring what the dictionary says."""

from __future__ import annotations

import copy
import shutil
import tempfile
from pathlib import Path

import numpy as np
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.project.document import Document
from app.project.edits import Edit
from app.project.values import Box, Instance, Origin, Visibility
from engine.schema import Schema, schema_from_json


def schema(names: str) -> Schema:
    """Landmarks called by one letter each."""
    k = len(names)
    return schema_from_json({
        "name": names, "title": names, "subject": "face", "landmarks": list(names), "edges": [], "flip": [],
        "groups": {}, "sides": ["centre"] * k, "crop": 1.2, "normaliser": [0, 0], "mean": [[0.5, 0.5]] * k,
    })  # fmt: skip


def made(names: str, seed: int, origin: Origin) -> Instance:
    points = np.random.default_rng(seed).uniform(20, 100, (len(names), 2))
    box = Box(60.0, 60.0, 80.0, 0.9, "face")
    flags = np.full(len(names), Visibility.VISIBLE), np.full(len(names), origin)
    return Instance(0, 0, box, points, *flags, np.full(len(names), 0.5), points, "m", "a")


def told(names: str, instance: Instance) -> dict:
    """An instance as plain values, by the landmarks' names."""
    marks = {
        name: (tuple(instance.points[k]), int(instance.visibility[k]), int(instance.origin[k]))
        for k, name in enumerate(names)
    }
    return {"marks": marks, "box": (instance.box.cx, instance.box.cy, instance.box.side, instance.box.origin)}


def touched(held: dict) -> bool:
    marks = held["marks"].values()
    return any(origin > 1 or (visible != 2 and origin) for _, visible, origin in marks)


def through(held: dict, names: str) -> dict:
    """Under other names: those that are new are absent, in the middle of the box."""
    fresh = (held["box"][:2], 0, 0)
    return {"marks": {name: held["marks"].get(name, fresh) for name in names}, "box": held["box"]}


class Held(RuleBasedStateMachine):
    """`now` is what must hold; `past` and `future` are what undo and redo must bring. Without edits of its own."""

    @initialize()
    def start(self) -> None:
        self.home = Path(tempfile.mkdtemp())
        self.document = Document.create(self.home / "a.hourbit-project", schema("abc"), "Test")
        self.past: list[dict] = []
        self.future: list[dict] = []
        self.counter = self.order = 0
        self.now: dict = {"names": "abc", "era": 0, "images": {}}

    # ---- helpers
    def step(self, edit: Edit, after: dict, order: int = 0) -> None:
        """Apply an edit of a person; it is a step of undo where it changes something, or part of its order's."""
        self.document.apply(edit)
        if after != self.now:
            if not order or order != self.order:
                self.past.append(self.now)
            self.now, self.future, self.order = after, [], order

    def number(self) -> int:
        self.counter += 1
        return self.counter

    def image(self, place: int) -> int:
        ids = sorted(self.now["images"])
        return ids[place % len(ids)] if ids else 0

    def stored(self, image: int) -> Instance | None:
        held = self.document.instances(image) if image else ()
        return held[0] if held else None

    def changed(self, image: int, **values: object) -> dict:
        after = copy.deepcopy(self.now)
        after["images"][image].update(values)
        return after

    def worked(self, image: int) -> dict:
        """The image as a hand leaves it."""
        state = self.now["images"][image]["state"]
        return self.changed(image, state=state if state in ("done", "reviewed", "in work") else "in work")

    # ---- time
    @rule()
    def undo(self) -> None:
        if not self.past:
            assert self.document.undo() is None
            return
        self.document.undo()
        self.order = 0
        self.future.append(self.now)
        self.now = self.past.pop()

    @rule()
    def redo(self) -> None:
        if not self.future:
            assert self.document.redo() is None
            return
        self.document.redo()
        self.order = 0
        self.past.append(self.now)
        self.now = self.future.pop()

    @rule()
    def reopen(self) -> None:
        self.order = 0
        self.document.close()
        self.document = Document.open(self.document.path)

    @rule()
    def kill(self) -> None:
        """Nothing is closed: what lies on the disk at this moment is all that the next program gets."""
        self.order = 0
        there = Path(tempfile.mkdtemp(dir=self.home))
        for suffix in ("", "-wal"):
            shutil.copy(f"{self.document.path}{suffix}", there)
        self.document.close()
        self.document = Document.open(there / self.document.path.name)

    @invariant()
    def agree(self) -> None:
        if not hasattr(self, "document"):
            return
        names = "".join(self.document.schema.landmarks)
        assert names == self.now["names"]
        shown = {
            image.id: {
                "state": image.state.value, "path": image.path, "size": (image.width, image.height),
                "tags": image.tags, "instances": {i.id: told(names, i) for i in self.document.instances(image.id)},
            }
            for image in self.document.images()
        }  # fmt: skip
        assert shown == self.now["images"]
        assert (self.document.undo_title is None) == (not self.past)
        assert (self.document.redo_title is None) == (not self.future)
        assert self.document.damaged == []

    def teardown(self) -> None:
        if hasattr(self, "document"):
            assert self.document.check() == []
            self.document.close()
            shutil.rmtree(self.home)
