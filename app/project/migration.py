"""Another schema for the labels that a project holds: what each instance becomes, and what the change would do."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from app.project.contents import Contents
from app.project.edits import Migrate, Source
from app.project.values import ACCEPTED, Instance, Origin, Visibility
from engine.errors import UserError
from engine.schema import Schema

FRESH = {"visibility": Visibility.ABSENT, "origin": Origin.NONE, "score": 0, "guess": np.nan, "when": 0}


@dataclass(frozen=True)
class Preview:
    """What a migration would do; names are those of landmarks.

    merged: the old ones and the new one each, and `averaged` landmarks of labels in which several are there;
    instances and images are touched; `lost` landmarks that a hand has placed would go; `reopened` images that are
    accepted would go back into work.
    """

    added: tuple[str, ...]
    dropped: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    moved: int
    instances: int
    images: int
    lost: int
    reopened: int
    merged: tuple[tuple[tuple[str, ...], str], ...] = ()
    averaged: int = 0


def parts(source: Source) -> tuple[int, ...]:
    """The old landmarks from which a new one comes."""
    return () if source is None else source if isinstance(source, tuple) else (source,)


def check(edit: Migrate, before: Schema) -> None:
    """Raise UserError where a migration does not fit the schema in force."""
    given = [k for source in edit.source for k in parts(source)]
    if len(edit.source) != len(edit.schema):
        raise UserError(f"The new schema has {len(edit.schema)} landmarks; say for each where it comes from.")
    if len(set(given)) != len(given) or any(not 0 <= k < len(before) for k in given):
        raise UserError("Each landmark of the old schema can go on as one of the new; choose again.")


def by_name(before: Schema, after: Schema) -> tuple[int | None, ...]:
    """The source of each new landmark where those of one name are the same."""
    places = {name: k for k, name in enumerate(before.landmarks)}
    return tuple(places.get(name) for name in after.landmarks)


def migrated(instance: Instance, source: tuple[Source, ...]) -> Instance:
    """An instance with the landmarks of another schema; new ones are absent, nobody's, in the middle of the box."""
    at = np.array([_one_of(instance, parts(some)) for some in source])
    kept = at >= 0
    values = {"points": np.tile(np.array([instance.box.cx, instance.box.cy], np.float64), (len(at), 1))}
    for name, fresh in FRESH.items():
        old = getattr(instance, name)
        values[name] = np.full((len(at), *old.shape[1:]), fresh, old.dtype)
    for name, value in values.items():
        value[kept] = getattr(instance, name)[at[kept]]
    for k, some in enumerate(source):
        there = _there(instance, parts(some))
        if len(there) > 1:
            for name, value in _middle(instance, there).items():
                values[name][k] = value
    return replace(instance, **values)


def _there(instance: Instance, of: tuple[int, ...]) -> list[int]:
    return [k for k in of if instance.visibility[k] != Visibility.ABSENT]


def _one_of(instance: Instance, of: tuple[int, ...]) -> int:
    """The first that is there, else the first; -1 where there is none to choose from."""
    return next(iter([*_there(instance, of), *of]), -1)


def _middle(instance: Instance, there: list[int]) -> dict[str, object]:
    """One landmark in place of several: occluded where none is visible; a hand's where a hand has placed one."""
    origin = Origin(int(instance.origin[there].max()))
    mixed = origin is Origin.HAND and (instance.origin[there] != Origin.HAND).any()
    return {
        "points": instance.points[there].mean(0), "guess": instance.guess[there].mean(0),
        "visibility": instance.visibility[there].max(), "score": instance.score[there].mean(),
        "origin": Origin.EDITED if mixed else origin, "when": instance.when[there].max(),
    }  # fmt: skip


def preview(contents: Contents, before: Schema, edit: Migrate) -> Preview:
    """What a migration would do to all that a project holds; raises UserError where it cannot be done."""
    check(edit, before)
    gone = np.array(sorted(set(range(len(before))) - {k for some in edit.source for k in parts(some)}), int)
    pairs = [(k, parts(old)[0]) for k, old in enumerate(edit.source) if len(parts(old)) == 1]
    merged = [(old, k) for k, old in enumerate(edit.source) if len(parts(old)) > 1]
    names = [(before.landmarks[old], edit.schema.landmarks[k]) for k, old in pairs]
    instances = images = lost = reopened = averaged = 0
    for image in contents.images.ordered():
        held = contents.instances(image.id)
        instances, images = instances + len(held), images + bool(held)
        lost += sum(int((i.origin[gone] > Origin.MODEL).sum()) for i in held)
        averaged += sum(len(_there(i, old)) > 1 for i in held for old, _ in merged)
        reopened += bool(held) and edit.reopen and image.state in ACCEPTED and None in edit.source
    return Preview(
        tuple(name for name, old in zip(edit.schema.landmarks, edit.source, strict=True) if old is None),
        tuple(before.landmarks[k] for k in gone), tuple((old, new) for old, new in names if old != new),
        sum(k != old for k, old in pairs), instances, images, lost, reopened,
        tuple((tuple(before.landmarks[k] for k in old), edit.schema.landmarks[new]) for old, new in merged), averaged,
    )  # fmt: skip
