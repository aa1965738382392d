"""Where the pictures of a project lie: as stored, or beside the project where all was moved together."""

from __future__ import annotations

import os
from pathlib import Path

from app.project.values import Image


def picture_path(project: Path, image: Image) -> Path:
    """Where an image's file is; its stored place where it is nowhere, or nobody may look. `project`: its file."""
    path = Path(image.path)
    if not path.is_absolute():
        return project.parent / path
    if not os.path.exists(path):
        for start in range(1, len(path.parts)):
            moved = project.parent.joinpath(*path.parts[start:])
            if os.path.isfile(moved):
                return moved
    return path
