"""VIA 1 and 2: what stands in their JSON and CSV for each picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from engine.label_reading import csv_rows, load_json, parse_json, read_text, refuse, shown, whole
from engine.labels import Problems

CSV_HEAD = ("filename", "file_size", "file_attributes", "region_count", "region_id", "region_shape_attributes",
            "region_attributes")  # fmt: skip


class Region(NamedTuple):
    """A region: its place in the file, its shape as VIA 2 has it, and its attributes."""

    where: str
    shape: dict[str, Any]
    attributes: dict[str, Any]


@dataclass
class Record:
    """A picture of a file: its name, its size in bytes (None where nothing says it), a folder before it, regions."""

    name: str
    size: int | None = None
    folder: str = ""
    regions: list[Region] = field(default_factory=list)


def region(path: Path, where: str, held: Any) -> Region:
    """A region of VIA 1 or 2; raises FormatError where it is none."""
    if not isinstance(held, dict) or not isinstance(held.get("shape_attributes"), dict):
        refuse(path, where, "it has no shape")
    attributes = held.get("region_attributes") or {}
    if not isinstance(attributes, dict):
        refuse(path, where, f"its attributes {shown(attributes)} are no object")
    return Region(where, held["shape_attributes"], attributes)


def json_records(path: Path, problems: Problems) -> Iterator[Record]:
    """Pictures of a project, or of annotations: an object by name and size."""
    data = load_json(path, problems)
    if not isinstance(data, dict):
        refuse(path, "", "it is no VIA file", "choose a project or annotations that VIA saved")
    held = data.get("_via_img_metadata", data)
    if not isinstance(held, dict):
        refuse(path, "_via_img_metadata", f"{shown(held)} is no object")
    settings = data.get("_via_settings") if "_via_img_metadata" in data else None
    core = settings.get("core") if isinstance(settings, dict) else None
    folder = core.get("default_filepath") if isinstance(core, dict) else ""
    for key, one in held.items():
        where = f"picture {shown(key)}"
        if not isinstance(one, dict) or not isinstance(one.get("filename"), str) or not one["filename"]:
            refuse(path, where, "it has no filename")
        regions = one.get("regions") or []
        if isinstance(regions, dict):
            named = [(f"{where}, region {shown(n)}", value) for n, value in regions.items()]
        elif isinstance(regions, list):
            named = [(f"{where}, region {n}", value) for n, value in enumerate(regions)]
        else:
            refuse(path, where, f"its regions {shown(regions)} are neither a list nor an object")
        yield Record(
            one["filename"], _size(one.get("size"), path, where), folder if isinstance(folder, str) else "",
            [region(path, place, value) for place, value in named],
        )  # fmt: skip


def csv_records(path: Path, problems: Problems) -> Iterator[Record]:
    """Pictures of a table with a row for each region; the first line may begin with #."""
    text = read_text(path, problems)
    delimiter = ";" if text.lstrip("\ufeff# ").startswith("filename;") else ","
    head: list[str] | None = None
    for line, cells in csv_rows(text, path, delimiter):
        where = f"line {line}"
        if head is None:
            head = [cell.strip().lstrip("#").strip() for cell in cells]
            if not {"filename", "region_shape_attributes"} <= set(head):
                refuse(path, where, "its first line does not name VIA's columns", "export it from VIA again")
            continue
        if len(cells) != len(head):
            refuse(path, where, f"it has {len(cells)} cells where the first line has {len(head)}")
        row = dict(zip(head, cells, strict=True))
        if not row["filename"]:
            refuse(path, where, "it has no filename")
        shape = parse_json(row["region_shape_attributes"] or "{}", path, f"{where}, region_shape_attributes")
        attributes = parse_json(row.get("region_attributes") or "{}", path, f"{where}, region_attributes")
        held = {"shape_attributes": shape, "region_attributes": attributes}
        yield Record(
            row["filename"], _size(row.get("file_size") or None, path, where),
            regions=[] if shape == {} else [region(path, where, held)],
        )  # fmt: skip
    if head is None:
        refuse(path, "", "it is empty", "choose a table that VIA exported")


def _size(value: Any, path: Path, where: str) -> int | None:
    """Bytes, None where VIA did not know them (-1)."""
    if value is None:
        return None
    size = whole(value, path, f"{where}, size")
    return size if size >= 0 else None
