"""Pictures with true landmarks to measure a model on, from a pack or a COCO keypoints file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from engine import metrics
from engine.errors import UserError
from engine.images import load_image
from engine.packs import load_pack
from engine.schema import Schema

MAX_COCO = 256 << 20
COCO_PERSON = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
# Where COCO's people and MPII's name the same place: (COCO index, MPII index). Pelvis, thorax, neck and head
# top have no counterpart and stay unlabelled.
PERSON_TO_MPII = (
    (5, 13), (6, 12), (7, 14), (8, 11), (9, 15), (10, 10), (11, 3), (12, 2), (13, 4), (14, 1), (15, 5), (16, 0),
)  # fmt: skip


class LabelError(UserError):
    """A label file that cannot be used; the message is one sentence with a remedy."""


@dataclass(frozen=True)
class Labelled:
    """N labelled subjects.

    picture(n): (H, W, 3) uint8 RGB of subject n; points (N, K, 2), picture pixels; weight (N, K): 1 seen,
    0.5 occluded, 0 unlabelled or outside the picture; box (N, 3): cx, cy, side around the landmarks.
    """

    picture: Callable[[int], np.ndarray]
    points: np.ndarray
    weight: np.ndarray
    box: np.ndarray

    def __len__(self) -> int:
        return len(self.points)


def load_labelled(path: str | Path, schema: Schema, form: str | None = None) -> Labelled:
    """Read a pack (.npz) or a COCO keypoints file (.json); `form` pack or coco, else by the suffix.

    Raises LabelError, PackError, or OSError where the file cannot be opened.
    """
    path = Path(path)
    form = form or ("coco" if path.suffix.lower() == ".json" else "pack")
    if form not in ("pack", "coco"):
        raise LabelError(f"Unknown format {form!r}; use pack or coco.")
    found = _pack(path) if form == "pack" else _coco(path, schema)
    if found.points.shape[1] != len(schema):
        raise LabelError(
            f"{path.name} has {found.points.shape[1]} landmarks and the model {len(schema)}; choose labels that fit."
        )
    if not len(found):
        raise LabelError(f"{path.name} holds no labelled landmarks; choose another file.")
    return found


def _pack(path: Path) -> Labelled:
    pack = load_pack(path)
    return Labelled(pack.image, pack.points, pack.weight * ~pack.absent, pack.box)


def _refuse(value: str) -> None:
    raise ValueError(f"{value} is no number in JSON")


def _coco(path: Path, schema: Schema) -> Labelled:
    """COCO keypoints; pictures lie beside the file, in `images` beside it or one folder up."""
    if path.stat().st_size > MAX_COCO:
        raise LabelError(f"{path.name} is larger than 256 MB; split it.")
    try:
        data = json.loads(path.read_bytes(), parse_constant=_refuse)
        files = {image["id"]: str(image["file_name"]) for image in data["images"]}
        names = {category["id"]: tuple(category.get("keypoints") or ()) for category in data["categories"]}
        rows = [_annotation(a, names[a["category_id"]], files, schema) for a in data["annotations"] if _wanted(a)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, UserError):
            raise
        raise LabelError(f"{path.name} is no COCO keypoints file ({error}); export it again.") from error
    points = np.array([p for _, p, _ in rows], np.float64).reshape(-1, len(schema), 2)
    weight = np.array([w for _, _, w in rows], np.float64).reshape(-1, len(schema))
    places = [_find_picture(path, name) for name, _, _ in rows]
    return Labelled(
        partial(_load, places), points, weight, metrics.tight_boxes(points, weight > 0) if rows else np.zeros((0, 3))
    )


def _load(places: list[Path], index: int) -> np.ndarray:
    return load_image(places[index])


def _wanted(annotation: dict[str, Any]) -> bool:
    """Whether an annotation is one subject with at least two labelled landmarks, so that it has a box."""
    if annotation.get("iscrowd"):
        return False
    values = np.asarray(annotation.get("keypoints") or [0] * 3, np.float64).reshape(-1, 3)
    labelled = values[values[:, 2] > 0, :2]
    return len(labelled) > 1 and float(np.ptp(labelled, 0).max()) > 0


def _annotation(
    annotation: dict[str, Any], names: tuple[str, ...], files: dict[Any, str], schema: Schema
) -> tuple[str, np.ndarray, np.ndarray]:
    """File name, (K, 2) points and (K,) weight of one annotation, in the schema's order."""
    values = np.asarray(annotation["keypoints"], np.float64).reshape(-1, 3)
    if not np.isfinite(values).all():
        raise ValueError(f"annotation {annotation.get('id')} has a landmark that is not finite")
    points, weight = np.zeros((len(schema), 2)), np.zeros(len(schema))
    for source, target in _pairs(tuple(n.lower() for n in names), len(values), schema):
        points[target] = values[source, :2]
        weight[target] = {0: 0.0, 1: 0.5}.get(int(values[source, 2]), 1.0)
    if annotation["image_id"] not in files:
        raise ValueError(f"annotation {annotation.get('id')} belongs to image {annotation['image_id']}, which it lacks")
    return files[annotation["image_id"]], points, weight


def _pairs(names: tuple[str, ...], count: int, schema: Schema) -> list[tuple[int, int]]:
    """(index in the file, index in the schema): by name, by COCO's people, else by order where the numbers agree."""
    own = [n.lower() for n in schema.landmarks]
    if len(names) == count and set(names) & set(own):
        return [(names.index(n), k) for k, n in enumerate(own) if n in names]
    if schema.name == "mpii16" and count == len(COCO_PERSON) and names in (COCO_PERSON, ()):
        return list(PERSON_TO_MPII)
    if count != len(schema):
        raise LabelError(
            f"The file has {count} landmarks a subject and the model {len(schema)}; choose labels that fit."
        )
    return [(k, k) for k in range(count)]


def _find_picture(path: Path, name: str) -> Path:
    parts = Path(name.replace("\\", "/"))
    for folder in (path.parent, path.parent / "images", path.parent.parent / "images", path.parent.parent):
        for tail in (parts, Path(parts.name)):
            if (folder / tail).is_file():
                return folder / tail
    raise LabelError(f"The picture {name} of {path.name} is missing; put it beside the file or in a folder images.")
