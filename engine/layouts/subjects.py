"""Data sets as what a model is measured on and trained on: labelled subjects of one schema."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.labelled_table import from_labels
from engine.labels import LabelSet
from engine.layouts import FormatError, Options, in_schema, read
from engine.rows import taken
from engine.schema import Schema
from engine.subjects import Labelled

KEPT_OUT = "test"  # the split that is never trained on


@dataclass(frozen=True)
class Learnable:
    """What a training may use of a data set: the subjects, none of them of its test split; held (N,) bool: those of
    its validation split, None where it has none; groups: one text a subject, the same for what shows one subject
    or one photograph, so that a hold-out can keep them together; flip: the landmarks' mirror pairs as the data has them
    (AFLW-PIFA's come from its shapes), none where it knows no more than the schema."""

    subjects: Labelled
    held: np.ndarray | None
    groups: tuple[str, ...]
    flip: tuple[tuple[int, int], ...] = ()


def measurable(path: Path, schema: Schema, form: str | None = None, split: str | None = None) -> Labelled:
    """The subjects of a data set, of one split where it is named, in the schema's landmarks.

    Raises FormatError, LabelError or PackError for what cannot be read or does not fit.
    """
    return from_labels(in_schema(read(path, form), schema.name), schema, split)


def learnable(path: Path, schema: Schema, form: str | None = None, options: Options = Options()) -> Learnable:  # noqa: B008
    """The subjects of a data set that a training may use; pictures are read from disk when they are asked for.

    Raises FormatError where all of it is for test, else as `measurable` does.
    """
    labels = in_schema(read(path, form, options), schema.name)
    allowed = [picture.split != KEPT_OUT for picture in labels.pictures]
    if not any(allowed):
        raise FormatError(f"All pictures of {path.name} are for test; train on other data.")
    subjects = from_labels(_of_pictures(labels, np.array(allowed)), schema)
    pictures = [labels.pictures[n] for n in subjects.image]
    validation = np.array([picture.split == "validation" for picture in pictures], bool)
    groups = tuple(str(picture.attributes.get("group") or picture.name) for picture in pictures)
    flip = next((held.skeleton.flip for held in labels.tables if held.skeleton.name == schema.name), ())
    return Learnable(subjects, validation if validation.any() and not validation.all() else None, groups, flip)


def _of_pictures(labels: LabelSet, allowed: np.ndarray) -> LabelSet:
    """The instances of the allowed pictures; the pictures keep their numbers."""
    return replace(labels, tables=tuple(taken(held, allowed[held.picture]) for held in labels.tables))
