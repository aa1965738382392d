"""Projects with accepted labels, for tests of formats and snapshots."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from app.project.document import Document
from app.project.edits import Accept, PutInstance
from app.project.values import Instance, Visibility
from engine.types import Box
from tests.app.projects import K, instance, new_document, put

HIDDEN, GONE = 1, 3  # the landmarks that are occluded and absent in the first picture's first instance


def labelled(folder: Path, images: int = 4) -> Document:
    """A project of some pictures: all but the last accepted, the first one twice labelled, the second one empty.

    The first instance has a box drawn by hand, an occluded and an absent landmark.
    """
    document = new_document(folder, images)
    first, *others = document.images()
    document.apply(PutInstance(drawn(first.id)))
    put(document, first.id, 7)
    for image in others[1:]:
        put(document, image.id, image.id)
    for image in [first, *others][: max(1, images - 1)]:
        document.apply(Accept(image.id))
    return document


def drawn(image: int) -> Instance:
    """An instance whose box a person drew."""
    seen = np.full(K, Visibility.VISIBLE)
    seen[[HIDDEN, GONE]] = Visibility.OCCLUDED, Visibility.ABSENT
    return replace(instance(image, 3), visibility=seen, box=Box(61.25, 59.5, 90.5, 1.0, "hand"))
