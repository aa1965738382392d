"""What the actions of the table do in the Label workspace."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF

from app.project.edits import Onto
from app.project.values import Visibility
from app.views.label.editing import FLAG
from app.views.label.shaping import GROW, TURN
from app.views.label.tool_bar import TOOLS

if TYPE_CHECKING:
    from app.views.label.workspace import LabelWorkspace


def command_table(workspace: LabelWorkspace) -> dict[str, Callable[[], object]]:
    """Action name -> what it does."""
    guesses, seeing = workspace.guesses, workspace.seeing
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
        "undo": browsing.undo,
        "redo": lambda: browsing.travel(editing.redo()),
        "fit": canvas.fit,
        "actual_size": canvas.actual_size,
        "zoom_in": lambda: canvas.zoom_at(QPointF(canvas.viewport().rect().center()), 1.25),
        "zoom_out": lambda: canvas.zoom_at(QPointF(canvas.viewport().rect().center()), 0.8),
        "new_instance": lambda: workspace.choose_tool("new"),
        "box": lambda: workspace.choose_tool("box"),
        "delete_instance": editing.remove_instance,
        "labels": lambda: seeing.flip("labels"),
        "heatmap": lambda: seeing.flip("heatmap"),
        "heatmaps": lambda: workspace.heatmaps.dock.toggle(),
        "queue": lambda: workspace.heatmaps.show_queue(),
        "equalise": lambda: seeing.flip("equalise"),
        "copy": workspace.transfer.copy,
        "paste": workspace.transfer.paste,
        "copy_last": workspace.last.copy,
        "next_peak": guesses.next_peak,
        "snap": lambda: seeing.flip("snap"),
        "onion": lambda: seeing.flip("onion"),
        "adjust": seeing.open_adjust,
        **shape_commands(workspace),
        "predict_again": guesses.predict_again,
        "predict_all": lambda: browsing.predict_all(),
        "predict_empty": lambda: browsing.predict_onto(Onto.EMPTY),
        "predict_models": lambda: browsing.predict_onto(Onto.MODEL),
        "flag": editing.toggle_flag,
        "remove_image": browsing.remove,
    }


def switched(workspace: LabelWorkspace) -> dict[str, bool]:
    """Action name -> whether what it turns on and off is on."""
    editing, tools = workspace.editing, workspace.tools.tools
    return {
        **workspace.seeing.states(),
        **{action: tools[tool].isChecked() for tool, _, _, action in TOOLS},
        "heatmaps": not workspace.heatmaps.dock.isHidden(),
        "outside": editing.may_leave,
        "flag": editing.image is not None and FLAG in editing.image.tags,
    }


def shape_commands(workspace: LabelWorkspace) -> dict[str, Callable[[], object]]:
    """The commands on several landmarks, and the tools for them."""
    shaping = workspace.canvas.shaping
    return {
        "select_tool": lambda: workspace.choose_tool("select"),
        "move_shape": lambda: workspace.choose_tool("move"),
        "place": lambda: workspace.choose_tool("place"),
        "select_all": shaping.select_all,
        "select_group": shaping.select_group,
        "next_group": lambda: shaping.step_group(1),
        "previous_group": lambda: shaping.step_group(-1),
        "rotate_left": lambda: shaping.rotate(-TURN),
        "rotate_right": lambda: shaping.rotate(TURN),
        "grow": lambda: shaping.grow(GROW),
        "shrink": lambda: shaping.grow(1 / GROW),
        "mirror": shaping.mirror,
        "swap_sides": shaping.swap_sides,
        "other_side": shaping.to_other_side,
        "mean_shape": shaping.mean_shape,
        "fit_rest": shaping.fit_rest,
        "outside": shaping.toggle_outside,
        "bring_back": shaping.bring_back,
    }
