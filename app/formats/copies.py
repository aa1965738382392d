"""Pictures that go with an export: plain names below its folder, and copies."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from app.formats.pictures import plain_name
from app.formats.registry import FormatError


def plain_parts(name: str) -> tuple[str, ...]:
    """The parts of a picture's name without drives, roots and steps upwards, so that it stays below its folder."""
    parts = [re.sub(r'[\x00-\x1f<>:"|?*]', "_", part) for part in plain_name(name).split("/")]
    if re.fullmatch("[A-Za-z]_", parts[0]):  # a drive
        parts = parts[1:]
    return tuple(part for part in parts if part.strip(". ")) or ("picture",)


def copy_picture(source: Path, place: Path) -> None:
    """Copy a picture into an export; raises FormatError where it is gone."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        with source.open("rb") as file:
            target = place.open("xb")
            with target:
                shutil.copyfileobj(file, target)
    except FileNotFoundError as error:
        raise FormatError(f"{source} is not there any more; find the picture first.") from error
