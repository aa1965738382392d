"""What `hourbit predict` reads: pictures, folders of them, videos and data packs, one picture at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.commands.output import say
from app.sources.video import VIDEO_SUFFIXES, Video
from engine.errors import UserError
from engine.images import IMAGE_SUFFIXES, load_image, natural_key
from engine.packs import Pack, load_pack
from engine.types import Box


@dataclass(frozen=True)
class Item:
    """One picture: where it is from, a file name for what is made of it, pixels, and its box where one is known."""

    path: str
    name: str
    pixels: np.ndarray
    box: Box | None = None


@dataclass
class Inputs:
    """All pictures of the given places, in order; of them, every `count`th from `shard` on (from 1).

    After the walk, `unreadable` counts pictures that were skipped with a remark.
    """

    places: list[Path]
    shard: int = 1
    count: int = 1
    unreadable: int = 0

    def __post_init__(self) -> None:
        self._names: set[str] = set()
        found = {path.resolve(): path for place in self.places for path in _files(place)}
        self.files = list(found.values())  # each once, however often it was named

    @property
    def total(self) -> int | None:
        """How many pictures will come; None where a video or pack would have to be read for that."""
        pictures = all(path.suffix.lower() in IMAGE_SUFFIXES for path in self.files)
        return len(range(self.shard - 1, len(self.files), self.count)) if pictures else None

    def __iter__(self) -> Iterator[Item]:
        turn = 0
        for path in self.files:
            for read in self._opened(path):
                mine = turn % self.count == self.shard - 1
                turn += 1
                item = read(mine)
                if mine and item is not None:
                    yield item

    def _opened(self, path: Path) -> Iterator[Callable[[bool], Item | None]]:
        """What `_readers` gives; among others, a file that does not open is skipped with a remark."""
        try:
            yield from self._readers(path)
        except (UserError, OSError) as error:
            if len(self.files) == 1:
                raise
            self.unreadable += 1
            say(f"{path}: {error}")

    def _readers(self, path: Path) -> Iterator[Callable[[bool], Item | None]]:
        """One function a picture of this file; called with whether its picture is wanted."""
        if path.suffix.lower() in VIDEO_SUFFIXES:
            yield from self._video(path)
        elif path.suffix.lower() == ".npz":
            pack = load_pack(path)
            for n in range(len(pack)):
                name = self._name(f"{path.stem}_{n:06d}")
                yield lambda mine, n=n, name=name: self._packed(path, pack, n, name) if mine else None
        else:
            name = self._name(path.stem)
            yield lambda mine: self._picture(path, name) if mine else None

    def _picture(self, path: Path, name: str) -> Item | None:
        try:
            return Item(str(path.resolve()), name, load_image(path))
        except (UserError, OSError) as error:
            self.unreadable += 1
            say(f"{path}: {error}")
            return None

    def _packed(self, path: Path, pack: Pack, n: int, name: str) -> Item:
        cx, cy, side = (float(v) for v in pack.box[n])
        box = Box(cx, cy, side, 1.0, "file")
        return Item(f"{path.resolve()}#{n}", name, pack.image(n), box)

    def _video(self, path: Path) -> Iterator[Callable[[bool], Item | None]]:
        video = Video(path, paced=False)
        video.open()
        try:
            while (frame := video.read()) is not None:
                name = self._name(f"{path.stem}_{frame.index:06d}")
                yield lambda mine, f=frame, n=name: Item(f"{path.resolve()}#{f.index}", n, f.pixels) if mine else None
        finally:
            video.close()

    def _name(self, name: str) -> str:
        """A file name that no other picture of this walk has, whichever shard it is in."""
        free, n = name, 1
        while free.casefold() in self._names:
            n += 1
            free = f"{name}-{n}"
        self._names.add(free.casefold())
        return free


def _files(place: Path) -> list[Path]:
    known = (*IMAGE_SUFFIXES, *VIDEO_SUFFIXES)
    if os.path.isdir(place):
        found = [path for path in place.iterdir() if path.suffix.lower() in known and os.path.isfile(path)]
        if not found:
            raise UserError(f"{place} holds no pictures and no videos; choose another folder.")
        return sorted(found, key=lambda path: (natural_key(path.name), path.name))
    if not os.path.exists(place):
        raise UserError(f"There is no {place}; check the path.")
    if place.suffix.lower() not in (*known, ".npz"):
        raise UserError(f"{place.name} is no picture, video or pack that Hourbit reads; choose another file.")
    return [place]
