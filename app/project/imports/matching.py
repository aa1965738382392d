"""Which landmark of a file is which of a schema: by name, by number where there are no names, or as a person says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.project.skeletons import mean_shape, schema_of
from engine.errors import UserError
from engine.labels import LabelSet, Skeleton
from engine.naming import NONE, counterparts, numbered_alike
from engine.schema import Schema, load_schema, schema_names


@dataclass(frozen=True)
class Match:
    """target: for each landmark of the skeleton its number in the schema, NONE where it is left out; by_number:
    whether the file has no names, and the order was taken."""

    skeleton: Skeleton
    target: tuple[int, ...]
    by_number: bool = False

    @property
    def left_out(self) -> tuple[str, ...]:
        """Names of the file's landmarks that have no counterpart."""
        return tuple(name for name, n in zip(self.skeleton.landmarks, self.target, strict=True) if n == NONE)

    @property
    def count(self) -> int:
        """Landmarks that have a counterpart."""
        return sum(n != NONE for n in self.target)


def match(skeleton: Skeleton, schema: Schema, chosen: Mapping[str, str] | None = None) -> Match:
    """The counterparts of a skeleton's landmarks.

    chosen: the file's name -> the schema's, "" to leave one out; of those that the skeleton lacks nothing is said
    here (see `check_chosen`). Each landmark of the schema is taken once. Raises UserError for names that the schema
    does not have.
    """
    target = counterparts(skeleton.landmarks, schema.landmarks)
    by_number = numbered_alike(skeleton.landmarks, schema.landmarks) and set(target) == {NONE}
    if by_number:
        target = list(range(len(schema)))
    for name, wanted in (chosen or {}).items():
        if name not in skeleton.landmarks:
            continue
        at = find(wanted, schema) if wanted else NONE
        if at != NONE:
            target = [NONE if held == at else held for held in target]
        target[skeleton.landmarks.index(name)] = at
    return Match(skeleton, tuple(target), by_number)


def check_chosen(chosen: Mapping[str, str], labels: LabelSet, schema: Schema) -> None:
    """Raise UserError where a mapping names a landmark that neither the file nor the schema has, or one twice."""
    known = {name for table in labels.tables for name in table.skeleton.landmarks}
    for name, wanted in chosen.items():
        if name not in known:
            raise UserError(f"The labels have no landmark {name!r}; they have: {', '.join(sorted(known)[:80])}.")
        if wanted:
            find(wanted, schema)
    for table in labels.tables:
        places = [find(w, schema) for name, w in chosen.items() if w and name in table.skeleton.landmarks]
        twice = next((n for n in places if places.count(n) > 1), None)
        if twice is not None:
            raise UserError(f"Two landmarks cannot both become {schema.landmarks[twice]!r}; choose one of them.")


def find(name: str, schema: Schema) -> int:
    """A schema's landmark by its name or the same words; raises UserError."""
    at = counterparts((name,), schema.landmarks)[0]
    if at == NONE:
        names = ", ".join(schema.landmarks)
        raise UserError(f"The schema {schema.title} has no landmark {name!r}; it has: {names}.")
    return at


def schema_for(labels: LabelSet) -> Schema:
    """The schema of a project made for some labels: the shipped one with just these landmarks, or one made of the
    file's own. Raises UserError where the labels hold no landmarks."""
    table = max(labels.tables, key=len, default=None)
    if table is None or not len(table.skeleton):
        raise without_landmarks()
    skeleton = table.skeleton
    shipped = sorted(schema_names(), key=lambda one: one != skeleton.name)
    for schema in map(load_schema, shipped):
        if len(schema) == len(skeleton) and match(skeleton, schema).count == len(schema):
            found = match(skeleton, schema)
            if not found.by_number or schema.name == skeleton.name:
                return schema
    return schema_of(skeleton, mean_shape(table))


def without_landmarks() -> UserError:
    """What is said of labels in which there are none."""
    return UserError("These labels hold no landmarks; choose another file.")
