"""Agreement of the open project with other labels of the same pictures or with a model, in a thread of its own."""

from __future__ import annotations

import csv
import io
import os
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from app.files import atomic_write
from app.formats.converting import read_labels
from app.formats.project import SUFFIX, labels_of
from app.formats.registry import ReadOptions
from app.project.document import Document
from app.project.edits import AddImages, Migrate, NewImage
from app.project.values import ACCEPTED, State
from app.services.importing import telling
from app.services.labelled import project_subjects
from app.services.projects import Told
from engine import crop
from engine.agreement import Pairs, figures, pair, ranked, with_model
from engine.errors import UserError
from engine.images import load_image
from engine.metrics import tight_boxes
from engine.models import AnyModel
from engine.predictor import Predictor
from engine.runtime import open_runtime
from engine.schema import Schema

SHOWN, SIDE = 24, 192  # of the worst instances, and pixels of their pictures
BESIDE = 8  # other projects that are offered
AROUND = 1.35  # side of such a picture over that of the landmarks' box


@dataclass(frozen=True)
class Shot:
    """One of the worst: its image in the project, how far apart in percent, and where the two are.

    picture (SIDE, SIDE, 3) uint8, grey where its file cannot be read; one, other (K, 2) its pixels; both (K,) bool;
    points (K, 2) picture pixels of the project's own; landmark: the number of the one that is farthest apart.
    """

    image: int
    name: str
    percent: float
    landmark: int
    picture: np.ndarray
    one: np.ndarray
    other: np.ndarray
    both: np.ndarray
    points: np.ndarray


@dataclass(frozen=True)
class Agreed:
    """What engine.agreement says; `landmarks` are the numbers in the project's schema of those compared.

    people: the two whose labels were compared, where both have labelled in the project itself.
    """

    figures: dict[str, Any]
    shots: tuple[Shot, ...]
    landmarks: tuple[int, ...]
    people: tuple[str, ...] = ()


def compare(document: Document, path: Path, told: Told) -> Agreed:
    """The project beside another project or a label file; raises UserError, and Cancelled."""
    other, _ = read_labels(path, None, ReadOptions(progress=telling(told)))
    pairs = pair(labels_of(document, frozenset(State)), other)
    ids = {image.path: image.id for image in document.images()}
    return _agreed(document, pairs, [ids[name] for name in pairs.pictures], told)


def compare_people(document: Document, told: Told) -> Agreed:
    """The two annotators with most pictures in common, within the project; raises UserError, and Cancelled."""
    seen = _pictures_of(document, told)
    names = sorted(seen)
    common = {(a, b): len(seen[a] & seen[b]) for n, a in enumerate(names) for b in names[n + 1 :]}
    people = max(common, key=lambda two: common[two], default=())
    if not people or not common[people]:
        raise UserError("No picture here has labels of two people; let the other one work in a copy without labels.")
    one, other = (labels_of(document, frozenset(State), name) for name in people)
    pairs = pair(one, other)
    ids = {image.path: image.id for image in document.images()}
    return replace(_agreed(document, pairs, [ids[name] for name in pairs.pictures], told), people=people)


def _pictures_of(document: Document, told: Told) -> dict[str, set[int]]:
    """Annotator -> the images in which there are labels of theirs."""
    seen: dict[str, set[int]] = defaultdict(set)
    tell, images = telling(told), document.images()
    for done, image in enumerate(images):
        if done % 100 == 0:
            tell(done, len(images))
        for instance in document.instances(image.id):
            if instance.annotator and (instance.touched or image.state in ACCEPTED):
                seen[instance.annotator].add(image.id)
    return seen


def copy_without_labels(document: Document, path: Path) -> None:
    """A new project of the same pictures and landmarks, for another person to label; raises UserError."""
    images = document.images()
    made = Document.create(path, document.schema, path.name.removesuffix(SUFFIX))
    try:
        made.apply(AddImages(tuple(
            NewImage(str(document.picture_path(image)), image.width, image.height, image.digest) for image in images
        )))  # fmt: skip
    finally:
        made.close()


def beside(document: Document) -> list[Path]:
    """Other projects in the folder of one, those of a like name first."""
    own = document.path.name.casefold()
    try:
        found = [path for path in document.path.parent.glob(f"*{SUFFIX}") if path != document.path]
    except OSError:
        return []
    return sorted(found, key=lambda path: (-len(os.path.commonprefix([own, path.name.casefold()])), path.name))[:BESIDE]


def compare_with_model(document: Document, model: AnyModel, told: Told) -> Agreed:
    """The project's accepted labels beside what a model finds there; raises UserError, and Cancelled."""
    if model.schema.landmarks != document.schema.landmarks:
        raise UserError(f"{model.name} has other landmarks than the project; choose a model of the same ones.")
    found = project_subjects(document).unchanged()
    pairs = with_model(found.subjects, Predictor(open_runtime(model), "whole"), telling(told))
    pairs = replace(pairs, others=len(found.subjects.problems))
    return _agreed(document, pairs, [found.images[n] for n in pairs.rows], told)


def _agreed(document: Document, pairs: Pairs, images: list[int], told: Told) -> Agreed:
    tell = telling(told)
    worst, shots = ranked(pairs)[:SHOWN], []
    for done, (n, percent, k) in enumerate(worst):
        tell(done, len(worst))
        image = document.image(images[n])
        shots.append(_shot(document.picture_path(image), pairs, n, (image.id, percent, k)))
    places = {name: k for k, name in enumerate(document.schema.landmarks)}
    return Agreed(figures(pairs), tuple(shots), tuple(places[name] for name in pairs.names))


def _shot(path: Path, pairs: Pairs, n: int, told: tuple[int, float, int]) -> Shot:
    both = pairs.both[n]
    points = np.concatenate([pairs.one[n], pairs.other[n]])[None]
    cx, cy, side = (float(v) for v in tight_boxes(points, np.concatenate([both, both])[None])[0])
    affine = crop.matrix(cx, cy, max(side, 8.0) * AROUND, SIDE)
    try:
        picture = crop.sample(load_image(path), affine, SIDE)
    except (UserError, OSError):
        picture = np.full((SIDE, SIDE, 3), 128, np.uint8)
    image, percent, k = told
    one, other = crop.apply(affine, pairs.one[n]), crop.apply(affine, pairs.other[n])
    return Shot(image, path.name, percent, k, picture, one, other, both, pairs.one[n])


def measured_sigmas(agreed: Agreed, schema: Schema) -> tuple[float, ...]:
    """The sigmas of all landmarks as a schema holds them; none where a landmark has none, or beside a model."""
    told = [row["sigma"] for row in agreed.figures["landmarks"].values()]
    if agreed.figures["against_model"] or len(told) != len(schema) or not all(s and 0 < s < 1 for s in told):
        return ()
    by_place = dict(zip(agreed.landmarks, told, strict=True))
    return tuple(round(by_place[k], 4) for k in range(len(schema)))


def take_sigmas(document: Document, sigmas: tuple[float, ...]) -> None:
    """Give the project's schema measured sigmas, as one edit; raises UserError."""
    schema = document.schema
    document.apply(Migrate(replace(schema, sigmas=sigmas), tuple(range(len(schema))), False))


def write_table(path: Path, agreed: Agreed) -> None:
    """Write the figures by landmark as CSV, whole or not at all; raises UserError."""
    keys = ("n", "pixels", "percent", "sigma", "only_first", "only_second")
    made = io.StringIO()
    rows = csv.writer(made, lineterminator="\n")
    rows.writerow(("landmark", *keys))
    for name, row in agreed.figures["landmarks"].items():
        rows.writerow((name, *("" if row[key] is None else row[key] for key in keys)))
    atomic_write(path, made.getvalue().encode())
