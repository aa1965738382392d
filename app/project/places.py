"""Where the pictures of a project lie: beside the project where all was moved or copied together, else as stored."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path, PurePath, PureWindowsPath

from app.project.store import Store
from app.project.values import Image
from engine.errors import UserError
from engine.regular import digest_of, is_digest

HOMES = "homes"  # the property that says in which folders the project was, the present one last


class Places:
    """Finds the files of a project's images. `homes`: the folders in which the project was while images were added.

    A picture is looked for where it would be if it had moved along with the project. That the pictures there are the
    same ones is seen once for each earlier home, by the bytes of one of them; until then each is asked for its own.
    """

    def __init__(self, project: Path, homes: Iterable[str]) -> None:
        self.folder = project.parent
        self._homes = [home for home in reversed([*homes]) if home != os.path.abspath(self.folder)]
        self._came_along: set[str] = set()  # homes whose pictures are here now
        self._stayed: set[str] = set()  # homes whose pictures are still there, while others are here
        self._digests: dict[tuple[str, int, int], str] = {}  # by path, size and time of change

    def path(self, image: Image) -> Path:
        """Where an image's file is; its stored place where it is nowhere, or nobody may look."""
        path = Path(image.path)
        if not path.is_absolute():
            beside = [Path(base, path) for base in (self.folder, *self._homes)]
            return next((place for place in beside if os.path.isfile(place)), self._by_end(image) or beside[0])
        for home in self._homes:
            moved = self._from(home, image)
            if moved is not None:
                return moved
        return path if os.path.exists(path) else self._by_end(image) or path

    def known(self, images: Iterable[Image]) -> set[str]:
        """The paths of images, as stored and as they are; only those that may have moved are looked for."""
        here, found = os.path.join(os.path.abspath(self.folder), ""), set()
        for image in images:
            found.add(image.path)
            if self._homes or not image.path.startswith(here):
                found.add(str(self.path(image)))
        return found

    def _from(self, home: str, image: Image) -> Path | None:
        """The file that has gone with the project from an earlier home."""
        try:
            moved = Path(os.path.normpath(self.folder / os.path.relpath(image.path, home)))
        except ValueError:  # another drive
            return None
        if str(moved) == image.path or not os.path.isfile(moved):
            return None
        return moved if self._has_come(home, moved, image) else None

    def _has_come(self, home: str, moved: Path, image: Image) -> bool:
        """Whether a file is an image's, which lies here as the image did in a folder."""
        stored = os.path.isabs(image.path) and os.path.exists(image.path)
        if home in self._came_along:
            return not stored or _size(image.path) == _size(moved)
        if stored and home in self._stayed:
            return False
        if not is_digest(image.digest):
            return not stored and home not in self._stayed
        same = self._digest(moved) == image.digest
        if home not in self._stayed and (same or stored):
            (self._came_along if same else self._stayed).add(home)
        return same

    def _digest(self, path: Path) -> str:
        """A file's digest, read again only where it has changed; "" where it cannot be read."""
        with contextlib.suppress(OSError):
            found = os.stat(path)
            key = (str(path), found.st_size, found.st_mtime_ns)
            if key not in self._digests:
                self._digests[key] = digest_of(path)
            return self._digests[key]
        return ""

    def _by_end(self, image: Image) -> Path | None:
        """A file below the project's folder that has the last folders and the name of a path in common."""
        windows = "\\" in image.path and "/" not in image.path
        parts = (PureWindowsPath if windows else PurePath)(image.path).parts
        for start in range(1, len(parts)):
            place = self.folder.joinpath(*parts[start:])
            if os.path.isfile(place) and self._has_come("/".join(parts[:start]), place, image):
                return place
        return None


def _size(path: str | Path) -> int:
    """Bytes of a file; -1 where it cannot be asked."""
    try:
        return os.stat(path).st_size
    except OSError:
        return -1


def homes_of(meta: dict[str, str]) -> list[str]:
    """The folders that a project was in, from its properties."""
    with contextlib.suppress(ValueError):
        found = json.loads(meta.get(HOMES, "[]"))
        return [home for home in found if isinstance(home, str)] if isinstance(found, list) else []
    return []


def homes_with(homes: Iterable[str], project: Path) -> dict[str, str]:
    """The property that says so, with the folder in which the project is now."""
    here = os.path.abspath(project.parent)
    return {HOMES: json.dumps([*(home for home in homes if home != here), here])}


def settle(store: Store) -> None:
    """Remember in which folder a project is, so that its pictures can be found from the next one."""
    meta = store.meta()
    homes = homes_with(homes_of(meta), store.path)
    if homes.items() - meta.items():
        with contextlib.suppress(UserError):  # a full disk is no reason not to open
            store.commit((), homes, None)
