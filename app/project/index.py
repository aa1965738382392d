"""A project's images in memory: by id, by path, in natural order, counted by state."""

from __future__ import annotations

import bisect
import os
from collections import Counter
from collections.abc import Iterable

from app.project.values import Image, State
from engine.images import natural_key, natural_order

FEW = 200  # images that are put in their places one by one; more are sorted with all others


class ImageIndex:
    """All images; every question is answered without a walk over them, but for the order after many were added."""

    def __init__(self, images: Iterable[Image] = ()) -> None:
        self._images = {image.id: image for image in images}
        self._by_path: dict[str, int] | None = None  # made when it is asked for
        self._counts: Counter[State] = Counter(image.state for image in self._images.values())
        self._order: list[int] = []
        self._astray: set[int] = set()  # ids that are not at their places in the order
        self._sort()

    def __contains__(self, id: int) -> bool:
        return id in self._images

    def __getitem__(self, id: int) -> Image:
        return self._images[id]

    def put(self, image: Image) -> None:
        """Add an image, or take its new values."""
        old = self._images.get(image.id)
        if old is None or old.path != image.path:
            if old is not None:
                self.drop(image.id)
            if self._by_path is not None:
                self._by_path[path_key(image.path)] = image.id
            self._astray.add(image.id)
        else:
            self._counts[old.state] -= 1
        self._images[image.id] = image
        self._counts[image.state] += 1

    def drop(self, id: int) -> None:
        """Forget an image."""
        old = self._images.pop(id, None)
        if old is None:
            return
        self._counts[old.state] -= 1
        if self._by_path is not None and self._by_path.get(path_key(old.path)) == id:
            del self._by_path[path_key(old.path)]
        self._astray.add(id)

    def find(self, path: str) -> int:
        """The id of the image with this path, 0 where there is none."""
        if self._by_path is None:
            self._by_path = {path_key(image.path): id for id, image in self._images.items()}
        return self._by_path.get(path_key(path), 0)

    def ordered(self) -> list[Image]:
        """All images in natural order of their paths."""
        if len(self._astray) > FEW:
            self._sort()
        elif self._astray:
            self._order = [id for id in self._order if id not in self._astray]
            for id in self._astray & self._images.keys():
                self._order.insert(bisect.bisect(self._order, self._key(id), key=self._key), id)
        self._astray.clear()
        return [self._images[id] for id in self._order]

    def counts(self) -> dict[State, int]:
        """How many images are in each state."""
        return {state: self._counts[state] for state in State}

    def _sort(self) -> None:
        ids = sorted(self._images)
        self._order = [ids[n] for n in natural_order([self._images[id].path for id in ids])]

    def _key(self, id: int) -> tuple:
        return natural_key(self._images[id].path), id


path_key = os.path.normcase  # what paths are compared by: letters' case counts only where the system minds it
