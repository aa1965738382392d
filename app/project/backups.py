"""Copies of a project in the data folder, made when it is opened and has changed since the last."""

from __future__ import annotations

import zlib
from pathlib import Path

from app.files import data_folder
from app.project.store import Store

KEPT = 10
SUFFIX = ".hourbit-project"


def back_up(store: Store, revision: int) -> None:
    """Copy a project unless its newest copy is of this revision; raises UserError or OSError."""
    folder = data_folder() / "backups"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{_prefix(store.path)}{revision:09d}{SUFFIX}"
    if revision and not target.exists():
        store.backup(target)
        for old in backups(store.path)[KEPT:]:
            old.unlink(missing_ok=True)


def backups(path: Path) -> list[Path]:
    """The copies of a project, newest first."""
    folder, prefix = data_folder() / "backups", _prefix(path)
    if not folder.is_dir():
        return []
    found = [file for file in folder.iterdir() if file.name.startswith(prefix) and file.suffix == SUFFIX]
    return sorted(found, key=lambda file: file.name, reverse=True)


def _prefix(path: Path) -> str:
    """Its name, and a number for its place: projects of one name in two folders are two."""
    place = str(path.resolve()).encode("utf-8", "surrogateescape")
    return f"{path.stem[:60]}-{zlib.crc32(place):08x}-"
