"""What a project holds, in memory in step with its file; what cannot be read is listed and left as it is."""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Iterable, Iterator

from app.project.index import ImageIndex
from app.project.records import TABLES, DamagedError, RowChange, image_from, instance_from
from app.project.store import Store
from app.project.values import Image, Instance, State
from engine.errors import UserError

INSTANCES_HELD = 512  # images whose instances stay in memory


class Contents:
    """Images, and the instances of those that were looked at last. Not for several threads at once.

    `damaged` lists what could not be read, as far as it was looked at.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.damaged: list[str] = []
        self._held: OrderedDict[int, tuple[Instance, ...]] = OrderedDict()
        self._hurt: set[int] = set()  # images of which an instance is damaged
        self.images = ImageIndex(self._read_images(store))

    def image(self, id: int) -> Image:
        """One image; raises UserError where there is none."""
        try:
            return self.images[id]
        except KeyError:
            raise UserError("This image is no longer in the project; choose another.") from None

    def instances(self, image: int) -> tuple[Instance, ...]:
        """The instances of an image, oldest first, without damaged ones."""
        if image not in self._held:
            self._held[image] = tuple(self._read_instances(image))
            if len(self._held) > INSTANCES_HELD:
                self._held.popitem(last=False)
        self._held.move_to_end(image)
        return self._held[image]

    def instance(self, id: int) -> Instance:
        """One instance; raises UserError where there is none, or it is damaged."""
        data = self._store.row("instances", id)
        if data is None:
            raise UserError("This instance is no longer in the project; choose another.")
        return instance_from(data)

    def is_hurt(self, image: int) -> bool:
        """Whether an instance of an image is damaged: a hand may have made it."""
        self.instances(image)
        return image in self._hurt

    def check(self) -> None:
        """Read every label, so that `damaged` lists all that is."""
        for image in self.images.ordered():
            self.instances(image.id)
        try:
            for id in self._store.strays():
                self._report(f"instance {id}")
        except DamagedError:
            self._report("pages of the file")

    def absorb(self, rows: Iterable[RowChange]) -> None:
        """Follow what was written."""
        for row in rows:
            if row.table not in TABLES:
                continue
            self._held.pop(row.owner, None)
            if row.table == "images" and row.after is None:
                self.images.drop(row.id)
            elif row.table == "images":
                self.images.put(image_from(row.after))

    def _report(self, what: str) -> None:
        if what not in self.damaged:
            self.damaged.append(what)

    def _read_images(self, store: Store) -> Iterator[Image]:
        """All images; a collection of garbage in between would cost as much as the reading."""
        collected = gc.isenabled()
        gc.disable()
        try:
            for id, data in store.images():
                yield self._image_of(id, data)
        finally:
            if collected:
                gc.enable()

    def _image_of(self, id: int, data: bytes | None) -> Image:
        try:
            if data is not None:
                return image_from(data)
        except DamagedError:
            pass
        self._report(f"image {id}")
        return Image(id, f"image {id}", 0, 0, State.BROKEN, reason="Its record is damaged; restore a backup.")

    def _read_instances(self, image: int) -> Iterable[Instance]:
        try:
            for row in self._store.instances(image):
                if row.intact:
                    yield instance_from(row.data)
                else:
                    self._report(f"instance {row.id} of image {image}")
                    self._hurt.add(image)
        except DamagedError:  # pages of the file itself
            self._report(f"labels of image {image}")
            self._hurt.add(image)
