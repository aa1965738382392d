"""Copies of a project in the data folder, made when it is opened and has changed since the last; and the way back."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

from app.files import beside, data_folder, shortened, sweep, sync_folder
from app.project.opening import Busy, is_whole
from app.project.store import Store
from engine.errors import UserError

KEPT, KEPT_DAMAGED = 10, 2
LONGEST_NAME = 170  # bytes of a project's name in a copy's
DAMAGED = " damaged"
SUFFIX = ".hourbit-project"


@dataclass(frozen=True)
class Backup:
    """One copy; number counts them, revision the edits in it, made is its file's time, seconds since 1970.

    damaged: it was made of a project in which something was damaged.
    """

    path: Path
    number: int
    revision: int
    made: float
    damaged: bool = False

    @property
    def when(self) -> str:
        """Local day and time."""
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(self.made))


def back_up(store: Store) -> None:
    """Copy a project unless its newest copy is of its revision; raises UserError or OSError.

    A copy of damage takes no whole one's place: the newest ones of both kinds are kept.
    """
    folder = data_folder() / "backups"
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    known, revision = backups(store.path), int(store.meta()["revision"])
    if not revision or (known and known[0].revision == revision):
        return
    number = known[0].number + 1 if known else 1

    def place(revision: int, mark: str = "") -> Path:
        return folder / f"{_prefix(store.path)}{number:06d}-{revision:09d}{mark}{SUFFIX}"

    made = place(revision)
    copied = store.backup(made, patient=False)
    name = place(copied, "" if is_whole(made) else DAMAGED)
    if name != made:  # edits have come meanwhile
        os.replace(made, name)
    whole, damaged = ([b for b in backups(store.path) if b.damaged is kind] for kind in (False, True))
    for old in (*whole[KEPT:], *damaged[KEPT_DAMAGED:]):
        old.path.unlink(missing_ok=True)


def backups(path: Path) -> list[Backup]:
    """The copies of a project, newest first: by their number, whatever the clock said."""
    folder, found = data_folder() / "backups", []
    named = re.compile(re.escape(_prefix(path)) + rf"(?:(\d{{6}})-)?(\d{{9}})({DAMAGED})?" + re.escape(SUFFIX))
    for file in folder.iterdir() if os.path.isdir(folder) else ():
        name = named.fullmatch(file.name)
        if name:
            with contextlib.suppress(OSError):  # gone meanwhile
                found.append(Backup(file, int(name[1] or 0), int(name[2]), file.stat().st_mtime, bool(name[3])))
    return sorted(found, key=lambda backup: (backup.number, backup.revision), reverse=True)


def restore(path: Path, backup: Backup) -> Path | None:
    """Put a copy in a project's place; returns where what was there is kept, None where nothing was.

    Nothing is lost whenever it is cut off: the present project is set aside first. Raises UserError where another
    program has it open, or the disk refuses.
    """
    aside = None
    part = beside(path)
    try:
        shutil.copyfile(backup.path, part)
        with open(part, "rb+") as file:
            os.fsync(file.fileno())
        if os.path.exists(path):
            aside = _set_aside(path)
        os.replace(part, path)
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"{path} cannot be restored ({reason}); choose another place or free space.") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    sync_folder(path.parent)
    return aside


def _set_aside(path: Path) -> Path:
    """Copy a project and its log as they are; the log then goes, since it must not be read with another file."""
    names = (path.with_name(f"{path.name.removesuffix(SUFFIX)}, set aside {n}{SUFFIX}") for n in itertools.count(1))
    aside = next(name for name in names if not os.path.exists(name))
    log = path.with_name(f"{path.name}-wal")
    copies = {path: aside, log: aside.with_name(f"{aside.name}-wal")}
    try:
        for file, copy in copies.items():
            if os.path.exists(file):
                shutil.copyfile(file, copy)
        Store.open(path, newer=True).close()
    except Busy:
        for copy in copies.values():
            copy.unlink(missing_ok=True)
        raise
    except UserError:  # no project at all: that is what the backup is for
        pass
    sync_folder(path.parent)
    log.unlink(missing_ok=True)
    return aside


def _prefix(path: Path) -> str:
    """Its name, and a number for its place: projects of one name in two folders are two."""
    place = str(path.resolve()).encode("utf-8", "surrogateescape")
    return f"{shortened(path.stem[:60], LONGEST_NAME)}-{zlib.crc32(place):08x}-"
