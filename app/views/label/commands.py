"""What the actions of the table do in the Label workspace."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF

from app.project.values import Visibility

if TYPE_CHECKING:
    from app.views.label.workspace import LabelWorkspace


def command_table(workspace: LabelWorkspace) -> dict[str, Callable[[], object]]:
    """Action name -> what it does."""
    guesses = workspace.guesses
    editing, browsing, canvas = workspace.editing, workspace.browsing, workspace.canvas
    return {
        "next_image": lambda: browsing.step(1),
        "previous_image": lambda: browsing.step(-1),
        "next_to_check": lambda: browsing.step_to_check(1),
        "previous_to_check": lambda: browsing.step_to_check(-1),
        "next_landmark": lambda: editing.step_landmark(1),
        "previous_landmark": lambda: editing.step_landmark(-1),
        "occluded": lambda: editing.toggle_visibility(Visibility.OCCLUDED),
        "absent": lambda: editing.toggle_visibility(Visibility.ABSENT),
        "accept": lambda: workspace.finish(browsing.accept),
        "reject": lambda: workspace.finish(browsing.reject),
        "peak_1": lambda: guesses.take_peak(1),
        "peak_2": lambda: guesses.take_peak(2),
        "peak_3": lambda: guesses.take_peak(3),
        "undo": lambda: browsing.travel(editing.undo()),
        "redo": lambda: browsing.travel(editing.redo()),
        "fit": canvas.fit,
        "actual_size": canvas.actual_size,
        "zoom_in": lambda: canvas.zoom_at(QPointF(canvas.viewport().rect().center()), 1.25),
        "zoom_out": lambda: canvas.zoom_at(QPointF(canvas.viewport().rect().center()), 0.8),
        "new_instance": lambda: workspace.choose_tool("new"),
        "box": lambda: workspace.choose_tool("box"),
        "delete_instance": editing.remove_instance,
        "labels": lambda: workspace.switch("labels", not canvas.labels_shown),
        "heatmap": lambda: workspace.switch("heatmap", not canvas.heat_shown),
        "heatmaps": lambda: workspace.heatmaps.dock.toggle(),
        "queue": lambda: workspace.heatmaps.show_queue(),
        "equalise": lambda: workspace.switch("equalise", not workspace.equalised),
        "predict_again": guesses.predict_again,
        "predict_all": lambda: browsing.predict_all(),
    }
