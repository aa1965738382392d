"""MPII as the hourglass's h5 files: train.h5, valid.h5 and test.h5."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.label_files import FormatError
from engine.labels import LabelSet, Problems
from engine.layouts.hdf5 import annotations, names_in, numbers, open_hdf5, texts, values
from engine.layouts.mpii import HEAD, ONE_BASED, SHIFT, WIDER, listed, person_box
from engine.layouts.pictures import Gallery, around, split_of
from engine.layouts.values import Layout, Options, offset, skeleton
from engine.rows import Rows


def read_h5(path: Path, options: Options) -> LabelSet:
    """One row a person; coordinates are 1-based there, so 1 is subtracted; a landmark at (0, 0) is missing.

    Centre and scale were already adjusted when the file was made (y + 15 scale, then scale times 1.25): extras
    hold them undone, so that `mpii.crop` adjusts them once. head_size is 25 times that scale. Names of pictures
    come from imgname, or from NAME_images.txt beside the file. Raises FormatError.
    """
    problems = Problems()
    with open_hdf5(path) as file:
        group = annotations(file)
        part = numbers(group, "part", path)
        n = len(part)
        center, scale = numbers(group, "center", path, n), numbers(group, "scale", path, n).reshape(-1)
        visible = numbers(group, "visible", path, n) if "visible" in group else np.ones(part.shape[:2])
        names = _names(group, path, n)
        more = {name: numbers(group, name, path, n).reshape(-1) for name in _MORE if name in group}
    if center.shape != (n, 2) or len(scale) != n or any(len(column) != n for column in more.values()):
        raise FormatError(f"center and scale in {path.name} do not fit its {n} people; get the file again.")
    add, split = offset(options, ONE_BASED), split_of(path.stem)
    missing = (part == 0).all(2) | ~np.isfinite(part).all(2)
    points, seen = listed(path, part, visible, missing, add)
    raw = scale / WIDER
    center = center - np.stack([np.zeros(n), SHIFT * raw], 1) + add
    gallery, rows = Gallery(around(path, options, problems), problems), Rows(skeleton("mpii16"))
    for i in range(n):
        rows.add(
            gallery.number(names[i], split), points[i], seen[i], person_box(center[i], raw[i]), center=center[i],
            scale=raw[i], head_size=HEAD * raw[i], **{key: float(column[i]) for key, column in more.items()},
        )  # fmt: skip
    return LabelSet(gallery.values(), (rows.table(),), problems.values(), {"format": "MPII"})


_MORE = ("index", "person", "normalize", "torsoangle")


def _names(group: Any, path: Path, n: int) -> list[str]:
    beside = path.with_name(f"{path.stem}_images.txt")
    if "imgname" in group:
        names = texts(values(group, "imgname", path, n))
    elif beside.is_file():
        names = beside.read_text("utf-8", "replace").split("\n")[:n]
    else:
        raise FormatError(f"{path.name} names no pictures; put {beside.name} beside it.")
    names = [name.strip() for name in names]
    if len(names) != n or not all(names):
        raise FormatError(f"{path.name} has {n} people and {sum(map(bool, names))} picture names; get it again.")
    return names


def _claims(path: Path, head: bytes) -> bool:
    return head.startswith(b"\x89HDF") and {"part", "center", "scale"} <= names_in(path)


def _files(folder: Path) -> list[Path]:
    found = [folder / f"{split}.h5" for split in ("train", "valid", "test")]
    return [path for path in found if path.is_file()]


H5 = Layout("mpii-h5", "MPII (hourglass h5)", _claims, read_h5, _files)
