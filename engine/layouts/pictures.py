"""The pictures of a data set: where they lie, each once for a split, and which split a name tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.label_pictures import Finder
from engine.labels import Picture, Problems
from engine.layouts.values import Options


def around(file: Path, options: Options, problems: Problems, *more: str) -> Finder:
    """Looks where the pictures of a label file usually lie; `more`: names of folders that a data set uses."""
    names = (*more, "images")
    return Finder(file, options, problems, (*names, *(f"../{name}" for name in names)), deep=True)


def chosen(options: Options, problems: Problems) -> Finder | None:
    """Looks in the folder that a person chose, for data sets whose pictures lie beside their labels else."""
    return None if options.pictures is None else Finder(options.pictures, options, problems, deep=True)


class Gallery:
    """The pictures of a label set, each once for a split, in the order in which they are first named."""

    def __init__(self, finder: Finder | None, problems: Problems) -> None:
        self._finder, self._problems = finder, problems
        self._number: dict[tuple[str, str], int] = {}
        self._held: list[Picture] = []

    def number(
        self, name: str, split: str = "", path: Path | None = None, size: tuple[int, int] | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> int:  # fmt: skip
        """The picture's place in `values`; a picture that is not on disk is listed as a problem, once."""
        key = (name, split)
        if key not in self._number:
            found = path or (self._finder.find(name) if self._finder is not None else None)
            if found is None:
                self._problems.add(name, "the picture is missing; put it beside the labels or in a folder images")
            self._number[key] = len(self._held)
            self._held.append(Picture(name, found, size, split, True, dict(attributes or {})))
        return self._number[key]

    def values(self) -> tuple[Picture, ...]:
        """All pictures."""
        return tuple(self._held)


def split_of(name: str) -> str:
    """The split that a file's or folder's name tells: train, validation, test, or "" where it tells none or two."""
    words = re.split(r"[^a-z]+", name.lower())
    told = {
        "train": {"train", "training", "trainset", "trainimages"}, "test": {"test", "testing", "testset", "testimages"},
        "validation": {"val", "valid", "validation"},
    }  # fmt: skip
    found = [split for split, known in told.items() if known & set(words)]
    return found[0] if len(found) == 1 else ""
