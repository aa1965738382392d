"""COCO keypoints: strict JSON, written so that pycocotools reads exactly what the screen shows."""

from __future__ import annotations

import json
from collections.abc import Set
from pathlib import Path
from typing import Any

import numpy as np

from app.files import atomic_write
from app.formats import ExportReport
from app.project.document import Document
from app.project.values import ACCEPTED, Image, Instance, State, Visibility
from engine.errors import UserError
from engine.schema import Schema

DECIMALS = 4
MIN_SIDE = 1.0  # pixels of a box around a single landmark


class Coco:
    """One category, the project's schema.

    Coordinates are 0-based, the centre of the top-left pixel is (0, 0). v: 2 visible, 1 occluded, 0 absent with
    x = y = 0. bbox: the square that a person drew, else the hull of the landmarks with v > 0, at least 1 px;
    as in COCO it is edge-origin, so half a pixel is added. area: that of the box.
    """

    name = "coco"
    title = "COCO keypoints"
    suffix = ".json"

    def export(self, document: Document, path: Path, states: Set[State]) -> ExportReport:
        """Write the labels of images in `states`; raises UserError where there is nothing to write."""
        path = Path(path)
        images, annotations = [], []
        for number, image in enumerate((i for i in document.images() if i.state in states), 1):
            images.append(_image(document, image, number, path))
            for instance in document.instances(image.id):
                annotations.append(_annotation(instance, len(annotations) + 1, number))
        if not annotations and states <= ACCEPTED:
            raise UserError("There are no accepted labels to export; accept some images first.")
        data = {
            "info": {"description": document.name, "version": "1.0"},
            "licenses": [],
            "images": images,
            "annotations": annotations,
            "categories": [_category(document.schema)],
        }
        text = json.dumps(data, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        atomic_write(path, text.encode("utf-8", "surrogateescape"))
        return ExportReport(len(annotations), len(images))


def _image(document: Document, image: Image, number: int, out: Path) -> dict[str, Any]:
    file = document.picture_path(image)
    folder = out.resolve().parent
    inside = file.is_absolute() and file.is_relative_to(folder)
    name = file.relative_to(folder).as_posix() if inside else file.as_posix()
    return {"id": number, "width": image.width, "height": image.height, "file_name": name}


def _category(schema: Schema) -> dict[str, Any]:
    return {
        "id": 1,
        "name": schema.subject,
        "supercategory": schema.subject,
        "keypoints": list(schema.landmarks),
        "skeleton": [[a + 1, b + 1] for a, b in schema.edges],
    }


def _annotation(instance: Instance, number: int, image: int) -> dict[str, Any]:
    known = instance.visibility != Visibility.ABSENT
    points = np.where(known[:, None], instance.points, 0.0).round(DECIMALS)
    flat = [v for (x, y), seen in zip(points.tolist(), instance.visibility.tolist(), strict=True) for v in (x, y, seen)]
    box = _box(instance, known)
    return {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "keypoints": flat,
        "num_keypoints": int(known.sum()),
        "bbox": box,
        "area": round(box[2] * box[3], DECIMALS),
        "iscrowd": 0,
    }


def _box(instance: Instance, known: np.ndarray) -> list[float]:
    """x, y, width, height."""
    if instance.box.origin == "hand" or not known.any():
        x0, y0, x1, y1 = instance.box.corners
    else:
        (x0, y0), (x1, y1) = instance.points[known].min(0), instance.points[known].max(0)
    width, height = max(x1 - x0, MIN_SIDE), max(y1 - y0, MIN_SIDE)
    left, top = (x0 + x1 - width) / 2 + 0.5, (y0 + y1 - height) / 2 + 0.5
    return [round(float(v), DECIMALS) for v in (left, top, width, height)]
