"""Pictures with true landmarks to measure a model on: packs, COCO keypoints, data sets in their own layouts."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from engine import metrics
from engine.labelled_table import from_labels
from engine.packs import PackError, load_pack
from engine.samples import sample_people
from engine.schema import Schema
from engine.subjects import EXTRAS, LabelError, Labelled, Scenes

__all__ = [
    "EXTRAS", "LabelError", "Labelled", "Scenes", "is_samples", "load_labelled", "sample_subjects",
]  # fmt: skip


OWN = ("pack", "coco")


SAMPLES = "samples"  # in place of a file: the pictures that ship


def is_samples(path: str | Path) -> bool:
    """Whether a place stands for the sample pictures: the bare word, where nothing there has that name."""
    return str(path) == SAMPLES and not Path(path).exists()


def load_labelled(path: str | Path, schema: Schema, form: str | None = None, split: str | None = None) -> Labelled:
    """Read a pack (.npz), a COCO keypoints file or another data set; `form`: a name of engine.layouts, else by look.

    split: train, validation or test alone, of data that has them. Raises LabelError, FormatError, PackError, or
    OSError where the file cannot be opened.
    """
    from engine.layouts import LAYOUTS, read, sniff

    path = Path(path)
    if form is None:
        found = sniff(path)
        form = found[0] if len(found) == 1 else "coco" if path.suffix.lower() == ".json" else None
        if form is None and not found and path.is_file():
            raise LabelError(f"{path.name} is of no known format; name one of: {', '.join(LAYOUTS)}.")
    elif form not in LAYOUTS:
        raise LabelError(f"Unknown format {form!r}; use one of: {', '.join(LAYOUTS)}.")
    if form not in OWN or split is not None:
        from engine.layouts.subjects import measurable

        return measurable(path, schema, form, split)
    found = _pack(path) if form == "pack" else from_labels(read(path, form), schema)
    if found.points.shape[1] != len(schema):
        raise LabelError(
            f"{path.name} has {found.points.shape[1]} landmarks and the model {len(schema)}; choose labels that fit."
        )
    if not len(found):
        raise LabelError(f"{path.name} holds no labelled landmarks; choose another file.")
    return found


def sample_subjects(schema: Schema) -> Labelled:
    """The sample pictures that ship, varied from one portrait; raises LabelError for a model of other landmarks."""
    if schema.name != "ibug68":
        raise LabelError("The sample pictures have the 68 landmarks of faces; choose a face model or other data.")
    people = sample_people()
    points = np.stack([person.landmarks for person in people])
    known = np.ones(points.shape[:2])
    names = tuple(person.name for person in people)
    return Labelled(lambda n: people[n].pixels, points, known, metrics.tight_boxes(points, known > 0), ids=names)


def _pack(path: Path) -> Labelled:
    pack = load_pack(path)
    with np.load(path, allow_pickle=False) as data:
        extras = {name: _extra(data, name, len(pack), path) for name in EXTRAS if name in data}
        if "head_box" in data and data["head_box"].shape == (len(pack), 4):
            extras.setdefault("head_size", metrics.head_size(data["head_box"]))
    return Labelled(
        pack.image, pack.points, pack.weight * ~pack.absent, pack.box, extras, pack.ids, predicted=not pack.hand.any()
    )


def _extra(data: np.lib.npyio.NpzFile, name: str, count: int, path: Path) -> np.ndarray:
    try:
        values = np.asarray(data[name], np.float64)
    except (ValueError, zipfile.BadZipFile) as error:
        raise PackError(f"{name} in {path.name} cannot be read ({error}); write the pack again.") from error
    if values.shape != (count,):
        raise PackError(f"{name} in {path.name} must hold one number for each of the {count} pictures.")
    return values
