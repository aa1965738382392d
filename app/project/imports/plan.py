"""What importing some labels would do to a project: a value, worked out without touching the project."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from app.project.document import Change, Document
from app.project.edits import AddImages, Batch, Edit, Predicted, PutInstance, SetState
from app.project.imports.candidates import Candidates, candidates
from app.project.imports.matching import Match, check_chosen, match, without_landmarks
from app.project.imports.merging import by_hand, merge, pairs
from app.project.imports.pictures import Place, Progress, place_pictures
from app.project.imports.sides import Sides, look_at_sides
from app.project.values import ACCEPTED, Image, Instance, State, Visibility
from engine.errors import UserError
from engine.labels import LabelSet, Picture, Problem

UNTOUCHED = (State.NEW, State.PREDICTED, State.BROKEN)
PICTURES = ("found", "missing", "refused", "new", "known")
INSTANCES = ("read", "added", "merged", "unchanged", "duplicates", "left out")
LANDMARKS = ("added", "replaced", "kept", "removed")


@dataclass(frozen=True)
class Wishes:
    """What a person chose. mapping: the file's landmark -> the schema's, "" for none; replacing: the file's labels
    take the place of a hand's that differ; swap: left and right are exchanged; annotator: who is said to have
    labelled what the file has by hand."""

    mapping: Mapping[str, str] = field(default_factory=dict)
    replacing: bool = False
    swap: bool = False
    annotator: str = ""


@dataclass(frozen=True)
class ImportPlan:
    """edits: all that would happen, as one; counts by name as PICTURES, INSTANCES and LANDMARKS; states: images that
    would come to each; problems: what would not be taken over as it stands; revision: of the project, then."""

    revision: int
    edits: tuple[Edit, ...]
    matches: tuple[Match, ...]
    sides: Sides
    pictures: Mapping[str, int]
    instances: Mapping[str, int]
    landmarks: Mapping[str, int]
    states: Mapping[State, int]
    problems: tuple[Problem, ...]

    @property
    def lost(self) -> int:
        """Labelled landmarks of the project that would be gone or moved."""
        return self.landmarks["removed"] + self.landmarks["replaced"]


def plan_import(
    document: Document, labels: LabelSet, wishes: Wishes = Wishes(), progress: Progress | None = None,  # noqa: B008
    places: list[Place] | None = None,
) -> ImportPlan:  # fmt: skip
    """Work out an import; changes nothing. places: of an earlier plan of the same labels, to save reading pictures.

    Raises UserError where there are neither landmarks nor pictures to take, where no landmark of the labels is known
    to the project's schema, or a mapping does not fit.
    """
    check_chosen(wishes.mapping, labels, document.schema)
    plan = _Planning(document, labels, wishes, progress, places).run()
    if not labels.instances and not plan.pictures["found"]:
        raise without_landmarks()
    return plan


def apply_import(document: Document, plan: ImportPlan) -> Change:
    """Carry out a plan in one step that can be undone; raises Outdated where the project has changed since, and
    UserError; nothing has happened then."""
    return document.apply(Batch(plan.edits, "Import labels"), after=plan.revision)


class _Planning:
    def __init__(
        self, document: Document, labels: LabelSet, wishes: Wishes, progress: Progress | None,
        places: list[Place] | None,
    ) -> None:  # fmt: skip
        self.document, self.labels, self.wishes = document, labels, wishes
        self.progress, self.revision = progress, document.revision
        schema = document.schema
        self.matches = tuple(match(table.skeleton, schema, wishes.mapping) for table in labels.tables)
        if labels.instances and not any(found.count for found in self.matches):
            names = ", ".join(labels.tables[0].skeleton.landmarks[:6])
            raise UserError(f"No landmark of these labels ({names} \u2026) is in the project's schema {schema.title}; "
                            "say which is which with a mapping.")  # fmt: skip
        self.places = places or place_pictures(document, labels, progress)
        self.edits: list[Edit] = []
        self.problems: list[Problem] = list(labels.problems)
        self.pictures, self.instances, self.landmarks = (dict.fromkeys(n, 0) for n in (PICTURES, INSTANCES, LANDMARKS))
        self.states: Counter[State] = Counter()

    def run(self) -> ImportPlan:
        tables = [candidates(t, f, len(self.document.schema)) for t, f in zip(
            self.labels.tables, self.matches, strict=True)]  # fmt: skip
        sides = self._look(tables)
        if self.wishes.swap:
            order = self.document.schema.permutation
            tables = [Candidates(t.table, t.points[:, order], t.seen[:, order], t.score[:, order], t.mapped[order])
                      for t in tables]  # fmt: skip
        self._count_pictures()
        held: dict[int | str, list[tuple[Candidates, int]]] = {}
        for part in tables:
            for picture, row in part.rows_of():
                held.setdefault(self.places[picture].key or f"\0{picture}", []).append((part, row))
        done: set[int | str] = set()
        for picture, place in zip(self.labels.pictures, self.places, strict=True):
            if not place.problem and place.key not in done:
                done.add(place.key)
                self._image(picture, place, held.get(place.key, []))
        self.instances["read"] = self.labels.instances
        self.instances["left out"] += sum(len(rows) for key, rows in held.items() if key not in done)
        self._tell_matches()
        return ImportPlan(
            self.revision, tuple(self.edits), self.matches, sides, self.pictures, self.instances, self.landmarks,
            dict(self.states), tuple(self.problems),
        )  # fmt: skip

    def _look(self, tables: list[Candidates]) -> Sides:
        found = [look_at_sides(t.points, t.seen > 0, self.document.schema) for t in tables]
        sides = Sides(sum(one.agree for one in found), sum(one.contradict for one in found))
        if sides.swapped != self.wishes.swap and sides.agree + sides.contradict:
            what = f"{sides.contradict} of {sides.agree + sides.contradict} shapes fit only with left and right swapped"
            if self.wishes.swap:
                what = f"{sides.agree} of {sides.agree + sides.contradict} shapes fit as named, and would be swapped"
            self.problems.append(Problem("left and right", what))
        return sides

    def _count_pictures(self) -> None:
        seen: set[int | str] = set()
        for picture, place in zip(self.labels.pictures, self.places, strict=True):
            if place.problem:
                missing = picture.path is None
                self.pictures["missing" if missing else "refused"] += 1
                if not missing:
                    self.problems.append(Problem(f"picture {picture.name}", place.problem))
                continue
            self.pictures["found"] += 1
            if place.key not in seen:
                self.pictures["new" if place.new is not None else "known"] += 1
            else:
                self.problems.append(Problem(f"picture {picture.name}", "it is the same picture as another one"))
            seen.add(place.key)

    def _tell_matches(self) -> None:
        for found in self.matches:
            if found.left_out:
                names = ", ".join(found.left_out[:8]) + (" \u2026" if len(found.left_out) > 8 else "")
                what = f"{len(found.left_out)} landmarks are not in the project's schema and are left out: {names}"
                self.problems.append(Problem(found.skeleton.name or "landmarks", what))
            if found.by_number:
                what = "its landmarks have no names and were taken by their numbers"
                self.problems.append(Problem(found.skeleton.name or "landmarks", what))

    # ---- one image

    def _image(self, picture: Picture, place: Place, rows: list[tuple[Candidates, int]]) -> None:
        new: list[tuple[Instance, Candidates, int]] = []
        for part, row in rows:
            instance = part.instance(row, self.wishes.annotator)
            if instance is None:
                self.instances["left out"] += 1
            elif any(_equal(instance, other) for other, _, _ in new):
                self.instances["duplicates"] += 1
            else:
                new.append((instance, part, row))
        image = self.document.image(place.image) if place.image else None
        if image is None:
            self.edits.append(AddImages((place.new,)))
        held = list(self.document.instances(image.id)) if image is not None else []
        state = image.state if image is not None else State.NEW
        fresh = state in UNTOUCHED and not any(instance.touched for instance in held)
        hands = any(part.table.hand[row] for _, part, row in new)
        if new and not hands and fresh and not self._hurt(image):
            self._predicted(image, held, new)
            return
        left = self._merge(image, held, new, state in ACCEPTED)
        self._settle(picture, image, state, fresh, hands, left)

    def _hurt(self, image: Image | None) -> bool:
        return image is not None and any(name.endswith(f" image {image.id}") for name in self.document.damaged)

    def _predicted(
        self, image: Image | None, held: list[Instance], new: list[tuple[Instance, Candidates, int]]
    ) -> None:  # fmt: skip
        """A picture in which only models have been at work, in the project and in the file."""
        instances = tuple(instance for instance, _, _ in new)
        if len(held) == len(instances) and all(any(_equal(a, b) for b in held) for a in instances):
            self.instances["unchanged"] += len(instances)
            return
        doubts = [doubt for _, part, row in new if (doubt := part.doubt(row)) is not None]
        self.edits.append(Predicted(image.id if image else 0, instances, max(doubts, default=None)))
        self.states[State.PREDICTED] += 1
        self.instances["added"] += len(instances)
        self.landmarks["added"] += sum(int((i.visibility > 0).sum()) for i in instances)

    def _merge(
        self, image: Image | None, held: list[Instance], new: list[tuple[Instance, Candidates, int]], accepted: bool
    ) -> list[Instance]:  # fmt: skip
        """Edits for one image; returns its instances as they will be."""
        same, after = pairs(held, [instance for instance, _, _ in new]), list(held)
        tally: Counter[str] = Counter()
        for n, (instance, part, row) in enumerate(new):
            if n in same:
                old = held[same[n]]
                replacing = self.wishes.replacing and bool(part.table.hand[row])
                made = merge(old, instance, accepted, part.mapped, replacing, tally)
                self.instances["unchanged" if made is old else "merged"] += 1
                if made is not old:
                    self.edits.append(PutInstance(made, "Import labels"))
                    after[same[n]] = made
            elif held and not part.table.hand[row]:  # a prediction beside what a person has done
                self.instances["left out"] += 1
            else:
                placed = instance if image is None else replace(instance, image=image.id)
                self.edits.append(PutInstance(placed, "Import labels"))
                self.instances["added"] += 1
                tally["added"] += int((instance.visibility > 0).sum())
                after.append(instance)
        for name in LANDMARKS:
            self.landmarks[name] += tally[name]
        return after

    def _settle(
        self, picture: Picture, image: Image | None, state: State, fresh: bool, hands: bool, after: list[Instance]
    ) -> None:  # fmt: skip
        """The state of an image with its labels: accepted where all of them are a hand's."""
        told = picture.attributes.get("state")
        wanted = state
        if image is None and isinstance(told, str) and told in set(State):
            wanted = State(told)
        elif fresh and hands:
            every = all((by_hand(i, False) | (i.visibility == Visibility.ABSENT)).all() for i in after)
            wanted = State.DONE if every else State.IN_WORK
        elif fresh and not after and picture.visited:
            wanted = State.DONE_EMPTY
        elif state == State.DONE_EMPTY and after:
            wanted = State.IN_WORK
        number = image.id if image is not None else 0
        if wanted != state or (image is not None and after and self._touched(number)):
            self.edits.append(SetState(number, wanted, image.reason if image is not None and wanted == state else ""))
        if wanted != state or image is None:
            self.states[wanted] += 1

    def _touched(self, image: int) -> bool:
        """Whether the last edits put instances into an image, which makes it one in work unless told otherwise."""
        last = self.edits[-1] if self.edits else None
        return isinstance(last, PutInstance) and last.instance.image == image


def _equal(one: Instance, other: Instance) -> bool:
    there = one.visibility > 0
    return np.array_equal(one.visibility, other.visibility) and np.array_equal(one.points[there], other.points[there])
