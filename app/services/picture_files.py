"""The files of pictures: what one holds as it joins a project, and whether an image's is there."""

from __future__ import annotations

import os
from pathlib import Path

from app.project.document import Document
from app.project.edits import NewImage
from app.project.values import Image
from engine.errors import UserError
from engine.images import image_size
from engine.regular import digest_of


def new_image(path: Path) -> NewImage:
    """A picture that cannot be read is added all the same: the queue says why."""
    try:
        width, height = image_size(path)
        digest = digest_of(path)
    except (UserError, OSError):
        return NewImage(str(path), 1, 1)
    return NewImage(str(path), width, height, digest)


def is_missing(document: Document, image: Image) -> bool:
    """Whether an image's file is nowhere: its disk may be away, so this is asked and never stored."""
    return not os.path.isfile(document.picture_path(image))
