"""What readers of label files share: how to read, what is told meanwhile, and the error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UserError


class FormatError(UserError):
    """A label file that cannot be read or written; one sentence with file, place and remedy."""


Progress = Callable[[float, float | None], None]


@dataclass(frozen=True)
class ReadOptions:
    """How to read. offset: added to every coordinate, None for the format's own (documented in its docstring);
    pictures: folder in which pictures are looked for besides where the file says; progress: called with what is
    done and the total (None where unknown), and may raise to stop."""

    offset: float | None = None
    pictures: Path | None = None
    progress: Progress | None = None
