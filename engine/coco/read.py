"""Reading COCO keypoints: in one pass and in bounded memory, whatever the order of the lists in the file."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from engine.coco.bodies import PART_NAMES, PARTS, PERSON, VALID
from engine.coco.categories import Category, category_of, join_single_landmarks
from engine.coco.columns import MAX_OUTLINES, Columns
from engine.coco.stream import Stream, open_stream
from engine.label_files import FormatError, ReadOptions
from engine.label_pictures import Finder
from engine.label_reading import MAX_COORDINATE, number, refuse, shown
from engine.labels import LabelSet, Problems, Skeleton
from engine.rows import joined

NUMBERS = {int, float}
_compact = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
FOLDERS = (
    "..", "images", "../images", *(
        f"../{inner}{part}{year}" for inner in ("", "images/") for year in ("2017", "2014", "")
        for part in ("train", "val", "test")
    ),
)  # fmt: skip


def read_coco(path: Path, options: ReadOptions) -> LabelSet:
    """People and other subjects with landmarks: a table for each category; raises FormatError.

    Annotations that cannot be read, or belong to nothing, are left out and listed. Crowds and subjects without
    landmarks stay, with all landmarks absent.
    """
    return _Reading(path, options).run()


class _Reading:
    def __init__(self, path: Path, options: ReadOptions) -> None:
        self.path, self.options, self.problems = path, options, Problems(path.name)
        self.images: dict[Any, tuple[str, tuple[int, int] | None]] = {}
        self.categories: dict[Any, Category] = {}
        self.columns: dict[tuple[Any, int, bool], Columns] = {}
        self.info: dict[str, Any] = {}
        self.results = False
        self._ids: set[Any] = set()
        self._outlines = self._outlines_left = self._bare = 0

    def run(self) -> LabelSet:
        with open_stream(self.path) as file:
            stream = Stream(self.path, file, self.options.progress)
            first = stream.peek()
            if first == "[":
                self.results = True
                self._list(stream, "results", self._annotation)
            elif first == "{":
                self._object(stream)
            else:
                stream.refuse("it is no JSON object or list")
            stream.end()
        return self._finished()

    def _object(self, stream: Stream) -> None:
        readers = {"images": self._image, "categories": self._category, "annotations": self._annotation}
        found = set()
        for key in stream.keys():  # noqa: SIM118
            if key in readers:
                found.add(key)
                self._list(stream, key, readers[key])
                continue
            value = stream.value()
            if key == "info" and isinstance(value, dict):
                self.info = {str(k): v for k, v in value.items() if isinstance(v, (str, int, float))}
        if not found & {"images", "annotations"}:
            refuse(self.path, "", "it has neither images nor annotations and is no COCO file", "choose another file")

    def _list(self, stream: Stream, key: str, read: Any) -> None:
        for n, entry in enumerate(stream.entries()):
            try:
                if not isinstance(entry, dict):
                    refuse(self.path, f"{key}[{n}]", f"{shown(entry)} is no object")
                read(entry, n)
            except FormatError as error:
                what = str(error).removeprefix(f"{self.path.name}, ").split("; ")[0]
                where, _, why = what.partition(": ")
                self.problems.add(where, f"{why}; it was left out")

    def _id(self, value: Any, where: str) -> Any:
        """An id as a key: any number or text; raises FormatError."""
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            refuse(self.path, where, f"{shown(value)} is no id")
        return value

    def _image(self, one: dict[str, Any], n: int) -> None:
        where = f"images[{n}]"
        id = self._id(one.get("id"), where)
        name = one.get("file_name")
        if not isinstance(name, str) or not name:
            self.problems.add(where, f"it has no file_name and is called by its id, {shown(id)}")
            name = str(id)
        size = None
        if one.get("width") is not None and one.get("height") is not None:
            wide, high = (number(one[key], self.path, f"{where}.{key}") for key in ("width", "height"))
            size = (int(wide), int(high)) if min(wide, high) >= 1 else None
        if id in self.images:
            self.problems.add(where, f"the id {shown(id)} was given to an image before, whose entry was taken")
            return
        self.images[id] = (name, size)

    def _category(self, one: dict[str, Any], n: int) -> None:
        where = f"categories[{n}]"
        id = self._id(one.get("id"), where)
        if id in self.categories:
            self.problems.add(where, f"the id {shown(id)} was given to a category before, which was taken")
            return
        self.categories[id] = category_of(one, id, where, self.problems)

    def _annotation(self, one: dict[str, Any], n: int) -> None:
        where = f"annotation {one['id']}" if type(one.get("id")) is int else f"annotations[{n}]"
        if "keypoints" not in one:
            self._bare += 1
            return
        self._check_id(one, where)
        image = self._id(one.get("image_id"), f"{where}.image_id")
        category = self._id(one.get("category_id", 1), f"{where}.category_id")
        values = self._numbers(one["keypoints"], f"{where}.keypoints")
        whole = any(one.get(part) for part in PARTS)
        if whole:
            values = values + self._parts(one, where)
        if len(values) % 3:
            refuse(self.path, f"{where}.keypoints", f"{len(values)} numbers are no x, y, v for each landmark")
        box = one.get("bbox")
        corners = self._box(box, f"{where}.bbox") if box else (math.nan,) * 4
        track = one.get("track_id")
        key = (category, len(values) // 3, whole)
        columns = self.columns.get(key)
        if columns is None:
            offset = self.options.offset or 0.0
            columns = self.columns[key] = Columns(key[1], self.results, offset)
        columns.add(image, values, corners, "" if track is None else str(track), self._own(one, where))

    def _check_id(self, one: dict[str, Any], where: str) -> None:
        id = one.get("id")
        if isinstance(id, (int, str)):
            if id in self._ids:
                self.problems.add(where, f"the id {shown(id)} was given to another one before; both were read")
            self._ids.add(id)

    def _numbers(self, values: Any, where: str) -> list[float]:
        """Finite numbers; raises FormatError."""
        if not isinstance(values, list):
            refuse(self.path, where, f"{shown(values)} is no list of numbers")
        if set(map(type, values)) <= NUMBERS and (
            not values or (min(values) >= -MAX_COORDINATE and max(values) <= MAX_COORDINATE)
        ):
            return values
        return [number(value, self.path, f"{where}[{n}]") for n, value in enumerate(values)]

    def _box(self, values: Any, where: str) -> tuple[float, ...]:
        """x, y, width, height; raises FormatError."""
        found = tuple(self._numbers(values, where))
        if len(found) != 4:
            refuse(self.path, where, f"{len(found)} numbers are no box")
        return found

    def _parts(self, one: dict[str, Any], where: str) -> list[float]:
        found: list[float] = []
        for part, names in PARTS.items():
            values = self._numbers(one.get(part) or [], f"{where}.{part}")
            if values and len(values) != 3 * len(names):
                refuse(self.path, f"{where}.{part}", f"{len(values)} numbers are not {len(names)} landmarks")
            found += values if values and one.get(VALID[part], True) else [0.0] * (3 * len(names))
        return found

    def _own(self, one: dict[str, Any], where: str) -> dict[str, Any]:
        own: dict[str, Any] = {}
        for name in ("area", "score", "yaw"):
            if one.get(name) is not None:
                own[name] = number(one[name], self.path, f"{where}.{name}")
        if one.get("head_box"):
            x, y, w, h = self._box(one["head_box"], f"{where}.head_box")
            own["head_box"] = (x, y, x + w, y + h)
        if one.get("iscrowd"):
            own["crowd"] = True
        if one.get("segmentation"):
            try:
                text = _compact(one["segmentation"])
            except (RecursionError, ValueError):
                refuse(self.path, f"{where}.segmentation", "it is no outline")
            self._outlines += len(text)
            if self._outlines <= MAX_OUTLINES:
                own["outline"] = text
            else:
                self._outlines_left += 1
        return own

    # ---- when all is read

    def _finished(self) -> LabelSet:
        order = self._images_known()
        part = self.path.stem.rsplit("_", 1)[-1]  # train2017: names of pictures may come again in another part
        folders = (part, f"../{part}", f"../images/{part}", *FOLDERS)
        finder = Finder(self.path, self.options, self.problems, folders)
        pictures = tuple(finder.picture(*self.images[id]) for id in order)
        numbers = {id: n for n, id in enumerate(order)}
        tables = []
        for (id, count, whole), columns in self.columns.items():
            skeleton = self._skeleton(id, count, whole, len(columns))
            if skeleton is not None:
                tables.append(columns.table(skeleton, numbers))
                for what, times in columns.oddities.items():
                    self.problems.add(f"category {shown(id)}", f"{times} {what}")
        if self._bare:
            self.problems.add("", f"{self._bare} annotations have no landmarks and were left out")
        tables = join_single_landmarks(joined(tables), self.categories, self.problems)
        for table in tables:
            if len(table) > 1 and (table.visibility == 1).any() and not (table.visibility == 2).any():
                self.problems.add(table.skeleton.name, "v is 1, hidden, for every landmark; sets of this kind often "
                                  "mean visible ones")  # fmt: skip
        left = {"outlines": self._outlines_left} if self._outlines_left else {}
        info = self.info | ({"left_out": left} if left else {})
        return LabelSet(pictures, tuple(tables), self.problems.values(), info)

    def _images_known(self) -> list[Any]:
        """Ids of the images in order. Annotations of others are left out, but a list of results names all of them."""
        strangers = dict.fromkeys(
            image for columns in self.columns.values() for image in columns.image if image not in self.images
        )
        if self.results:
            self.images = {image: (str(image), None) for image in strangers}
            self.problems.add("", "a list of results names its pictures by their ids alone")
            return list(self.images)
        for image in strangers:
            self.problems.add(f"image {shown(image)}", "the file lacks it; its annotations were left out")
        return list(self.images)

    def _skeleton(self, id: Any, count: int, whole: bool, instances: int) -> Skeleton | None:
        category = self.categories.get(id)
        where = f"category {shown(id)}"
        if category is None and self.categories:
            self.problems.add(where, f"{instances} annotations belong to it, but the file lacks it; they were left out")
            return None
        names = category.landmarks if category else PERSON if count - whole * len(PART_NAMES) == len(PERSON) else ()
        if whole and len(names) + len(PART_NAMES) == count:
            names = (*names, *PART_NAMES)
        if not names and not count:
            self._bare += instances
            return None
        if not names:
            names = tuple(str(n + 1) for n in range(count))
        if count and len(names) != count:
            what = f"{instances} annotations have {count} landmarks and the category {len(names)}; they were left out"
            self.problems.add(where, what)
            return None
        name = category.name if category else "person" if count >= len(PERSON) else f"landmarks{count}"
        return Skeleton(name, names, category.edges if category else (), category.flip if category else ())
