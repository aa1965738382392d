"""Small projects for tests: pictures of noise, instances with known landmarks."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np

from app.project.document import Document
from app.project.edits import AddImages, NewImage, PutInstance
from app.project.values import Instance, Origin, Visibility
from engine.images import encode_png
from engine.regular import digest_of
from engine.schema import load_schema
from engine.types import Box

SCHEMA = load_schema("mpii16")
K = len(SCHEMA)


def change_file(path: Path, *statements: str) -> None:
    """Run SQL on a project's file behind its back."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def new_document(folder: Path, images: int = 3) -> Document:
    """A project with some pictures of 160 x 120."""
    document = Document.create(folder / "test.hourbit-project", SCHEMA, "Test")
    rng = np.random.default_rng(0)
    (folder / "pictures").mkdir(exist_ok=True)
    added = []
    for n in range(images):
        path = folder / "pictures" / f"image {n + 1}.png"
        path.write_bytes(encode_png(rng.integers(0, 256, (120, 160, 3), np.uint8)))
        added.append(NewImage(str(path), 160, 120, digest_of(path)))
    if added:
        document.apply(AddImages(tuple(added)))
    return document


def instance(image: int, seed: int = 0, origin: Origin = Origin.MODEL) -> Instance:
    """An instance with random landmarks; its model guessed them all."""
    points = np.random.default_rng(seed).uniform(20, 100, (K, 2))
    return Instance(
        0, image, Box(60.0, 60.0, 80.0, 0.9, "face"), points, np.full(K, Visibility.VISIBLE), np.full(K, origin),
        np.full(K, 0.8), points, "model-1", "ann",
    )  # fmt: skip


def put(document: Document, image: int, seed: int = 0, origin: Origin = Origin.MODEL) -> Instance:
    """Store such an instance and return it as stored."""
    id = document.apply(PutInstance(instance(image, seed, origin))).created
    return next(i for i in document.instances(image) if i.id == id)


def same(one: Instance, other: Instance) -> bool:
    """Whether two instances are equal to the last bit."""
    arrays = ("points", "visibility", "origin", "score", "guess")
    return (one.id, one.image, one.box, one.model, one.annotator) == (
        other.id, other.image, other.box, other.model, other.annotator
    ) and all(np.array_equal(getattr(one, a), getattr(other, a), equal_nan=True) for a in arrays)  # fmt: skip
