"""Landmark schemas: names, lines, flip pairs, groups and normalisers, read from JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from engine.errors import UserError

OPTIONAL = ("sigmas", "colours", "protocol")
MPII = "mpii"  # a protocol: PCK and PCKh by torso and head size, 14 of the 16 landmarks, seven columns
ALSO = {"body": "person"}  # other words for a subject
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


class SchemaError(UserError):
    """A schema that cannot be used; the message is one sentence with a remedy."""


@dataclass(frozen=True)
class Schema:
    """K landmarks with names and structure.

    edges: pairs of landmark indices; flip: pairs that swap in a mirror; groups: name -> indices;
    sides: K of "left", "right", "centre" (the subject's own); crop: crop side / landmark box side;
    normaliser: two landmark indices whose distance scales errors; mean: (K, 2) shape in the unit
    square of its own tight box, for guides; sigmas: K, how far people themselves place each landmark apart, as a
    share of the subject's size, or none where nobody published them; colours: "#rrggbb" of groups that are not drawn
    in the colour of their side; protocol: the published way to count errors, "" where there is none but distances.
    """

    name: str
    title: str
    subject: str
    landmarks: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    flip: tuple[tuple[int, int], ...]
    groups: dict[str, tuple[int, ...]]
    sides: tuple[str, ...]
    crop: float
    normaliser: tuple[int, int]
    mean: tuple[tuple[float, float], ...]
    sigmas: tuple[float, ...] = ()
    colours: dict[str, str] = field(default_factory=dict)
    protocol: str = ""

    def __len__(self) -> int:
        return len(self.landmarks)

    @property
    def by_mpii(self) -> bool:
        """Whether errors are counted as those of MPII's bodies."""
        return self.protocol == MPII

    @property
    def permutation(self) -> np.ndarray:
        """(K,) int: index of each landmark's partner in the mirror image, itself where it has none."""
        order = np.arange(len(self))
        for a, b in self.flip:
            order[a], order[b] = b, a
        return order

    def to_json(self) -> dict[str, Any]:
        """A JSON object; the inverse of `schema_from_json`."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in told.items() if value or name not in OPTIONAL}

    def colour(self, landmark: int) -> str:
        """The colour of a landmark's group as "#rrggbb", or "" where its side decides."""
        return next((self.colours[group] for group in self.colours if landmark in self.groups[group]), "")


def schema_from_json(data: Any) -> Schema:
    """Check and freeze a schema; raises SchemaError with the field at fault."""
    if not isinstance(data, dict):
        raise SchemaError("A schema must be a JSON object.")
    missing = [f for f in Schema.__dataclass_fields__ if f not in data and f not in OPTIONAL]
    if missing:
        raise SchemaError(f"The schema lacks {', '.join(missing)}; add what is missing.")
    try:
        names = tuple(str(n) for n in data["landmarks"])
        k = len(names)
        data = _of_its_file(names, str(data["name"])) | data
        schema = Schema(
            name=str(data["name"]),
            title=str(data["title"]),
            subject=ALSO.get(str(data["subject"]), str(data["subject"])),
            landmarks=names,
            edges=tuple((int(a), int(b)) for a, b in data["edges"]),
            flip=tuple((int(a), int(b)) for a, b in data["flip"]),
            groups={str(g): tuple(int(i) for i in members) for g, members in data["groups"].items()},
            sides=tuple(str(s) for s in data["sides"]),
            crop=float(data["crop"]),
            normaliser=(int(data["normaliser"][0]), int(data["normaliser"][1])),
            mean=tuple((float(x), float(y)) for x, y in data["mean"]),
            sigmas=tuple(float(s) for s in data.get("sigmas") or ()),
            colours={str(group): str(colour) for group, colour in (data.get("colours") or {}).items()},
            protocol=str(data.get("protocol") or ""),
        )
    except (TypeError, ValueError, IndexError, AttributeError) as error:
        raise SchemaError(f"The schema has a field of the wrong form ({error}); correct it.") from error
    _check(schema, k)
    return schema


def _of_its_file(landmarks: tuple[str, ...], name: str) -> dict[str, Any]:
    """What the file that ships under this name says besides: models and projects may be older than that."""
    told = _shipped().get(name, {})
    same = told.get("landmarks") == list(landmarks)
    return {key: told[key] for key in ("sigmas", "protocol") if key in told} if same else {}


@cache
def _shipped() -> dict[str, dict[str, Any]]:
    folder = resources.files("resources") / "schemas"
    return {e.name[:-5]: json.loads(e.read_text("utf-8")) for e in folder.iterdir() if e.name.endswith(".json")}


def _check(schema: Schema, k: int) -> None:
    indices = [i for pair in (*schema.edges, *schema.flip, schema.normaliser) for i in pair]
    indices += [i for members in schema.groups.values() for i in members]
    if k == 0 or len(set(schema.landmarks)) != k:
        raise SchemaError("Landmark names must be present and different from each other.")
    if any(not 0 <= i < k for i in indices):
        raise SchemaError(f"The schema names a landmark outside 0 to {k - 1}; correct its lines, pairs and groups.")
    swapped = [i for pair in schema.flip for i in pair]
    if len(set(swapped)) != len(swapped):
        raise SchemaError("A landmark may stand in one flip pair only; take it out of the others.")
    if len(schema.sides) != k or len(schema.mean) != k or set(schema.sides) - {"left", "right", "centre"}:
        raise SchemaError(f"sides and mean need one entry for each of the {k} landmarks.")
    if schema.sigmas and (len(schema.sigmas) != k or not all(0 < sigma < 1 for sigma in schema.sigmas)):
        raise SchemaError(f"sigmas need one number between 0 and 1 for each of the {k} landmarks.")
    if set(schema.colours) - set(schema.groups) or not all(map(COLOUR.fullmatch, schema.colours.values())):
        raise SchemaError("colours need the name of a group and a colour such as #8040c0 for each entry.")
    if not 0.5 <= schema.crop <= 10:
        raise SchemaError("crop must be between 0.5 and 10.")


@cache
def load_schema(name: str) -> Schema:
    """A schema that ships, by name; raises SchemaError where there is none."""
    if name not in _shipped():
        raise SchemaError(f"There is no schema {name!r}; choose one of {', '.join(schema_names())}.")
    return schema_from_json(_shipped()[name])


def schema_names() -> list[str]:
    """Names of the schemas that ship, sorted."""
    return sorted(_shipped())
