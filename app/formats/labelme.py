"""labelme's JSON, one file a picture, also with X-AnyLabeling's additions."""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from app.files import atomic_folder
from app.formats.copies import beside_names
from app.formats.layouts import INSIDE
from app.formats.loose import Loose, Mark, Shape, box_of, together
from app.formats.names import written_name
from app.formats.registry import FormatError, Holds, ReadOptions, WriteOptions
from app.formats.rows import by_picture
from engine.headers import HeaderError, read_header
from engine.label_pictures import Finder, walk
from engine.label_reading import head_of, load_json, number, refuse, shown, whole
from engine.labels import ABSENT, OCCLUDED, VISIBLE, LabelSet, Picture, Problems

HIDDEN_FLAGS = ("occluded", "hidden", "invisible", "difficult")
UNSEEN = "not looked at"  # flag of an empty picture
OUTLINES = ("polygon", "circle", "rotation", "quadrilateral")
EDGE = 0.5  # boxes count from the corner of the top-left pixel
DECIMALS = 6
MAX_FILES = 200_000


class Labelme:
    """labelme (one JSON a picture, or a folder of them).

    Points of the canvas, whose origin is the top-left corner; the trade takes them as pixels, so the offset is 0
    (-0.5 is exact). Boxes run along the edges of pixels. A subject is what shares a `group_id`; points without one
    are of the smallest rectangle or outline around them, the rest of a picture is one subject unless a name stands
    twice. A point whose flag `occluded` (or X-AnyLabeling's `difficult`) is set is occluded, one with a score is a
    model's. The rectangle of a group is its box, and its label names the kind. The subject is the group's number.
    Written: a folder with a JSON for each picture, group ids of the subjects or from 1 on, and a rectangle for each
    subject (around its landmarks where there is no box), whose label is the kind.
    """

    name = "labelme"
    title = "labelme"
    suffix = ""
    holds = Holds(several_skeletons=True, order=False, edges=False, bare=False, visited=True, subjects=True)

    def claims(self, path: Path, head: bytes) -> bool:
        """A JSON with shapes, or a folder whose first JSON has them."""
        if os.path.isdir(path):
            first = next(_files(path), None)
            try:
                return first is not None and self.claims(first, head_of(first))
            except OSError:
                return False
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        own = b'"shapes"' in head or (b'"imagePath"' in head and b'"imageData"' in head)
        return start[:1] == b"{" and own and b'"_via_' not in head

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """One file, or all below a folder, where damaged ones are listed; raises FormatError."""
        return _Reading(path, options).run()

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """A folder with one JSON for each picture; raises FormatError."""
        names = beside_names(labels.pictures)
        with atomic_folder(out) as folder:
            for n, held in by_picture(labels):
                picture, file = labels.pictures[n], names[n].with_suffix(".json")
                place = folder / file
                place.parent.mkdir(parents=True, exist_ok=True)
                wide, high = picture.size or (None, None)
                groups = _groups([str(labels.tables[table].subject[row]) for table, row in held])
                shapes = [shape for group, (table, row) in zip(groups, held, strict=True)
                          for shape in _written(labels, table, row, group, options.offset or 0.0)]  # fmt: skip
                data = {
                    "version": "5.5.0", "flags": {} if held or picture.visited else {UNSEEN: True}, "shapes": shapes,
                    "imagePath": written_name(picture, (out.absolute() / file).parent),
                    "imageData": None, "imageHeight": high, "imageWidth": wide,
                }  # fmt: skip
                place.write_bytes(json.dumps(data, ensure_ascii=True, allow_nan=False, indent=1).encode())
                if options.progress is not None:
                    options.progress(n + 1, len(names))


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in walk(folder) if file.suffix.lower() == ".json")


def _inside_size(data: Any) -> tuple[int, int] | None:
    """The size of the picture that a file holds itself, from its first bytes."""
    if not isinstance(data, str) or not data:
        return None
    try:
        return read_header(base64.b64decode(data[: 1 << 20], validate=False), whole=False).upright
    except (HeaderError, binascii.Error, ValueError):
        return None


class _Reading:
    def __init__(self, path: Path, options: ReadOptions) -> None:
        self.path, self.options, self.offset = path, options, options.offset or 0.0
        self.problems, self.loose, self.left_out = Problems(), Loose(), Counter()
        self.pictures: list[Picture] = []
        self.numbers: dict[Path | str, int] = {}
        self.finders: dict[Path, Finder] = {}

    def run(self) -> LabelSet:
        several = os.path.isdir(self.path)
        files = [file for _, file in zip(range(MAX_FILES), _files(self.path), strict=False)] if several else [self.path]
        first: FormatError | None = None
        for n, file in enumerate(files):
            try:
                self._file(file)
            except FormatError as error:
                first = first or error
                name = file.relative_to(self.path).as_posix() if several else file.name
                self.problems.add(name, f"left out: {error}")
            if self.options.progress is not None:
                self.options.progress(n + 1, len(files))
        if not self.pictures:
            raise first or FormatError(f"{self.path.name} holds no labelme files; choose another folder.")
        tables = self.loose.tables()
        left = {what: n for what, n in (self.left_out + self.loose.left_out).items() if n}
        return LabelSet(tuple(self.pictures), tables, self.problems.values(), {"left_out": left} if left else {})

    def _file(self, file: Path) -> None:
        data = load_json(file, self.problems)
        shapes = data.get("shapes") if isinstance(data, dict) else None
        if not isinstance(shapes, list):
            refuse(file, "", "it has no list of shapes", "choose a labelme file")
        marks, boxes, outlines = self._shapes(file, shapes)
        made = self._picture(file, data)
        key = made.path or made.name
        if key in self.numbers:
            self.problems.add(file.name, f"{shown(made.name)} is the picture of another file too; labels were joined")
        else:
            self.numbers[key] = len(self.pictures)
            self.pictures.append(made)
        used = [outline for outline in outlines if _needed(outline, marks, boxes)]
        if len(outlines) > len(used):
            self.left_out["shapes that are neither points nor rectangles"] += len(outlines) - len(used)
        subjects = together(marks, [*boxes, *used], file.name, self.problems)
        own = {str(shape["group_id"]): shape["subject"] for shape in shapes
               if isinstance(shape.get("subject"), str) and shape.get("group_id") is not None}  # fmt: skip
        self.loose.add_subjects(self.numbers[key], subjects, names=own)

    def _picture(self, file: Path, data: dict[str, Any]) -> Picture:
        size = None
        if data.get("imageWidth") is not None and data.get("imageHeight") is not None:
            size = whole(data["imageWidth"], file, "imageWidth"), whole(data["imageHeight"], file, "imageHeight")
            if min(size) < 1:
                refuse(file, "imageWidth", f"{size[0]} x {size[1]} is no size of a picture")
        name = data.get("imagePath")
        if not isinstance(name, str) or not name:
            name = file.stem
            self.problems.add(file.name, f"it names no picture; {shown(name)} was looked for")
        finder = self.finders.setdefault(file.parent, Finder(file, self.options, self.problems))
        inside = _inside_size(data.get("imageData"))
        flags = data.get("flags") if isinstance(data.get("flags"), dict) else {}
        made = finder.picture(name, size or inside, visited=flags.get(UNSEEN) is not True)
        if inside is not None and made.path is None:
            return Picture(made.name, None, inside, "", made.visited, {INSIDE: file.name})
        if inside is not None and made.size != inside:
            what = f"the picture inside is {inside[0]} x {inside[1]}, the one on disk another; the latter counts"
            self.problems.add(file.name, what)
        return made

    def _shapes(self, file: Path, shapes: list[Any]) -> tuple[list[Mark], list[Shape], list[Shape]]:
        """Landmarks, rectangles, and other shapes that go around something."""
        marks: list[Mark] = []
        boxes: list[Shape] = []
        outlines: list[Shape] = []
        for n, shape in enumerate(shapes):
            where = f"shapes[{n}]"
            if not isinstance(shape, dict):
                refuse(file, where, f"{shown(shape)} is no object")
            corners = shape.get("points")
            single = isinstance(corners, list) and len(corners) == 1
            kind = shape.get("shape_type") or ("point" if single else "polygon")
            if kind not in ("point", "rectangle", *OUTLINES):
                self.left_out["shapes that are neither points nor rectangles"] += 1
                continue
            if not isinstance(corners, list) or not all(isinstance(c, list) and len(c) == 2 for c in corners):
                refuse(file, f"{where}.points", "they are no pairs of numbers")
            xy = [(number(x, file, f"{where}.points"), number(y, file, f"{where}.points")) for x, y in corners]
            label, group = shape.get("label"), _group(file, shape, where)
            label = label if isinstance(label, str) else "" if label is None else str(label)
            if kind == "point" and len(xy) == 1:
                marks.append(self._mark(file, shape, label, xy[0], group, where))
            elif kind != "point" and len(xy) >= 2:
                around = Shape(label, _around(kind, xy), group, shape.get("score") is None)
                (boxes if kind == "rectangle" else outlines).append(around)
            else:
                self.problems.add(f"{file.name}, {where}", f"a {kind} of {len(xy)} corners was left out")
        return marks, boxes, outlines

    def _mark(
        self, file: Path, shape: dict[str, Any], label: str, xy: tuple[float, float], group: str | None, where: str
    ) -> Mark:
        flags = shape.get("flags") if isinstance(shape.get("flags"), dict) else {}
        hidden = shape.get("difficult") is True or any(flags.get(name) is True for name in HIDDEN_FLAGS)
        hidden = hidden or flags.get("visible") is False
        score = shape.get("score")
        known = float("nan") if score is None else number(score, file, f"{where}.score")
        x, y = (value + self.offset for value in xy)
        return Mark(label, x, y, OCCLUDED if hidden else VISIBLE, known, group, score is None)


def _group(file: Path, shape: dict[str, Any], where: str) -> str | None:
    """What says to which subject a shape belongs."""
    group = shape.get("group_id")
    if group is None or group == "":
        return None
    return group if isinstance(group, str) else str(whole(group, file, f"{where}.group_id"))


def _around(kind: str, xy: list[tuple[float, float]]) -> tuple[float, float, float, float]:
    """The box of a shape along the edges of pixels."""
    if kind == "circle":  # its centre, and a place on it
        (x, y), (u, v) = xy[0], xy[1]
        reach = float(np.hypot(u - x, v - y))
        xy = [(x - reach, y - reach), (x + reach, y + reach)]
    xs, ys = zip(*xy, strict=True)
    return min(xs) - EDGE, min(ys) - EDGE, max(xs) - EDGE, max(ys) - EDGE


def _needed(outline: Shape, marks: list[Mark], boxes: list[Shape]) -> bool:
    """Whether an outline goes around landmarks for which there is no rectangle."""
    if outline.group is not None:
        boxed = any(box.group == outline.group for box in boxes)
        return not boxed and any(mark.group == outline.group for mark in marks)
    free = [mark for mark in marks if mark.group is None and _holds(outline, mark)]
    return any(not any(box.group is None and _holds(box, mark) for box in boxes) for mark in free)


def _holds(shape: Shape, mark: Mark) -> bool:
    x0, y0, x1, y1 = shape.box
    return x0 <= mark.x <= x1 and y0 <= mark.y <= y1


def _groups(subjects: list[str]) -> list[dict[str, Any]]:
    """The group of each subject of a picture: its own number, else one that is free; texts stand beside it."""
    own = [int(one) if one.isascii() and one.isdigit() and str(int(one[:18])) == one else None for one in subjects]
    free = (n for n in count(1) if n not in own)
    made: list[dict[str, Any]] = []
    used = set()
    for subject, n in zip(subjects, own, strict=True):
        if n is not None and n not in used:
            made.append({"group_id": n})
        else:
            made.append({"group_id": next(free)} | ({"subject": subject} if subject else {}))
        used.add(n)
    return made


def _written(labels: LabelSet, table: int, row: int, group: dict[str, Any], offset: float) -> list[dict[str, Any]]:
    held = labels.tables[table]
    common = {**group, "description": "", "mask": None}
    made = []
    box = box_of(held, row)
    if box is not None:
        corners = (np.array(box).reshape(2, 2) + EDGE).round(DECIMALS).tolist()
        made.append({
            **common, "label": held.skeleton.name, "points": corners, "shape_type": "rectangle", "flags": {},
        })  # fmt: skip
    for k in np.flatnonzero(held.visibility[row] > ABSENT):
        flags = {"occluded": True} if held.visibility[row, k] == OCCLUDED else {}
        place = (held.points[row, k] - offset).round(DECIMALS).tolist()
        made.append({
            **common, "label": held.skeleton.landmarks[k], "points": [place], "shape_type": "point", "flags": flags,
        })  # fmt: skip
    return made
