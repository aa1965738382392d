"""Pictures that go with an export: plain names below its folder, and copies or links."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from app.formats.registry import FormatError
from engine.label_pictures import plain_name
from engine.labels import Picture


def plain_parts(name: str) -> tuple[str, ...]:
    """The parts of a picture's name without drives, roots and steps upwards, so that it stays below its folder."""
    parts = [re.sub(r'[\x00-\x1f<>:"|?*]', "_", part) for part in plain_name(name).split("/")]
    if re.fullmatch("[A-Za-z]_", parts[0]):  # a drive
        parts = parts[1:]
    return tuple(part for part in parts if part.strip(". ")) or ("picture",)


def copy_picture(source: Path, place: Path, how: str = "copy") -> None:
    """Copy a picture into an export, or link it (how "link"); raises FormatError where it is gone."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.isfile(source):
        raise FormatError(f"{source} is not there any more; find the picture first.")
    if how == "link":
        _link(source.resolve(), place)
        return
    try:
        with source.open("rb") as file, place.open("xb") as target:
            shutil.copyfileobj(file, target)
    except FileNotFoundError as error:
        raise FormatError(f"{source} is not there any more; find the picture first.") from error


def _link(source: Path, place: Path) -> None:
    """A symbolic link, or where the system has none for us, a second name of the same file."""
    try:
        os.symlink(source, place)
    except (OSError, NotImplementedError):
        try:
            os.link(source, place)
        except OSError as error:
            reason = error.strerror or error
            raise FormatError(f"Pictures cannot be linked there ({reason}); copy them instead.") from error


def plain_names(paths: Sequence[Path]) -> list[str]:
    """Names of pictures below one folder: as they lie below what they share, each once whatever the letters' case."""
    parents = [os.path.abspath(path.parent) for path in paths]
    try:
        common = os.path.commonpath(parents) if parents else ""
    except ValueError:  # on several drives
        common = ""
    made, taken = [], set()
    for path, parent in zip(paths, parents, strict=True):
        name = os.path.join(os.path.relpath(parent, common) if common else "", path.name)
        place, again = PurePosixPath(*plain_parts(os.path.normpath(name))), 2
        stem = place.stem
        while place.as_posix().casefold() in taken:
            place, again = place.with_name(f"{stem}_{again}{place.suffix}"), again + 1
        taken.add(place.as_posix().casefold())
        made.append(place.as_posix())
    return made


def beside_names(pictures: Sequence[Picture]) -> list[PurePosixPath]:
    """Names below a folder for pictures with label files of their own stem beside them: no two share one."""
    made, taken = [], set()
    for picture in pictures:
        place = PurePosixPath(*plain_parts(picture.name))
        stem, again = place.stem, 2
        while (key := place.with_suffix("").as_posix().casefold()) in taken:
            place, again = place.with_name(f"{stem}-{again}{place.suffix}"), again + 1
        taken.add(key)
        made.append(place)
    return made
