"""Writing CVAT's XML 1.1 for images."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from app.files import atomic_file
from app.formats.cvat.read import EDGE
from app.formats.names import written_names
from app.formats.registry import WriteOptions
from app.formats.rows import by_picture
from app.formats.xmls import quoted
from engine.labels import ABSENT, OCCLUDED, LabelSet, Skeleton, Table

DECIMALS = 6


def write_cvat(labels: LabelSet, out: Path, options: WriteOptions) -> None:
    """One file, written piece by piece; raises FormatError."""
    names = written_names(labels.pictures, out.absolute().parent)
    kinds = _kinds(labels)
    with atomic_file(out) as file:
        head = f'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n<meta><task>' \
               f"<size>{len(names)}</size><mode>annotation</mode><labels>\n"  # fmt: skip
        file.write(head.encode())
        for table, kind in zip(labels.tables, kinds, strict=True):
            file.write("".join(_labels(table.skeleton, kind, np.isfinite(table.box).all(1).any())).encode())
        file.write(b"</labels></task></meta>\n")
        for n, rows in by_picture(labels):
            size = labels.pictures[n].size
            told = f' width="{size[0]}" height="{size[1]}"' if size else ""
            file.write(f'<image id="{n}" name={quoted(names[n])}{told}>\n'.encode())
            for group, (which, row) in enumerate(rows, 1):
                shapes = _shapes(labels.tables[which], kinds[which], row, group, options.offset or 0.0)
                file.write("".join(shapes).encode())
            file.write(b"</image>\n")
            if options.progress is not None and n % 256 == 0:
                options.progress(n, len(names))
        file.write(b"</annotations>\n")


def _kinds(labels: LabelSet) -> list[str]:
    """The name of each table's label; CVAT allows each once."""
    made: list[str] = []
    for table in labels.tables:
        name, again = table.skeleton.name, 2
        while name in made:
            name, again = f"{table.skeleton.name} {again}", again + 1
        made.append(name)
    return made


def _text(text: str) -> str:
    quoted(text)  # refuses what XML cannot hold
    return escape(text)


def _labels(skeleton: Skeleton, kind: str, boxed: bool) -> Iterator[str]:
    drawing = "".join(_drawing(skeleton))
    yield f"<label><name>{_text(kind)}</name><type>skeleton</type><attributes></attributes>"
    yield f"<svg>{escape(drawing)}</svg></label>\n"
    for name in skeleton.landmarks:
        yield f"<label><name>{_text(name)}</name><type>points</type><attributes></attributes>"
        yield f"<parent>{_text(kind)}</parent></label>\n"
    if boxed:
        yield f"<label><name>{_text(kind)} box</name><type>rectangle</type><attributes></attributes></label>\n"


def _drawing(skeleton: Skeleton) -> Iterator[str]:
    """Lines and circles; landmarks on a circle, since a schema has no places."""
    count = len(skeleton)
    turns = [2 * math.pi * n / max(count, 1) for n in range(count)]
    places = [(50 + 40 * math.sin(turn), 50 - 40 * math.cos(turn)) for turn in turns]
    for a, b in skeleton.edges:
        (x1, y1), (x2, y2) = places[a], places[b]
        yield f'<line x1="{x1:.3f}" y1="{y1:.3f}" x2="{x2:.3f}" y2="{y2:.3f}" data-type="edge" '
        yield f'data-node-from="{a + 1}" data-node-to="{b + 1}"></line>'
    for n, ((x, y), name) in enumerate(zip(places, skeleton.landmarks, strict=True), 1):
        yield f'<circle r="1.5" cx="{x:.3f}" cy="{y:.3f}" data-type="element node" data-element-id="{n}" '
        yield f'data-node-id="{n}" data-label-name={quoted(name)}></circle>'


def _shapes(table: Table, kind: str, row: int, group: int, offset: float) -> Iterator[str]:
    boxed = bool(np.isfinite(table.box[row]).all())
    common = f'source="{"manual" if table.hand[row] else "auto"}"' + (f' group_id="{group}"' if boxed else "")
    if boxed:
        x0, y0, x1, y1 = (table.box[row] + EDGE).round(DECIMALS).tolist()
        yield f'<box label={quoted(f"{kind} box")} {common} occluded="0" xtl="{_short(x0)}" ytl="{_short(y0)}" '
        yield f'xbr="{_short(x1)}" ybr="{_short(y1)}" z_order="0"></box>\n'
    yield f'<skeleton label={quoted(kind)} {common} z_order="0">\n'
    seen = table.visibility[row].tolist()
    places = np.where((table.visibility[row] > ABSENT)[:, None], table.points[row] - offset, 0).round(DECIMALS)
    for name, v, (x, y) in zip(table.skeleton.landmarks, seen, places.tolist(), strict=True):
        yield f'<points label={quoted(name)} outside="{int(v == ABSENT)}" occluded="{int(v == OCCLUDED)}" '
        yield f'points="{_short(x)},{_short(y)}"></points>\n'
    yield "</skeleton>\n"


def _short(value: float) -> str:
    return f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".") or "0"
