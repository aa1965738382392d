"""Writing COCO keypoints: strict JSON, written so that pycocotools reads exactly what the labels say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from app.files import atomic_file
from app.formats.names import written_name
from app.formats.registry import FormatError, WriteOptions
from engine.coco.bodies import PART_NAMES, PARTS, VALID, is_whole_body
from engine.coco.columns import EDGE
from engine.labels import ABSENT, LabelSet, Picture, Skeleton, Table

DECIMALS = 4
BATCH = 1024
_TEXT, _ESCAPED = (
    json.JSONEncoder(ensure_ascii=ascii, allow_nan=False, separators=(",", ":")) for ascii in (False, True)
)


def write_coco(labels: LabelSet, out: Path, options: WriteOptions) -> None:
    """Write everything, annotations in the order of their pictures; raises FormatError, UserError."""
    unknown = {int(n) for table in labels.tables for n in table.picture} - set(range(len(labels.pictures)))
    if unknown:
        raise FormatError("Some instances belong to no picture; nothing was written.")
    total = labels.instances
    with atomic_file(out) as file:
        info = {"description": str(labels.info.get("description", "")), "version": "1.0"}
        file.write(b'{"info":' + _encoded(info) + b',"licenses":[],"images":[')
        for n, picture in enumerate(labels.pictures):
            file.write((b",\n" if n else b"\n") + _encoded(_image(picture, n + 1, out.parent)))
        file.write(b'\n],"annotations":[')
        for n, (category, row) in enumerate(_ordered(labels)):
            value = {"id": n + 1, **row, "category_id": category}
            file.write((b",\n" if n else b"\n") + _encoded(value))
            if options.progress is not None and n % BATCH == 0:
                options.progress(float(n), float(total))
        categories = [_category(table.skeleton, n + 1) for n, table in enumerate(labels.tables)]
        file.write(b'\n],"categories":' + _encoded(categories) + b"}\n")


def _encoded(data: Any) -> bytes:
    """Strict JSON: UTF-8, or escapes where a file's name is no text."""
    try:
        return _TEXT.encode(data).encode()
    except UnicodeEncodeError:
        return _ESCAPED.encode(data).encode()


def _image(picture: Picture, number: int, folder: Path) -> dict[str, Any]:
    size = {} if picture.size is None else {"width": picture.size[0], "height": picture.size[1]}
    return {"id": number, **size, "file_name": written_name(picture, folder)}


def _category(skeleton: Skeleton, number: int) -> dict[str, Any]:
    """A category; of a whole body it names the body's landmarks alone, as COCO-WholeBody does."""
    count = len(skeleton) - (len(PART_NAMES) if is_whole_body(skeleton.landmarks) else 0)
    value: dict[str, Any] = {
        "id": number, "name": skeleton.name, "supercategory": skeleton.name, "keypoints":
        list(skeleton.landmarks[:count]),
        "skeleton": [[a + 1, b + 1] for a, b in skeleton.edges if max(a, b) < count],
    }  # fmt: skip
    if skeleton.flip:
        order = list(range(count))
        for a, b in (pair for pair in skeleton.flip if max(pair) < count):
            order[a], order[b] = b, a
        value["flip_idx"] = order
    return value


def _ordered(labels: LabelSet) -> Iterator[tuple[int, dict[str, Any]]]:
    """(category, annotation without its id) by picture; within one by table and row."""
    places = [
        np.stack([table.picture, np.full(len(table), n), np.arange(len(table))])
        for n, table in enumerate(labels.tables)
    ]  # fmt: skip
    if not places:
        return
    picture, which, row = np.concatenate(places, 1)
    order = np.lexsort((row, which, picture))
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        made: dict[tuple[int, int], dict[str, Any]] = {}
        for n in np.unique(which[batch]):
            rows = row[batch[which[batch] == n]]
            for i, value in zip(rows, _annotations(labels.tables[n], rows), strict=True):
                made[int(n), int(i)] = value
        for place in batch:
            yield int(which[place]) + 1, made[int(which[place]), int(row[place])]


def _annotations(table: Table, rows: np.ndarray) -> Iterator[dict[str, Any]]:
    """Annotations of some rows of a table."""
    seen = table.visibility[rows]
    there = seen > ABSENT
    points = np.where(there[..., None], table.points[rows], 0.0).round(DECIMALS)
    flat = [_flat(xy, v) for xy, v in zip(points.tolist(), seen.tolist(), strict=True)]
    boxes = _boxes(table.box[rows], points, there).round(DECIMALS)
    parts = is_whole_body(table.skeleton.landmarks)
    extras = {name: table.extras[name] for name in ("area", "crowd", "outline", "score") if name in table.extras}
    for i, (row, values, box, count) in enumerate(zip(rows, flat, boxes.tolist(), there.sum(1).tolist(), strict=True)):
        value: dict[str, Any] = {"image_id": int(table.picture[row]) + 1, "keypoints": values, "num_keypoints": count}
        if parts:
            value |= _parts(values, there[i])
        own = {name: column[row] for name, column in extras.items()}
        area = own.get("area", np.nan)
        value |= {
            "bbox": box, "area": float(area) if np.isfinite(area) else round(box[2] * box[3], DECIMALS),
            "iscrowd": int(bool(own.get("crowd", False))),
        }  # fmt: skip
        if own.get("outline"):
            value["segmentation"] = json.loads(own["outline"])
        score = _score(own.get("score", np.nan), table.score[row], bool(table.hand[row]))
        if score is not None:
            value["score"] = score
        if subject := str(table.subject[row]):
            plain = subject.isascii() and subject.isdigit() and str(int(subject[:18])) == subject
            value["track_id"] = int(subject) if plain else subject
        yield value


def _flat(places: list[list[float]], seen: list[int]) -> list[float]:
    return [value for (x, y), v in zip(places, seen, strict=True) for value in (x, y, v)]


def _parts(values: list[float], there: np.ndarray) -> dict[str, Any]:
    """The fields of COCO-WholeBody; `values` keeps the body alone."""
    total = len(PART_NAMES)
    at = len(there) - total
    found: dict[str, Any] = {}
    for part, names in PARTS.items():
        found[part] = values[3 * at : 3 * (at + len(names))]
        found[VALID[part]] = bool(there[at : at + len(names)].any())
        at += len(names)
    del values[3 * (len(there) - total) :]
    found["num_keypoints"] = int(there[: len(there) - total].sum())
    return found


def _boxes(given: np.ndarray, points: np.ndarray, there: np.ndarray) -> np.ndarray:
    """x, y, width, height by COCO's edges: the box that there is, else one around the pixels of the landmarks."""
    low = np.where(there[..., None], points, np.inf).min(1, initial=np.inf) - EDGE
    high = np.where(there[..., None], points, -np.inf).max(1, initial=-np.inf) + EDGE
    none = ~there.any(1)
    low[none], high[none] = -EDGE, -EDGE
    hull = np.concatenate([low, high], 1)
    box = np.where(np.isfinite(given).all(1)[:, None], given, hull) + EDGE
    box[:, 2:] -= box[:, :2]
    box[:, 2:] = np.where(none[:, None] & ~np.isfinite(given).all(1)[:, None], 0, np.maximum(box[:, 2:], 1.0))
    return box


def _score(own: float, scores: np.ndarray, hand: bool) -> float | None:
    """The score of what a model found: its own, else the mean of its landmarks'; None for labels by hand."""
    if np.isfinite(own):
        return float(own)
    if hand:
        return None
    known = scores[np.isfinite(scores)]
    return round(float(known.mean()), DECIMALS) if len(known) else 1.0
