"""Where frames come from: cameras, video files, folders, streams."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from app.sources.base import Source, SourceError
from app.sources.folder import Folder
from app.sources.stream import SCHEMES, Stream
from app.sources.video import ANIMATIONS, VIDEO_SUFFIXES, Video

__all__ = ["Source", "SourceError", "open_place", "register_source"]

_OPENERS: dict[str, Callable[[str], Source]] = {}


def register_source(scheme: str, make: Callable[[str], Source]) -> None:
    """Open addresses that begin with `scheme://` by `make(address)`; raises SourceError where another does already."""
    scheme = scheme.lower()
    if not scheme.isalnum() or _OPENERS.get(scheme, make) is not make:
        raise SourceError(f"Addresses with {scheme}:// cannot be taken over; choose another word.")
    _OPENERS[scheme] = make


for _scheme in SCHEMES:
    register_source(_scheme, Stream)


def open_place(place: str | Path, loop: bool = True, hold: bool = False) -> Source:
    """The source for a video file, a folder of pictures or a stream's address; raises SourceError for others.

    With `hold`, videos and folders wait after the last frame where they do not loop.
    """
    text = str(place).strip()
    scheme = text.partition("://")[0].lower() if "://" in text else ""
    if scheme in _OPENERS:
        return _OPENERS[scheme](text)
    path = Path(place)
    if os.path.isdir(path):
        return Folder(path, loop=loop, hold=hold)
    if path.suffix.lower() in (*VIDEO_SUFFIXES, *ANIMATIONS):
        return Video(path, loop=loop, hold=hold)
    raise SourceError(f"{path.name} is neither a video nor a folder; choose one of these.")
