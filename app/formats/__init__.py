"""Label formats: what an exporter is, and what it reports. One file a format."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.files import refuse_inputs
from app.formats.names import relative_name
from app.project.document import Document
from app.project.values import ACCEPTED, Image, State
from engine.errors import UserError

__all__ = ["ExportReport", "Exporter", "chosen", "damage", "file_name", "refuse_nothing", "refuse_own"]


@dataclass(frozen=True)
class ExportReport:
    """What was written; `lost` lists what the format cannot hold, as {what, count, why}."""

    instances: int
    images: int
    lost: tuple[dict, ...] = ()


class Exporter(Protocol):
    """Writes a project's labels in one format."""

    name: str
    title: str
    suffix: str

    def export(self, document: Document, path: Path, states: Set[State]) -> ExportReport:
        """Write the labels of images in `states` to `path`, whole or not at all; raises UserError."""


def chosen(document: Document, states: Set[State]) -> list[Image]:
    """The images in `states`, in the project's order."""
    return [image for image in document.images() if image.state in states]


def refuse_nothing(count: int, states: Set[State]) -> None:
    """Raise UserError where no instance was found; only all of a project may be empty."""
    if count == 0 and states <= ACCEPTED:
        raise UserError("There are no accepted labels to export; accept some images first.")
    if count == 0 and states != set(State):
        raise UserError("There are no labels in images of this state to export; choose another state.")


def refuse_own(document: Document, path: Path) -> None:
    """Raise UserError where `path` is the project itself or one of its pictures."""
    refuse_inputs(path, [document.path, *(document.picture_path(image) for image in document.images())])


def damage(document: Document, images: list[Image]) -> tuple[dict, ...]:
    """What cannot be written because its record in the project is damaged, as a report has it."""
    names = [name for image in images for name in document.damaged if name.endswith(f" image {image.id}")]
    why = "damaged in the project; restore a backup from the data folder"
    return ({"what": "damaged labels", "count": len(names), "why": why},) if names else ()


def file_name(document: Document, image: Image, out: Path) -> str:
    """Where an image lies, from the folder of `out` where both are in one tree, with forward slashes."""
    return relative_name(document.picture_path(image), out.parent)
