"""Tompson's split of MPII's training people: 22,246 for training, 2,958 for validation."""

from __future__ import annotations

import json
from pathlib import Path

from engine.label_files import FormatError
from engine.layouts.hdf5 import annotations, numbers, open_hdf5
from engine.layouts.matlab import array, load_mat
from engine.regular import read_regular

MAX_JSON = 512 << 20
PLACES = ("", "annot", "annotations", "../annot", "../annotations")
H5, MAT, JSON = "valid.h5", "detections.mat", "mpii_annotations.json"


def validation_people(folder: Path) -> set[tuple[int, int]]:
    """(number of the picture in annolist, number of the person in it), both from 0, of the validation people.

    They are read from the first that lies in `folder` or near it: the hourglass's valid.h5 (numbers from 0),
    detections.mat of the evaluation scripts (from 1), or the JSON list with isValidation (from 1). Empty where
    there is none. Raises FormatError where that file is damaged.
    """
    for name, read in ((H5, _from_h5), (MAT, _from_mat), (JSON, _from_json)):
        for place in PLACES:
            path = folder / place / name
            if path.is_file():
                return read(path)
    return set()


def _from_h5(path: Path) -> set[tuple[int, int]]:
    with open_hdf5(path) as file:
        group = annotations(file)
        index, person = (numbers(group, name, path).ravel() for name in ("index", "person"))
    return {(int(i), int(p)) for i, p in zip(index, person, strict=True)}


def _from_mat(path: Path) -> set[tuple[int, int]]:
    names = ("RELEASE_img_index", "RELEASE_person_index")
    held = load_mat(path, *names)
    index, person = (array(path, held[name], name).ravel() for name in names)
    if len(index) != len(person):
        raise FormatError(f"{path.name} names {len(index)} pictures and {len(person)} people; get it again.")
    return {(int(i) - 1, int(p) - 1) for i, p in zip(index, person, strict=True)}


def _from_json(path: Path) -> set[tuple[int, int]]:
    if path.stat().st_size > MAX_JSON:
        raise FormatError(f"{path.name} is larger than 512 MB; choose MPII's own list.")
    try:
        people = json.loads(read_regular(path))
        held = [one for one in people if float(one.get("isValidation") or 0) == 1]
        return {(int(one["annolist_index"]) - 1, int(one["people_index"]) - 1) for one in held}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise FormatError(f"{path.name} is no list of MPII's people ({error}); get it again.") from error
