"""Where frames come from: cameras, video files, folders, streams."""

from __future__ import annotations

from pathlib import Path

from app.sources.base import Source, SourceError
from app.sources.folder import Folder
from app.sources.stream import SCHEMES, Stream
from app.sources.video import VIDEO_SUFFIXES, Video

__all__ = ["Source", "SourceError", "open_place"]


def open_place(place: str | Path, loop: bool = True, hold: bool = False) -> Source:
    """The source for a video file, a folder of pictures or a stream's address; raises SourceError for others.

    With `hold`, videos and folders wait after the last frame where they do not loop.
    """
    text = str(place)
    if text.split("://", 1)[0].lower() in SCHEMES and "://" in text:
        return Stream(text)
    path = Path(place)
    if path.is_dir():
        return Folder(path, loop=loop, hold=hold)
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return Video(path, loop=loop, hold=hold)
    raise SourceError(f"{path.name} is neither a video nor a folder; choose one of these.")
