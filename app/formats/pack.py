"""A frozen snapshot of the accepted labels, as `hourbit train` and `hourbit evaluate` read it."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

from app.formats import ExportReport, refuse_own
from app.project.document import Document
from app.project.snapshot import snapshot
from app.project.values import ACCEPTED, State
from engine.errors import UserError


class SnapshotPack:
    """Crops and landmarks in one .npz; accepted labels only."""

    name = "snapshot"
    title = "Training snapshot"
    suffix = ".npz"

    def export(self, document: Document, path: Path, states: Set[State]) -> ExportReport:
        """Write the snapshot; raises UserError for other states than the accepted ones."""
        if not states <= ACCEPTED:
            raise UserError("A training snapshot holds accepted labels only; leave the state at accepted.")
        refuse_own(document, Path(path))
        frozen = snapshot(document, path)
        lost = ({"what": "images", "count": len(frozen.skipped), "why": "; ".join(frozen.skipped[:5])},)
        return ExportReport(frozen.count, frozen.images, lost if frozen.skipped else ())
