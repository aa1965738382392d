"""Which format a file or folder has: found where one answer fits, named where several do, never guessed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from app.formats.registry import Format, FormatError, find, formats
from engine.label_reading import head_of, shown

MAX_FILES = 2000  # of a folder that are looked at
INNER = ("annotations", "annot", "labels", "Annotations")  # usual folders of label files


def claimants(path: Path, among: Iterable[Format] | None = None) -> list[Format]:
    """The formats that a file or folder looks like; raises FormatError where nothing can be read there."""
    try:
        head = head_of(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FormatError(f"{path} cannot be read ({reason}); check its place.") from error
    return [form for form in (formats() if among is None else among) if form.claims(path, head)]


def recognise(path: Path, name: str | None = None) -> tuple[Format, Path]:
    """The format of labels at `path`, and the file or folder to read.

    name: the format where it is known; else the one that claims the path. A folder that no format claims as a
    whole may hold one label file. Raises FormatError where nothing or more than one thing fits.
    """
    if not os.path.exists(path):
        raise FormatError(f"There is no file or folder {path}; check its place.")
    among = [find(name)] if name else None
    found = claimants(path, among)
    if len(found) == 1 or (name and os.path.isfile(path) and path.stat().st_size):
        return (found or among or [])[0], path
    if len(found) > 1:
        names = " or ".join(sorted(form.name for form in found))
        raise FormatError(f"{path.name} may be {names}; say which one with --from.")
    if os.path.isdir(path):
        return _in_folder(path, among)
    if not path.stat().st_size:
        raise FormatError(f"{path.name} is empty; export the labels again, or choose another file.")
    known = ", ".join(sorted(form.name for form in formats()))
    raise FormatError(f"{path.name} is of no known label format; name one with --from: {known}.")


def _in_folder(folder: Path, among: list[Format] | None) -> tuple[Format, Path]:
    """The only label file of a folder; raises FormatError."""
    held = [(form, file) for file in _files(folder) for form in claimants(file, among)]
    files = sorted({file for _, file in held})
    if not held and among:
        return among[0], folder  # it says itself what it misses
    if not held:
        raise FormatError(f"The folder {folder.name} holds no labels of a known format; choose the label file itself.")
    if len(files) > 1:
        names = ", ".join(shown(file.relative_to(folder).as_posix()) for file in files[:4])
        raise FormatError(f"The folder {folder.name} holds {len(files)} label files ({names}); choose one of them.")
    if len(held) > 1:
        names = " or ".join(sorted(form.name for form, _ in held))
        raise FormatError(f"{files[0].name} may be {names}; say which one with --from.")
    return held[0]


def _files(folder: Path) -> list[Path]:
    """Files of a folder, and of the usual folders of labels in it."""
    found: list[Path] = []
    for place in (folder, *(folder / name for name in INNER)):
        if os.path.isdir(place):
            found += [file for file in sorted(place.iterdir())[:MAX_FILES] if os.path.isfile(file)]
    return found
