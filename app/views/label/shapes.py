"""Small functions over instances: clamping, visibility, starting shapes, merging a prediction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.project.document import Document
from app.project.edits import Accept, Batch, Edit, PutInstance
from app.project.values import Box, Image, Instance, Origin, Visibility
from engine.errors import UserError
from engine.schema import Schema
from engine.types import Prediction


def find(document: Document | None, image: int | None) -> Image | None:
    """An image of a document, None where there is none such any more."""
    if document is None or image is None:
        return None
    try:
        return document.image(image)
    except UserError:
        return None


def needs_eyes(edit: Edit, image: int) -> bool:
    """Whether an edit says what an image shows, and so is for somebody who can see it."""
    if isinstance(edit, Batch):
        return any(needs_eyes(part, image) for part in edit.edits)
    if isinstance(edit, PutInstance):
        return edit.instance.image == image
    return isinstance(edit, Accept) and edit.image == image


def to_confirm(instance: Instance | None) -> int:
    """Landmarks that only a model has placed."""
    return 0 if instance is None else int((instance.origin == Origin.MODEL).sum())


def to_place(instance: Instance | None) -> int:
    """Landmarks that nobody has placed or said to be absent."""
    return 0 if instance is None else int((instance.origin == Origin.NONE).sum())


def clamp(image: Image, x: float, y: float) -> tuple[float, float]:
    """The nearest place whose pixel centre lies inside the picture."""
    return min(max(float(x), 0.0), image.width - 1.0), min(max(float(y), 0.0), image.height - 1.0)


def about(image: Image, x: float, y: float) -> tuple[float, float]:
    """The nearest place in the picture or half its longer side beside it, where a subject that it cuts may end."""
    margin = max(image.width, image.height) / 2
    return min(max(x, -margin), image.width + margin), min(max(y, -margin), image.height + margin)


def clamped(image: Image, points: np.ndarray) -> np.ndarray:
    """Points (K, 2) in picture pixels, each moved to the nearest place inside the picture."""
    return np.clip(points, 0.0, [image.width - 1.0, image.height - 1.0])


def with_visibility(instance: Instance, landmarks: list[int], visibility: Visibility) -> Instance:
    """The instance with the visibility of some landmarks said by a person."""
    seen, origin = instance.visibility.copy(), instance.origin.copy()
    seen[landmarks] = visibility
    made_by_model = np.isin(origin[landmarks], (Origin.MODEL, Origin.EDITED))
    origin[landmarks] = np.where(made_by_model, Origin.EDITED, Origin.HAND)
    return replace(instance, visibility=seen, origin=origin)


def instance_of(prediction: Prediction, image: Image, annotator: str) -> Instance:
    """A new instance from a model's prediction; its points lie inside the picture, its guess where it was."""
    count = len(prediction.landmarks)
    guess = np.array(prediction.landmarks[:, :2])
    return Instance(
        0, image.id, prediction.box, clamped(image, guess), np.full(count, Visibility.VISIBLE, np.uint8),
        np.full(count, Origin.MODEL, np.uint8), prediction.landmarks[:, 2].astype(np.float32), guess,
        prediction.model, annotator,
    )  # fmt: skip


def mean_instance(schema: Schema, image: Image, box: Box, annotator: str) -> Instance:
    """The schema's mean shape in a box, all landmarks still to be confirmed."""
    points = np.array(schema.mean) * box.side + [box.cx - box.side / 2, box.cy - box.side / 2]
    points, count = clamped(image, points), len(schema)
    return Instance(
        0, image.id, box, points, np.full(count, Visibility.VISIBLE, np.uint8),
        np.full(count, Origin.MODEL, np.uint8), np.zeros(count, np.float32), points.copy(), "mean shape", annotator,
    )  # fmt: skip


def merge(instance: Instance, prediction: Prediction, image: Image) -> Instance:
    """The instance with a newer guess on every landmark that no hand has touched."""
    free = np.isin(instance.origin, (Origin.NONE, Origin.MODEL))
    guess = np.array(prediction.landmarks[:, :2])
    points = np.where(free[:, None], clamped(image, guess), instance.points)
    score = np.where(free, prediction.landmarks[:, 2], instance.score).astype(np.float32)
    origin = np.where(free, Origin.MODEL, instance.origin).astype(np.uint8)
    seen = np.where(free, Visibility.VISIBLE, instance.visibility).astype(np.uint8)
    return replace(
        instance, points=points, score=score, origin=origin, visibility=seen, guess=guess, model=prediction.model
    )


def same_box(a: Box, b: Box) -> bool:
    """Whether two boxes are the same place."""
    return bool(np.allclose((a.cx, a.cy, a.side), (b.cx, b.cy, b.side), rtol=0, atol=1e-6))


def square(x0: float, y0: float, x1: float, y1: float) -> Box | None:
    """The square box of a press-drag: its side is the longer way, from the first corner; None under 8 px."""
    side = max(abs(x1 - x0), abs(y1 - y0))
    if side < 8:
        return None
    cx = x0 + (side / 2 if x1 >= x0 else -side / 2)
    cy = y0 + (side / 2 if y1 >= y0 else -side / 2)
    return Box(cx, cy, side, 1.0, "hand")
