"""Where the pictures of a data set lie, whatever the file that names them says about folders and case."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.images import IMAGE_SUFFIXES
from engine.labels import Picture, Problems
from engine.layouts.values import Options

MAX_FILES, MAX_DEPTH = 1_000_000, 6


def walk(folder: Path) -> Iterator[Path]:
    """All files below a folder in a fixed order, at most a million and six folders deep; links are not followed."""
    count = 0
    for here, folders, files in os.walk(folder):
        folders.sort()
        if len(Path(here).relative_to(folder).parts) >= MAX_DEPTH:
            folders.clear()
        for name in sorted(files):
            count += 1
            if count > MAX_FILES:
                return
            yield Path(here) / name


def is_picture(path: Path) -> bool:
    """Whether a file's name is that of a picture."""
    return path.suffix.lower() in IMAGE_SUFFIXES


class Finder:
    """Finds pictures by the names that files give them: exact, then without folders, then without regard to case."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = list(dict.fromkeys(root for root in roots if root.is_dir()))
        self._index: dict[str, Path | None] | None = None

    def find(self, name: str) -> Path | None:
        """The picture's file, or None."""
        parts = [part for part in re.split(r"[\\/]+", name) if part not in ("", ".") and ":" not in part]
        if not parts:
            return None
        tails = [Path(parts[-1])] if ".." in parts else [Path(*parts), Path(parts[-1])]
        try:
            for tail in dict.fromkeys(tails):
                for root in self._roots:
                    if (root / tail).is_file():
                        return root / tail
        except (OSError, ValueError):  # a name that no file system holds
            return None
        return self._any_case([tail.as_posix().lower() for tail in tails])

    def _any_case(self, tails: list[str]) -> Path | None:
        if self._index is None:
            self._index = {}
            for root in self._roots:
                for path in walk(root):
                    if is_picture(path):
                        self._note(path.relative_to(root).as_posix().lower(), path)
                        self._note(path.name.lower(), path)
        return next((found for tail in tails if (found := self._index.get(tail)) is not None), None)

    def _note(self, key: str, path: Path) -> None:
        """Two files of one name in different folders answer to neither."""
        assert self._index is not None
        known = self._index.get(key, path)
        self._index[key] = path if known is not None and os.path.abspath(known) == os.path.abspath(path) else None


def around(file: Path, options: Options, *more: str) -> list[Path]:
    """Folders in which the pictures of a label file usually lie; `more`: names that a data set uses."""
    beside = [file.parent, file.parent.parent]
    named = [root / name for root in beside for name in (*more, "images")]
    return [*([options.pictures] if options.pictures else []), file.parent, *named]


class Gallery:
    """The pictures of a label set, each once for a split, in the order in which they are first named."""

    def __init__(self, finder: Finder, problems: Problems) -> None:
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
            found = path or self._finder.find(name)
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
