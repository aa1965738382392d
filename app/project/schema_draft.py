"""A schema being edited: landmarks that keep who they were while they are renamed, moved, added and removed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from app.project.edits import Source
from engine.labels import MOST_LANDMARKS
from engine.schema import Schema, SchemaError, schema_from_json

SIDES = ("left", "right", "centre")
OTHER = {"left": "right", "right": "left"}
LONGEST_NAME = 64


@dataclass(eq=False)
class Landmark:
    """One landmark of a draft. source: its index in the schema that the project has; place: x, y of the mean shape.

    merged: the indices of those that have become one with it.
    """

    name: str
    side: str = "centre"
    group: str = ""
    source: int | None = None
    place: tuple[float, float] = (0.5, 0.5)
    partner: Landmark | None = field(default=None, repr=False)
    sigma: float | None = None
    merged: tuple[int, ...] = ()


class SchemaDraft:
    """Landmarks in order, lines between them, colours of groups; `schema` makes a Schema of it."""

    def __init__(self, schema: Schema, source: Iterable[int | None] | None = None) -> None:
        places = list(range(len(schema)) if source is None else source)
        group_of = {k: name for name, members in schema.groups.items() for k in members}
        self.name, self.title, self.subject, self.crop = schema.name, schema.title, schema.subject, schema.crop
        self.landmarks = [
            Landmark(name, schema.sides[k], group_of.get(k, ""), places[k], schema.mean[k],
                     sigma=schema.sigmas[k] if schema.sigmas else None)
            for k, name in enumerate(schema.landmarks)
        ]  # fmt: skip
        for a, b in schema.flip:
            self.pair(self.landmarks[a], self.landmarks[b])
        self.lines = [(self.landmarks[a], self.landmarks[b]) for a, b in schema.edges]
        self.measure = [self.landmarks[k] for k in schema.normaliser]
        self.colours = dict(schema.colours)

    # ---- landmarks

    def add(self, name: str = "", near: Landmark | None = None) -> Landmark:
        """A new landmark after another, or at the end; raises SchemaError where there are too many."""
        if len(self.landmarks) >= MOST_LANDMARKS:
            raise SchemaError(f"A schema holds at most {MOST_LANDMARKS} landmarks; remove others first.")
        wanted, n = name or "New landmark", 1
        taken = {landmark.name for landmark in self.landmarks}
        while wanted in taken:
            n += 1
            wanted = f"{name or 'New landmark'} {n}"
        place = (0.5, 0.5) if near is None else (near.place[0] + 0.03, near.place[1] + 0.03)
        made = Landmark(wanted, group=near.group if near is not None else "", place=place)
        at = len(self.landmarks) if near is None else self.landmarks.index(near) + 1
        self.landmarks.insert(at, made)
        return made

    def remove(self, landmark: Landmark) -> None:
        """Take a landmark out with its lines; raises SchemaError for the last two."""
        if len(self.landmarks) <= 2:
            raise SchemaError("A schema needs two landmarks, to measure errors by their distance; add others first.")
        self.pair(landmark, None)
        self.landmarks.remove(landmark)
        self.lines = [line for line in self.lines if landmark not in line]
        for n, end in enumerate(self.measure):
            if end is landmark:
                self.measure[n] = next(other for other in self.landmarks if other not in self.measure)

    def merge(self, landmark: Landmark, other: Landmark) -> None:
        """Make one of two: it keeps its name and has the other's lines; raises SchemaError for the last two."""
        if other is landmark:
            raise SchemaError("A landmark cannot be merged with itself; choose another.")
        if len(self.landmarks) <= 2:
            raise SchemaError("A schema needs two landmarks, to measure errors by their distance; add others first.")
        found = [k for one in (landmark, other) for k in (one.source, *one.merged) if k is not None]
        ends = [*self.joined(landmark), *self.joined(other)]
        if landmark.partner is other:
            landmark.side = "centre"
        self.measure = [landmark if end is other and landmark not in self.measure else end for end in self.measure]
        self.remove(other)
        self.set_lines(landmark, [end for end in ends if end is not other])
        landmark.place = tuple((a + b) / 2 for a, b in zip(landmark.place, other.place, strict=True))
        landmark.source, landmark.merged = (found[0], tuple(found[1:])) if found else (None, ())

    def rename(self, landmark: Landmark, name: str) -> None:
        """Give it another name; raises SchemaError for an empty one or another's."""
        name = " ".join(name.split())
        if not name or len(name) > LONGEST_NAME:
            raise SchemaError(f"A landmark needs a name of 1 to {LONGEST_NAME} letters.")
        if any(other.name == name for other in self.landmarks if other is not landmark):
            raise SchemaError(f"There is a landmark \u201c{name}\u201d already; choose another name.")
        landmark.name = name

    def move(self, landmark: Landmark, to: int) -> None:
        """Put it at another place in the order."""
        self.landmarks.remove(landmark)
        self.landmarks.insert(min(max(to, 0), len(self.landmarks)), landmark)

    # ---- what joins them

    def pair(self, landmark: Landmark, partner: Landmark | None) -> None:
        """Let two swap in a mirror, or none; former partners are alone. Sides follow where one is known."""
        if partner is landmark:
            partner = None
        for one in (landmark, partner):
            if one is not None and one.partner is not None:
                one.partner.partner = None
                one.partner = None
        if partner is not None:
            landmark.partner, partner.partner = partner, landmark
            for one, other in ((landmark, partner), (partner, landmark)):
                if one.side in OTHER and other.side == "centre":
                    other.side = OTHER[one.side]

    def set_side(self, landmark: Landmark, side: str) -> None:
        """Left, right or centre; its partner is on the other side."""
        if side not in SIDES:
            raise SchemaError(f"There is no side {side!r}; use one of {', '.join(SIDES)}.")
        landmark.side = side
        if landmark.partner is not None and side in OTHER:
            landmark.partner.side = OTHER[side]

    def joined(self, landmark: Landmark) -> list[Landmark]:
        """The landmarks to which a line leads, in order."""
        ends = [b if a is landmark else a for a, b in self.lines if landmark in (a, b)]
        return sorted(ends, key=self.landmarks.index)

    def toggle_line(self, a: Landmark, b: Landmark) -> None:
        """Draw the line between two landmarks, or take it away."""
        held = [line for line in self.lines if set(line) == {a, b}]
        if held:
            self.lines = [line for line in self.lines if line not in held]
        elif a is not b:
            self.lines.append((a, b))

    def set_lines(self, landmark: Landmark, ends: Iterable[Landmark]) -> None:
        """Let lines of a landmark lead to these and no others."""
        wanted = [end for end in ends if end is not landmark]
        for other in self.landmarks:
            if other is not landmark and (other in wanted) != (other in self.joined(landmark)):
                self.toggle_line(landmark, other)

    def groups(self) -> dict[str, list[Landmark]]:
        """Group -> its landmarks, in the order of their first."""
        found: dict[str, list[Landmark]] = {}
        for landmark in self.landmarks:
            if landmark.group:
                found.setdefault(landmark.group, []).append(landmark)
        return found

    # ---- what comes out

    def schema(self) -> Schema:
        """The schema as it stands; raises SchemaError with what is missing."""
        at = {id(landmark): n for n, landmark in enumerate(self.landmarks)}
        pairs = sorted({tuple(sorted((at[id(a)], at[id(a.partner)]))) for a in self.landmarks if a.partner is not None})
        groups = {name: [at[id(a)] for a in members] for name, members in self.groups().items()}
        sigmas = [a.sigma for a in self.landmarks]
        if not re.fullmatch(r"[\w.-]{1,64}", self.name):
            raise SchemaError("The schema's short name needs 1 to 64 letters, digits, dots, dashes or underscores.")
        return schema_from_json({
            "name": self.name, "title": self.title.strip() or self.name, "subject": self.subject,
            "landmarks": [a.name for a in self.landmarks],
            "edges": [(at[id(a)], at[id(b)]) for a, b in self.lines], "flip": pairs, "groups": groups,
            "sides": [a.side for a in self.landmarks], "crop": self.crop,
            "normaliser": [at[id(a)] for a in self.measure], "mean": boxed([a.place for a in self.landmarks]),
            "sigmas": sigmas if None not in sigmas else [],
            "colours": {name: colour for name, colour in self.colours.items() if name in groups},
        })  # fmt: skip

    def source(self) -> tuple[Source, ...]:
        """For each landmark its index in the schema that the project has, all of a merged one's, None for a new one."""
        return tuple((one.source, *one.merged) if one.merged else one.source for one in self.landmarks)


def boxed(places: Iterable[tuple[float, float]]) -> list[list[float]]:
    """A shape moved and scaled into the unit square of its own tight box, four decimals."""
    shape = np.array(list(places), float)
    low, high = shape.min(0), shape.max(0)
    size = float((high - low).max()) or 1.0
    return np.round((shape - (low + high) / 2) / size + 0.5, 4).tolist()
