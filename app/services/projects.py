"""Opening projects: from a file, or made for a folder of pictures, off the sample, with recent ones remembered."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from app.files import data_folder
from app.project.document import Document
from app.project.edits import AddImages, NewImage
from engine.errors import UserError
from engine.images import IMAGE_SUFFIXES, image_size, natural_key
from engine.samples import write_sample_folder
from engine.schema import load_schema

SUFFIX = ".hourbit-project"
FACES, BODIES = "ibug68", "mpii16"
MOST_RECENT = 8


@dataclass(frozen=True)
class Recent:
    """A project that was open before."""

    path: Path
    name: str
    done: int
    total: int
    when: float


def pictures_in(folder: Path) -> list[Path]:
    """Pictures of a folder and its sub-folders in natural order; links are not followed."""
    found = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted((f for f in folders if not f.startswith(".")), key=natural_key)
        found += [Path(root) / n for n in names if Path(n).suffix.lower() in IMAGE_SUFFIXES and not n.startswith(".")]
    return sorted(found, key=lambda path: natural_key(str(path)))


def open_folder(folder: Path, schema: str = FACES) -> Document:
    """The project of a folder: the one that was made for it, with new pictures added, or a new one.

    Raises UserError where the folder has no picture that could be labelled.
    """
    pictures = pictures_in(folder)
    if not pictures:
        raise UserError(f"There are no pictures in {folder.name or folder}; choose a folder with JPEG or PNG files.")
    path = _place(folder, schema)
    document = Document.open(path) if path.exists() else Document.create(path, load_schema(schema), folder.name)
    try:
        add_pictures(document, pictures)
    except UserError:
        document.close()
        raise
    return document


def add_pictures(document: Document, pictures: list[Path]) -> int:
    """Add the pictures that the project does not have; how many were new."""
    known = {image.path for image in document.images()}
    new = tuple(_new_image(path) for path in pictures if str(path) not in known)
    if new:
        document.apply(AddImages(new))
    return len(new)


def open_sample() -> Document:
    """The sample project in the data folder, made when it is asked for first."""
    folder = data_folder() / "sample"
    pictures = write_sample_folder(folder / "pictures")
    path = folder / f"Sample faces{SUFFIX}"
    document = Document.open(path) if path.exists() else Document.create(path, load_schema(FACES), "Sample faces")
    add_pictures(document, pictures)
    return document


def _new_image(path: Path) -> NewImage:
    """A picture that cannot be read is added all the same: the queue says why."""
    try:
        width, height = image_size(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except (UserError, OSError):
        return NewImage(str(path), 1, 1)
    return NewImage(str(path), width, height, digest)


def _place(folder: Path, schema: str) -> Path:
    """Beside the folder where that can be written, else in the data folder; bodies and faces do not mix."""
    folder = folder.resolve()
    name = f"{folder.name or 'Pictures'}{'' if schema == FACES else ' bodies'}{SUFFIX}"
    beside = folder.parent / name
    if beside.exists() or os.access(folder.parent, os.W_OK):
        return beside
    key = hashlib.sha256(str(folder).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    projects = data_folder() / "projects" / key
    projects.mkdir(parents=True, exist_ok=True)
    return projects / name
