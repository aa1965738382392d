"""A project as labels: what `export` and `convert` write of it."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

import numpy as np

from app.formats.registry import FormatError, ReadOptions, WriteOptions
from app.project.document import Document, to_read
from app.project.values import ACCEPTED, Image, Instance, Origin, State
from engine.labels import LabelSet, Picture, Problem, Skeleton
from engine.rows import Rows

SUFFIX = ".hourbit-project"
MAGIC = b"SQLite format 3\0"
SILENT = frozenset({State.DONE, State.DONE_EMPTY, State.NEW})  # said by `visited` alone


def labels_of(document: Document, states: Set[State], annotator: str = "") -> LabelSet:
    """The labels of a project's images in `states`, in the project's order.

    The skeleton is called after the schema's subject. Accepted labels are a person's; elsewhere instances that no
    hand has touched are the model's (hand False) and have its scores. Boxes are those that a person drew.
    annotator: only the labels of this one.
    """
    schema = document.schema
    rows = Rows(Skeleton(schema.subject, schema.landmarks, schema.edges, schema.flip))
    pictures = []
    for image in document.images():
        if image.state not in states:
            continue
        for instance in document.instances(image.id):
            if annotator and instance.annotator != annotator:
                continue
            _add(rows, len(pictures), image, instance)
        pictures.append(_picture(document, image))
    damaged = tuple(Problem(document.path.name, f"{what} is damaged; restore a backup") for what in document.damaged)
    info = {"description": document.name, "schema": schema.name}
    return LabelSet(tuple(pictures), (rows.table(),), damaged, info)


def _picture(document: Document, image: Image) -> Picture:
    path = document.picture_path(image)
    size = (image.width, image.height) if min(image.width, image.height) > 0 else None
    state = {} if image.state in SILENT else {"state": image.state.value}
    return Picture(image.path, path, size, "", image.state in ACCEPTED, state, image.digest)


def _add(rows: Rows, picture: int, image: Image, instance: Instance) -> None:
    hand = image.state in ACCEPTED or instance.touched
    placed = instance.origin <= Origin.MODEL
    score = None if hand else np.where(placed, instance.score, np.nan)
    box = instance.box.corners if instance.box.origin == "hand" else None
    rows.add(picture, instance.points, instance.visibility, score=score, box=box, hand=hand)


class Project:
    """A .hourbit-project file; only read, all images in whatever state. Offset: 0, ours is the rule."""

    name = "project"
    title = "Hourbit project"
    suffix = SUFFIX
    holds = None

    def claims(self, path: Path, head: bytes) -> bool:
        """By the file's name and the database's mark."""
        return path.name.endswith(SUFFIX) and head.startswith(MAGIC)

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """All labels; raises UserError as opening a project does."""
        document = to_read(path)
        try:
            return labels_of(document, frozenset(State))
        finally:
            document.close()

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """Projects are made in the window; raises FormatError."""
        raise FormatError("Labels cannot be written as a project; open the window and add the pictures there.")
