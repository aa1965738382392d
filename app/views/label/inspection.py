"""The heatmap dock in Label: it follows the picture, the instance and the landmark that are edited."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.project.values import Instance, Origin, State, Visibility
from app.views.heatmaps.dock import HeatmapDock
from app.views.heatmaps.panel import HeatmapPanel
from app.views.heatmaps.target import Target
from app.views.words import mark
from engine.errors import UserError

if TYPE_CHECKING:
    from app.views.label.workspace import LabelWorkspace


class LabelHeatmaps(QObject):
    """Between the dock and the editing state."""

    def __init__(self, workspace: LabelWorkspace) -> None:
        super().__init__(workspace)
        self.workspace, self.editing = workspace, workspace.editing
        docks = (workspace.queue_dock, workspace.inspector_dock)
        cache = workspace.context.stills.cache
        self.dock = HeatmapDock(workspace, self.look, docks, lambda path: cache.load(path).pixels)
        self.dock.made.connect(self._made)
        editing, context = self.editing, workspace.context
        for signal in (editing.changed, editing.selected, editing.image_changed, context.model_changed):
            signal.connect(self.dock.refresh)
        editing.previewed.connect(self._dragged)
        self.dock.visibilityChanged.connect(self._shown)

    def look(self) -> tuple[Target | None, str]:
        """The active instance as the dock needs it, or why there is none."""
        editing, library = self.editing, self.workspace.context.library
        image, instance = editing.image, editing.current
        if image is None or image.state is State.BROKEN:
            return None, self.tr("No picture is open")
        if instance is None:
            return None, self.tr("Nothing is marked in this picture yet. Draw a box with N.")
        schema = editing.document.schema
        try:
            used = library.in_use(schema.name)
        except UserError as error:
            return None, str(error)
        rest = [e for e in library.entries(schema.name) if not e.problem and e.path != used.path]
        path = Path(editing.document.picture_path(image))
        return Target(
            (str(path), image.id, instance.id), path, instance.box, used.path, schema, editing.landmark,
            placed_by_hand(editing.shown_current()), tuple((str(e.path), e.title) for e in rest),
        ), ""  # fmt: skip

    def regions(self) -> list[QWidget]:
        """What F6 goes through in the dock, while it is open."""
        panel = self.dock.panel
        return [panel.page.map, panel.grid] if panel is not None and panel.isVisible() else []

    def show_queue(self) -> None:
        """Bring the queue back beside the dock, or send it away."""
        queue = self.workspace.queue_dock
        queue.setVisible(queue.isHidden())

    def _made(self, panel: HeatmapPanel) -> None:
        panel.chosen.connect(self.editing.select)
        panel.peak_wanted.connect(self._take)
        panel.previewed.connect(self.workspace.guesses.preview)
        panel.said.connect(self.workspace.facts_changed)
        self.workspace.keys.watch(panel.grid, panel.page.map)

    def _take(self, x: float, y: float) -> None:
        self.editing.drop(self.editing.landmark, x, y, mark("Take a peak for {0}"))

    def _dragged(self) -> None:
        """Many times a second: only the label's place has changed."""
        panel, instance = self.dock.panel, self.editing.shown_current()
        if instance is not None and panel is not None and panel.isVisible() and panel.target is not None:
            panel.show_target(replace(panel.target, label=placed_by_hand(instance)))

    def _shown(self, _: bool) -> None:
        tools, shown = self.workspace.tools, not self.dock.isHidden()
        tools.maps.setChecked(shown)
        tools.queue.setVisible(shown)


def placed_by_hand(instance: Instance) -> np.ndarray:
    """(K, 2) float64: the places that a hand has made, NaN for the model's own guesses and for absent landmarks."""
    label = np.array(instance.points, np.float64)
    label[(instance.origin == Origin.MODEL) | (instance.visibility == Visibility.ABSENT)] = np.nan
    return label
