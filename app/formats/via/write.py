"""Writing VIA 2 projects, VIA 2's CSV and VIA 3 projects."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from app.files import atomic_file, atomic_write
from app.formats.names import written_names
from app.formats.registry import WriteOptions
from app.formats.rows import by_picture
from app.formats.via.records import CSV_HEAD, Region
from app.formats.via.regions import EDGE
from app.formats.via.third import BOX, POINT
from engine.labels import ABSENT, LabelSet

DECIMALS = 6
ATTRIBUTES = ("landmark", "instance", "subject", "kind", "visibility")
Entry = tuple[str, int, list[Region]]  # a picture's name, its bytes (-1 where there is no file), its regions


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def _entries(labels: LabelSet, out: Path, options: WriteOptions) -> Iterator[Entry]:
    names = written_names(labels.pictures, out.absolute().parent)
    for n, rows in by_picture(labels):
        path = labels.pictures[n].path
        size = path.stat().st_size if path is not None and os.path.isfile(path) else -1
        regions = [region for instance, (table, row) in enumerate(rows, 1)
                   for region in _regions(labels, table, row, instance, options.offset or 0.0)]  # fmt: skip
        yield names[n], size, regions
        if options.progress is not None and n % 64 == 0:
            options.progress(n, len(names))


def _regions(labels: LabelSet, table: int, row: int, instance: int, offset: float) -> Iterator[Region]:
    held = labels.tables[table]
    common = {"kind": held.skeleton.name, "instance": str(instance)}
    if held.subject[row]:
        common["subject"] = str(held.subject[row])
    if np.isfinite(held.box[row]).all():
        x, y, x1, y1 = (held.box[row] + EDGE).tolist()
        shape = {"name": "rect", "x": _short(x), "y": _short(y), "width": _short(x1 - x), "height": _short(y1 - y)}
        yield Region("", shape, common)
    for k in np.flatnonzero(held.visibility[row] > ABSENT):
        x, y = (held.points[row, k] - offset).tolist()
        attributes = common | {
            "landmark": held.skeleton.landmarks[k], "visibility": str(int(held.visibility[row, k])),
        }  # fmt: skip
        yield Region("", {"name": "point", "cx": _short(x), "cy": _short(y)}, attributes)


def _short(value: float) -> float:
    value = round(value, DECIMALS)
    return int(value) if value == int(value) else value


def write_project(labels: LabelSet, out: Path, options: WriteOptions) -> None:
    """A VIA 2 project; raises FormatError."""
    held = {}
    for name, size, regions in _entries(labels, out, options):
        told = [{"shape_attributes": one.shape, "region_attributes": one.attributes} for one in regions]
        held[f"{name}{size}"] = {"filename": name, "size": size, "regions": told, "file_attributes": {}}
    texts = {name: {"type": "text", "description": "", "default_value": ""} for name in ATTRIBUTES}
    data = {
        "_via_settings": {
            "ui": {}, "core": {"buffer_size": 18, "filepath": {}, "default_filepath": ""},
            "project": {"name": "labels"},
        },
        "_via_img_metadata": held, "_via_attributes": {"region": texts, "file": {}},
        "_via_data_format_version": "2.0.10", "_via_image_id_list": list(held),
    }  # fmt: skip
    atomic_write(out, _json(data).encode())


def write_csv(labels: LabelSet, out: Path, options: WriteOptions) -> None:
    """The table of VIA 2; raises FormatError."""
    with atomic_file(out) as file:
        text = io.StringIO(newline="")
        rows = csv.writer(text)
        rows.writerow(CSV_HEAD)
        for name, size, regions in _entries(labels, out, options):
            for n, one in enumerate(regions):
                rows.writerow((name, size, "{}", len(regions), n, _json(one.shape), _json(one.attributes)))
            if not regions:
                rows.writerow((name, size, "{}", 0, 0, "{}", "{}"))
            file.write(text.getvalue().encode("utf-8", "surrogateescape"))
            text.seek(0)
            text.truncate()


def write_third(labels: LabelSet, out: Path, options: WriteOptions) -> None:
    """A VIA 3 project; raises FormatError."""
    attributes = {
        str(n): {"aname": name, "anchor_id": "FILE1_Z0_XY1", "type": 1, "desc": "", "options": {},
                 "default_option_id": ""} for n, name in enumerate(ATTRIBUTES, 1)
    }  # fmt: skip
    numbers = {name: str(n) for n, name in enumerate(ATTRIBUTES, 1)}
    files, views, metadata = {}, {}, {}
    for n, (name, _, regions) in enumerate(_entries(labels, out, options), 1):
        files[str(n)] = {"fid": str(n), "fname": name, "type": 2, "loc": 1, "src": ""}
        views[str(n)] = {"fid_list": [str(n)]}
        for m, one in enumerate(regions):
            shape = one.shape
            point = shape["name"] == "point"
            sides = ("cx", "cy") if point else ("x", "y", "width", "height")
            xy = [POINT if point else BOX, *(shape[side] for side in sides)]
            values = {numbers[key]: value for key, value in one.attributes.items()}
            metadata[f"{n}_{m}"] = {"vid": str(n), "flg": 0, "z": [], "xy": xy, "av": values}
    project = {
        "pid": "__VIA_PROJECT_ID__", "rev": "__VIA_PROJECT_REV_ID__", "rev_timestamp": "__VIA_PROJECT_REV_TIMESTAMP__",
        "pname": "labels", "creator": "", "created": 0, "vid_list": list(views),
    }  # fmt: skip
    config = {"file": {"loc_prefix": {str(n): "" for n in range(1, 5)}}, "ui": {}}
    data = {"project": project, "config": config, "attribute": attributes, "file": files, "metadata": metadata,
            "view": views}  # fmt: skip
    atomic_write(out, _json(data).encode())
