"""VIA's regions as landmarks: what their attributes say, whatever a project calls them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.formats.loose import Loose, Mark, Shape, together
from app.formats.registry import ReadOptions
from app.formats.via.records import Record, Region
from engine.label_pictures import Finder, plain_name
from engine.label_reading import number, shown
from engine.labels import ABSENT, OCCLUDED, VISIBLE, LabelSet, Picture, Problems

EDGE = 0.5  # boxes count from the corner of the top-left pixel
NAMES = ("landmark", "name", "label", "part", "keypoint", "point", "joint", "type", "id")
SUBJECTS = ("subject", "person", "individual", "track", "face", "object", "group", "group_id")
GROUPS = ("instance", *SUBJECTS)
KINDS = ("kind", "class", "category", "species")
SEEN = ("visibility", "visible", "occluded", "occlusion", "hidden", "v")
YES, NO = ("1", "true", "yes", "y", "on"), ("0", "false", "no", "n", "off")


def read_records(path: Path, records: Iterable[Record], options: ReadOptions, problems: Problems) -> LabelSet:
    """Pictures with their subjects; records of one name and size are one picture. Raises FormatError."""
    finder, loose, left_out = Finder(path, options, problems), Loose(), Counter()
    joined: dict[tuple[str, int | None], Record] = {}
    for record in records:
        joined.setdefault((record.name, record.size), replace(record, regions=[])).regions += record.regions
    pictures: list[Picture] = []
    taken: dict[Path, str] = {}
    for n, record in enumerate(joined.values()):
        pictures.append(_picture(record, finder, taken, problems))
        _subjects(path, record, n, options.offset or 0.0, loose, left_out, problems)
        if options.progress is not None:
            options.progress(n + 1, len(joined))
    tables = loose.tables()
    left = {what: count for what, count in (left_out + loose.left_out).items() if count}
    return LabelSet(tuple(pictures), tables, problems.values(), {"left_out": left} if left else {})


def _picture(record: Record, finder: Finder, taken: dict[Path, str], problems: Problems) -> Picture:
    """A picture by its name, below the project's folder or not; of several of one name the one whose size fits."""
    name = plain_name(record.name)
    names = [record.folder.rstrip("/\\") + "/" + name] * bool(record.folder) + [record.name]
    if "://" in name:
        names.append(name.partition("?")[0].rpartition("/")[2])
    found = next((one for one in names if finder.find(one) is not None), record.name)
    picture = replace(finder.picture(found, visited=bool(record.regions)), name=record.name)
    if picture.path is None:
        return picture
    there = picture.path.stat().st_size
    if record.size is not None and there != record.size:
        what = f"it has {there} bytes and had {record.size} when it was labelled; it may have been saved again"
        problems.add(f"picture {shown(name)}", what)
    if picture.path in taken:
        problems.add(f"picture {shown(name)}", "its file is that of another entry too; it was left without a file")
        return replace(picture, path=None, size=None)
    taken[picture.path] = name
    return picture


def _subjects(
    path: Path, record: Record, picture: int, offset: float, loose: Loose, left_out: Counter[str], problems: Problems
) -> None:
    marks: list[Mark] = []
    shapes: list[Shape] = []
    kinds: dict[str, str] = {}
    names: dict[str, str] = {}
    nameless: Counter[str | None] = Counter()
    for one in record.regions:
        words = {str(key).strip().lower(): _word(value) for key, value in one.attributes.items()}
        group, kind = _first(words, GROUPS) or None, _first(words, KINDS)
        if group is not None:
            kinds.setdefault(group, kind)
            names.setdefault(group, _first(words, SUBJECTS))
        shape = one.shape.get("name")
        if shape == "rect":
            x, y, wide, high = (_number(path, one, key) for key in ("x", "y", "width", "height"))
            box = (x - EDGE, y - EDGE, x + wide - EDGE, y + high - EDGE)
            shapes.append(Shape(kind or _first(words, NAMES), box, group))
        elif shape == "point":
            name = _name(words)
            if not name:
                nameless[group] += 1
                name = str(nameless[group])
            x, y = (_number(path, one, key) + offset for key in ("cx", "cy"))
            marks.append(Mark(name, x, y, _seen(words), group=group))
        else:
            left_out["regions that are neither points nor rectangles"] += 1
    subjects = together(marks, shapes, f"picture {shown(record.name)}", problems, names)
    loose.add_subjects(picture, subjects, names=names, kinds=kinds)


def _number(path: Path, one: Region, key: str) -> float:
    return number(one.shape.get(key), path, f"{one.where}, {key}")


def _word(value: Any) -> str:
    """An attribute as text; of check boxes the first that is ticked."""
    if isinstance(value, dict):
        value = next((word for word, ticked in value.items() if ticked is True), None)
    if value is None or isinstance(value, list):
        return ""
    return str(value).strip() if not isinstance(value, bool) else str(value).lower()


def _first(words: dict[str, str], among: tuple[str, ...]) -> str:
    return next((words[key] for key in among if words.get(key)), "")


def _name(words: dict[str, str]) -> str:
    """A landmark's name: by a usual attribute, else by the only one that says something."""
    if name := _first(words, NAMES):
        return name
    others = [value for key, value in words.items() if value and key not in (*GROUPS, *KINDS, *SEEN)]
    return others[0] if len(others) == 1 else ""


def _seen(words: dict[str, str]) -> int:
    word = _first(words, ("visibility", "v")).lower()
    if word in ("0", "absent", "missing", "not labelled", "outside"):
        return ABSENT
    if word in ("1", "occluded", "hidden", "invisible", "no", "false", "not visible"):
        return OCCLUDED
    if any(words.get(key, "").lower() in (*YES, key) for key in ("occluded", "occlusion", "hidden")):
        return OCCLUDED
    return OCCLUDED if words.get("visible", "").lower() in NO else VISIBLE
