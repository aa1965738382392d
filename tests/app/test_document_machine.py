"""Random edits of every kind, undo, redo, reopening and kills, against a plain dictionary that says what must hold.

The dictionary knows nothing of rows, journals or plans: each rule changes it as the words of its edit say.
"""

from __future__ import annotations

import copy
from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

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
from app.project.values import Box, Origin, Visibility
from tests.app.machine import Held, made, schema, through, told, touched

STILL_FREE = ("new", "predicted", "broken")
ACCEPTED = ("done", "done, empty", "reviewed")
PLACES = st.integers(0, 2)


class Machine(Held):
    """Every edit there is."""

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
            edit = Refit(image, *size)
            if after == self.now or self.now["images"][image]["instances"]:
                self.step(edit, after)
            else:
                self.automatic(edit, image, after)  # no label is concerned: the size is read anew

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
    @rule(place=PLACES, seed=st.integers(0, 9), onto=st.sampled_from(Onto), order=st.integers(0, 1))
    def predict(self, place: int, seed: int, onto: Onto, order: int) -> None:
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
        edit = Predicted(image, (found,), onto=onto, order=order)
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
            self.step(edit, after, order)

    @staticmethod
    def on_one_subject(held: tuple, found: Box) -> bool:
        left, right = max(held[0] - held[2] / 2, found.corners[0]), min(held[0] + held[2] / 2, found.corners[2])
        top, bottom = max(held[1] - held[2] / 2, found.corners[1]), min(held[1] + held[2] / 2, found.corners[3])
        common = max(right - left, 0) * max(bottom - top, 0)
        return common / (held[2] ** 2 + found.side**2 - common) >= 0.5

    def automatic(self, edit: Edit, image: int, after: dict) -> None:
        """No step: undo leaves it as far as the edits that it takes back did not change the same of the image."""
        self.document.apply(edit)
        was, now = self.now["images"][image], after["images"][image]
        for states in (self.past, self.future):
            later, staying = was, {key for key in now if now[key] != was[key]}
            for state in reversed(states):
                if image not in state["images"]:
                    break
                held = state["images"][image]
                if state["era"] != self.now["era"] or any(held[key] != later[key] for key in ("state", "instances")):
                    staying -= {"state", "instances"}
                if held["instances"] != later["instances"] or held["size"] != later["size"]:
                    staying -= {"size"}
                later = copy.deepcopy(held)
                held.update(copy.deepcopy({key: now[key] for key in staying}))
        self.now = after
        if self.document.redo_title is None:
            self.future = []


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
