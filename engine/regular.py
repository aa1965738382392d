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


def is_digest(text: str) -> bool:
    """Whether a text can be what `digest_of` gives; of another kind of hash a file says nothing."""
    return len(text) == 2 * hashlib.sha256().digest_size


def digest_of(path: str | Path) -> str:
    """SHA-256 of a file as hexadecimal digits; raises OSError as `open_regular` does."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def holds_other(path: str | Path, digest: str) -> bool:
    """Whether a file can be read and has another digest, so that what it holds is not what was labelled.

    digest: "", or of another kind, where none is known; then nothing is read and nothing said against the file.
    """
    try:
        return is_digest(digest) and digest_of(path) != digest
    except (OSError, ValueError):  # it is missing, or no disk can have such a name
        return False
