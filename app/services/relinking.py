"""Pictures that were moved or renamed: known again by their bytes, so that labels stay with them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from app.project.document import Document
from app.project.edits import Link
from app.project.values import Image
from app.services.picture_files import is_missing
from app.services.projects import Cancelled, Told, pictures_in
from app.services.renumbered import changed, making_room
from engine.errors import UserError
from engine.images import image_size
from engine.regular import digest_of


@dataclass(frozen=True)
class Found:
    """What a search brought: links to make, how many are still missing, and names that hold other pictures now."""

    links: tuple[Link, ...]
    missing: int
    others: tuple[str, ...] = ()


def find_missing(document: Document, folder: Path, told: Told) -> Found:
    """Look for the project's missing pictures in a folder and below, and for those at whose places others are now.

    Every file of the project is read, so that exchanged names are found too. Raises Cancelled, and UserError where
    no picture is missing and none is found elsewhere.
    """
    missing = [image for image in document.images() if is_missing(document, image)]
    known, others = document.known_paths(), _replaced(document, told)
    free = [path for path in pictures_in(folder) if str(path) not in known]
    search = _Search(missing, free, told)
    search.by_name()
    search.add(others)
    search.by_bytes()
    if not missing and not search.links:
        raise UserError("No picture of this project is missing; there is nothing to look for.")
    links = making_room(document, search.links)
    gone = {image.id for image in missing} - {link.image for link in search.links}
    return Found(links, len(gone) + len(links) - len(search.links), tuple(sorted(search.others)))


def _replaced(document: Document, told: Told) -> dict[Image, Path]:
    """Images whose files hold other bytes than they did, and where those are; raises Cancelled."""
    images, found = document.images(), {}
    for n, image in enumerate(images):
        if not told(n, len(images)):
            raise Cancelled
        if changed(document, image) is not None:
            found[image] = document.picture_path(image)
    return found


class _Search:
    """Names first, since they are quick to compare; then the bytes of what is left."""

    def __init__(self, missing: list[Image], free: list[Path], told: Told) -> None:
        self.missing = {image.id: image for image in missing}
        self.free, self.told = dict.fromkeys(free), told
        self.links: list[Link] = []
        self.others: set[str] = set()
        self._digests: dict[Path, str] = {}

    def by_name(self) -> None:
        """Files that are called as a missing one was, and hold the same bytes; or the same size where that is all."""
        named: dict[str, list[Path]] = defaultdict(list)
        for path in self.free:
            named[path.name.casefold()].append(path)
        for number, image in enumerate(list(self.missing.values())):
            self._go_on(number)
            name = image.path.replace("\\", "/").rsplit("/", 1)[-1]
            for path in sorted(named[name.casefold()], key=lambda p: -_common_end(p, image.path)):
                if path in self.free and self._same(path, image):
                    self._link(image, path)
                    self.others.discard(name)
                    break
                self.others.add(name)

    def by_bytes(self) -> None:
        """Files under any name."""
        wanted = {image.digest: image for image in self.missing.values() if image.digest}
        for number, path in enumerate(list(self.free)):
            if not wanted:
                return
            self._go_on(number)
            image = wanted.pop(self._digest(path), None)
            if image is not None:
                self._link(image, path)

    def add(self, replaced: dict[Image, Path]) -> None:
        """Look for images as well whose places others have taken, and at what is there."""
        self.missing.update((image.id, image) for image in replaced)
        self.free.update(dict.fromkeys(replaced.values()))

    def _go_on(self, done: int) -> None:
        if not self.told(done, max(len(self.missing) + len(self.links), len(self.free), done + 1)):
            raise Cancelled

    def _same(self, path: Path, image: Image) -> bool:
        if image.digest:
            return self._digest(path) == image.digest
        try:
            return image_size(path) == (image.width, image.height)
        except (UserError, OSError):
            return False

    def _digest(self, path: Path) -> str:
        if path not in self._digests:
            try:
                self._digests[path] = digest_of(path)
            except OSError:
                self._digests[path] = ""
        return self._digests[path]

    def _link(self, image: Image, path: Path) -> None:
        self.links.append(Link(image.id, str(path), self._digest(path)))
        del self.missing[image.id], self.free[path]


def _common_end(path: Path, stored: str) -> int:
    """How many folders from the end are called the same."""
    parts = (reversed(path.parts), reversed(stored.replace("\\", "/").split("/")))
    count = 0
    for one, other in zip(*parts, strict=False):
        if one != other:
            break
        count += 1
    return count
