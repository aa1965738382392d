"""The heatmap dock in Live: it looks into the frozen frame."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.services.live_values import Result
from app.views.heatmaps.dock import HeatmapDock
from app.views.heatmaps.panel import HeatmapPanel
from app.views.heatmaps.target import Target
from app.views.label.inspection import placed_by_hand

if TYPE_CHECKING:
    from app.views.live.workspace import LiveWorkspace


class LiveHeatmaps(QObject):
    """Between the dock and the live view."""

    def __init__(self, workspace: LiveWorkspace) -> None:
        super().__init__(workspace)
        self.workspace = workspace
        self.dock = HeatmapDock(workspace, self.look, (workspace.dock,))
        self.dock.made.connect(self._made)
        for signal in (workspace.view.selected, workspace.view.corrected, workspace.context.model_changed):
            signal.connect(self.dock.refresh)

    def look(self) -> tuple[Target | None, str]:
        """The selected subject of the frozen frame, else its first, or why there is none."""
        view = self.workspace.view
        frozen = view.frozen
        if frozen is None:
            return None, self.tr("Freeze the picture to see its maps")
        if not frozen.instances:
            return None, self.tr("Nothing was found in this frame")
        used = self._model(frozen.result)
        if used is None:
            return None, self.tr("The model of this frame is not here any more")
        number, landmark = view.selection
        number = max(number, 0)
        schema = frozen.result.schema
        rest = [e for e in self.workspace.context.library.entries(schema.name) if not e.problem and e.path != used]
        return Target(
            (frozen.moment, number), frozen.result.frame.pixels, frozen.result.subjects[number].prediction.box, used,
            schema, landmark, placed_by_hand(frozen.instances[number]), tuple((str(e.path), e.title) for e in rest),
        ), ""  # fmt: skip

    def _model(self, result: Result) -> Path | None:
        """Where the model lies that looked at a frame; another one may be running by now."""
        schema, running = result.schema, self.workspace.live.runtime
        if running is not None and (running.model.name, running.model.schema) == (result.model, schema):
            return running.model.path
        known = self.workspace.context.library.entries(schema.name)
        return next((e.path for e in known if e.title == result.model and not e.problem), None)

    def _made(self, panel: HeatmapPanel) -> None:
        panel.chosen.connect(lambda landmark: self.workspace.view.select(self._subject(), landmark))
        panel.peak_wanted.connect(self._take)
        panel.said.connect(self.workspace.facts_changed)

    def _subject(self) -> int:
        return max(self.workspace.view.selection[0], 0)

    def _take(self, x: float, y: float) -> None:
        view = self.workspace.view
        if view.frozen is not None and view.selection[1] >= 0:
            view.frozen.move(self._subject(), view.selection[1], x, y)
            view.corrected.emit()
            view.update()
