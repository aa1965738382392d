"""MPII as it is published (mpii_human_pose_v1_u12_1.mat), and what its other forms share with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.label_files import FormatError
from engine.labels import ABSENT, OCCLUDED, VISIBLE, LabelSet, Problems
from engine.layouts.mat5 import Struct
from engine.layouts.matlab import brief, field, items, load_mat, number, text, unwrap, variables
from engine.layouts.mpii_split import validation_people
from engine.layouts.pictures import Gallery, around
from engine.layouts.values import Layout, Options, offset, skeleton
from engine.rows import Rows

COUNT = 16
PERSON = 200.0  # pixels of a person's height in one unit of `scale`
SHIFT, WIDER = 15.0, 1.25  # how the paper's code moves the centre down and widens the crop
HEAD = 25.0  # 0.6 of the head box's diagonal in one unit of `scale`, exactly, in the whole set
ONE_BASED = -1.0


def crop(center: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The square that the paper's networks see: centre (N, 2) and side (N,), pixels, from unadjusted values.

    The centre moves down by 15 scale, then the scale grows by 1.25; a side is 200 times the scale.
    """
    center, scale = np.asarray(center, np.float64), np.asarray(scale, np.float64)
    return center + np.stack([np.zeros_like(scale), SHIFT * scale], -1), PERSON * WIDER * scale


def person_box(center: np.ndarray, scale: float) -> tuple[float, ...] | None:
    """x0, y0, x1, y1 of the square around a person: side 200 scale around the unadjusted centre."""
    if not (np.isfinite(center).all() and np.isfinite(scale) and scale > 0):
        return None
    half = PERSON * scale / 2
    return (center[0] - half, center[1] - half, center[0] + half, center[1] + half)


def read_mat(path: Path, options: Options) -> LabelSet:
    """All people of the RELEASE struct; coordinates are 1-based there, so 1 is subtracted.

    Landmarks come by their id, whatever their order. is_visible 0 is occluded; 1, or nothing, as for neck and
    head top, is visible. People of test pictures have no landmarks. Splits: img_train, and Tompson's validation
    people where valid.h5, detections.mat or the JSON list lies beside. Extras: head_box, head_size (0.6 of its
    diagonal), center and scale as published, single (in single_person). Raises FormatError.
    """
    problems = Problems()
    release = next(iter(items(load_mat(path, "RELEASE")["RELEASE"])), None)
    pictures = items(field(release, "annolist"))
    if not pictures:
        raise FormatError(f"RELEASE in {path.name} has no annolist; choose mpii_human_pose_v1_u12_1.mat.")
    train, single = items(field(release, "img_train")), items(field(release, "single_person"))
    held, gallery = validation_people(path.parent), Gallery(around(path, options, problems), problems)
    rows = Rows(skeleton("mpii16"))
    for index, picture in enumerate(pictures):
        where = f"{path.name}, annolist({index + 1})"
        name = text(field(field(picture, "image"), "name"))
        if not name:
            problems.add(where, "has no picture name and was left out")
            continue
        alone = _numbers(single[index] if index < len(single) else None)
        split = "train" if _flag(train, index) else "test"
        people = [p for p in items(field(picture, "annorect")) if isinstance(p, Struct)]
        validation = split == "train" and any((index, n) in held for n in range(len(people)))
        for n, person in enumerate(people):
            mine = "validation" if validation and (index, n) in held else split
            try:
                _person(rows, gallery.number(name, mine), person, where, problems, offset(options, ONE_BASED), {
                    "single": float(n + 1 in alone), "person": float(n), "index": float(index),
                })  # fmt: skip
            except (ValueError, TypeError) as error:
                problems.add(f"{where}.annorect({n + 1})", f"cannot be read ({brief(error)}) and was left out")
        if not people:
            gallery.number(name, split)
    return LabelSet(gallery.values(), (rows.table(),), problems.values(), {"format": "MPII"})


def _flag(values: list[Any], index: int) -> bool:
    return index < len(values) and number(values[index]) == 1


def _numbers(value: Any) -> set[int]:
    """The person numbers of one element of single_person, which may be a struct with `rects`, a cell or numbers."""
    inner = field(value, "rects") if isinstance(unwrap(value), Struct) else value
    return {int(found) for each in items(inner) if (found := number(each)) is not None}


def _person(
    rows: Rows, picture: int, person: Any, where: str, problems: Problems, add: float, extras: dict[str, float]
) -> None:
    points, seen = np.zeros((COUNT, 2)), np.zeros(COUNT, np.uint8)
    for point in items(field(field(person, "annopoints"), "point")):
        slot, x, y = (number(field(point, name)) for name in ("id", "x", "y"))
        if slot is None or x is None or y is None or not 0 <= int(slot) < COUNT:
            problems.add(where, "has a landmark without id or place, which was left out")
        elif seen[int(slot)]:
            problems.add(where, f"has landmark {int(slot)} twice; the first was taken")
        else:
            points[int(slot)] = x + add, y + add
            seen[int(slot)] = OCCLUDED if number(field(point, "is_visible")) == 0 else VISIBLE
    corners = [number(field(person, name)) for name in ("x1", "y1", "x2", "y2")]
    head = None if None in corners else np.array(corners, np.float64) + add
    scale, place = number(field(person, "scale")), field(person, "objpos")
    xy = [number(field(place, name)) for name in ("x", "y")]
    center = np.full(2, np.nan) if None in xy else np.array(xy, np.float64) + add
    scale = np.nan if scale is None else scale
    if seen.any() or np.isfinite(scale):
        size = np.nan if head is None else 0.6 * float(np.hypot(*(head[2:] - head[:2])))
        rows.add(
            picture, points, seen, person_box(center, scale), head_box=head, head_size=size, center=center,
            scale=scale, **extras,
        )  # fmt: skip


def listed(
    path: Path, values: np.ndarray, visible: np.ndarray, missing: np.ndarray, add: float
) -> tuple[np.ndarray, np.ndarray]:
    """Places (N, 16, 2) and visibility (N, 16) of the forms that mark missing landmarks by a place of their own."""
    if values.shape[1:] != (COUNT, 2) or visible.shape != values.shape[:2]:
        raise FormatError(f"{path.name} has not 16 landmarks a person ({values.shape}); choose an MPII file.")
    seen = np.where(visible > 0, VISIBLE, OCCLUDED)
    return values + add, np.where(missing, ABSENT, seen)


def _claims(path: Path, head: bytes) -> bool:
    return path.suffix.lower() == ".mat" and "RELEASE" in variables(path)


MAT = Layout(
    "mpii-mat", "MPII (mpii_human_pose_v1_u12_1.mat)", _claims, read_mat,
    lambda folder: sorted(folder.glob("mpii_human_pose*.mat")),
)  # fmt: skip
