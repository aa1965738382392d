"""Files: where Hourbit keeps its own, and writing them whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import socket
import zlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import BinaryIO

import platformdirs

from engine.errors import UserError

LEFT = re.compile(r"\..{1,40}\.([0-9a-f]{1,8})-[0-9a-f]{4}([0-9a-f]{4})\.part(?:-journal|-wal|-shm)?", re.DOTALL)


def data_folder() -> Path:
    """Where models, runs, settings and logs live; HOURBIT_HOME overrides the system's place. Made if missing."""
    home = os.environ.get("HOURBIT_HOME")
    folder = Path(home) if home else Path(platformdirs.user_data_dir("Hourbit", appauthor=False))
    with contextlib.suppress(OSError):  # a home that cannot be written must not keep the app from starting
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def atomic_write(path: str | Path, data: bytes, durable: bool = True) -> None:
    """Replace a file's contents: afterwards it holds the old bytes or the new, never a part.

    Raises UserError with the reason where it cannot be written; the old file is then untouched. What can be made
    again need not be `durable`: a power cut may leave it empty.
    """
    with atomic_file(path, durable) as file:
        file.write(data)


@contextlib.contextmanager
def atomic_file(path: str | Path, durable: bool = True) -> Iterator[BinaryIO]:
    """A file to write piece by piece; it takes the place of `path` when the block ends without an error.

    Raises UserError with the reason where it cannot be written. Whatever ends the block early, the old file stays
    untouched and nothing is left beside it.
    """
    path = Path(path)
    check_place(path)
    temporary = beside(path)
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        if os.path.exists(path):
            os.chmod(temporary, path.stat().st_mode & 0o777)
        os.replace(temporary, path)
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"{path} cannot be written ({reason}); choose another place or free space.") from error
    finally:  # gone where it took its place
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    if durable:
        sync_folder(path.parent)


@contextlib.contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """An empty folder to fill; it becomes `path` when the block ends without an error.

    Only a place where there is nothing, or an empty folder, can be written: raises UserError otherwise. Whatever
    ends the block early, nothing is left.
    """
    path = Path(path)
    if not os.path.isdir(path.parent):
        raise UserError(f"{path} cannot be written (there is no such folder); choose another place or free space.")
    if os.path.lexists(path) and not (os.path.isdir(path) and not os.path.islink(path) and not any(path.iterdir())):
        raise UserError(f"{path} exists already and is not empty; choose a new folder.")
    temporary = beside(path)
    try:
        temporary.mkdir()
        yield temporary
        for folder, _, names in os.walk(temporary):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    os.fsync(file.fileno())
            sync_folder(Path(folder))
        if os.path.exists(path):
            path.rmdir()
        os.rename(temporary, path)
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"{path} cannot be written ({reason}); choose another place or free space.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sync_folder(path.parent)


def beside(path: Path) -> Path:
    """A name next to `path` for what is still being written; `sweep` knows it by the process that writes."""
    return path.with_name(f".{path.name[:40]}.{os.getpid():x}-{secrets.token_hex(2)}{computer()}.part")


def free_name(folder: Path, stem: str, suffix: str = "", between: str = " ") -> Path:
    """A place in a folder that is not taken yet: the stem's, else with the first number from 2 that is free."""
    path, number = folder / f"{stem}{suffix}", 1
    while os.path.exists(path):
        number += 1
        path = folder / f"{stem}{between}{number}{suffix}"
    return path


def shortened(name: str, room: int) -> str:
    """A name of at most `room` bytes: as it is, or its beginning and eight digits that tell it from others."""
    data = os.fsencode(name)
    if len(data) <= room:
        return name
    start = data[: room - 9].decode("utf-8", "ignore")
    return f"{start}-{zlib.crc32(data):08x}"


def as_text(name: str) -> str:
    """A file's name, which may be no text, as one that can be written anywhere."""
    return os.fsencode(name).decode("utf-8", "replace")


def sweep(folder: Path) -> None:
    """Remove what programs that ended in the middle of writing have left in a folder; never what is being written."""
    with contextlib.suppress(OSError):  # a folder that cannot be read or written keeps what it has
        for entry in list(os.scandir(folder)):
            left = LEFT.fullmatch(entry.name)
            if left is None or left[2] != computer() or _runs(int(left[1], 16)):
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)


@cache
def computer() -> str:
    """Four digits that tell this computer from others that write to the same disk."""
    return f"{zlib.crc32(socket.gethostname().encode()) & 0xFFFF:04x}"


def _runs(process: int) -> bool:
    """Whether there is such a process; yes where that cannot be told."""
    if os.name != "posix":
        return True  # asking would end it
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass
    return True


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
