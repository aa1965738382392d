"""COCO keypoints."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from engine.labels import ABSENT, VISIBLE, LabelSet, Problems, Skeleton
from engine.layouts.matlab import brief
from engine.layouts.mpii_json import load_json
from engine.layouts.pictures import Finder, Gallery, around, split_of
from engine.layouts.values import Layout, LayoutError, Options, offset, skeleton
from engine.rows import Rows, numbered

MAX_JSON = 1 << 30
EDGE = 0.5  # boxes count from the corner of the top-left pixel, landmarks from its centre
FOLDERS = ("train2017", "val2017", "test2017", "images/train2017", "images/val2017", "train2014", "val2014")
_WRONG = (ValueError, KeyError, TypeError, AttributeError, OverflowError)


def read_coco(path: Path, options: Options) -> LabelSet:
    """People and other subjects with landmarks: one table for each kind; landmarks 0-based, boxes from corners.

    v 0 is absent, 1 occluded, 2 visible, also as 2.0 or "2". Crowds and subjects without landmarks stay, with
    crowd in the extras and all landmarks absent. Extras: area, crowd, and our own head_box and yaw. The split is
    that of the file's name. Raises LayoutError.
    """
    data = load_json(path, MAX_JSON)
    problems = Problems()
    try:
        kinds = _kinds(data, problems, path)
        images = _images(data["images"], problems, path)
        annotations = list(data["annotations"])
    except _WRONG as error:
        raise LayoutError(f"{path.name} is no COCO keypoints file ({brief(error)}); export it again.") from error
    part = path.stem.rsplit("_", 1)[-1]  # train2017: names of pictures may come again in another part
    gallery = Gallery(Finder(around(path, options, part, f"images/{part}", *FOLDERS)), problems)
    split = split_of(path.stem.replace("2017", "").replace("2014", ""))
    numbers = {key: gallery.number(name, split, size=size) for key, (name, size) in images.items()}
    tables: dict[tuple[str, int], Rows] = {}
    for n, one in enumerate(annotations):
        where = f"{path.name}, annotation {one.get('id', n) if isinstance(one, dict) else n}"
        try:
            _instance(one, kinds, numbers, tables, where, problems, offset(options, 0.0))
        except _WRONG as error:
            problems.add(where, f"cannot be read ({brief(error)}) and was left out")
    if not tables:
        raise LayoutError(f"{path.name} holds no landmarks; choose a keypoints file.")
    info = data.get("info") if isinstance(data.get("info"), dict) else {}
    return LabelSet(gallery.values(), tuple(rows.table() for rows in tables.values()), problems.values(), info)


def _kinds(data: Any, problems: Problems, path: Path) -> dict[Any, Skeleton]:
    """Landmarks by category; COCO's own people get our schema's name and mirror pairs."""
    kinds = {}
    own = skeleton("coco17")
    names = [_plain(name) for name in own.landmarks]
    for category in data["categories"]:
        given = tuple(str(name) for name in category.get("keypoints") or ())
        if len(set(given)) != len(given):
            raise ValueError(f"category {category['id']} names a landmark twice")
        pairs = np.asarray(category.get("skeleton") or np.zeros((0, 2)), np.int64).reshape(-1, 2)
        first = 0 if (pairs == 0).any() else 1  # pairs count from 1; files with a 0 in them count from 0
        edges = tuple((int(a) - first, int(b) - first) for a, b in pairs)
        if any(not 0 <= i < len(given) for edge in edges for i in edge):
            problems.add(f"{path.name}, category {category['id']}", "draws lines to landmarks that it lacks; left out")
            edges = ()
        people = [_plain(name) for name in given] == names
        title = own.name if people else str(category.get("name") or category["id"])
        kinds[category["id"]] = Skeleton(title, given, edges, own.flip if people else ())
    return kinds


def _plain(name: str) -> str:
    return name.replace("_", " ").strip().lower()


def _images(entries: Any, problems: Problems, path: Path) -> dict[Any, tuple[str, tuple[int, int] | None]]:
    images: dict[Any, tuple[str, tuple[int, int] | None]] = {}
    for image in entries:
        if image["id"] in images:
            problems.add(f"{path.name}, image {image['id']}", "stands there twice; the first was taken")
            continue
        size = (int(image.get("width") or 0), int(image.get("height") or 0))
        images[image["id"]] = (str(image["file_name"]), size if min(size) > 0 else None)
    return images


def _instance(
    one: dict[str, Any], kinds: dict[Any, Skeleton], numbers: dict[Any, int], tables: dict[tuple[str, int], Rows],
    where: str, problems: Problems, add: float,
) -> None:  # fmt: skip
    values = one.get("keypoints")
    if values is None:
        return
    kind = kinds[one["category_id"]] if one.get("category_id") in kinds else None
    if kind is None or one["image_id"] not in numbers:
        what = "category" if kind is None else "image"
        problems.add(where, f"belongs to {what} {one.get(f'{what}_id')}, which the file lacks; left out")
        return
    landmarks = np.asarray(values, np.float64).reshape(-1, 3)
    kind = kind if len(kind) else numbered(len(landmarks))
    if len(landmarks) not in (0, len(kind)):
        raise ValueError(f"it has {len(landmarks)} landmarks and its category {len(kind)}")
    if not len(landmarks):
        landmarks = np.zeros((len(kind), 3))
    x, y, w, h = _box(one.get("bbox"))
    head = _box(one.get("head_box"))
    tables.setdefault((kind.name, len(kind)), Rows(kind)).add(
        numbers[one["image_id"]], landmarks[:, :2] + add,
        np.clip(np.where(np.isfinite(landmarks[:, 2]), landmarks[:, 2], 0), ABSENT, VISIBLE),
        (x - EDGE, y - EDGE, x + w - EDGE, y + h - EDGE) if w > 0 and h > 0 else None, str(one.get("id", "")),
        area=float(one.get("area") or math.nan), crowd=bool(one.get("iscrowd")),
        head_box=(head[0], head[1], head[0] + head[2], head[1] + head[3]) if one.get("head_box") else None,
        yaw=float(one["yaw"]) if "yaw" in one else None,
    )  # fmt: skip


def _box(values: Any) -> tuple[float, float, float, float]:
    x, y, w, h = (float(v) for v in values) if values else (math.nan,) * 4
    return x, y, w, h


def _claims(path: Path, head: bytes) -> bool:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    words = sum(f'"{name}"'.encode() in head for name in ("images", "annotations", "categories", "licenses"))
    if path.suffix.lower() != ".json" or not start.startswith(b"{"):
        return False
    return words >= 2 or b'"file_name"' in head or b'"image_id"' in head


COCO = Layout(
    "coco", "COCO keypoints", _claims, read_coco, lambda folder: sorted(folder.glob("person_keypoints_*.json"))
)  # fmt: skip
