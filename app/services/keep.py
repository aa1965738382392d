"""A frame from the live view becomes an image of the project, with its landmarks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import numpy as np

from app.files import atomic_write, data_folder, free_name
from app.project.document import Document
from app.project.edits import AddImages, Batch, NewImage, PutInstance
from app.project.values import Instance
from engine.images import encode_png
from engine.schema import Schema


def keep_frame(document: Document, pixels: np.ndarray, instances: Iterable[Instance], title: str) -> int:
    """Store a frame, (H, W, 3) uint8 RGB, as PNG beside the project, and its instances; the image's id.

    Raises UserError or OSError when it cannot be written; the project is then as before.
    """
    data = encode_png(pixels)
    digest = hashlib.sha256(data).hexdigest()
    folder = document.frames_folder
    folder.mkdir(parents=True, exist_ok=True)
    path = free_name(folder, f"frame {datetime.now():%Y-%m-%d %H.%M.%S}", ".png")
    atomic_write(path, data)
    height, width = pixels.shape[:2]
    added = NewImage(str(path), width, height, digest)
    puts = [PutInstance(replace(instance, id=0, image=0), title) for instance in instances]
    change = document.apply(Batch((AddImages((added,)), *puts), title))
    return change.created


def keep_again(document: Document, image: int, instances: Iterable[Instance], title: str) -> None:
    """Store later corrections of a frame that is kept already; raises UserError when it was removed meanwhile."""
    stored = document.instances(image)
    pairs = zip(stored, instances, strict=False)
    puts = tuple(PutInstance(replace(new, id=old.id, image=image), title) for old, new in pairs)
    document.apply(Batch(puts, title))


def new_project(schema: Schema, name: str = "Live frames") -> Document:
    """A project in the data folder, for frames that are kept while none is open."""
    folder = data_folder() / "projects"
    folder.mkdir(parents=True, exist_ok=True)
    path = free_name(folder, name, ".hourbit-project")
    return Document.create(path, schema, path.stem)
