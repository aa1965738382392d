"""Reading CVAT's XML, element by element."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from app.formats.cvat.labels import Kind, kinds_of
from app.formats.loose import Loose, Mark, Shape, together
from app.formats.registry import ReadOptions
from app.formats.xmls import Placed, flag, required, size_from, stream_xml, xml_number
from engine.label_pictures import Finder
from engine.label_reading import number, refuse, shown
from engine.labels import ABSENT, OCCLUDED, VISIBLE, LabelSet, Problems

EDGE = 0.5  # boxes count from the corner of the top-left pixel
FOLDERS = ("images", "data")
SPLITS = {"train": "train", "training": "train", "val": "validation", "validation": "validation", "test": "test"}
NO_SHAPES = ("attribute", "tag")
MAX_FRAME = 10**9


def read_cvat(path: Path, options: ReadOptions) -> LabelSet:
    """Everything that concerns landmarks; raises FormatError."""
    return _Reading(path, options).run()


class _Reading:
    def __init__(self, path: Path, options: ReadOptions) -> None:
        self.path, self.problems, self.offset = path, Problems(path.name), options.offset or 0.0
        self.finder = Finder(path, options, self.problems, FOLDERS)
        self.loose, self.pictures = Loose(), []
        self.kinds: dict[str, Kind] = {}
        self.numbers: dict[str, int] = {}  # picture by name
        self.frames: dict[int, int] = {}  # picture by frame
        self.counts: dict[str, int] = {}  # places of a label's points with several of them
        self.left_out: Counter[str] = Counter()
        self.size: tuple[int, int] | None = None
        self.source = ""

    def run(self) -> LabelSet:
        for part in stream_xml(self.path, "annotations", frozenset({"meta", "image", "track"})):
            {"meta": self._meta, "image": self._image, "track": self._track}[part.tag](part)
        if not self.kinds and any(self.loose.kinds()):
            self.problems.add("", "it lists no skeletons; landmarks are in the order in which they occur")
        tables = self.loose.tables()
        left = {what: count for what, count in (self.left_out + self.loose.left_out).items() if count}
        info = ({"source": self.source} if self.source else {}) | ({"left_out": left} if left else {})
        return LabelSet(tuple(self.pictures), tables, self.problems.values(), info)

    def _meta(self, meta: Placed) -> None:
        self.kinds |= kinds_of(meta, self.problems)
        for name, kind in self.kinds.items():
            self.loose.know(name, kind.landmarks, kind.edges)
        size = next(meta.iter("original_size"), None)
        if size is not None:
            words = [size.findtext(side, "") for side in ("width", "height")]
            if all(word.strip().isdecimal() and 0 < int(word) < 10**6 for word in words):
                self.size = (int(words[0]), int(words[1]))
        self.source = next((one.text or "" for one in meta.iter("source")), "").strip()

    def _picture(self, name: str, size: tuple[int, int] | None, split: str = "") -> int:
        if name not in self.numbers:
            self.numbers[name] = len(self.pictures)
            self.pictures.append(self.finder.picture(name, size, split))
        return self.numbers[name]

    def _image(self, image: Placed) -> None:
        name = required(image, "name", self.path)
        if name in self.numbers:
            self.problems.add(f"line {image.line}", f"{shown(name)} was listed before; its labels were joined")
        split = SPLITS.get(image.get("subset", "").lower(), "")
        picture = self._picture(name, size_from(image, self.path), split)
        if image.get("id", "").isdecimal():
            self.frames.setdefault(int(image.get("id", "")[:18]), picture)
        marks: list[Mark] = []
        shapes: list[Shape] = []
        subjects: list[tuple[str, list[Mark], str | None, bool]] = []
        for one in image:
            group = _group(one)
            hand = one.get("source") != "auto"
            if one.tag == "skeleton":
                subjects.append((one.get("label", ""), list(self._skeleton(one)), group, hand))
            elif one.tag == "points":
                places = self._places(one)
                seen = OCCLUDED if flag(one, "occluded", self.path) else VISIBLE
                if len(places) == 1:
                    marks.append(Mark(one.get("label", ""), *places[0], seen, group=group, hand=hand))
                else:
                    subjects.append((*self._numbered(one, places, seen), group, hand))
            elif one.tag == "box":
                shapes.append(Shape(one.get("label", ""), self._box(one), group, hand))
            elif one.tag not in NO_SHAPES:
                self.left_out[f"shapes of the kind {shown(one.tag)}"] += 1
        self._assemble(picture, subjects, marks, shapes, f"line {image.line}")

    def _assemble(
        self, picture: int, subjects: list[tuple[str, list[Mark], str | None, bool]], marks: list[Mark],
        shapes: list[Shape], where: str,
    ) -> None:  # fmt: skip
        for label, held, group, hand in subjects:
            box = next((shape for shape in shapes if group is not None and shape.group == group), None)
            if box is not None:
                shapes.remove(box)
            self.loose.add(picture, label, held, box.box if box else None, hand)
        self.loose.add_subjects(picture, together(marks, shapes, where, self.problems), named=False)

    def _skeleton(self, skeleton: Placed) -> Iterator[Mark]:
        label, names = required(skeleton, "label", self.path), set()
        hidden = flag(skeleton, "occluded", self.path)
        for point in skeleton.iterfind("points"):
            name = required(point, "label", self.path)
            places = self._places(point)
            if len(places) != 1:
                refuse(self.path, f"line {point.line}", f"the landmark {shown(name)} has {len(places)} places")
            if name in names:
                self.problems.add(f"line {point.line}", f"{shown(label)} has {shown(name)} twice; the first was taken")
                continue
            names.add(name)
            occluded = flag(point, "occluded", self.path) if point.get("occluded") is not None else hidden
            seen = ABSENT if flag(point, "outside", self.path) else OCCLUDED if occluded else VISIBLE
            yield Mark(name, *places[0], seen)

    def _places(self, points: Placed) -> list[tuple[float, float]]:
        """The places of points: x,y;x,y and so on."""
        where = f"line {points.line}, points"
        made = []
        for pair in required(points, "points", self.path).strip().strip(";").split(";"):
            words = pair.split(",")
            if len(words) != 2:
                refuse(self.path, where, f"{shown(pair)} is no place x,y")
            x, y = (number(word, self.path, where) + self.offset for word in words)
            made.append((x, y))
        return made

    def _numbered(self, points: Placed, places: list[tuple[float, float]], seen: int) -> tuple[str, list[Mark]]:
        label, count = points.get("label", ""), len(places)
        usual = self.counts.setdefault(label, count)
        if count != usual:
            what = f"{shown(label)} has {count} places here and {usual} before; they are a kind of their own"
            self.problems.add(f"line {points.line}", what)
            label = f"{label} {count}"
        return label, [Mark(str(n + 1), x, y, seen) for n, (x, y) in enumerate(places)]

    def _box(self, box: Placed) -> tuple[float, float, float, float]:
        x0, y0, x1, y1 = (xml_number(box, name, self.path) - EDGE for name in ("xtl", "ytl", "xbr", "ybr"))
        if box.get("rotation") and xml_number(box, "rotation", self.path):
            self.problems.add(f"line {box.line}", "the box is turned; it was read upright")
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    def _track(self, track: Placed) -> None:
        label, id = track.get("label", ""), track.get("id", "")
        hand = track.get("source") != "auto"
        for shape in track:
            if shape.tag in NO_SHAPES:
                continue
            frame = int(xml_number(shape, "frame", self.path))
            if not 0 <= frame < MAX_FRAME:
                refuse(self.path, f"line {shape.line}", f"{frame} is no frame")
            if flag(shape, "outside", self.path):
                continue
            if shape.tag == "skeleton":
                shape.set("label", shape.get("label", label))
                marks = list(self._skeleton(shape))
                if marks and all(mark.seen == ABSENT for mark in marks):
                    continue
                self.loose.add(self._frame(frame), label, marks, None, hand, id)
            elif shape.tag == "points":
                self._track_points(shape, label, self._frame(frame), hand, id)
            elif shape.tag == "box":
                self.loose.add(self._frame(frame), label, [], self._box(shape), hand, id)
            else:
                self.left_out[f"shapes of the kind {shown(shape.tag)}"] += 1

    def _track_points(self, shape: Placed, label: str, picture: int, hand: bool, id: str) -> None:
        shape.set("label", label)
        places = self._places(shape)
        seen = OCCLUDED if flag(shape, "occluded", self.path) else VISIBLE
        if len(places) == 1:
            self.loose.add(picture, label, [Mark(label, *places[0], seen)], None, hand, id)
        else:
            name, marks = self._numbered(shape, places, seen)
            self.loose.add(picture, name, marks, None, hand, id)

    def _frame(self, frame: int) -> int:
        if frame not in self.frames:
            self.frames[frame] = self._picture(f"frame_{frame:06d}", self.size)
        return self.frames[frame]


def _group(one: Placed) -> str | None:
    group = one.get("group_id", "")
    return group if group not in ("", "0") else None
