"""Data sets that trainers read in their original layouts, written: MPII as h5 and as both JSON forms, WFLW's list.

Offsets are those of the readers (engine/layouts). Each holds its own landmarks only, which are found by name.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from app.files import atomic_file
from app.formats.extras import needs
from app.formats.layouts import LayoutFormat
from app.formats.names import written_names
from app.formats.registry import FormatError, Holds, WriteOptions
from app.project.imports.matching import match
from engine.labels import ABSENT, VISIBLE, LabelSet, Table
from engine.schema import load_schema

ONE_BASED = -1.0
SHIFT, WIDER = 15.0, 1.25  # how the hourglass's files move the centre down and widen the scale
PERSON = 200.0  # pixels of a person whose scale is 1
PLACE = ("center", "scale")
FLAGS = ("pose", "expression", "illumination", "make_up", "occlusion", "blur")
MPII = Holds(
    landmarks=(16,), boxes=False, subjects=False, empty=False, outside=False, extras=(*PLACE, "head_size"), flip=True
)  # fmt: skip


class _Fixed(LayoutFormat):
    """A layout with one schema's landmarks."""

    schema = "mpii16"
    holds = MPII

    def rows(self, labels: LabelSet, out: Path) -> list[tuple[str, Table, int, np.ndarray, np.ndarray]]:
        """(picture's name, table, row, points (K, 2), visibility (K,)) in the schema's order, by picture.

        Raises FormatError where the landmarks are others.
        """
        schema, names = load_schema(self.schema), written_names(labels.pictures, out.absolute().parent)
        made = []
        for table in labels.tables:
            if not len(table):
                continue
            found = match(table.skeleton, schema)
            if found.count < len(schema) or len(table.skeleton) != len(schema):
                raise FormatError(f"{self.title} holds the landmarks of {schema.title} only; choose another format.")
            order = np.argsort(found.target)
            made += [(names[int(table.picture[n])], table, n, table.points[n][order], table.visibility[n][order])
                     for n in np.argsort(table.picture, kind="stable")]  # fmt: skip
        return made


def _person(table: Table, row: int, points: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre (2,) and scale in our coordinates: as the data set had them, else of the box, else of the landmarks."""
    if all(name in table.extras for name in PLACE):
        center, scale = np.asarray(table.extras["center"][row], float), float(table.extras["scale"][row])
        if np.isfinite(center).all() and scale > 0:
            return center, scale
    box = table.box[row]
    if not np.isfinite(box).all():
        there = points[seen > ABSENT]
        if not len(there):
            return np.zeros(2), 1 / PERSON
        box = np.concatenate([there.min(0), there.max(0)])
    return (box[:2] + box[2:]) / 2, max(float((box[2:] - box[:2]).max()), 1.0) / PERSON


class MpiiJson(_Fixed):
    """HRNet's list; a missing landmark is -1, -1."""

    suffix = ".json"

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """Write whole or not at all; raises FormatError."""
        offset = ONE_BASED if options.offset is None else options.offset
        people = []
        for name, table, row, points, seen in self.rows(labels, out):
            there = seen > ABSENT
            center, scale = _person(table, row, points, seen)
            people.append({
                "image": name, "center": _plain(center - offset), "scale": scale,
                "joints": _plain(np.where(there[:, None], points - offset, -1.0)),
                "joints_vis": (seen == VISIBLE).astype(int).tolist(),
            })  # fmt: skip
        _dump(people, out)


class MpiiPoseJson(_Fixed):
    """pytorch-pose's list; a missing landmark is 0, 0, 0."""

    suffix = ".json"

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """Write whole or not at all; raises FormatError."""
        offset = ONE_BASED if options.offset is None else options.offset
        people, sizes = [], {str(p.name): p.size for p in labels.pictures}
        for number, (name, table, row, points, seen) in enumerate(self.rows(labels, out)):
            there, picture = seen > ABSENT, labels.pictures[int(table.picture[row])]
            center, scale = _person(table, row, points, seen)
            flags = np.stack([np.where(there, seen == VISIBLE, 0)], 1)
            size = sizes.get(picture.name) or (-1, -1)
            people.append({
                "dataset": "MPI", "isValidation": float(picture.split == "validation"), "img_paths": name,
                "img_width": float(size[0]), "img_height": float(size[1]), "objpos": _plain(center - offset),
                "joint_self": np.concatenate([np.where(there[:, None], points - offset, 0.0), flags], 1).tolist(),
                "scale_provided": scale, "joint_others": [], "scale_provided_other": [], "objpos_other": [],
                "annolist_index": number + 1, "people_index": 1.0, "numOtherPeople": 0.0,
            })  # fmt: skip
        _dump(people, out)


class MpiiH5(_Fixed):
    """The hourglass's file: centre moved down and scale widened, as it expects; a missing landmark is 0, 0."""

    suffix = ".h5"

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """Write whole or not at all; raises FormatError."""
        with needs("h5py", self.title):
            import h5py

        offset = ONE_BASED if options.offset is None else options.offset
        rows = self.rows(labels, out)
        places = [_person(table, row, points, seen) for _, table, row, points, seen in rows]
        center = np.array([c - offset + (0, SHIFT * s) for c, s in places]).reshape(-1, 2)
        part = np.array([np.where((v > ABSENT)[:, None], p - offset, 0.0) for _, _, _, p, v in rows])
        visible = np.array([(v == VISIBLE).astype(float) for _, _, _, _, v in rows])
        counts: dict[str, int] = {}
        person = []
        for name, *_ in rows:
            counts[name] = counts.get(name, 0) + 1
            person.append(counts[name])
        index = np.array([int(table.picture[row]) for _, table, row, _, _ in rows])
        with atomic_file(out) as file, h5py.File(file, "w") as made:
            made["center"], made["scale"] = center, np.array([s * WIDER for _, s in places])
            made["part"], made["visible"] = part.reshape(-1, 16, 2), visible.reshape(-1, 16)
            made["person"], made["index"] = np.array(person, float), index.astype(float)
            names = [name.encode("utf-8", "replace") for name, *_ in rows]
            made["imgname"] = np.array(names, f"S{max(map(len, names), default=1)}")


class WflwList(_Fixed):
    """WFLW's list: 196 numbers, box and attributes where an instance has a box, the picture."""

    suffix = ".txt"
    schema = "wflw98"
    holds = Holds(landmarks=(98,), absent=False, occluded=False, empty=False, flip=True, extras=FLAGS)

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """Write whole or not at all; raises FormatError."""
        offset = options.offset or 0.0
        lines = []
        for name, table, row, points, _ in self.rows(labels, out):
            if len(name.splitlines()) != 1 or name != name.strip():
                raise FormatError(f"A picture is called {name!r}, which no line of WFLW's list holds; rename it.")
            values = [f"{value:.6f}" for value in (points - offset).ravel()]
            box = table.box[row]
            if np.isfinite(box).all():
                flags = [table.extras[key][row] if key in table.extras else 0 for key in FLAGS]
                values += [f"{value:.6f}" for value in box - offset]
                values += [str(int(flag)) if np.isfinite(flag) else "0" for flag in flags]
            lines.append(" ".join([*values, name]))
        with atomic_file(out) as file:
            file.write("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))


def _plain(values: np.ndarray) -> Any:
    return np.asarray(values, float).round(6).tolist()


def _dump(people: list[dict[str, Any]], out: Path) -> None:
    with atomic_file(out) as file:
        file.write(json.dumps(people, allow_nan=False).encode())
