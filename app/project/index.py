"""A project's images in memory: by id, by path, in natural order, counted by state."""

from __future__ import annotations

import os
from collections import Counter

from app.project.values import Image, State
from engine.images import natural_key


class ImageIndex:
    """All images; every question is answered without a walk over them, but for the order after some were added."""

    def __init__(self) -> None:
        self._images: dict[int, Image] = {}
        self._paths: dict[str, int] = {}
        self._counts: Counter[State] = Counter()
        self._keys: dict[int, tuple] = {}
        self._order: list[int] | None = None

    def __contains__(self, id: int) -> bool:
        return id in self._images

    def __getitem__(self, id: int) -> Image:
        return self._images[id]

    def put(self, image: Image) -> None:
        """Add an image, or take its new values."""
        self.drop(image.id, keep_order=image.id in self._images and self._images[image.id].path == image.path)
        if image.id not in self._keys:
            self._order = None
        self._images[image.id] = image
        self._paths[path_key(image.path)] = image.id
        self._counts[image.state] += 1

    def drop(self, id: int, keep_order: bool = False) -> None:
        """Forget an image."""
        old = self._images.pop(id, None)
        if old is None:
            return
        self._counts[old.state] -= 1
        if self._paths.get(path_key(old.path)) == id:
            del self._paths[path_key(old.path)]
        if not keep_order:
            self._keys.pop(id, None)
            self._order = None

    def find(self, path: str) -> int:
        """The id of the image with this path, 0 where there is none."""
        return self._paths.get(path_key(path), 0)

    def ordered(self) -> list[Image]:
        """All images in natural order of their paths."""
        if self._order is None:
            for id, image in self._images.items():
                if id not in self._keys:
                    self._keys[id] = (natural_key(image.path), id)
            self._order = sorted(self._images, key=self._keys.__getitem__)
        return [self._images[id] for id in self._order]

    def counts(self) -> dict[State, int]:
        """How many images are in each state."""
        return {state: self._counts[state] for state in State}


def path_key(path: str) -> str:
    """What paths are compared by: their letters' case counts only where the system minds it."""
    return os.path.normcase(path)
