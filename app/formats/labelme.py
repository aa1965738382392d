"""labelme's JSON, one file a picture, also with X-AnyLabeling's additions."""

from __future__ import annotations

import base64
import binascii
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from app.files import atomic_folder
from app.formats.loose import Loose, Mark
from app.formats.names import written_name
from app.formats.pictures import Finder
from app.formats.reading import Problems, head_of, load_json, number, refuse, shown
from app.formats.registry import FormatError, Holds, ReadOptions, WriteOptions
from app.formats.rows import by_picture
from engine.headers import HeaderError, read_header
from engine.labels import ABSENT, OCCLUDED, VISIBLE, LabelSet, Picture

KIND = "subject"
OCCLUDED_FLAGS = ("occluded", "hidden", "difficult")
UNSEEN = "not looked at"  # flag of an empty picture
DECIMALS = 6
MAX_FILES = 200_000


class Labelme:
    """labelme (one JSON a picture, or a folder of them).

    Points of the canvas, whose origin is the top-left corner; the trade takes them as pixels, so the offset is 0
    (-0.5 is exact). A subject is what shares a `group_id`; without any, points inside a rectangle are the
    rectangle's, and the rest of a picture is one subject unless a name stands twice. A point whose flag `occluded`
    (or `difficult`) is set is occluded. The rectangle of a group is its box, and its label names the kind.
    Written: a folder with a JSON for each picture, group ids from 1, a rectangle for each box.
    """

    name = "labelme"
    title = "labelme"
    suffix = ""
    holds = Holds(several_skeletons=True, order=False, edges=False, bare=False, visited=True, without_size=False)

    def claims(self, path: Path, head: bytes) -> bool:
        """A JSON with shapes, or a folder whose first JSON has them."""
        if path.is_dir():
            first = next(iter(_files(path)), None)
            try:
                return first is not None and self.claims(first, head_of(first))
            except OSError:
                return False
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        return start[:1] == b"{" and b'"shapes"' in head and b'"_via_' not in head

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """One file, or all of a folder; raises FormatError."""
        files = _files(path) if path.is_dir() else [path]
        problems, loose, pictures = Problems(), Loose(), []
        found: dict[Path, Finder] = {}
        for n, file in enumerate(files):
            data = load_json(file, problems)
            if not isinstance(data, dict) or not isinstance(data.get("shapes"), list):
                if path.is_dir():
                    problems.add(file.name, "it has no list of shapes and was left out")
                    continue
                refuse(file, "", "it has no list of shapes", "choose a labelme file")
            finder = found.setdefault(file.parent, Finder(file, options, problems))
            pictures.append(_picture(file, data, finder, problems))
            _shapes(file, data["shapes"], len(pictures) - 1, options.offset or 0.0, loose, problems)
            if options.progress is not None:
                options.progress(n + 1, len(files))
        return LabelSet(tuple(pictures), loose.tables(), problems.values())

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """A folder with one JSON for each picture; raises FormatError."""
        offset = options.offset or 0.0
        taken: set[str] = set()
        with atomic_folder(out) as folder:
            for n, held in by_picture(labels):
                picture = labels.pictures[n]
                name = Path(picture.name.replace("\\", "/")).with_suffix(".json").name
                if name.lower() in taken:
                    raise FormatError(f"Two pictures would share {name}; give them names of their own first.")
                taken.add(name.lower())
                wide, high = picture.size or (0, 0)
                shapes = [shape for group, (table, row) in enumerate(held, 1)
                          for shape in _written(labels, table, row, group, offset)]  # fmt: skip
                data = {
                    "version": "5.5.0", "flags": {} if held or picture.visited else {UNSEEN: True}, "shapes": shapes,
                    "imagePath": written_name(picture, out.absolute()),
                    "imageData": None, "imageHeight": high, "imageWidth": wide,
                }  # fmt: skip
                text = json.dumps(data, ensure_ascii=True, allow_nan=False, indent=1)
                (folder / name).write_bytes(text.encode())


def _files(folder: Path) -> list[Path]:
    try:
        found = sorted(file for file in folder.iterdir() if file.suffix.lower() == ".json")
    except OSError:
        return []
    return found[:MAX_FILES]


def _picture(file: Path, data: dict[str, Any], finder: Finder, problems: Problems) -> Picture:
    size = None
    if data.get("imageWidth") is not None and data.get("imageHeight") is not None:
        size = tuple(int(number(data[key], file, key)) for key in ("imageWidth", "imageHeight"))
    name = data.get("imagePath")
    if not isinstance(name, str) or not name:
        name = f"{file.stem}.jpg"
        problems.add(file.name, f"it names no picture; {shown(name)} was looked for")
    inside = _inside_size(data.get("imageData"))
    flags = data.get("flags") if isinstance(data.get("flags"), dict) else {}
    made = finder.picture(name, size or inside, visited=flags.get(UNSEEN) is not True)
    if inside is not None and made.path is not None and made.size != inside:
        problems.add(file.name, f"the picture inside is {inside[0]} x {inside[1]}, the one on disk another")
    return made


def _inside_size(data: Any) -> tuple[int, int] | None:
    """The size of the picture that a file holds itself, from its first bytes."""
    if not isinstance(data, str) or not data:
        return None
    try:
        return read_header(base64.b64decode(data[: 1 << 20], validate=False), whole=False).upright
    except (HeaderError, binascii.Error, ValueError):
        return None


def _shapes(file: Path, shapes: list[Any], picture: int, offset: float, loose: Loose, problems: Problems) -> None:
    points: list[tuple[Any, str, float, float, int, float | None]] = []
    boxes: list[tuple[Any, str, tuple[float, float, float, float]]] = []
    others = 0
    for n, shape in enumerate(shapes):
        where = f"shapes[{n}]"
        if not isinstance(shape, dict):
            refuse(file, where, f"{shown(shape)} is no object")
        kind, label = shape.get("shape_type") or "polygon", str(shape.get("label", ""))
        corners = shape.get("points")
        if kind not in ("point", "rectangle"):
            others += 1
            continue
        if not isinstance(corners, list) or not all(isinstance(c, list) and len(c) == 2 for c in corners):
            refuse(file, f"{where}.points", "they are no pairs of numbers")
        xy = [(number(x, file, f"{where}.points") + offset, number(y, file, f"{where}.points") + offset)
              for x, y in corners]  # fmt: skip
        group = shape.get("group_id")
        if kind == "point" and len(xy) == 1:
            flags = shape.get("flags") if isinstance(shape.get("flags"), dict) else {}
            hidden = bool(shape.get("difficult")) or any(flags.get(name) is True for name in OCCLUDED_FLAGS)
            score = shape.get("score")
            known = float(score) if isinstance(score, (int, float)) and not isinstance(score, bool) else None
            points.append((group, label, *xy[0], OCCLUDED if hidden else VISIBLE, known))
        elif kind == "rectangle" and len(xy) >= 2:
            xs, ys = zip(*xy, strict=True)
            boxes.append((group, label, (min(xs), min(ys), max(xs), max(ys))))
        else:
            problems.add(f"{file.name}, {where}", f"a {kind} of {len(xy)} corners was left out")
    if others:
        problems.add(file.name, f"{others} shapes are neither points nor rectangles and were left out")
    _group(file, points, boxes, picture, loose, problems)


def _group(file: Path, points: list, boxes: list, picture: int, loose: Loose, problems: Problems) -> None:
    """Points and rectangles as subjects: by group, else by the rectangle around them, else all together."""
    grouped: dict[Any, dict[str, tuple[float, float, int]]] = defaultdict(dict)
    owner = {str(group): (label, box) for group, label, box in boxes if group is not None}
    loose_boxes = [(f"box {n}", label, box) for n, (group, label, box) in enumerate(boxes) if group is None]
    owner |= {key: (label, box) for key, label, box in loose_boxes}
    for group, label, x, y, seen, _ in points:
        key = str(group) if group is not None else next(
            (k for k, _, (x0, y0, x1, y1) in loose_boxes if x0 <= x <= x1 and y0 <= y <= y1), ""
        )
        if label in grouped[key]:
            problems.add(file.name, f"{shown(label)} stands twice in one subject; give each subject a group_id")
            key = next(k for n in range(2, len(points) + 2) if label not in grouped[k := f"{key} {n}"])
        grouped[key][label] = (x, y, seen)
    for key, landmarks in grouped.items():
        label, box = owner.get(key, (KIND, None))
        if landmarks:
            loose.add(picture, label or KIND, [Mark(name, *at) for name, at in landmarks.items()], box=box)


def _written(labels: LabelSet, table: int, row: int, group: int, offset: float) -> list[dict[str, Any]]:
    held = labels.tables[table]
    common = {"group_id": group, "description": "", "mask": None}
    made = []
    box = held.box[row]
    seen, points = held.visibility[row], held.points[row]
    if not np.isfinite(box).all():  # the rectangle also says of what kind the subject is
        there = points[seen > ABSENT]
        box = np.concatenate([there.min(0), there.max(0)])
    corners = (box.reshape(2, 2) - offset).round(DECIMALS).tolist()
    made.append({**common, "label": held.skeleton.name, "points": corners, "shape_type": "rectangle", "flags": {}})
    for k in np.flatnonzero(seen > ABSENT):
        flags = {"occluded": True} if seen[k] == OCCLUDED else {}
        place = (points[k] - offset).round(DECIMALS).tolist()
        made.append({**common, "label": held.skeleton.landmarks[k], "points": [place], "shape_type": "point",
                     "flags": flags})  # fmt: skip
    return made
