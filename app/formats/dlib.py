"""dlib's and imglab's XML."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

import numpy as np

from app.files import atomic_write
from app.formats.loose import Loose, Mark
from app.formats.names import written_names
from app.formats.pictures import Finder
from app.formats.reading import Problems, number, parse_xml, refuse, shown
from app.formats.registry import Holds, ReadOptions, WriteOptions
from app.formats.rows import by_picture
from engine.labels import ABSENT, VISIBLE, LabelSet, Table

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

KIND = "box"  # of boxes without a label
SIDES = ("left", "top", "width", "height")
EDGE = 0.5  # a box of left 3 and width 2 covers the pixels 3 and 4


class Dlib:
    """dlib / imglab XML.

    Parts are whole pixels, 0-based, so the offset is 0. A landmark that a box lacks is absent; there is no word for
    occluded ones. Landmarks stand in the text order of their names, as dlib takes them. A name twice in one box is
    refused, as dlib does. Boxes marked `ignore` are left out. Written: a box around the landmarks where there is none.
    """

    name = "dlib"
    title = "dlib / imglab XML"
    suffix = ".xml"
    holds = Holds(occluded=False, several_skeletons=True, order=False, edges=False, subpixel=False, bare=True)

    def claims(self, path: Path, head: bytes) -> bool:
        """A <dataset> with <images>."""
        return b"<dataset" in head and b"<images" in head

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """All boxes with their parts; raises FormatError."""
        root, problems, offset = parse_xml(path), Problems(path.name), options.offset or 0.0
        if root.tag != "dataset":
            refuse(path, "", f"its root is <{shown(root.tag)}> and no <dataset>", "choose an imglab file")
        finder, loose, pictures = Finder(path, options, problems), Loose(in_text_order=True), []
        taken: dict[str, int] = {}
        for n, image in enumerate(root.iterfind("images/image"), 1):
            where = f"image {n}"
            name = image.get("file") or refuse(path, where, "it names no file")
            if name in taken:
                problems.add(where, f"{shown(name)} stands twice; its boxes were put together")
            else:
                taken[name] = len(pictures)
                size = None
                if image.get("width") and image.get("height"):
                    size = (int(number(image.get("width"), path, where)), int(number(image.get("height"), path, where)))
                pictures.append(finder.picture(name, size))
            for m, box in enumerate(image.iterfind("box"), 1):
                _read_box(path, f"{where}, box {m}", box, taken[name], offset, loose, problems)
        return LabelSet(tuple(pictures), loose.tables(), problems.values())

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """One file, in the encoding that it names; raises FormatError."""
        offset, text = options.offset or 0.0, io.StringIO()
        text.write("<?xml version='1.0' encoding='UTF-8'?>\n<dataset>\n<name>labels</name>\n<images>\n")
        names = written_names(labels.pictures, out.absolute().parent)
        for n, held in by_picture(labels):
            size = labels.pictures[n].size
            sized = f" width='{size[0]}' height='{size[1]}'" if size else ""
            text.write(f"  <image file={quoteattr(names[n])}{sized}>\n")
            for table, row in held:
                _write_box(text, labels.tables[table], row, offset)
            text.write("  </image>\n")
        text.write("</images>\n</dataset>\n")
        atomic_write(out, text.getvalue().encode("utf-8", "xmlcharrefreplace"))


def _read_box(
    path: Path, where: str, box: Element, picture: int, offset: float, loose: Loose, problems: Problems
) -> None:
    if box.get("ignore") == "1":
        problems.add(where, "it is marked to be ignored and was left out")
        return
    left, top, wide, high = (number(box.get(key), path, f"{where}, {key}") for key in SIDES)
    landmarks = {}
    for part in box.iterfind("part"):
        name = part.get("name") or refuse(path, where, "a part has no name")
        if name in landmarks:
            refuse(path, where, f"the part {shown(name)} stands twice", "remove one of the two")
        x, y = (number(part.get(key), path, f"{where}, part {shown(name)}") + offset for key in ("x", "y"))
        landmarks[name] = (x, y, VISIBLE)
    label = box.findtext("label") or KIND
    corners = (left - EDGE, top - EDGE, left + wide - EDGE, top + high - EDGE)
    loose.add(picture, label.strip() or KIND, [Mark(name, *at) for name, at in landmarks.items()], box=corners)


def _write_box(text: io.StringIO, table: Table, row: int, offset: float) -> None:
    there = table.visibility[row] > ABSENT
    points = np.rint(table.points[row] - offset).astype(int)
    low, high = _covered(table.box[row], points[there])
    wide, tall = (high - low + 1).tolist()
    text.write(f"    <box top='{low[1]}' left='{low[0]}' width='{wide}' height='{tall}'>\n")
    if table.skeleton.name != KIND:
        text.write(f"      <label>{quoteattr(table.skeleton.name)[1:-1]}</label>\n")
    for k in np.flatnonzero(there):
        name = quoteattr(table.skeleton.landmarks[k])
        text.write(f"      <part name={name} x='{points[k, 0]}' y='{points[k, 1]}'/>\n")
    text.write("    </box>\n")


def _covered(box: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and last pixel of a box, or of the landmarks where there is none."""
    if np.isfinite(box).all():
        low = np.rint(box[:2] + EDGE).astype(int)
        return low, np.maximum(np.rint(box[2:] + EDGE).astype(int) - 1, low)
    if not len(points):
        return np.zeros(2, int), np.zeros(2, int)
    return points.min(0), points.max(0)
