"""What a label format is: something that claims, reads and writes files of one kind, as `engine.labels` values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.errors import UserError
from engine.label_files import FormatError, Progress, ReadOptions
from engine.labels import LabelSet

__all__ = [
    "Format", "FormatError", "Holds", "Progress", "ReadOptions", "WriteOptions", "find", "formats", "register",
]  # fmt: skip


@dataclass(frozen=True)
class WriteOptions:
    """How to write. offset: what reading adds, so it is subtracted here; None for the format's own; progress: as
    in ReadOptions; pictures: whether formats that hold pictures "copy" or "link" them."""

    offset: float | None = None
    progress: Progress | None = None
    pictures: str = "copy"


@dataclass(frozen=True)
class Holds:
    """What a format can say; the report of loss before writing follows from this and the labels alone."""

    absent: bool = True  # a landmark that is not there
    occluded: bool = True  # told from a visible one
    several: bool = True  # more than one instance in a picture
    several_skeletons: bool = False  # subjects of different kinds in one file
    any_shape: bool = True  # those kinds may differ in number of landmarks and in mirror pairs
    boxes: bool = True
    names: bool = True  # of landmarks
    order: bool = True  # of landmarks, and those that no instance has; without it there are no lines and mirror pairs
    edges: bool = True
    subpixel: bool = True
    outside: bool = True  # landmarks beyond the edge of their picture
    scores: bool = False
    subjects: bool = False  # ids of persons or tracks
    empty: bool = True  # pictures without an instance
    landmarks: tuple[int, ...] = ()  # the only numbers of landmarks that fit; any where empty
    flip: bool = False  # mirror pairs of landmarks
    origins: bool = False  # what a model found told from what a hand placed
    splits: bool = False  # training, validation and test
    visited: bool = False  # an empty picture that was looked at told from one that was not
    attributes: bool = False  # of pictures
    extras: tuple[str, ...] = ()  # further columns of the tables, by name
    bare: bool = True  # instances without a single landmark
    without_size: bool = True  # pictures whose size is unknown


class Format(Protocol):
    """One format. `holds` is None for formats that are only read; `suffix` is "" where a folder is written.

    One whose folder has the pictures in it has `packs_pictures = True`.
    """

    name: str
    title: str
    suffix: str
    holds: Holds | None

    def claims(self, path: Path, head: bytes) -> bool:
        """Whether a file (with its first 64 KiB) or a folder (b"") looks like this format; cheap, never raises."""

    def read(self, path: Path, options: ReadOptions) -> LabelSet:
        """Everything the file says; what was skipped is listed as problems. Raises FormatError."""

    def write(self, labels: LabelSet, out: Path, options: WriteOptions) -> None:
        """Write whole or not at all; raises FormatError where nothing sensible can be written."""


_FORMATS: dict[str, Format] = {}


def register(form: Format) -> None:
    """Add a format; raises UserError where its name is taken by another kind."""
    held = _FORMATS.get(form.name)
    if held is not None and type(held).__qualname__ != type(form).__qualname__:
        raise UserError(f"There is a format {form.name!r} already; give this one another name.")
    _FORMATS[form.name] = form


def formats() -> list[Format]:
    """All formats in the order of their registration."""
    return list(_FORMATS.values())


def find(name: str) -> Format:
    """A format by name; raises UserError that lists the names."""
    if name not in _FORMATS:
        raise UserError(f"There is no format {name!r}; choose one of: {', '.join(sorted(_FORMATS))}.")
    return _FORMATS[name]
