"""One table of all actions: menu, shortcut, tooltip and command palette come from it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

ANYWHERE = "window"


@dataclass(frozen=True)
class Spec:
    """One action. scope: where it works (window, label, live or models).

    `keys` in Qt's portable form; `shortcut` is False where the workspace's own widget handles the key, because
    a plain letter must stay silent while a text field has the focus.
    """

    name: str
    text: str
    menu: str
    scope: str = ANYWHERE
    keys: tuple[str, ...] = ()
    icon: str = ""
    shortcut: bool = True


def _t(text: str) -> str:
    return text  # marks texts for translation; `title` translates them when shown


ACTIONS: tuple[Spec, ...] = (
    Spec("new_project", _t("New project\u2026"), "File", keys=("Ctrl+N",), icon="file-plus-outline"),
    Spec("open_project", _t("Open project\u2026"), "File", keys=("Ctrl+O",), icon="folder-open-outline"),
    Spec("open_folder", _t("Open folder\u2026"), "File", keys=("Ctrl+Shift+O",), icon="folder-image"),
    Spec("open_video", _t("Open video\u2026"), "File", icon="movie-open-outline"),
    Spec("start_camera", _t("Start camera"), "File", icon="webcam"),
    Spec("sample", _t("Try the sample"), "File", icon="image-outline"),
    Spec("import_labels", _t("Import labels\u2026"), "File", keys=("Ctrl+I",), icon="import"),
    Spec("export_set", _t("Export a data set\u2026"), "File", keys=("Ctrl+E",), icon="export"),
    Spec("close_project", _t("Close project"), "File", keys=("Ctrl+W",)),
    Spec("quit", _t("Quit"), "File", keys=("Ctrl+Q",)),
    Spec("undo", _t("Undo"), "Edit", "label", ("Ctrl+Z",), "undo"),
    Spec("redo", _t("Redo"), "Edit", "label", ("Ctrl+Y", "Ctrl+Shift+Z"), "redo"),
    Spec("delete_instance", _t("Delete instance"), "Edit", "label", ("Delete",), shortcut=False),
    Spec("live", _t("Live"), "View", keys=("Ctrl+1",), icon="webcam"),
    Spec("label", _t("Label"), "View", keys=("Ctrl+2",), icon="vector-polyline-edit"),
    Spec("models", _t("Models"), "View", keys=("Ctrl+3",), icon="layers-triple-outline"),
    Spec("fit", _t("Fit"), "View", "label", ("F", "Ctrl+F"), shortcut=False),
    Spec("actual_size", _t("100 %"), "View", "label", ("Ctrl+0",)),
    Spec("zoom_in", _t("Zoom in"), "View", "label", ("Ctrl++",)),
    Spec("zoom_out", _t("Zoom out"), "View", "label", ("Ctrl+-",)),
    Spec("labels", _t("Show labels"), "View", "label", ("H",), shortcut=False),
    Spec("heatmap", _t("Show heatmap"), "View", "label", ("M",), shortcut=False),
    Spec("heatmaps", _t("Heatmaps"), "View", keys=("Ctrl+M",), icon="view-grid-outline"),
    Spec("equalise", _t("Equalise"), "View", "label", ("E",), shortcut=False),
    Spec("full_screen", _t("Full screen"), "View", keys=("F11",)),
    Spec("settings", _t("Settings"), "View", keys=("Ctrl+,",), icon="cog-outline"),
    Spec("accept", _t("Accept, next"), "Label", "label", ("Return",), shortcut=False),
    Spec("reject", _t("Reject"), "Label", "label", ("Ctrl+R",)),
    Spec("next_image", _t("Next image"), "Label", "label", ("D",), shortcut=False),
    Spec("previous_image", _t("Previous image"), "Label", "label", ("A",), shortcut=False),
    Spec("next_to_check", _t("Next that needs a look"), "Label", "label", ("Space",), shortcut=False),
    Spec("previous_to_check", _t("Previous that needs a look"), "Label", "label", ("Shift+Space",), shortcut=False),
    Spec("next_landmark", _t("Next landmark"), "Label", "label", ("S",), shortcut=False),
    Spec("previous_landmark", _t("Previous landmark"), "Label", "label", ("W",), shortcut=False),
    Spec("occluded", _t("Occluded"), "Label", "label", ("Q",), shortcut=False),
    Spec("absent", _t("Absent"), "Label", "label", ("X", "Backspace"), shortcut=False),
    Spec("peak_1", _t("Take peak 1"), "Label", "label", ("1",), shortcut=False),
    Spec("peak_2", _t("Take peak 2"), "Label", "label", ("2",), shortcut=False),
    Spec("peak_3", _t("Take peak 3"), "Label", "label", ("3",), shortcut=False),
    Spec("new_instance", _t("New instance"), "Label", "label", ("N",), shortcut=False),
    Spec("box", _t("Draw the box"), "Label", "label", ("B",), shortcut=False),
    Spec("predict_again", _t("Predict again"), "Model", "label", ("R",), shortcut=False),
    Spec("predict_all", _t("Predict all new images"), "Model", "label"),
    Spec("freeze", _t("Freeze or resume"), "Model", "live", ("Space",), shortcut=False),
    Spec("add_to_project", _t("Add the frame to the project"), "Model", "live", ("Return",), shortcut=False),
    Spec("snapshot", _t("Save the frame as PNG"), "Model", "live"),
    Spec("fine_tune", _t("Fine-tune\u2026"), "Model", "models", icon="school-outline"),
    Spec("import_model", _t("Import model\u2026"), "Model", "models", icon="import"),
    Spec("palette", _t("Find a command"), "Help", keys=("Ctrl+Shift+P",)),
    Spec("keys", _t("Keys"), "Help", keys=("F1",)),
    Spec("about", _t("About Hourbit"), "Help"),
)
MENUS = ("File", "Edit", "View", "Label", "Model", "Help")
BY_NAME = {spec.name: spec for spec in ACTIONS}


def title(spec: Spec) -> str:
    """The action's words in the user's language."""
    return QCoreApplication.translate("actions", spec.text)


def tooltip(spec: Spec) -> str:
    """Name and key, for buttons that show an icon alone."""
    return f"{title(spec)}  {spec.keys[0]}" if spec.keys else title(spec)
