"""WFLW: lists with one face a line, 98 landmarks, a box and six attributes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.label_files import FormatError
from engine.labels import VISIBLE, LabelSet, Problems
from engine.layouts.pictures import Gallery, around, split_of
from engine.layouts.values import Layout, Options, head_of, offset, skeleton
from engine.regular import read_regular
from engine.rows import Rows

COUNT = 98
PLACES, BOX = 2 * COUNT, 4
ATTRIBUTES = ("pose", "expression", "illumination", "make_up", "occlusion", "blur")
MAX_LIST = 256 << 20


def read_list(path: Path, options: Options) -> LabelSet:
    """One face a line: 196 numbers, then box (x0, y0, x1, y1) and six attributes (0 or 1), then the picture.

    The box with the attributes may be missing, or the attributes alone; the picture's path may hold spaces.
    Offset 0: the base is not stated, and programs use the numbers as they are. Pictures repeat, one line a face.
    The split is that of the file's name. Damaged lines are listed and left out. Raises FormatError.
    """
    if path.stat().st_size > MAX_LIST:
        raise FormatError(f"{path.name} is larger than 256 MB, so no list of faces; choose another.")
    problems, split, add = Problems(), split_of(path.stem), offset(options, 0.0)
    gallery, rows = Gallery(around(path, options, problems, *_FOLDERS), problems), Rows(skeleton("wflw98"))
    lines = read_regular(path).decode("utf-8-sig", "replace").splitlines()
    damage = ""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            values, name = _parse(line)
        except ValueError as error:
            damage = damage or f"Line {number} of {path.name} {error}; get the list again."
            problems.add(f"{path.name}, line {number}", f"{error} and was left out")
            continue
        box = values[PLACES : PLACES + BOX]
        flags = dict(zip(ATTRIBUTES, values[PLACES + BOX :], strict=False))
        rows.add(
            gallery.number(name, split), values[:PLACES].reshape(COUNT, 2) + add, np.full(COUNT, VISIBLE),
            box + add if len(box) else None, **flags,
        )  # fmt: skip
    if not len(rows):
        raise FormatError(damage or f"{path.name} holds no faces; choose a list of WFLW.")
    return LabelSet(gallery.values(), (rows.table(),), problems.values(), {"format": "WFLW"})


_FOLDERS = ("WFLW_images", "WFLW/WFLW_images", "../WFLW_images")


def _parse(line: str) -> tuple[np.ndarray, str]:
    """The numbers of a line and the picture's path; raises ValueError whose words end a sentence on the line."""
    for count in (PLACES + BOX + len(ATTRIBUTES), PLACES + BOX, PLACES):
        parts = line.split(maxsplit=count)
        if len(parts) != count + 1:
            continue
        values = _numbers(parts[:count])
        if values is not None:
            if not np.isfinite(values).all():
                raise ValueError("has a number that is not finite")
            return values, parts[-1].strip()
    raise ValueError("does not hold 196 numbers and a picture")


def _numbers(parts: list[str]) -> np.ndarray | None:
    try:
        return np.array([float(part) for part in parts])
    except ValueError:
        return None


def _claims(path: Path, head: bytes) -> bool:
    if path.suffix.lower() not in (".txt", ".csv", "") or path.is_dir():
        return False
    line = head.decode("utf-8-sig", "replace").lstrip().split("\n", 1)[0]
    try:
        _parse(line)
    except ValueError:
        return False
    return True


def _files(folder: Path) -> list[Path]:
    found = [p for p in sorted(folder.glob("*.txt")) + sorted(folder.glob("*/list_98pt_rect_attr_t*.txt"))]
    return [path for path in found if "list_98pt" in path.name and _claims(path, head_of(path))]


LIST = Layout("wflw", "WFLW (list of faces)", _claims, read_list, _files)
