"""Data sets in their original layouts (engine/layouts) as formats that are read."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from app.formats.registry import FormatError, Progress, ReadOptions, WriteOptions
from engine.errors import UserError
from engine.headers import HeaderError, read_header
from engine.label_pictures import size_of
from engine.labels import LabelSet, Picture

INSIDE = "inside"  # attribute of a picture: the pack that holds it


class LayoutFormat:
    """A layout by its name; offsets are those of its reader's docstring. Folders of several files are read as one."""

    suffix = ""
    holds = None

    def __init__(self, name: str) -> None:
        from engine.layouts import LAYOUTS

        self.name, self.title = name, LAYOUTS[name].title

    def claims(self, path: Path, head: bytes) -> bool:
        """As engine.layouts recognises it; a folder by the files that it holds."""
        from engine.layouts import LAYOUTS, sniff

        return self.name in sniff(path) if os.path.isdir(path) else LAYOUTS[self.name].claims(path, head)

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """Everything the files say; raises FormatError."""
        from engine.layouts import Options, read

        try:
            labels = read(path, self.name, Options(options.offset, options.pictures))
        except UserError as error:
            raise FormatError(str(error)) from error
        except OSError as error:
            raise FormatError(f"{path} cannot be read ({error.strerror or error}); check its place.") from error
        return _unpacked(path, labels) if self.name == "pack" else _sized(labels, options.progress)

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """Raises FormatError: layouts of data sets are only read."""
        raise FormatError(f"{self.title} can only be read; choose another format to write.")


def _sized(labels: LabelSet, progress: Progress | None) -> LabelSet:
    """Sizes of the pictures that were found, which layouts do not state."""
    pictures = []
    for n, picture in enumerate(labels.pictures):
        if progress is not None:
            progress(n, len(labels.pictures))
        known = picture.size is not None or picture.path is None
        pictures.append(picture if known else replace(picture, size=size_of(picture.path)))
    return replace(labels, pictures=tuple(pictures))


def _unpacked(path: Path, labels: LabelSet) -> LabelSet:
    """Pictures of a pack have no files of their own; their sizes are read from inside."""
    from engine.packs import load_pack

    pack = load_pack(path)
    pictures = []
    for n, picture in enumerate(labels.pictures):
        data = pack.blob[pack.offsets[n] : pack.offsets[n + 1]].tobytes()
        pictures.append(Picture(picture.name, None, _size(data), picture.split, True, {INSIDE: path.name}))
    return replace(labels, pictures=tuple(pictures))


def _size(data: bytes) -> tuple[int, int] | None:
    try:
        return read_header(data, whole=False).upright
    except HeaderError:
        return None
