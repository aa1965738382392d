"""Pictures of label files: where they lie, whatever the file says about folders, and their sizes as displayed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.headers import HeaderError, read_header
from engine.images import IMAGE_SUFFIXES
from engine.label_files import ReadOptions
from engine.label_reading import shown
from engine.labels import Picture, Problems
from engine.regular import open_regular, read_regular

FIRST_BYTES, MOST_BYTES = 1 << 16, 64 << 20
MAX_ENTRIES = 1_000_000  # of one folder
MAX_FILES, MAX_DEPTH = 1_000_000, 6  # of all folders below one


def size_of(path: Path) -> tuple[int, int] | None:
    """(width, height) of a picture as displayed, from its header; None where it cannot be read."""
    try:
        with open_regular(path) as file:
            data = file.read(FIRST_BYTES)
            try:
                return read_header(data, whole=False).upright
            except HeaderError:
                return read_header(data + file.read(MOST_BYTES), whole=False).upright
    except (OSError, ValueError):
        return None


def stored_size(path: Path) -> tuple[int, int] | None:
    """(width, height) of a picture as stored, before it is turned upright; None where it cannot be read."""
    try:
        header = read_header(read_regular(path)[:MOST_BYTES], whole=False)
    except (OSError, ValueError):
        return None
    return header.width, header.height


def plain_name(name: str) -> str:
    """A file's name with forward slashes, whichever the file has."""
    return name.replace("\\", "/")


def walk(folder: Path) -> Iterator[Path]:
    """All files below a folder in a fixed order, at most a million and six folders deep; links are not followed."""
    count = 0
    for here, folders, files in os.walk(folder):
        folders.sort()
        if len(Path(here).relative_to(folder).parts) >= MAX_DEPTH:
            folders.clear()
        for name in sorted(files):
            count += 1
            if count > MAX_FILES:
                return
            yield Path(here) / name


def is_picture(path: Path) -> bool:
    """Whether a file's name is that of a picture."""
    return path.suffix.lower() in IMAGE_SUFFIXES


class Finder:
    """Finds the pictures of one label file.

    Looked for: the name itself where it is absolute; from ReadOptions.pictures; from the label file's folder and
    `folders` (below it). Names that come from another machine, and names looked for in ReadOptions.pictures, are
    also tried without their first folders. Case of a suffix does not count; a name without a suffix, or with one
    of a file that is not there, takes the only picture with its stem. Each folder is listed once.
    deep: of a data set, whose files move between folders: every name is tried without its first folders, and at last
    anywhere below the folders and in any case, where just one file has it.
    """

    def __init__(
        self, file: Path, options: ReadOptions, problems: Problems, folders: tuple[str, ...] = (), deep: bool = False
    ) -> None:  # fmt: skip
        home = file if os.path.isdir(file) else file.parent
        self._own = options.pictures
        self._bases = [home, *(Path(os.path.normpath(home / folder)) for folder in folders)]
        self._problems = problems
        self._listed: dict[str, dict[str, list[str]] | None] = {}
        self._heads: dict[str, list[str]] = {}
        self._shortened: dict[Path, str] = {}  # file -> the name that was cut to find it
        self._noted: set[tuple[str, str]] = set()
        self._deep = deep
        self._below: dict[str, Path | None] | None = None  # name in small letters -> the only file of that name

    def find(self, name: str) -> Path | None:
        """A picture's file, None where there is none or several could be meant (which is noted)."""
        try:
            return self._find(name)
        except (OSError, ValueError):  # a name that no file system holds
            return None

    def picture(
        self, name: str, size: tuple[int, int] | None = None, split: str = "", visited: bool = False,
        attributes: Mapping[str, Any] | None = None,
    ) -> Picture:  # fmt: skip
        """A Picture: found, with its size as displayed, and noted where the size differs from what the file says."""
        path = self.find(name)
        found = size_of(path) if path is not None else None
        if path is not None and found is None:
            self._problems.add(f"picture {shown(name)}", "it cannot be read as a picture")
        elif path is not None and size is not None and found != size:
            self._differs(name, path, size, found)
        return Picture(name, path, found or size, split, visited, attributes or {})

    def _differs(self, name: str, path: Path, size: tuple[int, int], found: tuple[int, int]) -> None:
        what = f"the file says {size[0]} x {size[1]} and the picture shows {found[0]} x {found[1]}"
        if stored_size(path) == size:
            what += ", turned by its EXIF entry: the labels may belong to the picture before it was turned"
        self._problems.add(f"picture {shown(name)}", what)

    def _find(self, name: str) -> Path | None:
        if not name or "\0" in name:
            return None
        plain = plain_name(name)
        absolute = plain.startswith("/") or re.match(r"[A-Za-z]:", plain) is not None
        for given in dict.fromkeys((name, plain)):
            head, _, last = given.rpartition("/")
            if absolute and (found := self._in(head or "/", last)):
                return found
            for base in () if absolute else self._existing(head):
                if found := self._in(base, last):
                    return found
        if self._deep:
            return self._cut(plain, True) or self._anywhere(plain)
        return self._cut(plain, absolute) if absolute or self._own is not None else None

    def _existing(self, head: str) -> list[str]:
        """The folders that `head` may mean, in the order in which they are looked at."""
        if head not in self._heads:
            bases = [base for base in (self._own, *self._bases) if base is not None]
            folders = dict.fromkeys(os.path.normpath(os.path.join(base, head)) for base in bases)
            self._heads[head] = [folder for folder in folders if self._names(folder) is not None]
        return self._heads[head]

    def _cut(self, name: str, everywhere: bool) -> Path | None:
        """A picture by the last parts of its name, as many of them as fit: in all folders, or the chosen one alone."""
        parts = [part for part in name.split("/") if part not in ("", ".", "..") and not part.endswith(":")]
        for base in [self._own, *self._bases] if everywhere else [self._own]:
            for start in range(0 if everywhere else 1, len(parts)) if base is not None else ():
                found = self._in(os.path.join(base, *parts[start:-1]), parts[-1])
                if found is not None:
                    return self._once(found, name)
        return None

    def _once(self, found: Path, name: str) -> Path | None:
        """A file that was found by a part of its name, which it can be for one name alone."""
        if self._shortened.setdefault(found, name) == name:
            return found
        self._problems.add(f"picture {shown(name)}", f"{found.name} was taken for another picture already")
        return None

    def _anywhere(self, name: str) -> Path | None:
        """A picture anywhere below the folders, in any case: by its whole name, else by the last part."""
        if self._below is None:
            self._below = {}
            for base in dict.fromkeys(base for base in (self._own, *self._bases) if base is not None):
                for path in filter(is_picture, walk(base)):
                    for key in {path.relative_to(base).as_posix().lower(), path.name.lower()}:
                        known = self._below.setdefault(key, path)
                        if known is not None and os.path.abspath(known) != os.path.abspath(path):
                            self._below[key] = None
        keys = (name.lower(), name.lower().rsplit("/", 1)[-1])
        found = next((path for key in keys if (path := self._below.get(key)) is not None), None)
        return None if found is None or self._shortened.get(found, name) != name else self._once(found, name)

    def _in(self, folder: str, last: str) -> Path | None:
        """The picture of a name in a folder: as it stands, with its suffix in another case, or the only of its stem."""
        names = self._names(folder)
        if not names:
            return None
        stem, suffix = os.path.splitext(last)
        if suffix.lower() not in IMAGE_SUFFIXES:
            stem, suffix = last, ""
        held = names.get(stem, [])
        if last in held:
            return Path(folder, last)
        fits = [name for name in held if name.lower() == last.lower()]
        other = held if not fits else []
        if len(fits or other) > 1:
            listed = ", ".join(sorted(fits or other)[:3])
            self._note(folder, last, f"several pictures have this name ({listed}); none was taken")
        elif other and suffix:
            self._note(folder, last, f"it is not there; {other[0]} was taken")
        return Path(folder, (fits or other)[0]) if len(fits or other) == 1 else None

    def _note(self, folder: str, last: str, what: str) -> None:
        if (folder, last) not in self._noted:
            self._noted.add((folder, last))
            self._problems.add(f"picture {shown(last)}", what)

    def _names(self, folder: str) -> dict[str, list[str]] | None:
        """Pictures of a folder by stem, listed once; None where there is no such folder."""
        if folder not in self._listed:
            made: dict[str, list[str]] | None = {}
            try:
                with os.scandir(folder) as entries:
                    for n, entry in enumerate(entries):
                        stem, suffix = os.path.splitext(entry.name)
                        if suffix.lower() in IMAGE_SUFFIXES and n < MAX_ENTRIES:
                            made.setdefault(stem, []).append(entry.name)
            except (OSError, ValueError):
                made = None
            self._listed[folder] = made
        return self._listed[folder]
