"""Files: where Hourbit keeps its own, and writing them whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import platformdirs

from engine.errors import UserError


def data_folder() -> Path:
    """Where models, runs, settings and logs live; HOURBIT_HOME overrides the system's place. Made if missing."""
    home = os.environ.get("HOURBIT_HOME")
    folder = Path(home) if home else Path(platformdirs.user_data_dir("Hourbit", appauthor=False))
    with contextlib.suppress(OSError):  # a home that cannot be written must not keep the app from starting
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def atomic_write(path: str | Path, data: bytes) -> None:
    """Replace a file's contents: afterwards it holds the old bytes or the new, never a part.

    Raises UserError with the reason where it cannot be written; the old file is then untouched.
    """
    path = Path(path)
    temporary = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _mode(path))
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise UserError(f"{path} cannot be written ({error.strerror}); choose another place or free space.") from error


def _mode(path: Path) -> int:
    """Permissions of the file that is replaced, or those that a new file gets here."""
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _sync_folder(folder: Path) -> None:
    """Make a rename durable; Windows knows no such call."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def safe_join(folder: str | Path, name: str) -> Path:
    """A path inside `folder`; raises UserError where `name` would leave it."""
    folder = Path(folder).resolve()
    path = (folder / name).resolve()
    if path == folder or not path.is_relative_to(folder) or "\0" in name:
        raise UserError(f"The name {name!r} leads outside {folder.name}; use a plain file name.")
    return path
