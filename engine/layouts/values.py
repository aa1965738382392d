"""What readers of data sets share: options, the error, and how several files become one label set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine.label_files import ReadOptions
from engine.labels import LabelSet, Skeleton
from engine.regular import open_regular
from engine.rows import join
from engine.schema import load_schema

HEAD = 1 << 16  # bytes by which a file is recognised


@dataclass(frozen=True)
class Options(ReadOptions):
    """How to read, and of some layouts: places: which of several sets of landmarks is meant (300W-LP: "pts_2d"
    or "pts_3d" of its landmarks folder; else ""); visible_flag: the value that means visible in AFLW-PIFA."""

    places: str = ""
    visible_flag: int = 1


@dataclass(frozen=True)
class Layout:
    """One layout. claims(path, head): whether a file (head: its first 64 KiB) or folder (b"") looks like it, cheap,
    never raises; read(path, options): everything it says; files(folder): the files of it that a folder holds."""

    name: str
    title: str
    claims: Callable[[Path, bytes], bool]
    read: Callable[[Path, Options], LabelSet]
    files: Callable[[Path], list[Path]] = field(default=lambda folder: [])


def head_of(path: Path) -> bytes:
    """A file's first 64 KiB."""
    with open_regular(path) as file:
        return file.read(HEAD)


def skeleton(schema: str) -> Skeleton:
    """The landmarks of a schema that ships."""
    read = load_schema(schema)
    return Skeleton(read.name, read.landmarks, read.edges, read.flip)


def offset(options: Options, own: float) -> float:
    """What is added to coordinates: the layout's own, or what was asked for."""
    return own if options.offset is None else options.offset


def merge(sets: Sequence[LabelSet]) -> LabelSet:
    """Several label sets as one: pictures one after the other, tables of one skeleton joined."""
    if len(sets) == 1:
        return sets[0]
    pictures, parts = [], {}
    for each in sets:
        for held in each.tables:
            key = (held.skeleton.name, held.skeleton.landmarks)
            parts.setdefault(key, []).append(replace(held, picture=held.picture + len(pictures)))
        pictures += each.pictures
    tables = tuple(join(of) for of in parts.values())
    info = {name: value for each in sets for name, value in each.info.items()}
    return LabelSet(tuple(pictures), tables, tuple(p for each in sets for p in each.problems), info)
