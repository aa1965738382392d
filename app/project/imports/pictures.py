"""Where the pictures of a label file are in a project: by path, then by their bytes, then by the end of the name."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.project.document import Document
from app.project.edits import NewImage
from app.project.values import Image
from engine.errors import UserError
from engine.images import image_size
from engine.labels import LabelSet, Picture
from engine.regular import digest_of

Progress = Callable[[float, float | None], None]


@dataclass(frozen=True)
class Place:
    """A picture's place: an image of the project, or a picture to add, or neither and why."""

    image: int = 0
    new: NewImage | None = None
    problem: str = ""

    @property
    def key(self) -> int | str:
        """The same for pictures that are one image."""
        return self.image or (self.new.path if self.new is not None else "")


def place_pictures(document: Document, labels: LabelSet, progress: Progress | None = None) -> list[Place]:
    """A Place for each picture of the labels; reads pictures that the project does not have, and changes nothing."""
    search = _Search(document)
    found = []
    for n, picture in enumerate(labels.pictures):
        if progress is not None:
            progress(n, len(labels.pictures))
        found.append(search.place(picture))
    return found


class _Search:
    def __init__(self, document: Document) -> None:
        self._paths: dict[str, Image] = {}
        self._digests: dict[str, Image] = {}
        self._tails: dict[str, list[Image]] = {}
        self._new: dict[str, Place] = {}  # digest -> the first new picture with it
        for image in document.images():
            self._paths[_key(document.picture_path(image))] = image
            if image.digest:
                self._digests.setdefault(image.digest, image)
            self._tails.setdefault(_parts(image.path)[-1], []).append(image)

    def place(self, picture: Picture) -> Place:
        if picture.path is None:
            image = self._by_name(picture)
            return Place(image.id) if image is not None else Place(problem="it was not found")
        known = self._paths.get(_key(picture.path))
        try:
            size = picture.size or image_size(picture.path)
            if known is not None:
                return _fitting(known, size)
            digest = digest_of(picture.path)
        except (UserError, OSError, ValueError) as error:
            return Place(problem=f"it cannot be read ({error})")
        if digest in self._digests:
            return _fitting(self._digests[digest], size)
        made = Place(new=NewImage(os.path.abspath(picture.path), *size, digest))
        return self._new.setdefault(digest, made)

    def _by_name(self, picture: Picture) -> Image | None:
        """The project's only image with this name and size; of several, the one that shares most folders."""
        parts = _parts(picture.name)
        held = self._tails.get(parts[-1], []) if parts else []
        held = [image for image in held if picture.size in (None, (image.width, image.height))]
        shared = [_shared(parts, _parts(image.path)) for image in held]
        best = [image for image, count in zip(held, shared, strict=True) if count == max(shared)]
        return best[0] if len(best) == 1 else None


def _fitting(image: Image, size: tuple[int, int]) -> Place:
    if (image.width, image.height) != size:
        was = f"{image.width} x {image.height}"
        return Place(problem=f"the project has it at {was} pixels, and now it has {size[0]} x {size[1]}")
    return Place(image.id)


def _key(path: Path) -> str:
    return os.path.normcase(os.path.realpath(path))


def _parts(name: str) -> list[str]:
    return [part.casefold() for part in name.replace("\\", "/").split("/") if part]


def _shared(a: list[str], b: list[str]) -> int:
    count = 0
    for one, other in zip(reversed(a), reversed(b), strict=False):
        if one != other:
            break
        count += 1
    return count
