"""Which models the compiled engine was seen to compute right, kept from one start of the program to the next."""

from __future__ import annotations

import contextlib
import hashlib
import platform
from pathlib import Path

KEPT = 200  # marks; each is an empty file

folder: Path | None = None  # where the marks lie; nothing is kept without one


def seen(sha256: str, isa: str, library: Path) -> bool:
    """Whether this very library gave the reference's values for this model on this machine before."""
    mark = _mark(sha256, isa, library)
    return mark is not None and mark.exists()


def keep(sha256: str, isa: str, library: Path) -> None:
    """Remember that it did. Where nothing can be written, the next start compares again."""
    mark = _mark(sha256, isa, library)
    if mark is None:
        return
    with contextlib.suppress(OSError):
        mark.parent.mkdir(exist_ok=True)
        for old in sorted(mark.parent.iterdir(), key=lambda m: m.stat().st_mtime)[: 1 - KEPT]:
            old.unlink()
        mark.touch()


def _mark(sha256: str, isa: str, library: Path) -> Path | None:
    """A name that changes with all that the comparison depends on."""
    if folder is None:
        return None
    try:
        built = hashlib.sha256(library.read_bytes()).hexdigest()
    except OSError:
        return None
    parts = (sha256, isa, built, platform.node(), platform.machine())
    return folder / hashlib.sha256("\n".join(parts).encode()).hexdigest()
