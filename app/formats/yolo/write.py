"""Writing YOLO-pose."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from app.files import atomic_folder
from app.formats.copies import copy_picture, plain_parts
from app.formats.registry import FormatError, WriteOptions
from app.formats.rows import is_numbered
from app.formats.yamls import dump_yaml
from app.formats.yolo.places import ALL
from app.formats.yolo.read import EDGE, SIZES
from engine.labels import ABSENT, LabelSet, Skeleton, Table

FOLDERS = {"train": "train", "validation": "val", "test": "test", "": ALL}


def write_yolo(labels: LabelSet, out: Path, options: WriteOptions) -> None:
    """A folder with data.yaml, pictures and label files; raises FormatError."""
    counts = {len(table.skeleton) for table in labels.tables if len(table)} or {
        len(table.skeleton) for table in labels.tables
    }
    if len(counts) != 1:
        raise FormatError("YOLO-pose holds classes of one number of landmarks; export each kind on its own.")
    tables = [table for table in labels.tables if len(table.skeleton) in counts]
    rows: dict[int, list[str]] = {}
    for number, table in enumerate(tables):
        for row in range(len(table)):
            rows.setdefault(int(table.picture[row]), []).append(_line(number, table, row, labels, options))
    names = _names(labels)
    sizes = []
    with atomic_folder(out) as folder:
        for n, (picture, name) in enumerate(zip(labels.pictures, names, strict=True)):
            place, label = folder / "images" / name, (folder / "labels" / name).with_suffix(".txt")
            if picture.path is None:
                sizes += ["{} {} {}".format(*picture.size, name)] if picture.size else []
            else:
                copy_picture(picture.path, place, options.pictures)
            if n in rows or picture.visited:
                label.parent.mkdir(parents=True, exist_ok=True)
                label.write_bytes("".join(f"{row}\n" for row in rows.get(n, [])).encode())
            if options.progress is not None:
                options.progress(n + 1, len(names))
        if sizes:
            (folder / SIZES).write_bytes("".join(f"{line}\n" for line in sizes).encode("utf-8", "replace"))
        (folder / "data.yaml").write_bytes(dump_yaml(_description(tables, names, counts.pop(), folder)))


def _description(tables: list[Table], names: list[PurePosixPath], count: int, folder: Path) -> dict[str, Any]:
    skeletons = [table.skeleton for table in tables]
    splits = {name.parts[0] for name in names}
    for split in splits:
        (folder / "images" / split).mkdir(parents=True, exist_ok=True)
        (folder / "labels" / split).mkdir(parents=True, exist_ok=True)
    # Without path, trainers take the folder of data.yaml; "." would be the folder that they were started in.
    made: dict[str, Any] = {}
    for key in ("train", "val", "test"):
        held = [part for part in (key, ALL) if part in splits and (part == key or key == "train")]
        if not held and key != "test":  # trainers ask for both
            held = [ALL if ALL in splits else key]
            (folder / "images" / held[0]).mkdir(parents=True, exist_ok=True)
        if held:
            made[key] = f"images/{held[0]}" if len(held) == 1 else [f"images/{part}" for part in held]
    made["kpt_shape"] = [count, 3]
    partner = _partners(skeletons, count)
    if partner != list(range(count)):
        made["flip_idx"] = partner
    made["names"] = {n: skeleton.name for n, skeleton in enumerate(skeletons)}
    if not all(is_numbered(skeleton) for skeleton in skeletons):
        made["kpt_names"] = {n: list(skeleton.landmarks) for n, skeleton in enumerate(skeletons)}
    return made


def _partners(skeletons: list[Skeleton], count: int) -> list[int]:
    """Each landmark's partner in the mirror, itself where it has none; raises FormatError where classes differ."""
    found = []
    for skeleton in skeletons:
        partner = list(range(count))
        for a, b in skeleton.flip:
            if partner[a] != a or partner[b] != b:
                raise FormatError(f"A landmark of {skeleton.name} has two partners in the mirror; correct its schema.")
            partner[a], partner[b] = b, a
        found.append(partner)
    if any(partner != found[0] for partner in found):
        raise FormatError("YOLO-pose holds one list of mirror pairs for all classes; export each kind on its own.")
    return found[0]


def _names(labels: LabelSet) -> list[PurePosixPath]:
    """Split and name below images/ of each picture; no two have one label file."""
    made, taken = [], set()
    for picture in labels.pictures:
        place = PurePosixPath(FOLDERS.get(picture.split, ALL), *plain_parts(picture.name))
        stem, again = place.stem, 2
        while place.with_suffix("").as_posix().casefold() in taken:
            place, again = place.with_name(f"{stem}_{again}{place.suffix}"), again + 1
        taken.add(place.with_suffix("").as_posix().casefold())
        made.append(place)
    return made


def _line(number: int, table: Table, row: int, labels: LabelSet, options: WriteOptions) -> str:
    picture = labels.pictures[int(table.picture[row])]
    if picture.size is None:
        raise FormatError(f"The size of {picture.name} is unknown, of which YOLO-pose holds shares; find it first.")
    size, there = np.array(picture.size, float), table.visibility[row] > ABSENT
    shares = (table.points[row] - (options.offset or 0.0)) / size
    inside = there & ((table.points[row] >= -EDGE) & (table.points[row] <= size - EDGE)).all(1)
    marks = [
        f"{_share(x)} {_share(y)} {v}" if held else "0 0 0"
        for (x, y), v, held in zip(shares, table.visibility[row], inside, strict=True)
    ]  # fmt: skip
    x0, y0, x1, y1 = _box(table, row, size)
    box = ((x0 + x1) / 2 / size[0], (y0 + y1) / 2 / size[1], (x1 - x0) / size[0], (y1 - y0) / size[1])
    return " ".join((str(number), *(_share(value) for value in box), *marks))


def _box(table: Table, row: int, size: np.ndarray) -> np.ndarray:
    """Corners that count from the picture's corner: what there is, else around the landmarks, else all of it."""
    box, there = table.box[row] + EDGE, table.visibility[row] > ABSENT
    if not np.isfinite(box).all():
        points = table.points[row][there]
        box = np.concatenate([points.min(0), points.max(0) + 1]) if there.any() else np.array([0, 0, *size])
    low = np.clip(box[:2], 0, size - 1)
    return np.concatenate([low, np.clip(box[2:], np.minimum(low + 1, size), size)])


def _share(value: float) -> str:
    """A share of the picture's side; ten decimals are less than a thousandth of a pixel of any picture."""
    return f"{value:.10f}".rstrip("0").rstrip(".") or "0"
