"""Agreement of the open project with other labels of the same pictures, worked out in a thread of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.formats.converting import read_labels
from app.formats.project import labels_of
from app.formats.registry import ReadOptions
from app.project.document import Document
from app.project.values import State
from app.services.importing import telling
from app.services.projects import Told
from engine.agreement import figures, pair


def compare(document: Document, path: Path, told: Told) -> dict[str, Any]:
    """The figures of engine.agreement, the project first; raises UserError, and Cancelled."""
    other, _ = read_labels(path, None, ReadOptions(progress=telling(told)))
    return figures(pair(labels_of(document, frozenset(State)), other))
