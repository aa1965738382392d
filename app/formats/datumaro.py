"""Datumaro's JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from app.files import atomic_write
from app.formats.names import written_names
from app.formats.registry import FormatError, Holds, ReadOptions, WriteOptions
from engine.label_pictures import Finder
from engine.label_reading import load_json, number, refuse, shown, whole
from engine.labels import ABSENT, VISIBLE, LabelSet, Problems, Skeleton, Table
from engine.rows import Rows

EDGE = 0.5  # boxes count from the corner of the top-left pixel, landmarks from its centre
FOLDERS = ("..", "images", "../images", "../images/default")
SPLITS = {"train": "train", "training": "train", "val": "validation", "validation": "validation", "test": "test"}
DECIMALS = 6


class Datumaro:
    """Datumaro.

    Landmarks: pixels as its COCO reader has them, so the offset is 0. Visibility: 0 absent, 1 hidden, 2 visible.
    `joints` are pairs from 1 on, unless a 0 is among them; size is height before width; an item's id has no suffix.
    Skeletons whose points are annotations of their own (`elements`) and points with a box of the same group make one
    instance; points alone are instances where their number is that of the label's landmarks.
    Written: points with visibilities, and the box as an annotation of the same group.
    """

    name = "datumaro"
    title = "Datumaro"
    suffix = ".json"
    holds = Holds(several_skeletons=True, bare=True)

    def claims(self, path: Path, head: bytes) -> bool:
        """A JSON object with items and categories as Datumaro has them."""
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        if start[:1] != b"{" or b'"_via_' in head:
            return False
        return b'"items"' in head and (b'"categories"' in head or b'"dm_format_version"' in head)

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """All items; raises FormatError."""
        return _Reading(path, options).run()

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """One file; raises FormatError."""
        names = written_names(labels.pictures, out.absolute().parent)
        stems = [name.rpartition(".")[0] or name for name in names]
        if len(set(stems)) != len(stems):
            twice = next(stem for stem in stems if stems.count(stem) > 1)
            raise FormatError(f"Two pictures are called {twice!r} without their suffixes; rename one first.")
        by_picture: dict[int, list[dict[str, Any]]] = {}
        group = 0
        for label, table in enumerate(labels.tables):
            for row in range(len(table)):
                group += 1
                held = by_picture.setdefault(int(table.picture[row]), [])
                held += _annotations(table, row, label, group, options.offset or 0.0)
        items = []
        for n, (picture, name, stem) in enumerate(zip(labels.pictures, names, stems, strict=True)):
            image: dict[str, Any] = {"path": name}
            if picture.size is not None:
                image["size"] = [picture.size[1], picture.size[0]]
            annotations = [{"id": m + 1, **one} for m, one in enumerate(by_picture.get(n, []))]
            items.append({"id": stem, "annotations": annotations, "image": image})
        data = {"info": {}, "categories": _categories(labels.tables), "items": items}
        atomic_write(out, json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode())


def _categories(tables: tuple[Table, ...]) -> dict[str, Any]:
    labels = [{"name": table.skeleton.name, "parent": "", "attributes": []} for table in tables]
    items = [
        {
            "label_id": n, "labels": list(table.skeleton.landmarks),
            "joints": [[a + 1, b + 1] for a, b in table.skeleton.edges],
        } for n, table in enumerate(tables)
    ]  # fmt: skip
    return {"label": {"labels": labels, "attributes": []}, "points": {"attributes": [], "items": items}}


def _annotations(table: Table, row: int, label: int, group: int, offset: float) -> list[dict[str, Any]]:
    seen = table.visibility[row]
    places = np.where((seen > ABSENT)[:, None], table.points[row] - offset, 0).round(DECIMALS)
    common = {"attributes": {}, "group": group, "label_id": label, "z_order": 0}
    made = [{**common, "type": "points", "points": places.ravel().tolist(), "visibility": seen.tolist()}]
    if np.isfinite(table.box[row]).all():
        x0, y0, x1, y1 = (table.box[row] + EDGE).tolist()
        box = [round(value, DECIMALS) for value in (x0, y0, x1 - x0, y1 - y0)]
        made.append({**common, "type": "bbox", "bbox": box})
    return made


class _Reading:
    def __init__(self, path: Path, options: ReadOptions) -> None:
        self.path, self.problems, self.offset = path, Problems(path.name), options.offset or 0.0
        self.finder = Finder(path, options, self.problems, FOLDERS)
        self.data = load_json(path, self.problems)
        self.rows: dict[tuple[Any, int], Rows] = {}

    def run(self) -> LabelSet:
        items = self.data.get("items") if isinstance(self.data, dict) else None
        if not isinstance(items, list):
            refuse(self.path, "", "it has no list of items", "choose a Datumaro file")
        self._read_categories()
        pictures, seen = [], set()
        for n, item in enumerate(items):
            if not isinstance(item, dict):
                refuse(self.path, f"items[{n}]", f"{shown(item)} is no object")
            name, size = self._image(item, n)
            key = str(item.get("id", name))
            if key in seen:
                self.problems.add(f"items[{n}]", f"the id {shown(key)} was given to an item before; it was left out")
                continue
            seen.add(key)
            split = SPLITS.get(self.path.stem.lower(), "")
            pictures.append(self.finder.picture(name, size, split))
            self._item(item, n, len(pictures) - 1)
        tables = tuple(rows.table() for rows in self.rows.values() if len(rows) or len(self.rows) == 1)
        info = self.data.get("info")
        return LabelSet(tuple(pictures), tables, self.problems.values(), info if isinstance(info, dict) else {})

    def _read_categories(self) -> None:
        held = self._object(self.data.get("categories", {}), "categories")
        label = self._object(held.get("label", {}), "categories.label")
        labels = self._list(label.get("labels", []), "categories.label")
        self.names = [str(one.get("name", n)) if isinstance(one, dict) else str(one) for n, one in enumerate(labels)]
        self.skeletons: dict[int, Skeleton] = {}
        points = self._object(held.get("points", {}), "categories.points")
        for n, one in enumerate(self._list(points.get("items", []), "categories.points")):
            where = f"categories.points.items[{n}]"
            one = self._object(one, where)
            label = whole(one.get("label_id"), self.path, where)
            landmarks = tuple(str(name) for name in self._list(one.get("labels", []), where))
            if len(set(landmarks)) != len(landmarks):
                self.problems.add(where, "two landmarks have one name; they are numbered")
                landmarks = tuple(str(k + 1) for k in range(len(landmarks)))
            joints = self._list(one.get("joints", []), where)
            name = self.names[label] if 0 <= label < len(self.names) else f"label{label}"
            self.skeletons[label] = Skeleton(name, landmarks, self._edges(joints, len(landmarks), where))

    def _edges(self, joints: list[Any], count: int, where: str) -> tuple[tuple[int, int], ...]:
        pairs = []
        for joint in joints:
            if not isinstance(joint, list) or len(joint) != 2:
                refuse(self.path, f"{where}.joints", f"{shown(joint)} is no pair")
            pairs.append(tuple(whole(one, self.path, f"{where}.joints") for one in joint))
        base = 0 if any(0 in pair for pair in pairs) else 1
        if base == 0:
            self.problems.add(f"{where}.joints", "it counts from 0, not from 1, and was read so")
        fits = (pair for pair in pairs if min(pair) >= base and (count == 0 or max(pair) - base < count))
        kept = [(a - base, b - base) for a, b in fits]
        if len(kept) != len(pairs):
            self.problems.add(f"{where}.joints", f"{len(pairs) - len(kept)} pairs name no landmark and were left out")
        return tuple(kept)

    def _image(self, item: dict[str, Any], n: int) -> tuple[str, tuple[int, int] | None]:
        """A picture's name, by its path or the item's id, and (width, height)."""
        image = item.get("image") or item.get("media") or {}
        image = self._object(image, f"items[{n}].image")
        name = image.get("path") or item.get("id")
        if not isinstance(name, str) or not name:
            refuse(self.path, f"items[{n}]", "it has neither a path nor an id")
        size = image.get("size")
        if size is None:
            return name, None
        if not isinstance(size, list) or len(size) != 2:
            refuse(self.path, f"items[{n}].image.size", f"{shown(size)} is no height and width")
        high, wide = (whole(one, self.path, f"items[{n}].image.size") for one in size)
        return name, (wide, high) if min(wide, high) > 0 else None

    def _item(self, item: dict[str, Any], n: int, picture: int) -> None:
        annotations = [
            self._object(one, f"items[{n}].annotations[{m}]")
            for m, one in enumerate(self._list(item.get("annotations", []), f"items[{n}].annotations"))
        ]  # fmt: skip
        boxes = {}
        for m, one in enumerate(annotations):
            if one.get("type") == "bbox" and one.get("group"):
                boxes[str(one["group"])] = self._box(one, f"items[{n}].annotations[{m}]")
        others = 0
        for m, one in enumerate(annotations):
            if one.get("type") in ("points", "skeleton"):
                self._instance(one, f"items[{n}].annotations[{m}]", picture, boxes.get(str(one.get("group"))))
            others += one.get("type") not in ("points", "skeleton") and str(one.get("group")) not in boxes
        if others:
            self.problems.add(f"items[{n}]", f"{others} annotations are no landmarks and were left out")

    def _box(self, one: dict[str, Any], where: str) -> tuple[float, ...]:
        values = [number(value, self.path, f"{where}.bbox") for value in self._list(one.get("bbox", []), where)]
        if len(values) != 4:
            refuse(self.path, f"{where}.bbox", f"{len(values)} numbers are no box")
        x, y, wide, high = values
        return (x - EDGE, y - EDGE, x + wide - EDGE, y + high - EDGE)

    def _instance(self, one: dict[str, Any], where: str, picture: int, box: tuple[float, ...] | None) -> None:
        label = one.get("label_id")
        label = None if label is None else whole(label, self.path, f"{where}.label_id")
        if "elements" in one:
            marks = self._elements(self._list(one["elements"], where), label, where)
        else:
            flat = [number(v, self.path, f"{where}.points") for v in self._list(one.get("points", []), where)]
            flags = one.get("visibility")
            width = 3 if one.get("type") == "skeleton" and flags is None else 2
            if len(flat) % width:
                refuse(self.path, f"{where}.points", f"{len(flat)} numbers are no {width} for each landmark")
            marks = np.array(flat).reshape(-1, width)
            if width == 2:
                seen = [VISIBLE] * len(marks) if flags is None else [
                    whole(v, self.path, f"{where}.visibility") for v in self._list(flags, where)
                ]  # fmt: skip
                if len(seen) != len(marks):
                    what = f"{len(seen)} values are not those of {len(marks)} landmarks"
                    refuse(self.path, f"{where}.visibility", what)
                marks = np.column_stack([marks, np.array(seen, float).reshape(-1)])
        if not np.isin(marks[:, 2], (0, 1, 2)).all():
            refuse(self.path, where, "a visibility is neither 0, 1 nor 2")
        rows = self._rows_of(label, len(marks), where)
        rows.add(picture, marks[:, :2] + self.offset, marks[:, 2], box=box)

    def _elements(self, elements: list[Any], label: int | None, where: str) -> np.ndarray:
        """Points of a skeleton, each with a label whose parent or name says which landmark it is."""
        found: dict[str, np.ndarray] = {}
        for m, one in enumerate(elements):
            place = f"{where}.elements[{m}]"
            one = self._object(one, place)
            flat = [number(v, self.path, place) for v in self._list(one.get("points", []), place)]
            flags = self._list(one.get("visibility", [VISIBLE]), place)
            if len(flat) != 2 or len(flags) != 1:
                refuse(self.path, place, "it is no single point")
            inner = whole(one.get("label_id"), self.path, place)
            if not 0 <= inner < len(self.names):
                refuse(self.path, place, f"its label {inner} is not in the list")
            found[self.names[inner]] = np.array([*flat, whole(flags[0], self.path, place)])
        known = self.skeletons.get(-1 if label is None else label)
        if known is None or not known.landmarks:
            name = self.names[label] if label is not None and 0 <= label < len(self.names) else "points"
            self.skeletons[-1 if label is None else label] = known = Skeleton(name, tuple(found))
        lost = [name for name in found if name not in known.landmarks]
        if lost:
            self.problems.add(where, f"{shown(lost[0])} is no landmark of {shown(known.name)} and was left out")
        return np.array([found.get(name, np.zeros(3)) for name in known.landmarks]).reshape(-1, 3)

    def _rows_of(self, label: int | None, count: int, where: str) -> Rows:
        key = label, count
        if key not in self.rows:
            known = self.skeletons.get(-1 if label is None else label)
            name = self.names[label] if label is not None and 0 <= label < len(self.names) else f"points{count}"
            if known is None or len(known) != count:
                if known is not None and len(known):
                    what = f"{count} landmarks where {shown(known.name)} has {len(known)}; they are a kind of their own"
                    self.problems.add(where, what)
                edges = tuple(pair for pair in known.edges if max(pair) < count) if known and not len(known) else ()
                known = Skeleton(name, tuple(str(k + 1) for k in range(count)), edges)
            self.rows[key] = Rows(known)
        return self.rows[key]

    def _object(self, value: Any, where: str) -> dict[str, Any]:
        return value if isinstance(value, dict) else refuse(self.path, where, f"{shown(value)} is no object")

    def _list(self, value: Any, where: str) -> list[Any]:
        return value if isinstance(value, list) else refuse(self.path, where, f"{shown(value)} is no list")
