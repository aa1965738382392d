"""Opening projects: from a file, or made for a folder of pictures, off the sample, with recent ones remembered."""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from app.files import data_folder, shortened
from app.project.document import Document
from app.project.edits import AddImages, Batch, Edit, Link, NewImage, Relink
from app.project.opening import Busy, Unwritable
from app.project.values import Image
from app.services.own_schemas import find_schema
from app.services.picture_files import is_missing, new_image
from app.services.renumbered import making_room, strangers
from engine.errors import UserError
from engine.images import IMAGE_SUFFIXES, OTHER_SUFFIXES, natural_key
from engine.samples import write_sample_folder

SUFFIX = ".hourbit-project"
FACES, BODIES = "ibug68", "mpii16"
USUAL = {FACES: "", BODIES: " bodies"}  # schema -> what a folder's project is called besides
MOST_RECENT = 8
LONGEST_NAME = 200  # bytes of a project's name without its suffix: notes and logs beside it need room for theirs


@dataclass(frozen=True)
class Recent:
    """A project that was open before."""

    path: Path
    name: str
    done: int
    total: int
    when: float
    picture: str = ""  # its first picture's path
    model: str = ""  # what predicted for it last


class Cancelled(Exception):  # noqa: N818  # not an error: a person asked for it
    """Reading was cut short on request."""


Told = Callable[[int, int], bool]  # pictures read, pictures in all -> whether to go on


def _go_on(done: int, total: int) -> bool:
    return True


def pictures_in(folder: Path) -> list[Path]:
    """Pictures of a folder and its sub-folders in natural order; links are not followed."""
    found = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted((f for f in folders if not f.startswith(".")), key=natural_key)
        found += [Path(root) / n for n in names if Path(n).suffix.lower() in IMAGE_SUFFIXES and not n.startswith(".")]
    return sorted(found, key=lambda path: natural_key(str(path)))


def left_out(folder: Path) -> tuple[str, int]:
    """The kinds of pictures in a folder that cannot be read, such as ".cr2, .jxl", and how many files those are."""
    kinds: Counter[str] = Counter()
    for _, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if not f.startswith(".")]
        kinds.update(Path(n).suffix.lower() for n in names if not n.startswith("."))
    others = sorted(OTHER_SUFFIXES & set(kinds))
    return ", ".join(others), sum(kinds[suffix] for suffix in others)


def open_folder(folder: Path, schema: str = FACES, told: Told = _go_on) -> Document:
    """The project of a folder: the one that was made for it, with new pictures added, or a new one.

    Raises UserError where the folder has no picture that could be labelled, and Cancelled.
    """
    folder = folder.absolute()
    pictures = pictures_in(folder)
    if not pictures and (kinds := left_out(folder)[0]):
        raise UserError(f"{folder.name or folder} holds only pictures as {kinds}; save them as PNG or JPEG.")
    if not pictures:
        raise UserError(f"There are no pictures in {folder.name or folder}; choose a folder with JPEG or PNG files.")
    return _open_with(project_of(folder, schema), schema, folder.name or "Pictures", pictures, told)


def open_sample(told: Told = _go_on) -> Document:
    """The sample project in the data folder, made when it is asked for first; raises UserError, Cancelled."""
    folder = data_folder() / "sample"
    pictures = write_sample_folder(folder / "pictures")
    return _open_with(folder / f"Sample faces{SUFFIX}", FACES, "Sample faces", pictures, told)


def _open_with(path: Path, schema: str, name: str, pictures: list[Path], told: Told) -> Document:
    """A project with these pictures among its own; a new one is made only when all of them are read."""
    new: tuple[NewImage, ...] = ()
    if not os.path.exists(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"There is no place for the project of {name}: neither its folder nor {data_folder()} can be written; "
                "make a new project elsewhere and drop the pictures on it."
            ) from error
        new = read_new(pictures, (), told)
        document = Document.create(path, find_schema(schema), name)
    else:
        document = open_or_read(path)
    if document.read_only:
        return document
    try:
        new = new or read_new(pictures, document.known_paths(), told)
        edit, _, _ = joined(document, new)
        if edit is not None:
            document.apply(edit)
    except (UserError, OSError, Cancelled):
        document.close()
        raise
    return document


def joined(document: Document, new: Iterable[NewImage]) -> tuple[Edit | None, int, int]:
    """The edit that takes pictures in, how many images it adds, and how many it finds again.

    A picture with the bytes of an image whose own file is gone, or holds other bytes now, is that image: it was
    moved. What lies at such an image's old place is then looked at as a picture of its own. None where nothing is
    to do.
    """
    others = strangers(document)
    waiting, by_digest = [*new, *others.values()], defaultdict(list)
    for image in document.images():
        if image.digest:
            by_digest[image.digest].append(image)
    links: dict[str, Link] = {}
    added: list[NewImage] = []
    while waiting:
        picture = waiting.pop(0)
        image = next((i for i in by_digest.get(picture.digest, ()) if _has_left(document, i)), None)
        if image is None:
            added.append(picture)
            continue
        by_digest[picture.digest].remove(image)
        links[picture.path] = Link(image.id, picture.path)
        place = document.picture_path(image)
        if image.id not in others and not is_missing(document, image):
            waiting.append(new_image(place))
    moved = {link.image for link in links.values()}
    replaced = {other.path for id, other in others.items() if id not in moved}  # is told when it is shown
    added = [picture for picture in added if picture.path not in replaced]
    links = making_room(document, links.values())
    parts = [edit for edit, some in ((Relink(links), links), (AddImages(tuple(added)), added)) if some]
    edit = Batch(tuple(parts), parts[1].title) if len(parts) == 2 else parts[0] if parts else None
    return edit, len(added), len(links)


def _has_left(document: Document, image: Image) -> bool:
    """Whether an image's file is not at its place any more, though another may be."""
    return is_missing(document, image) or new_image(document.picture_path(image)).digest != image.digest


def open_or_read(path: str | Path) -> Document:
    """A project to work in, not backed up yet; to read alone where it cannot be written or a newer version wrote it.

    Raises UserError; Busy where another program has it open: that is for the user to settle.
    """
    try:
        return Document.open(path, backed_up=False)
    except Busy:
        raise
    except Unwritable as error:
        return Document.read(path, str(error))


def read_new(pictures: list[Path], known: Collection[str], told: Told = _go_on) -> tuple[NewImage, ...]:
    """Size and digest of the pictures that are not `known`, in their order; raises Cancelled."""
    unknown = [path for path in pictures if str(path) not in known]
    found = []
    for number, path in enumerate(unknown):
        if not told(number, len(unknown)):
            raise Cancelled
        found.append(new_image(path))
    return tuple(found)


def project_of(folder: Path, schema: str) -> Path:
    """Where a folder's project is: beside it where that can be written, else in the data folder.

    Each schema has a project of its own there.
    """
    folder = folder.resolve()
    kind = USUAL.get(schema, f" {schema}")
    name = shortened(f"{folder.name or 'Pictures'}{kind}", LONGEST_NAME) + SUFFIX
    beside = folder.parent / name
    if os.path.exists(beside) or os.access(folder.parent, os.W_OK):
        return beside
    key = hashlib.sha256(str(folder).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return data_folder() / "projects" / key / name
