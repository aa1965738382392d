"""COCO keypoints: strict JSON, written so that pycocotools reads exactly what the screen shows."""

from __future__ import annotations

import json
from collections.abc import Set
from pathlib import Path
from typing import Any

import numpy as np

from app.files import atomic_write
from app.formats import ExportReport, chosen, damage, file_name, refuse_nothing, refuse_own
from app.project.document import Document
from app.project.values import Image, Instance, State, Visibility
from engine.schema import Schema

DECIMALS = 4


class Coco:
    """One category, the project's schema; ids from 1 in the project's order.

    keypoints: 0-based, the centre of the top-left pixel is (0, 0). v: 2 visible, 1 occluded, 0 absent with
    x = y = 0. bbox: in COCO's boxes (0, 0) is the corner of that pixel, so a pixel at x reaches from x to x + 1.
    It is the square that a person drew, else it covers the pixels of all landmarks with v > 0: from the smallest
    x and y, by largest - smallest + 1, which is at least 1 px. area: that of the box.
    """

    name = "coco"
    title = "COCO keypoints"
    suffix = ".json"

    def export(self, document: Document, path: Path, states: Set[State]) -> ExportReport:
        """Write the labels of images in `states`; raises UserError where there is nothing to write."""
        path = Path(path)
        refuse_own(document, path)
        held = chosen(document, states)
        annotations: list[dict[str, Any]] = []
        for number, image in enumerate(held, 1):
            for instance in document.instances(image.id):
                annotations.append(_annotation(instance, len(annotations) + 1, number))
        refuse_nothing(len(annotations), states)
        data = {
            "info": {"description": document.name, "version": "1.0"},
            "licenses": [],
            "images": [_image(document, image, number, path) for number, image in enumerate(held, 1)],
            "annotations": annotations,
            "categories": [_category(document.schema)],
        }
        atomic_write(path, _encoded(data))
        return ExportReport(len(annotations), len(held), damage(document, held))


def _encoded(data: dict[str, Any]) -> bytes:
    """Strict JSON: UTF-8, or escapes where a file's name is no text."""
    form: dict[str, Any] = {"allow_nan": False, "separators": (",", ":")}
    try:
        return json.dumps(data, ensure_ascii=False, **form).encode()
    except UnicodeEncodeError:
        return json.dumps(data, **form).encode()


def _image(document: Document, image: Image, number: int, out: Path) -> dict[str, Any]:
    name = file_name(document, image, out)
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
    """x, y, width, height; (0, 0) is the corner of the top-left pixel."""
    if instance.box.origin == "hand" or not known.any():
        x, y = (corner + 0.5 for corner in instance.box.corners[:2])
        width = height = instance.box.side
    else:
        (x, y), (right, bottom) = instance.points[known].min(0), instance.points[known].max(0)
        width, height = right - x + 1, bottom - y + 1
    return [round(float(v), DECIMALS) for v in (x, y, max(width, 1.0), max(height, 1.0))]
