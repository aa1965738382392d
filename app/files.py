"""Files: where Hourbit keeps its own, and writing them whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable
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
    check_place(path)
    temporary = path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}.part")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.chmod(temporary, path.stat().st_mode & 0o777)
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        reason = error.strerror or error
        raise UserError(f"{path} cannot be written ({reason}); choose another place or free space.") from error
    sync_folder(path.parent)


def check_place(path: Path) -> None:
    """Raise UserError where no file can be `path`: it is a folder, or its folder is missing."""
    reason = "it is a folder" if os.path.isdir(path) else "there is no such folder"
    if os.path.isdir(path) or not os.path.isdir(path.parent):
        raise UserError(f"{path} cannot be written ({reason}); choose another place or free space.")


def refuse_inputs(path: Path, inputs: Iterable[Path]) -> None:
    """Raise UserError where writing `path` would replace one of the files that are read."""
    target = os.path.realpath(path)
    for file in inputs:
        try:
            same = os.path.realpath(file) == target or (os.path.exists(path) and os.path.samefile(file, path))
        except (OSError, ValueError):  # gone, or no name on this system
            continue
        if same:
            raise UserError(f"{path} would replace what is read; choose another place for the result.")


def sync_folder(folder: Path) -> None:
    """Make a rename in a folder durable, where the system knows how."""
    with contextlib.suppress(OSError):  # Windows and some network shares open no folders
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def safe_join(folder: str | Path, name: str) -> Path:
    """A path inside `folder`; raises UserError where `name` would leave it."""
    try:
        folder = Path(folder).resolve()
        path = (folder / name).resolve()
        inside = path != folder and path.is_relative_to(folder)
    except (ValueError, OSError):  # a zero byte, or longer than the system bears
        inside = False
    if not inside:
        raise UserError(f"The name {name!r} leads outside {Path(folder).name}; use a plain file name.")
    return path
