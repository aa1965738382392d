"""VIA 3: shapes as numbers, the first of which says what they are; attributes by number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.formats.via.records import Record, Region
from engine.label_reading import csv_rows, load_json, number, parse_json, read_text, refuse, shown
from engine.labels import Problems

POINT, BOX = 1, 2
CSV_HEAD = ("metadata_id", "file_list", "flags", "temporal_coordinates", "spatial_coordinates", "metadata")
ATTRIBUTES = re.compile(r"^#\s*ATTRIBUTE\s*=\s*(.*)$", re.MULTILINE)


def third_records(path: Path, problems: Problems) -> Iterator[Record]:
    """Pictures, and moments of videos, of a project."""
    data = load_json(path, problems)
    parts = {name: data.get(name) if isinstance(data, dict) else None for name in ("file", "metadata", "view")}
    if not isinstance(parts["file"], dict) or not isinstance(parts["metadata"], dict):
        refuse(path, "", "it has no files or no metadata", "export the project from VIA 3 again")
    named = _Attributes(data.get("attribute"))
    views = parts["view"] if isinstance(parts["view"], dict) else {}
    records: dict[tuple[str, str], Record] = {}
    for view in views:
        for name in _names(path, parts["file"], views, str(view)):
            records.setdefault((str(view), ""), Record(name))
    for key, one in parts["metadata"].items():
        where = f"metadata {shown(key)}"
        if not isinstance(one, dict):
            refuse(path, where, f"{shown(one)} is no object")
        shape = _shape(path, where, one.get("xy"))
        if shape is None:
            continue
        view, moment = str(one.get("vid")), _moment(path, where, one.get("z"))
        if (view, moment) not in records:
            names = _names(path, parts["file"], views, view)
            if not names:
                problems.add(where, f"it is of the view {shown(view)}, which is not there; left out")
                continue
            records[view, moment] = Record(names[0] + moment)
        attributes = one.get("av") if isinstance(one.get("av"), dict) else {}
        records[view, moment].regions.append(Region(where, shape, named.words(attributes)))
    moments = {view for view, moment in records if moment}
    yield from (record for (view, moment), record in records.items() if moment or record.regions or view not in moments)


def third_csv_records(path: Path, problems: Problems) -> Iterator[Record] | None:
    """Pictures of a table of VIA 3; None where it is another table."""
    text = read_text(path, problems)
    if not text.lstrip().startswith("#") or "SHAPE_ID" not in text[:10_000]:
        return None
    return _csv(path, text)


def _csv(path: Path, text: str) -> Iterator[Record]:
    told = ATTRIBUTES.search(text)
    named = _Attributes(parse_json(told[1], path, "ATTRIBUTE") if told else None)
    for line, cells in csv_rows(text, path):
        where = f"line {line}"
        if cells[0].startswith("#") or tuple(cells) == CSV_HEAD:
            continue
        if len(cells) != len(CSV_HEAD):
            refuse(path, where, f"it has {len(cells)} cells where VIA 3 has {len(CSV_HEAD)}")
        files, moment, xy, attributes = (
            parse_json(cells[n] or "[]", path, f"{where}, {CSV_HEAD[n]}") for n in (1, 3, 4, 5)
        )
        if not isinstance(files, list) or not files or not isinstance(files[0], str) or not files[0]:
            refuse(path, f"{where}, file_list", f"{shown(files)} names no picture")
        shape = _shape(path, where, xy)
        words = named.words(attributes if isinstance(attributes, dict) else {})
        regions = [] if shape is None else [Region(where, shape, words)]
        yield Record(files[0] + _moment(path, where, moment), regions=regions)


class _Attributes:
    """Names of attributes, and of their options, by number."""

    def __init__(self, given: Any) -> None:
        self.given = given if isinstance(given, dict) else {}

    def words(self, values: dict[str, Any]) -> dict[str, Any]:
        """Attributes by name, with the words of the options that were chosen."""
        made = {}
        for key, value in values.items():
            one = self.given.get(str(key))
            one = one if isinstance(one, dict) else {}
            options = one.get("options") if isinstance(one.get("options"), dict) else {}
            made[str(one.get("aname") or key)] = options.get(value, value) if isinstance(value, str) else value
        return made


def _names(path: Path, files: dict[str, Any], views: dict[str, Any], view: str) -> list[str]:
    """Names of a view's files; a view is its file where the project lists no views."""
    held = views.get(view)
    listed = held.get("fid_list") if isinstance(held, dict) else [view] if not views else []
    names = []
    for fid in listed if isinstance(listed, list) else []:
        one = files.get(str(fid))
        name = one.get("fname") if isinstance(one, dict) else None
        if not isinstance(name, str) or not name:
            refuse(path, f"file {shown(str(fid))}", "it has no name")
        names.append(name)
    return names


def _moment(path: Path, where: str, z: Any) -> str:
    """The moment of a video as the end of a picture's name; "" for pictures."""
    if not isinstance(z, list) or not z:
        return ""
    return f"#t={number(z[0], path, f'{where}, z'):g}"


def _shape(path: Path, where: str, xy: Any) -> dict[str, Any] | None:
    """A shape as VIA 2 has it; None where there is none."""
    if xy is None or xy == []:
        return None
    if not isinstance(xy, list):
        refuse(path, f"{where}, xy", f"{shown(xy)} is no list of numbers")
    kind, *values = (number(value, path, f"{where}, xy") for value in xy)
    if kind == POINT and len(values) == 2:
        return {"name": "point", "cx": values[0], "cy": values[1]}
    if kind == BOX and len(values) == 4:
        return {"name": "rect", **dict(zip(("x", "y", "width", "height"), values, strict=True))}
    if kind in (POINT, BOX):
        refuse(path, f"{where}, xy", f"{len(values)} numbers are no place or box")
    return {"name": f"shape {kind:g}"}
