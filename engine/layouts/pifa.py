"""AFLW-PIFA: 34 landmarks in Landmark.mat, boxes in BoundingBox.mat beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.label_files import FormatError
from engine.labels import OCCLUDED, VISIBLE, LabelSet, Problems, Skeleton
from engine.layouts.matlab import array, load_mat, variables
from engine.layouts.mirror import MirrorError, derive_flip
from engine.layouts.pictures import Gallery, around
from engine.layouts.values import Layout, Options, offset, skeleton
from engine.rows import Rows

COUNT = 34
PARTS = (("train", "phisTr", "bboxesTr", "TrainImages"), ("test", "phisT", "bboxesT", "TestImages"))
BOXES = "BoundingBox.mat"


def read_pifa(path: Path, options: Options) -> LabelSet:
    """phisTr and phisT (N, 102): 34 x, 34 y, 34 flags; bboxesTr and bboxesT (N, 4): x, y, width, height.

    Pictures TrainImages/1.jpg and on, TestImages/1.jpg and on. Offset 0. Nobody says what the flags mean: 1 is
    taken for visible, and `visible_flag` turns it round; all 34 have places, so the others are occluded. Nor is
    the order of the 13 added landmarks known: mirror pairs are derived from the shapes where the file has enough
    of them, and what they differ in from our schema is said as a problem. Raises FormatError.
    """
    folder = path if path.is_dir() else path.parent
    path = path / "Landmark.mat" if path.is_dir() else path
    if options.visible_flag not in (0, 1):
        raise FormatError(f"The flag for visible must be 0 or 1, not {options.visible_flag}.")
    boxes_at = folder / BOXES
    if not boxes_at.is_file():
        raise FormatError(f"{BOXES} does not lie beside {path.name}; put it there.")
    marks, boxes = load_mat(path), load_mat(boxes_at)
    problems, add = Problems(), offset(options, 0.0)
    gallery, read = Gallery(around(path, options, problems), problems), []
    rows = Rows(skeleton("pifa34"))
    for split, mark_name, box_name, pictures in PARTS:
        if mark_name not in marks:
            problems.add(path.name, f"has no {mark_name}, so no pictures for {split}")
            continue
        if box_name not in boxes:
            raise FormatError(f"{BOXES} has no {box_name}; choose the data set's own file.")
        values, box = array(path, marks[mark_name], mark_name), array(boxes_at, boxes[box_name], box_name)
        if values.ndim != 2 or values.shape[1] != 3 * COUNT or box.shape != (len(values), 4):
            raise FormatError(f"{mark_name} {values.shape} and {box_name} {box.shape} must be (N, 102) and (N, 4).")
        for n, (one, (x, y, w, h)) in enumerate(zip(values, box, strict=True), 1):
            points = one[: 2 * COUNT].reshape(2, COUNT).T
            seen = np.where(one[2 * COUNT :] == options.visible_flag, VISIBLE, OCCLUDED)
            name, rect = f"{pictures}/{n}.jpg", (x + add, y + add, x + w + add, y + h + add)
            rows.add(gallery.number(name, split), points + add, seen, rect)
            read.append(points)
    if not len(rows):
        raise FormatError(f"{path.name} has neither phisTr nor phisT; choose AFLW-PIFA's Landmark.mat.")
    table = rows.table()
    table = replace(table, skeleton=_with_flip(table.skeleton, np.array(read), table.visibility, path, problems))
    return LabelSet(gallery.values(), (table,), problems.values(), {"format": "AFLW-PIFA"})


def _with_flip(own: Skeleton, points: np.ndarray, seen: np.ndarray, path: Path, problems: Problems) -> Skeleton:
    """Our landmarks with the mirror pairs that the file's own shapes show."""
    try:
        order = derive_flip(points, seen == VISIBLE)
    except MirrorError as error:
        problems.add(path.name, f"mirror pairs are those of our schema pifa34, unchecked: {error}")
        return own
    found = tuple((a, int(b)) for a, b in enumerate(order) if a < b)
    if set(found) != {tuple(sorted(pair)) for pair in own.flip}:
        problems.add(path.name, "shapes give other mirror pairs than our schema pifa34; the labels carry these")
    return replace(own, flip=found)


def _claims(path: Path, head: bytes) -> bool:
    return path.suffix.lower() == ".mat" and bool({"phisTr", "phisT"} & set(variables(path)))


PIFA = Layout("aflw-pifa", "AFLW-PIFA (Landmark.mat)", _claims, read_pifa, lambda f: sorted(f.glob("Landmark.mat")))
