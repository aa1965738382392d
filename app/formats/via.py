"""VIA (VGG Image Annotator) 1, 2 and 3: JSON, projects and CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from app.files import atomic_write
from app.formats.loose import Loose, Mark
from app.formats.names import written_names
from app.formats.pictures import Finder
from app.formats.reading import Problems, csv_rows, load_json, number, parse_json, read_text, refuse, shown
from app.formats.registry import Holds, ReadOptions, WriteOptions
from app.formats.rows import by_picture
from engine.labels import ABSENT, OCCLUDED, VISIBLE, LabelSet, Picture

KIND = "subject"
NAMES = ("landmark", "name", "label", "part", "keypoint", "type", "id")  # attributes that may name a landmark
SUBJECTS = ("subject", "instance", "person", "face", "group", "object")  # attributes that may tell subjects apart
POINT, BOX = 1, 2  # the shapes of VIA 3
DECIMALS = 6
Region = tuple[str, dict[str, Any], dict[str, Any]]  # its place in the file, its shape, its attributes


class Via:
    """VIA 1, 2 and 3.

    Points of the canvas, whose origin is the top-left corner; the trade takes them as pixels, so the offset is 0
    (-0.5 is exact). A landmark's name is its region's attribute `landmark` (or name, label, part ...), else its
    number in the picture; `subject` (or instance, person, face ...) tells subjects apart, `kind` says what they are,
    `visibility` 1 is occluded. Regions that are neither points nor rectangles are listed.
    Written: a VIA 2 project with these attributes; a rectangle for each box.
    """

    name = "via"
    title = "VIA project"
    suffix = ".json"
    holds = Holds(several_skeletons=True, order=False, edges=False, bare=False)

    def claims(self, path: Path, head: bytes) -> bool:
        """VIA's own words, in JSON or in the first line of a CSV."""
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        if start[:1] == b"{":
            regions = b'"regions"' in head and b'"region_attributes"' in head
            return b'"_via_' in head or b'"via"' in head[:4096] and b'"vid_list"' in head or (
                b'"regions"' in head and (b'"fileref"' in head or regions or b'"file_attributes"' in head)
            )
        return b"region_shape_attributes" in start[:400] or (
            start[:1] == b"#" and b"SHAPE_ID" not in start and b"file_list" in start[:2000]
        )

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """All pictures with their regions; raises FormatError."""
        problems, loose = Problems(path.name), Loose()
        finder = Finder(path, options, problems)
        pictures: list[Picture] = []
        held: dict[str, list[Region]] = {}  # a CSV has a row for each region of a picture
        for name, regions in _entries(path, problems):
            held.setdefault(name, []).extend(regions)
        for name, regions in held.items():
            pictures.append(finder.picture(name, visited=bool(regions)))
            _regions(path, name, regions, len(pictures) - 1, options.offset or 0.0, loose, problems)
        return LabelSet(tuple(pictures), loose.tables(), problems.values())

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """One project; raises FormatError."""
        offset = options.offset or 0.0
        names, held = written_names(labels.pictures, out.absolute().parent), {}
        for n, rows in by_picture(labels):
            picture = labels.pictures[n]
            size = picture.path.stat().st_size if picture.path is not None and picture.path.is_file() else -1
            regions = [region for subject, (table, row) in enumerate(rows, 1)
                       for region in _written(labels, table, row, subject, offset)]  # fmt: skip
            held[f"{names[n]}{size}"] = {
                "filename": names[n], "size": size, "regions": regions, "file_attributes": {},
            }  # fmt: skip
        texts = {name: {"type": "text"} for name in ("kind", "landmark", "subject", "visibility")}
        data = {
            "_via_settings": {"project": {"name": "labels"}}, "_via_img_metadata": held,
            "_via_attributes": {"region": texts, "file": {}},
            "_via_data_format_version": "2.0.10", "_via_image_id_list": list(held),
        }  # fmt: skip
        atomic_write(out, json.dumps(data, ensure_ascii=True, allow_nan=False).encode())


def _written(labels: LabelSet, table: int, row: int, subject: int, offset: float) -> Iterator[dict[str, Any]]:
    held = labels.tables[table]
    common = {"kind": held.skeleton.name, "subject": str(subject)}
    if np.isfinite(held.box[row]).all():
        x, y, x1, y1 = (held.box[row] - offset).tolist()
        shape = {"name": "rect", "x": round(x, DECIMALS), "y": round(y, DECIMALS),
                 "width": round(x1 - x, DECIMALS), "height": round(y1 - y, DECIMALS)}  # fmt: skip
        yield {"shape_attributes": shape, "region_attributes": common}
    seen = held.visibility[row]
    for k in np.flatnonzero(seen > ABSENT):
        x, y = (held.points[row, k] - offset).round(DECIMALS).tolist()
        attributes = common | {"landmark": held.skeleton.landmarks[k], "visibility": str(int(seen[k]))}
        yield {"shape_attributes": {"name": "point", "cx": x, "cy": y}, "region_attributes": attributes}


def _entries(path: Path, problems: Problems) -> Iterator[tuple[str, list[Region]]]:
    """(picture's name, regions) in the order of the file; a picture may come several times."""
    text = read_text(path, problems)
    if not text.lstrip().startswith("{"):
        yield from _csv_entries(path, text, problems)
        return
    data = load_json(path)
    if "vid_list" in data or "metadata" in data and "file" in data:
        yield from _third_entries(path, data)
        return
    held = data.get("_via_img_metadata", data)
    if not isinstance(held, dict):
        refuse(path, "_via_img_metadata", f"{shown(held)} is no object")
    for key, one in held.items():
        if not isinstance(one, dict) or not isinstance(one.get("filename"), str):
            if not key.startswith("_via_"):
                problems.add(shown(key), "it names no file and was left out")
            continue
        regions = one.get("regions") or []
        listed = list(regions.items()) if isinstance(regions, dict) else list(enumerate(regions))
        if not isinstance(regions, (dict, list)):
            refuse(path, f"{shown(key)}, regions", f"{shown(regions)} is no list")
        place = f"picture {shown(one['filename'])}"
        yield one["filename"], [_region(path, f"{place}, region {n}", r) for n, r in listed]


def _region(path: Path, where: str, region: Any) -> Region:
    if not isinstance(region, dict) or not isinstance(region.get("shape_attributes"), dict):
        refuse(path, where, "it has no shape")
    attributes = region.get("region_attributes") or {}
    if not isinstance(attributes, dict):
        refuse(path, where, f"its attributes {shown(attributes)} are no object")
    return where, region["shape_attributes"], attributes


def _csv_entries(path: Path, text: str, problems: Problems) -> Iterator[tuple[str, list[Region]]]:
    rows = csv_rows(text, path)
    head: list[str] | None = None
    for line, cells in rows:
        where = f"line {line}"
        if head is None:
            head = [cell.strip().lstrip("#").strip() for cell in cells]
            if not {"filename", "region_shape_attributes"} <= set(head):
                refuse(path, where, "its first line does not name VIA's columns", "export it from VIA 1 or 2")
            continue
        if len(cells) != len(head):
            refuse(path, where, f"it has {len(cells)} cells where the first line has {len(head)}")
        row = dict(zip(head, cells, strict=True))
        shape = parse_json(row["region_shape_attributes"] or "{}", path, f"{where}, region_shape_attributes")
        attributes = parse_json(row.get("region_attributes") or "{}", path, f"{where}, region_attributes")
        region = {"shape_attributes": shape, "region_attributes": attributes}
        regions = [] if shape == {} else [_region(path, where, region)]
        yield row["filename"], regions
    if head is None:
        problems.add("", "it is empty")


def _third_entries(path: Path, data: dict[str, Any]) -> Iterator[tuple[str, list[Region]]]:
    """VIA 3: shapes as numbers, the first of which says what they are; attributes by number."""
    files, metadata = data.get("file"), data.get("metadata")
    names = data.get("attribute") if isinstance(data.get("attribute"), dict) else {}
    if not isinstance(files, dict) or not isinstance(metadata, dict):
        refuse(path, "", "it has no files or no metadata", "export the project from VIA 3 again")
    views = data.get("view") if isinstance(data.get("view"), dict) else {}
    by_view: dict[str, list[Region]] = {str(v): [] for v in views}
    for key, one in metadata.items():
        where = f"metadata {shown(key)}"
        if not isinstance(one, dict) or not isinstance(one.get("xy", []), list):
            refuse(path, where, "it is no region")
        xy = [number(v, path, where) for v in one.get("xy") or []]
        given = one.get("av") if isinstance(one.get("av"), dict) else {}
        attributes = {str((names.get(k) or {}).get("aname", k)) if isinstance(names.get(k), dict) else str(k): v
                      for k, v in given.items()}  # fmt: skip
        if xy:
            by_view.setdefault(str(one.get("vid")), []).append((where, _third_shape(xy), attributes))
    for view, regions in by_view.items():
        held = views.get(view) if isinstance(views.get(view), dict) else {}
        for fid in held.get("fid_list") or [view]:
            one = files.get(str(fid))
            if isinstance(one, dict) and isinstance(one.get("fname"), str):
                yield one["fname"], regions


def _third_shape(xy: list[float]) -> dict[str, Any]:
    if xy[0] == POINT and len(xy) == 3:
        return {"name": "point", "cx": xy[1], "cy": xy[2]}
    if xy[0] == BOX and len(xy) == 5:
        return {"name": "rect", "x": xy[1], "y": xy[2], "width": xy[3], "height": xy[4]}
    return {"name": f"shape {xy[0]:g}"}


def _attribute(attributes: dict[str, Any], among: tuple[str, ...]) -> str:
    """The first of these attributes that says something; a check box is read as its ticked word."""
    lower = {str(key).lower(): value for key, value in attributes.items()}
    for key in among:
        value = lower.get(key)
        if isinstance(value, dict):
            value = next((word for word, ticked in value.items() if ticked), None)
        if value not in (None, "", []):
            return str(value).strip()
    return ""


def _regions(
    path: Path, name: str, regions: list[Region], picture: int, offset: float, loose: Loose, problems: Problems
) -> None:
    subjects: dict[str, dict[str, tuple[float, float, int]]] = {}
    kinds: dict[str, str] = {}
    boxes: dict[str, tuple[float, float, float, float]] = {}
    others = 0
    for where, shape, attributes in regions:
        subject = _attribute(attributes, SUBJECTS)
        kinds.setdefault(subject, _attribute(attributes, ("kind",)) or KIND)
        if shape.get("name") == "rect":
            x, y, w, h = (number(shape.get(key), path, where) for key in ("x", "y", "width", "height"))
            boxes[subject] = (x + offset, y + offset, x + w + offset, y + h + offset)
        elif shape.get("name") == "point":
            held = subjects.setdefault(subject, {})
            landmark = _attribute(attributes, NAMES) or str(len(held) + 1)
            if landmark in held:
                problems.add(where, f"{shown(landmark)} stands twice in one subject; the first one was kept")
                continue
            x, y = (number(shape.get(key), path, where) + offset for key in ("cx", "cy"))
            seen = {"0": ABSENT, "1": OCCLUDED}.get(_attribute(attributes, ("visibility",)), VISIBLE)
            held[landmark] = (x, y, seen)
        else:
            others += 1
    if others:
        problems.add(f"picture {shown(name)}", f"{others} regions are neither points nor rectangles and were left out")
    for subject, landmarks in subjects.items():
        loose.add(picture, kinds[subject], [Mark(name, *at) for name, at in landmarks.items()], box=boxes.get(subject))
