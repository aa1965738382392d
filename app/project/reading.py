"""Opening a project to read: from a copy, so that neither a lock nor a folder that cannot be written stands in the way.

Under the exclusive lock of the program that has it nobody else can read the file itself; its bytes and those of its
log can be copied, and are a whole project where neither changed meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from app.project.backups import backups
from app.project.store import Store
from engine.errors import UserError

TRIES = 5


def open_copy(path: Path) -> tuple[Store, str]:
    """A store over a copy of a project in a folder that goes with it, and the time of a backup if it is one.

    Raises UserError where neither the project nor a backup of it can be read.
    """
    folder = tempfile.mkdtemp(prefix="hourbit-")
    copy = Path(folder) / path.name
    try:
        for _ in range(TRIES):
            if _copied(path, copy):
                with contextlib.suppress(UserError):  # a page was written while it was read
                    return _whole(copy, folder), ""
        for backup in backups(path):
            shutil.copyfile(backup.path, copy)
            _log(copy).unlink(missing_ok=True)
            return _whole(copy, folder), backup.when
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise UserError(f"{path} cannot be read ({error.strerror or error}); check the file and its folder.") from error
    except UserError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    raise UserError(f"{path.name} changes too fast to be copied; close it where it is open.")


def _whole(copy: Path, folder: str) -> Store:
    store = Store.open(copy, newer=True, goes_with=folder)
    try:
        store.strays()  # reads every page
    except UserError:
        store.close()
        raise
    return store


def _copied(path: Path, copy: Path) -> bool:
    """Copy a project with its log; whether neither changed meanwhile."""
    before = _stamps(path)
    shutil.copyfile(path, copy)
    _log(copy).unlink(missing_ok=True)
    with contextlib.suppress(FileNotFoundError):
        shutil.copyfile(_log(path), _log(copy))
    return before == _stamps(path)


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _stamps(path: Path) -> list[tuple[int, int] | None]:
    found: list[tuple[int, int] | None] = []
    for file in (path, _log(path)):
        try:
            stat = os.stat(file)
        except FileNotFoundError:
            found.append(None)
        else:
            found.append((stat.st_mtime_ns, stat.st_size))
    return found
