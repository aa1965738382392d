"""Labelled subjects to measure a model on: of a project, of a label file of any format, or the sample pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.formats.others import OTHER, without_others
from app.formats.registry import ReadOptions
from app.formats.sniff import recognise
from app.project.document import Document
from app.project.snapshot import WEIGHTS
from app.project.values import ACCEPTED, Visibility
from engine import metrics
from engine.errors import UserError
from engine.images import load_image
from engine.labelled import Labelled, is_samples, load_labelled, sample_subjects
from engine.labelled_table import from_labels
from engine.labels import Problem
from engine.layouts import LAYOUTS, in_schema
from engine.regular import holds_other
from engine.rows import placed_by_people
from engine.schema import Schema


def load_subjects(
    data: str | Path, schema: Schema, form: str | None = None, split: str | None = None
) -> Labelled:  # fmt: skip
    """Labelled subjects of a file or folder in a schema's landmarks, or of the sample pictures; raises UserError.

    Of a project and the formats of other labellers what people placed counts, where they placed any. form: the format
    where it is known; split: train, validation or test alone, of data that has them.
    """
    if is_samples(data):
        return sample_subjects(schema)
    found, place = recognise(Path(data), form)
    if found.name in LAYOUTS:
        return load_labelled(place, schema, found.name, split)
    labels = without_others(found.read(place, ReadOptions()))
    labels = replace(labels, tables=tuple(map(placed_by_people, labels.tables)))
    return from_labels(in_schema(labels, schema.name), schema, split)


@dataclass(frozen=True)
class OfProject:
    """Subjects of a project, the image in which each of them is, and their files with the digests they had."""

    subjects: Labelled
    images: tuple[int, ...]
    files: tuple[tuple[Path, str], ...]

    def unchanged(self) -> OfProject:
        """Those whose files are what was labelled, the rest named as problems; reads every file.

        Raises UserError where none is.
        """
        others = {file for file in dict.fromkeys(self.files) if holds_other(*file)}
        rows = [n for n, file in enumerate(self.files) if file not in others]
        if not rows:
            raise UserError("No file holds the picture that was labelled; put the labelled ones back, or find them.")
        old = self.subjects
        number = {image: n for n, image in enumerate(dict.fromkeys(old.image[n] for n in rows))}
        subjects = replace(
            old, picture=lambda n: old.picture(rows[n]), points=old.points[rows], weight=old.weight[rows],
            box=old.box[rows], ids=tuple(old.ids[n] for n in rows), image=tuple(number[old.image[n]] for n in rows),
            problems=tuple(Problem(path.name, OTHER) for path, _ in others),
        )  # fmt: skip
        return OfProject(subjects, tuple(self.images[n] for n in rows), tuple(self.files[n] for n in rows))


def project_subjects(document: Document) -> OfProject:
    """The accepted labels of a project as they are now; the pictures are read when they are asked for.

    Raises UserError where nothing with two landmarks is accepted.
    """
    rows = [
        (document.picture_path(image), image.digest, instance)
        for image in document.images() if image.state in ACCEPTED
        for instance in document.instances(image.id) if (instance.visibility != Visibility.ABSENT).sum() >= 2
    ]  # fmt: skip
    if not rows:
        raise UserError("No image with landmarks is accepted yet; accept some in Label first.")
    paths = [path for path, _, _ in rows]
    points = np.stack([instance.points for _, _, instance in rows]).astype(np.float64)
    weight = np.array([[WEIGHTS[Visibility(v)] for v in instance.visibility] for _, _, instance in rows])
    number = {path: n for n, path in enumerate(dict.fromkeys(paths))}
    box = metrics.tight_boxes(points, weight > 0)
    box[:, 2] = np.maximum(box[:, 2], 2.0)
    found = Labelled(
        lambda n: load_image(paths[n]), points, weight, box, ids=tuple(path.name for path in paths),
        image=tuple(number[path] for path in paths),
    )  # fmt: skip
    return OfProject(found, tuple(i.image for _, _, i in rows), tuple((path, digest) for path, digest, _ in rows))
