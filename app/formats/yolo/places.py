"""Where the pictures and label files of a YOLO data set are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from app.formats.yolo.description import Description
from engine.images import IMAGE_SUFFIXES
from engine.label_pictures import MAX_ENTRIES, plain_name
from engine.label_reading import read_text, shown
from engine.labels import Problems

ALL = "all"  # the folder of pictures that belong to no split


def root_of(made: Description, problems: Problems) -> Path:
    """The data set's folder: `path` as it stands or from data.yaml, else where data.yaml is."""
    home = made.file.parent
    plain = plain_name(made.root)
    for folder in (Path(plain), home / plain) if Path(plain).is_absolute() else (home / plain, home):
        if os.path.isdir(folder):
            return folder
    problems.add("path", f"{shown(made.root)} is not there; the folder of {made.file.name} was taken")
    return home


def listed(made: Description, root: Path, problems: Problems) -> Iterator[tuple[str, Path, Path]]:
    """(split, folder of pictures, picture or label file) of all splits, in order; a folder's files by name."""
    places = made.places
    if not places:
        problems.add("train", "no split is named; all pictures below images were taken")
        places = (("", "images"),)
    for split, place in places:
        found = _place(root, made.file.parent, plain_name(place))
        if found is None:
            problems.add(split, f"{shown(place)} is not there")
        elif os.path.isdir(found):
            split = "" if found.name == ALL else split
            for file in _files(found):
                yield split, found, file
            labels = label_place(found / "x").parent
            if labels != found and os.path.isdir(labels):
                for file in _files(labels, (".txt",)):
                    yield split, found, file
        else:
            for line in read_text(found, problems).splitlines():
                if line.strip():
                    yield split, root, _place(root, found.parent, plain_name(line.strip())) or root / line.strip()


def _place(root: Path, home: Path, name: str) -> Path | None:
    """A file or folder by its name: as it stands, from the root, beside data.yaml, or without leading ../ of others."""
    tries = [root / name, home / name]
    if name.startswith("../"):
        tries.append(root / name[3:])
    if Path(name).is_absolute():  # from another machine
        tries += [root.joinpath(*Path(name).parts[n:]) for n in range(1, len(Path(name).parts))]
    try:
        return next((one for one in tries if os.path.exists(one)), None)
    except (OSError, ValueError):  # a name that no file system holds
        return None


def _files(folder: Path, suffixes: tuple[str, ...] | None = None) -> Iterator[Path]:
    held = 0
    for base, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if os.path.splitext(name)[1].lower() in (suffixes or IMAGE_SUFFIXES):
                held += 1
                if held > MAX_ENTRIES:
                    return
                yield Path(base, name)


def label_place(picture: Path) -> Path:
    """The label file of a picture: the last folder called images becomes labels, else it lies beside it."""
    return _swapped(picture, "images", "labels").with_suffix(".txt")


def picture_place(label: Path) -> Path:
    """Where the picture of a label file is, without its suffix."""
    return _swapped(label, "labels", "images").with_suffix("")


def _swapped(path: Path, old: str, new: str) -> Path:
    parts = list(path.parts)
    for n in range(len(parts) - 2, -1, -1):
        if parts[n] == old:
            parts[n] = new
            break
    return Path(*parts)
