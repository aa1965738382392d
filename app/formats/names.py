"""How written label files call pictures, so that the next reader finds them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from app.formats.registry import FormatError
from engine.label_pictures import plain_name
from engine.labels import Picture


def relative_name(file: Path, folder: Path) -> str:
    """Where a file lies, from a folder where both are in one tree, with forward slashes."""
    file, folder = Path(os.path.abspath(file)), Path(os.path.abspath(folder))
    try:
        common = Path(os.path.commonpath([file, folder]))
    except ValueError:  # on two drives
        return file.as_posix()
    return Path(os.path.relpath(file, folder)).as_posix() if len(common.parts) > 1 else file.as_posix()


def written_name(picture: Picture, folder: Path) -> str:
    """What a label file in `folder` calls a picture: where it lies from there, or its name where it was not found."""
    return plain_name(picture.name) if picture.path is None else relative_name(picture.path, folder)


def written_names(pictures: Iterable[Picture], folder: Path) -> list[str]:
    """Names of all pictures; raises FormatError where two would have the same one."""
    names = [written_name(picture, folder) for picture in pictures]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise FormatError(f"Two pictures are called {twice!r}; give them names of their own first.")
    return names
