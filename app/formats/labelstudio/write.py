"""Writing tasks that Label Studio imports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from app.files import atomic_file
from app.formats.loose import box_of
from app.formats.names import written_names
from app.formats.registry import FormatError, WriteOptions
from app.formats.rows import by_picture
from engine.labels import ABSENT, OCCLUDED, LabelSet, Picture, Table

EDGE = 0.5
DECIMALS = 9  # of percent: a hundred-thousandth of a pixel in the widest picture
DOT = 0.5  # percent; the size of a landmark's dot


def write_label_studio(labels: LabelSet, out: Path, options: WriteOptions) -> None:
    """A list of tasks, piece by piece; raises FormatError."""
    names = written_names(labels.pictures, out.absolute().parent)
    with atomic_file(out) as file:
        file.write(b"[")
        for n, rows in by_picture(labels):
            task = _task(labels, n, rows, names[n], options.offset or 0.0)
            text = json.dumps(task, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
            file.write(b",\n" * (n > 0) + text.encode())
            if options.progress is not None and n % 256 == 0:
                options.progress(n, len(names))
        file.write(b"]\n")


def _task(labels: LabelSet, n: int, rows: list[tuple[int, int]], name: str, offset: float) -> dict[str, Any]:
    picture = labels.pictures[n]
    results: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for number, (which, row) in enumerate(rows, 1):
        table = labels.tables[which]
        results[bool(table.hand[row])] += _regions(table, row, picture, f"s{number}", offset)
    task: dict[str, Any] = {"id": n + 1, "data": {"image": name}, "annotations": [], "predictions": []}
    if results[True] or picture.visited:
        task["annotations"].append({"id": n + 1, "was_cancelled": False, "result": results[True]})
    if results[False]:
        task["predictions"].append({"model_version": "hourbit", "result": results[False]})
    return task


def _regions(table: Table, row: int, picture: Picture, id: str, offset: float) -> list[dict[str, Any]]:
    if picture.size is None:
        raise FormatError(f"The size of {picture.name} is unknown, of which places are percent; find it first.")
    size = np.array(picture.size, np.float64)
    common = {
        "original_width": picture.size[0], "original_height": picture.size[1], "image_rotation": 0, "to_name": "image",
    }  # fmt: skip
    box = box_of(table, row)
    if box is None:
        raise FormatError(f"A subject of {picture.name} has neither landmarks nor a box; Label Studio has no room.")
    low, high = (np.array(box).reshape(2, 2) + EDGE) / size * 100
    value = _rounded(x=low[0], y=low[1], width=high[0] - low[0], height=high[1] - low[1]) | {"rotation": 0}
    made: list[dict[str, Any]] = [{
        **common, "id": id, "type": "rectanglelabels", "from_name": "box",
        "value": {**value, "rectanglelabels": [table.skeleton.name]},
    }]  # fmt: skip
    shares = (table.points[row] - offset) / size * 100
    for k in np.flatnonzero(table.visibility[row] > ABSENT):
        place = {**_rounded(x=shares[k, 0], y=shares[k, 1]), "width": DOT}
        region: dict[str, Any] = {
            **common, "id": f"{id}-{k + 1}", "parentID": id, "type": "keypointlabels", "from_name": "landmark",
            "value": {**place, "keypointlabels": [table.skeleton.landmarks[k]]},
        }  # fmt: skip
        if np.isfinite(table.score[row, k]):
            region["score"] = round(float(table.score[row, k]), 6)
        made.append(region)
        if table.visibility[row, k] == OCCLUDED:
            made.append({
                **common, "id": region["id"], "parentID": id, "type": "choices", "from_name": "visibility",
                "value": {**place, "choices": ["occluded"]},
            })  # fmt: skip
    return made


def _rounded(**values: float) -> dict[str, float]:
    return {name: round(float(value), DECIMALS) for name, value in values.items()}
