"""Opening files that others name: a pipe, which waits for ever, or a device, which never ends, is told at once."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path
from typing import BinaryIO

READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


def open_regular(path: str | Path) -> BinaryIO:
    """A file to read bytes from; raises OSError where it cannot be opened, or is no ordinary file."""
    handle = os.open(path, READ)
    try:
        kind = os.fstat(handle).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(kind):
            raise OSError(errno.EINVAL, "it is a pipe or a device", str(path))
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_regular(path: str | Path) -> bytes:
    """All bytes of a file; raises OSError as `open_regular` does."""
    with open_regular(path) as file:
        return file.read()


def digest_of(path: str | Path) -> str:
    """SHA-256 of a file as hexadecimal digits; raises OSError as `open_regular` does."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def holds_other(path: str | Path, digest: str) -> bool:
    """Whether a file can be read and has another digest, so that what it holds is not what was labelled.

    digest: "" where it is not known; then nothing is read and nothing said against the file.
    """
    try:
        return bool(digest) and digest_of(path) != digest
    except (OSError, ValueError):  # it is missing, or no disk can have such a name
        return False
