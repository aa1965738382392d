"""Which landmark of a file is which of a schema: by name, by number where there are no names, or as a person says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.errors import UserError
from engine.labels import ABSENT, LabelSet, Skeleton, Table
from engine.schema import Schema, load_schema, schema_names

NONE = -1  # the target of a landmark that is left out
SAME = {"l": "left", "r": "right", "lt": "left", "rt": "right", "eyebrow": "brow", "headtop": "head top"}
CROP = 1.5


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


def words_of(name: str) -> tuple[str, ...]:
    """What names are compared by: their words, whatever their order, case and marks; l and r are left and right."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = [SAME.get(word, word) for word in re.findall(r"[^\W\d_]+|\d+", parted.casefold())]
    return tuple(sorted(" ".join(words).split()))


def match(skeleton: Skeleton, schema: Schema, chosen: Mapping[str, str] | None = None) -> Match:
    """The counterparts of a skeleton's landmarks.

    chosen: the file's name -> the schema's, "" to leave one out; of those that the skeleton lacks nothing is said
    here (see `check_chosen`). Each landmark of the schema is taken once. Raises UserError for names that the schema
    does not have.
    """
    target = _by_name(skeleton.landmarks, schema.landmarks)
    numbers = tuple(str(n + 1) for n in range(len(skeleton)))
    by_number = len(skeleton) == len(schema) and skeleton.landmarks == numbers and set(target) == {NONE}
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
    at = _by_name((name,), schema.landmarks)[0]
    if at == NONE:
        names = ", ".join(schema.landmarks)
        raise UserError(f"The schema {schema.title} has no landmark {name!r}; it has: {names}.")
    return at


def _by_name(names: tuple[str, ...], known: tuple[str, ...]) -> list[int]:
    """Equal names first, then equal words where they say one landmark only."""
    target = [known.index(name) if name in known else NONE for name in names]
    ours, theirs = [words_of(name) for name in known], [words_of(name) for name in names]
    for n, words in enumerate(theirs):
        if target[n] == NONE and ours.count(words) == 1 and theirs.count(words) == 1:
            at = ours.index(words)
            target[n] = at if at not in target else NONE
    return target


def schema_for(labels: LabelSet, name: str | None = None) -> Schema:
    """The schema of a project made for some labels: one by name, the shipped one with just these landmarks, or one
    made of the file's own. Raises UserError where the labels hold no landmarks."""
    if name:
        return load_schema(name)
    table = max(labels.tables, key=len, default=None)
    if table is None or not len(table.skeleton):
        raise UserError("These labels hold no landmarks; choose another file.")
    skeleton = table.skeleton
    shipped = sorted(schema_names(), key=lambda one: one != skeleton.name)
    for schema in map(load_schema, shipped):
        if len(schema) == len(skeleton) and match(skeleton, schema).count == len(schema):
            found = match(skeleton, schema)
            if not found.by_number or schema.name == skeleton.name:
                return schema
    return _own_schema(table)


def _own_schema(table: Table) -> Schema:
    skeleton = table.skeleton
    words = [words_of(name) for name in skeleton.landmarks]
    mean = mean_shape(table)
    away = np.linalg.norm(mean[:, None] - mean[None], axis=2)
    normaliser = tuple(int(n) for n in np.unravel_index(int(away.argmax()), away.shape))
    name = re.sub(r"\W+", "-", skeleton.name).strip("-") or "subject"
    return Schema(
        name=f"{name}{len(skeleton)}", title=skeleton.name or "Subject", subject=skeleton.name or "subject",
        landmarks=skeleton.landmarks, edges=skeleton.edges, flip=skeleton.flip or _pairs(words),
        groups={"All": tuple(range(len(skeleton)))},
        sides=tuple("left" if "left" in w else "right" if "right" in w else "centre" for w in words),
        crop=CROP, normaliser=normaliser, mean=tuple((float(x), float(y)) for x, y in mean),
    )  # fmt: skip


def _pairs(words: list[tuple[str, ...]]) -> tuple[tuple[int, int], ...]:
    """Mirror pairs by name: what is left of one is right of the other."""
    mirrored = {"left": "right", "right": "left"}
    found = []
    for n, own in enumerate(words):
        other = tuple(sorted(mirrored.get(word, word) for word in own))
        if other != own and words.count(other) == 1 and words.index(other) > n:
            found.append((n, words.index(other)))
    return tuple(found)


def mean_shape(table: Table) -> np.ndarray:
    """(K, 2): where the landmarks lie on average in the tight box of all; on a circle where nothing tells."""
    k = len(table.skeleton)
    turn = np.linspace(0, 2 * np.pi, k, endpoint=False)
    shape = 0.5 + 0.5 * np.stack([np.sin(turn), -np.cos(turn)], 1)
    there = table.visibility > ABSENT
    rows = there.sum(1) > 1
    if rows.any():
        points = np.where(there[rows][..., None], table.points[rows], np.nan)
        low, high = np.nanmin(points, 1, keepdims=True), np.nanmax(points, 1, keepdims=True)
        shares = (points - low) / np.maximum(high - low, 1e-9).max(2, keepdims=True)
        known = np.isfinite(shares).any(0).all(1)
        shape[known] = np.nanmean(shares[:, known], 0)
    low, high = shape.min(0), shape.max(0)
    return (shape - low) / np.maximum(high - low, 1e-9)
