"""Label formats: what an exporter is, and what it reports. One file a format."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.project.document import Document
from app.project.values import State

__all__ = ["ExportReport", "Exporter"]


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
