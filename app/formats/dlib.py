"""dlib's and imglab's XML."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

from app.files import atomic_file
from app.formats.loose import SUBJECT, Loose, Mark, box_of
from app.formats.names import written_names
from app.formats.registry import Holds, ReadOptions, WriteOptions
from app.formats.rows import by_picture
from app.formats.xmls import Placed, flag, quoted, required, size_from, stream_xml, xml_number
from engine.label_pictures import Finder
from engine.label_reading import refuse, shown
from engine.labels import ABSENT, LabelSet, Problems, Table

EDGE = 0.5  # a box of left 3 and width 2 covers the pixels 3 and 4
FLAGS = ("difficult", "occluded", "truncated")
NUMBERS = ("age", "angle", "detection_score", "pose")
SEXES = {"0": "", "1": "male", "2": "female", "unknown": "", "male": "male", "female": "female"}
HEADER = b"<?xml version='1.0' encoding='UTF-8'?>\n<dataset>\n<name>labels</name>\n<comment/>\n<images>\n"


class Dlib:
    """dlib / imglab XML.

    Parts are whole pixels, 0-based, so the offset is 0. A box covers the pixels from left to left + width - 1; its
    label is the kind. A landmark that a box lacks is absent; there is no word for occluded ones (a box's `occluded`
    speaks of all of it, and is kept). Landmarks stand in the text order of their names ("10" before "2"), as dlib
    takes them. A name twice in one box is refused, as dlib does. Boxes marked `ignore` are left out and listed.
    Written: a box around the landmarks where there is none, of size 0 where there are none either.
    """

    name = "dlib"
    title = "dlib / imglab XML"
    suffix = ".xml"
    holds = Holds(
        occluded=False, several_skeletons=True, order=False, edges=False, subpixel=False,
        extras=(*FLAGS, *NUMBERS, "gender"),
    )  # fmt: skip

    def claims(self, path: Path, head: bytes) -> bool:
        """A <dataset> with <images>."""
        return b"<dataset" in head and b"<images" in head

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """All boxes with their parts, in bounded memory; raises FormatError."""
        problems = Problems(path.name)
        finder, loose, pictures = Finder(path, options, problems), Loose(in_text_order=True), []
        numbers: dict[str, int] = {}
        for image in stream_xml(path, "dataset", frozenset({"image"})):
            name, size = required(image, "file", path), size_from(image, path)
            if name in numbers:
                problems.add(f"line {image.line}", f"{shown(name)} was listed before; its boxes were joined")
            else:
                numbers[name] = len(pictures)
                pictures.append(finder.picture(name, size))
            for box in image.iterfind("box"):
                _read_box(box, path, loose, numbers[name], options.offset or 0.0, problems)
        tables = loose.tables()
        info = {"left_out": dict(loose.left_out)} if loose.left_out else {}
        return LabelSet(tuple(pictures), tables, problems.values(), info)

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """One file, piece by piece; raises FormatError."""
        names = written_names(labels.pictures, out.absolute().parent)
        with atomic_file(out) as file:
            file.write(HEADER)
            for n, rows in by_picture(labels):
                size = labels.pictures[n].size
                told = f" width='{size[0]}' height='{size[1]}'" if size else ""
                file.write(f"  <image file={quoted(names[n])}{told}>\n".encode())
                for which, row in rows:
                    file.write("".join(_lines(labels.tables[which], row, options.offset or 0.0)).encode())
                file.write(b"  </image>\n")
                if options.progress is not None and n % 256 == 0:
                    options.progress(n, len(names))
            file.write(b"</images>\n</dataset>\n")


def _read_box(box: Placed, path: Path, loose: Loose, picture: int, offset: float, problems: Problems) -> None:
    if flag(box, "ignore", path):
        problems.add(f"line {box.line}", "the box is marked to be ignored and was left out")
        return
    marks: dict[str, Mark] = {}
    for part in box.iterfind("part"):
        name = required(part, "name", path)
        if name in marks:
            refuse(path, f"line {part.line}", f"the part {shown(name)} stands twice in one box", "remove one of them")
        marks[name] = Mark(name, xml_number(part, "x", path) + offset, xml_number(part, "y", path) + offset)
    left, top, wide, high = (xml_number(box, name, path) for name in ("left", "top", "width", "height"))
    edges = (left - EDGE, top - EDGE, left + wide - EDGE, top + high - EDGE) if min(wide, high) > 0 else None
    if edges is None and not marks:
        problems.add(f"line {box.line}", "the box has neither a size nor parts")
    extras: dict[str, Any] = {name: True for name in FLAGS if flag(box, name, path)}
    extras |= {name: xml_number(box, name, path) for name in NUMBERS if box.get(name) is not None}
    sex = box.get("gender", "").strip().lower()
    if sex and sex not in SEXES:
        problems.add(f"line {box.line}", f"{shown(sex)} is no gender that dlib knows; left out")
    extras["gender"] = SEXES.get(sex) or None
    loose.add(picture, (box.findtext("label") or "").strip(), list(marks.values()), edges, **extras)


def _lines(table: Table, row: int, offset: float) -> Iterator[str]:
    box = box_of(table, row)
    x0, y0, x1, y1 = (0, 0, 0, 0) if box is None else (round(edge + EDGE) for edge in box)
    yield f"    <box top='{y0}' left='{x0}' width='{x1 - x0}' height='{y1 - y0}'"
    own = {name: column[row] for name, column in table.extras.items()}
    yield "".join(f" {name}='1'" for name in FLAGS if name in own and bool(own[name]))
    yield "".join(f" {name}='{float(own[name]):.10g}'" for name in NUMBERS if name in own and np.isfinite(own[name]))
    yield f" gender='{own['gender']}'>\n" if own.get("gender") in SEXES.values() and own["gender"] else ">\n"
    if table.skeleton.name != SUBJECT:
        quoted(table.skeleton.name)  # refuses what XML cannot hold
        yield f"      <label>{escape(table.skeleton.name)}</label>\n"
    landmarks = table.skeleton.landmarks
    for k in sorted(np.flatnonzero(table.visibility[row] > ABSENT).tolist(), key=landmarks.__getitem__):
        x, y = (round(value - offset) for value in table.points[row, k].tolist())
        yield f"      <part name={quoted(landmarks[k])} x='{x}' y='{y}'/>\n"
    yield "    </box>\n"
