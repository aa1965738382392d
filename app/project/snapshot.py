"""Snapshots: a project's accepted labels frozen for a training, as a pack (engine/packs.py)."""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.files import atomic_write
from app.project.document import Document
from app.project.values import ACCEPTED, Image, Instance, Visibility
from engine import crop
from engine.errors import UserError
from engine.images import encode_png, load_image
from engine.regular import holds_other

FACTOR = 1.8  # crop side / landmark box side: room for turning and scaling in training
LARGEST = 256  # pixels of a crop's side
WEIGHTS = {Visibility.VISIBLE: 1.0, Visibility.OCCLUDED: 0.5, Visibility.ABSENT: 0.0}


@dataclass(frozen=True)
class Snapshot:
    """A frozen training set: `count` instances of `images`, `held_out` of them for measuring; who was left out."""

    path: Path
    count: int
    held_out: int
    images: int
    skipped: tuple[str, ...] = ()


def snapshot(document: Document, path: str | Path, every: int = 5) -> Snapshot:
    """Write the accepted labels to one .npz; raises UserError where there are none, or the disk refuses.

    One image in `every` is held out, by its digest, so that it stays held out in later snapshots; at least one
    of several, and never all. Images that cannot be read any more, or are other pictures than when they were
    labelled, are left out and named in `skipped`.
    """
    path = Path(path)
    skipped: list[str] = []
    rows = [row for image in document.images() if image.state in ACCEPTED for row in _rows(document, image, skipped)]
    if not rows:
        raise UserError("There are no accepted labels to train with; accept some images first.")
    held = _held_out({row["id"] for row in rows}, every)
    pictures = [row["picture"] for row in rows]
    arrays = {
        "blob": np.frombuffer(b"".join(pictures), np.uint8),
        "offsets": np.cumsum([0] + [len(p) for p in pictures]).astype(np.int64),
        "holdout": np.array([row["id"] in held for row in rows]),
        "kind": np.array([b"human"] * len(rows)),
        "schema": np.frombuffer(json.dumps(document.schema.to_json()).encode(), np.uint8),
    }
    for name in ("landmarks", "weight", "absent", "box"):
        arrays[name] = np.stack([row[name] for row in rows])
    for name in ("source", "id"):
        arrays[name] = np.array([row[name].encode("utf-8", "replace") for row in rows])
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    atomic_write(path, buffer.getvalue())
    images = len({row["image"] for row in rows})
    return Snapshot(path, len(rows), int(arrays["holdout"].sum()), images, tuple(skipped))


def _held_out(ids: set[str], every: int) -> set[str]:
    """The images that training never sees: by digest, so that one picture under two names is on one side."""
    ranked = sorted(ids, key=lambda id: (zlib.crc32(id.encode("utf-8", "replace")) % every, id))
    count = sum(zlib.crc32(id.encode("utf-8", "replace")) % every == 0 for id in ranked)
    return set(ranked[: min(max(count, 1), len(ranked) - 1)])


def _rows(document: Document, image: Image, skipped: list[str]) -> Iterator[dict]:
    """A row for each labelled instance of an image."""
    instances = [i for i in document.instances(image.id) if (i.visibility != Visibility.ABSENT).sum() >= 2]
    if not instances:
        return
    file = document.picture_path(image)
    try:
        picture = load_image(file)
    except (UserError, OSError) as error:
        skipped.append(f"{file.name}: {error}")
        return
    height, width = picture.shape[:2]
    if (width, height) != (image.width, image.height):
        skipped.append(f"{file.name}: it was labelled at {image.width} x {image.height}, not {width} x {height}")
        return
    if holds_other(file, image.digest):
        skipped.append(f"{file.name}: it is another picture than the one that was labelled")
        return
    key = image.digest or hashlib.sha256(image.path.encode("utf-8", "surrogatepass")).hexdigest()
    for instance in instances:
        yield _row(picture, instance) | {"id": key, "source": file.parent.name, "image": image.id}


def _row(picture: np.ndarray, instance: Instance) -> dict:
    """The instance's crop and its landmarks in crop pixels; the box is the square around what is labelled."""
    known = instance.visibility != Visibility.ABSENT
    low, high = instance.points[known].min(0), instance.points[known].max(0)
    cx, cy = (low + high) / 2
    side = max(float((high - low).max()), 2.0)
    size = int(np.clip(round(side * FACTOR), 32, LARGEST))
    affine = crop.matrix(cx, cy, side * FACTOR, size)
    centre = crop.apply(affine, np.array([cx, cy]))
    points = crop.apply(affine, instance.points)
    return {
        "picture": encode_png(crop.sample(picture, affine, size)),
        "landmarks": np.where(known[:, None], points, -1).astype(np.float32),
        "weight": np.array([WEIGHTS[Visibility(v)] for v in instance.visibility], np.float32),
        "absent": ~known,
        "box": np.array([*centre, side * size / (side * FACTOR)], np.float32),
    }
