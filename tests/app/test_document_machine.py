"""Random edits of every kind, undo, redo, reopening and kills, against a plain dictionary that says what must hold.

The dictionary knows nothing of rows, journals or plans: each rule changes it as the words of its edit say.
"""

from __future__ import annotations

import copy
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.project.document import Document
from app.project.edits import (
    Accept,
    AddImages,
    Edit,
    Link,
    Migrate,
    NewImage,
    Onto,
    Predicted,
    PutInstance,
    Refit,
    Reject,
    Relink,
    RemoveImages,
    RemoveInstance,
    SetTags,
)
from app.project.values import Box, Instance, Origin, Visibility
from engine.schema import Schema, schema_from_json

STILL_FREE = ("new", "predicted", "broken")
ACCEPTED = ("done", "done, empty", "reviewed")
PLACES = st.integers(0, 2)


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


class Machine(RuleBasedStateMachine):
    """`now` is what must hold; `past` and `future` are what undo and redo must bring."""

    @initialize()
    def start(self) -> None:
        self.home = Path(tempfile.mkdtemp())
        self.document = Document.create(self.home / "a.hourbit-project", schema("abc"), "Test")
        self.past: list[dict] = []
        self.future: list[dict] = []
        self.counter = 0
        self.now: dict = {"names": "abc", "era": 0, "images": {}}
        self.add_images()

    # ---- helpers
    def step(self, edit: Edit, after: dict) -> None:
        """Apply an edit of a person; it is a step of undo where it changes something."""
        self.document.apply(edit)
        if after != self.now:
            self.past.append(self.now)
            self.now, self.future = after, []

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

    # ---- edits of a person
    @rule()
    def add_images(self) -> None:
        new = [NewImage(f"picture {self.number()}.png", 160, 120, "d") for _ in range(2)]
        after = copy.deepcopy(self.now)
        first = self.document._next_id
        for n, image in enumerate(new):
            after["images"][first + n] = {
                "state": "new", "path": image.path, "size": (160, 120), "tags": (), "instances": {},
            }  # fmt: skip
        self.step(AddImages(tuple(new)), after)

    @rule(place=PLACES, seed=st.integers(0, 9))
    def put(self, place: int, seed: int) -> None:
        if image := self.image(place):
            instance = made(self.now["names"], seed, Origin.HAND)
            after = self.worked(image)
            after["images"][image]["instances"][self.document._next_id] = told(self.now["names"], instance)
            self.step(PutInstance(replace(instance, image=image)), after)

    @rule(place=PLACES, k=st.integers(0, 3), x=st.floats(0, 150), y=st.floats(0, 110))
    def move(self, place: int, k: int, x: float, y: float) -> None:
        if held := self.stored(image := self.image(place)):
            k %= len(self.now["names"])
            moved = held.with_point(k, x, y)
            after = self.worked(image)
            mark = after["images"][image]["instances"][held.id]["marks"]
            name = self.now["names"][k]
            _, visible, origin = mark[name]
            mark[name] = ((x, y), visible or 2, 2 if origin in (1, 2) else 3)
            self.step(PutInstance(moved, "Move"), after)

    @rule(place=PLACES, x=st.floats(0, 150))
    def move_box(self, place: int, x: float) -> None:
        if held := self.stored(image := self.image(place)):
            after = self.worked(image)
            after["images"][image]["instances"][held.id]["box"] = (x, 50.0, 30.0, "hand")
            self.step(PutInstance(replace(held, box=Box(x, 50.0, 30.0, 1.0, "hand"))), after)

    @rule(place=PLACES)
    def hide(self, place: int) -> None:
        if held := self.stored(image := self.image(place)):
            seen, origin = held.visibility.copy(), held.origin.copy()
            seen[0], origin[0] = Visibility.OCCLUDED, Origin.HAND
            after = self.worked(image)
            marks = after["images"][image]["instances"][held.id]["marks"]
            name = self.now["names"][0]
            marks[name] = (marks[name][0], 1, 3)
            self.step(PutInstance(replace(held, visibility=seen, origin=origin)), after)

    @rule(place=PLACES)
    def delete(self, place: int) -> None:
        if held := self.stored(image := self.image(place)):
            after = self.worked(image)
            del after["images"][image]["instances"][held.id]
            if self.now["images"][image]["state"] in ACCEPTED and not after["images"][image]["instances"]:
                after["images"][image]["state"] = "done, empty"
            self.step(RemoveInstance(held.id), after)

    @rule(place=PLACES)
    def accept(self, place: int) -> None:
        if image := self.image(place):
            held = self.now["images"][image]["instances"]
            self.step(Accept(image), self.changed(image, state="done" if held else "done, empty"))

    @rule(place=PLACES)
    def reject(self, place: int) -> None:
        if image := self.image(place):
            self.step(Reject(image), self.changed(image, state="rejected"))

    @rule(place=PLACES, tags=st.sets(st.sampled_from(["x", "y", "z"])))
    def tag(self, place: int, tags: set[str]) -> None:
        if image := self.image(place):
            self.step(SetTags(image, (*tags, " ")), self.changed(image, tags=tuple(sorted(tags))))

    @rule(place=PLACES)
    def remove_image(self, place: int) -> None:
        if image := self.image(place):
            after = copy.deepcopy(self.now)
            del after["images"][image]
            self.step(RemoveImages((image,)), after)

    @rule(place=PLACES)
    def relink(self, place: int) -> None:
        if image := self.image(place):
            path = f"moved {self.number()}.png"
            self.step(Relink((Link(image, path),)), self.changed(image, path=path))

    @rule(place=PLACES, twice=st.booleans())
    def refit(self, place: int, twice: bool) -> None:
        if image := self.image(place):
            width, height = self.now["images"][image]["size"]
            size = (width * 2, height * 2) if twice and width < 5000 else (width, height)
            after = self.changed(image, size=size)
            for held in after["images"][image]["instances"].values():
                by = size[0] / width
                for name, ((x, y), visible, origin) in held["marks"].items():
                    held["marks"][name] = (((x + 0.5) * by - 0.5, (y + 0.5) * by - 0.5), visible, origin)
                x, y, side, who = held["box"]
                held["box"] = ((x + 0.5) * by - 0.5, (y + 0.5) * by - 0.5, side * by, who)
            self.step(Refit(image, *size), after)

    @rule(names=st.sampled_from(["abc", "cab", "bd", "abcd"]))
    def migrate(self, names: str) -> None:
        before = self.now["names"]
        if names == before:
            return
        after = copy.deepcopy(self.now)
        after["names"], after["era"] = names, self.number()
        for image in after["images"].values():
            image["instances"] = {id: through(held, names) for id, held in image["instances"].items()}
            if image["instances"] and image["state"] in ACCEPTED and set(names) - set(before):
                image["state"] = "in work"
        source = tuple(before.index(name) if name in before else None for name in names)
        self.step(Migrate(schema(names), source), after)

    # ---- what models find
    @rule(place=PLACES, seed=st.integers(0, 9), onto=st.sampled_from(Onto))
    def predict(self, place: int, seed: int, onto: Onto) -> None:
        if not (image := self.image(place)):
            return
        was = self.now["images"][image]
        held, kept = was["instances"], {}
        if onto is Onto.MODEL:
            kept = {id: i for id, i in held.items() if touched(i) or i["box"][3] == "hand"}
            lets_in = was["state"] not in (*ACCEPTED, "rejected")
        elif onto is Onto.EMPTY:
            lets_in = not held and was["state"] != "rejected"
        else:
            lets_in = was["state"] in STILL_FREE and not any(touched(i) for i in held.values())
        found = made(self.now["names"], seed, Origin.MODEL)
        edit = Predicted(image, (found,), onto=onto)
        if not lets_in:
            self.document.apply(edit)
            return
        instances = dict(kept)
        if not any(self.on_one_subject(i["box"], found.box) for i in kept.values()):
            instances[self.document._next_id] = told(self.now["names"], found)
        after = self.changed(image, state=was["state"] if kept else "predicted", instances=instances)
        if was["state"] in STILL_FREE:
            self.automatic(edit, image, after)
        else:
            self.step(edit, after)

    @staticmethod
    def on_one_subject(held: tuple, found: Box) -> bool:
        left, right = max(held[0] - held[2] / 2, found.corners[0]), min(held[0] + held[2] / 2, found.corners[2])
        top, bottom = max(held[1] - held[2] / 2, found.corners[1]), min(held[1] + held[2] / 2, found.corners[3])
        common = max(right - left, 0) * max(bottom - top, 0)
        return common / (held[2] ** 2 + found.side**2 - common) >= 0.5

    def automatic(self, edit: Edit, image: int, after: dict) -> None:
        """No step: what undo brings has it too, as far as the schema is the same and the image was as it is now."""
        self.document.apply(edit)
        was, now = self.now["images"][image], after["images"][image]
        for state in (*self.past, *self.future):
            if state["era"] == self.now["era"] and state["images"].get(image) == was:
                state["images"][image] = copy.deepcopy(now)
        self.now = after
        if self.document.redo_title is None:
            self.future = []

    # ---- time
    @rule()
    def undo(self) -> None:
        if not self.past:
            assert self.document.undo() is None
            return
        self.document.undo()
        target = self.past.pop()
        self.future.append(self.left_behind(target))
        self.now = target

    @rule()
    def redo(self) -> None:
        if not self.future:
            assert self.document.redo() is None
            return
        self.document.redo()
        target = self.future.pop()
        self.past.append(self.left_behind(target))
        self.now = target

    def left_behind(self, target: dict) -> dict:
        """The present as it will be met again: what a model has found goes with its image or its schema."""
        kept = copy.deepcopy(self.now)
        for id, image in kept["images"].items():
            there = target["images"].get(id)
            if image["state"] != "predicted":
                continue
            if there is None:
                image.update(state="new", instances={})
            elif target["era"] != kept["era"]:
                names = kept["names"]
                old = {i: through(h, names) for i, h in there["instances"].items()}
                known = all(set(h["marks"]) >= set(names) for h in there["instances"].values())
                instances = old if known or target["era"] < kept["era"] else image["instances"]
                image.update(state=there["state"], instances=instances)
        return kept

    @rule()
    def reopen(self) -> None:
        self.document.close()
        self.document = Document.open(self.document.path)

    @rule()
    def kill(self) -> None:
        """Nothing is closed: what lies on the disk at this moment is all that the next program gets."""
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


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
