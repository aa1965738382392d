"""Reader of COCO keypoints files for evaluation: subjects, what else is known of them, and regions to ignore."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from engine import metrics
from engine.errors import UserError
from engine.images import load_image
from engine.regular import read_regular
from engine.schema import Schema
from engine.subjects import LabelError, Labelled, Scenes

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


@dataclass(frozen=True)
class _File:
    """What a COCO file says before its annotations are read: images by id, landmark names by category id."""

    files: dict[Any, str]
    numbers: dict[Any, int]
    names: dict[Any, tuple[str, ...]]


def _refuse(value: str) -> None:
    raise ValueError(f"{value} is no number in JSON")


def read_coco(path: Path, schema: Schema) -> Labelled:
    """COCO keypoints; pictures lie beside the file, in `images` beside it or one folder up.

    Subjects with at least two labelled landmarks count; crowds and the others are regions to ignore. An
    annotation may carry head_box (x, y, width, height) and yaw (degrees). Raises LabelError.
    """
    if path.stat().st_size > MAX_COCO:
        raise LabelError(f"{path.name} is larger than 256 MB; split it.")
    try:
        data = json.loads(read_regular(path), parse_constant=_refuse)
        files = {image["id"]: str(image["file_name"]) for image in data["images"]}
        names = {c["id"]: tuple(str(n) for n in c.get("keypoints") or ()) for c in data["categories"]}
        read = _File(files, {image: n for n, image in enumerate(files)}, names)
        every = [(a, *_annotation(a, read, schema)) for a in data["annotations"] if _wanted(a)]
        rows = [(a, points, weight) for a, points, weight in every if has_box(points, weight)]
        others = [a for a, points, weight in every if not has_box(points, weight)]
        ignored = [_ignored(a, read) for a in others + [a for a in data["annotations"] if not _wanted(a)]]
        extras = {name: np.array([get(row) for row in rows]) for name, get in _EXTRAS.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, UserError):
            raise
        raise LabelError(f"{path.name} is no COCO keypoints file ({error}); export it again.") from error
    points = np.array([p for _, p, _ in rows], np.float64).reshape(-1, len(schema), 2)
    weight = np.array([w for _, _, w in rows], np.float64).reshape(-1, len(schema))
    images = tuple(read.numbers[a["image_id"]] for a, _, _ in rows)
    names_of = list(files.values())
    places = {n: _find_picture(path, names_of[n]) for n in set(images)}
    return Labelled(
        picture=partial(_subject, places, images), points=points, weight=weight,
        box=metrics.tight_boxes(points, weight > 0) if rows else np.zeros((0, 3)),
        extras={name: values for name, values in extras.items() if np.isfinite(values).any()},
        ids=tuple(f"{names_of[n]}#{a.get('id')}" for n, (a, _, _) in zip(images, rows, strict=True)), image=images,
        scenes=Scenes(len(files), partial(_scene, path, names_of), tuple(i for i in ignored if i is not None)),
    )  # fmt: skip


def _subject(places: dict[int, Path], images: tuple[int, ...], index: int) -> np.ndarray:
    return load_image(places[images[index]])


def _scene(path: Path, names: list[str], number: int) -> np.ndarray:
    return load_image(_find_picture(path, names[number]))


def _wanted(annotation: dict[str, Any]) -> bool:
    """Whether an annotation is one subject with any labelled landmark."""
    if annotation.get("iscrowd"):
        return False
    values = np.asarray(annotation.get("keypoints") or [0] * 3, np.float64).reshape(-1, 3)
    return bool((values[:, 2] > 0).any())


def has_box(points: np.ndarray, weight: np.ndarray) -> bool:
    """Whether at least two of a subject's landmarks (K, 2), weight (K,), span a box."""
    labelled = points[weight > 0]
    return len(labelled) > 1 and float(np.ptp(labelled, 0).max()) > 0


def _ignored(
    annotation: dict[str, Any], read: _File
) -> tuple[int, tuple[float, float, float, float], bool] | None:  # fmt: skip
    """The picture, box and crowd flag of an annotation that is no subject; None where it has no box or landmarks.

    Objects of other kinds, without landmarks at all, are none of our business: a body found on a car is false.
    """
    box = annotation.get("bbox")
    if not box or "keypoints" not in annotation or annotation.get("image_id") not in read.numbers:
        return None
    x, y, w, h = (float(v) for v in box)
    return read.numbers[annotation["image_id"]], (x, y, w, h), bool(annotation.get("iscrowd"))


def _annotation(annotation: dict[str, Any], read: _File, schema: Schema) -> tuple[np.ndarray, np.ndarray]:
    """(K, 2) points and (K,) weight of one annotation, in the schema's order."""
    values = np.asarray(annotation["keypoints"], np.float64).reshape(-1, 3)
    if not np.isfinite(values).all():
        raise ValueError(f"annotation {annotation.get('id')} has a landmark that is not finite")
    points, weight = np.zeros((len(schema), 2)), np.zeros(len(schema))
    for source, target in match_landmarks(read.names[annotation["category_id"]], len(values), schema):
        points[target] = values[source, :2]
        weight[target] = {0: 0.0, 1: 0.5}.get(int(values[source, 2]), 1.0)
    if annotation["image_id"] not in read.files:
        raise ValueError(f"annotation {annotation.get('id')} belongs to image {annotation['image_id']}, which it lacks")
    return points, weight


def _area(row: tuple[dict[str, Any], np.ndarray, np.ndarray]) -> float:
    annotation, points, weight = row
    area = float(annotation.get("area") or 0)
    if area > 0:
        return area
    _, _, w, h = (float(v) for v in annotation.get("bbox") or (0, 0, 0, 0))
    return w * h if w * h > 0 else float(np.ptp(points[weight > 0], 0).prod())


def _head(row: tuple[dict[str, Any], np.ndarray, np.ndarray]) -> float:
    _, _, w, h = (float(v) for v in row[0].get("head_box") or (0, 0, np.nan, np.nan))
    return metrics.HEAD_SHARE * float(np.hypot(w, h))


def _box_size(row: tuple[dict[str, Any], np.ndarray, np.ndarray]) -> float:
    _, _, w, h = (float(v) for v in row[0].get("bbox") or (0, 0, np.nan, np.nan))
    return float(np.sqrt(w * h)) if w > 0 and h > 0 else float("nan")


def _yaw(row: tuple[dict[str, Any], np.ndarray, np.ndarray]) -> float:
    return float(row[0].get("yaw", "nan"))


_EXTRAS = {"area": _area, "head_size": _head, "box_size": _box_size, "yaw": _yaw}


def _plain(name: str) -> str:
    return name.replace("_", " ").strip().lower()


def match_landmarks(names: tuple[str, ...], count: int, schema: Schema) -> list[tuple[int, int]]:
    """(index in the file, index in the schema): by name, by COCO's people; by order only where nothing is named.

    Raises LabelError for names that the schema lacks.
    """
    if names and len(names) != count:
        raise LabelError(f"The file names {len(names)} landmarks and gives {count} a subject; export it again.")
    if schema.name == "mpii16" and count == len(COCO_PERSON) and names in (COCO_PERSON, ()):
        return list(PERSON_TO_MPII)
    if names:
        own, given = {_plain(n): k for k, n in enumerate(schema.landmarks)}, [_plain(n) for n in names]
        strange = [n for n, plain in zip(names, given, strict=True) if plain not in own]
        if strange or len(set(given)) != len(given):
            what = f"names landmarks that {schema.title} lacks" if strange else "names a landmark twice"
            some = f" ({', '.join(strange[:3])}{', ...' if len(strange) > 3 else ''})" if strange else ""
            raise LabelError(f"The file {what}{some}; rename them as the model does, or choose another model.")
        return [(n, own[plain]) for n, plain in enumerate(given)]
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
