"""One table of all actions: menu, shortcut, tooltip and command palette come from it."""

from __future__ import annotations

from dataclasses import dataclass

from app.views.words import mark, tr

ANYWHERE = "window"
FILE, EDIT, VIEW, LABEL, SHAPE, MODEL, HELP = MENUS = (
    mark("File"), mark("Edit"), mark("View"), mark("Label"), mark("Shape"), mark("Model"), mark("Help"),
)  # fmt: skip


@dataclass(frozen=True)
class Spec:
    """One action. scope: where it works (window, label, live or models), also: where else.

    `keys` as they are at first, in Qt's portable form; keymap.py says which are in force, and hears those that a
    text field would want only where none has the focus. toggles: it turns something on and off, or takes a tool in
    hand, so the menu shows a check mark while it is on; `switched()` of the window and its workspaces tells.
    """

    name: str
    text: str
    menu: str
    scope: str = ANYWHERE
    keys: tuple[str, ...] = ()
    icon: str = ""
    also: tuple[str, ...] = ()
    toggles: bool = False


# What goes on while its key is held; everything else is done once a press: a held Enter accepts one picture.
REPEATS = frozenset({
    "undo", "redo", "next_image", "previous_image", "next_to_check", "previous_to_check", "next_landmark",
    "previous_landmark", "next_group", "previous_group", "next_peak", "zoom_in", "zoom_out", "rotate_left",
    "rotate_right", "grow", "shrink",
})  # fmt: skip

ACTIONS: tuple[Spec, ...] = (
    Spec("new_project", mark("New project\u2026"), FILE, keys=("Ctrl+N",), icon="file-plus-outline"),
    Spec("open_project", mark("Open project\u2026"), FILE, keys=("Ctrl+O",), icon="folder-open-outline"),
    Spec("open_folder", mark("Open folder\u2026"), FILE, keys=("Ctrl+Shift+O",), icon="folder-image"),
    Spec("open_video", mark("Open video\u2026"), FILE, icon="movie-open-outline"),
    Spec("start_camera", mark("Start camera"), FILE, icon="webcam"),
    Spec("sample", mark("Try the sample"), FILE, icon="image-outline"),
    Spec("import_labels", mark("Import labels\u2026"), FILE, keys=("Ctrl+I",), icon="import"),
    Spec("agreement", mark("Agreement with labels or a model\u2026"), FILE, icon="account-multiple-check-outline"),
    Spec("export_set", mark("Export a data set\u2026"), FILE, keys=("Ctrl+E",), icon="export"),
    Spec("locate", mark("Find missing pictures\u2026"), FILE, icon="folder-search-outline"),
    Spec("copy_project", mark("Keep a copy\u2026"), FILE),
    Spec("backups", mark("Backups\u2026"), FILE, icon="backup-restore"),
    Spec("close_project", mark("Close project"), FILE, keys=("Ctrl+W",)),
    Spec("quit", mark("Quit"), FILE, keys=("Ctrl+Q",)),
    Spec("undo", mark("Undo"), EDIT, "label", ("Ctrl+Z",), "undo", also=("live",)),
    Spec("redo", mark("Redo"), EDIT, "label", ("Ctrl+Y", "Ctrl+Shift+Z"), "redo", also=("live",)),
    Spec("copy", mark("Copy the instance"), EDIT, "label", ("Ctrl+C",), "content-copy"),
    Spec("paste", mark("Paste"), EDIT, "label", ("Ctrl+V",), "content-paste"),
    Spec("copy_last", mark("Copy from the last image"), EDIT, "label", ("Ctrl+B",)),
    Spec("select_all", mark("Select all landmarks"), EDIT, "label", ("Ctrl+A",)),
    Spec("select_group", mark("Select the landmark's group"), EDIT, "label", ("U",)),
    Spec("next_group", mark("Select the next group"), EDIT, "label", ("]",)),
    Spec("previous_group", mark("Select the previous group"), EDIT, "label", ("[",)),
    Spec("delete_instance", mark("Delete instance"), EDIT, "label", ("Delete",)),
    Spec("schema", mark("Landmarks of the project\u2026"), EDIT, icon="sitemap-outline"),
    Spec("live", mark("Live"), VIEW, keys=("Ctrl+1",), icon="webcam", toggles=True),
    Spec("label", mark("Label"), VIEW, keys=("Ctrl+2",), icon="vector-polyline-edit", toggles=True),
    Spec("models", mark("Models"), VIEW, keys=("Ctrl+3",), icon="layers-triple-outline", toggles=True),
    Spec("fit", mark("Fit"), VIEW, "label", ("F", "Ctrl+F"), also=("live",)),
    Spec("actual_size", mark("100 %"), VIEW, "label", ("Ctrl+0",), also=("live",)),
    Spec("zoom_in", mark("Zoom in"), VIEW, "label", ("Ctrl++",), also=("live",)),
    Spec("zoom_out", mark("Zoom out"), VIEW, "label", ("Ctrl+-",), also=("live",)),
    Spec("labels", mark("Show labels"), VIEW, "label", ("H",), also=("live",), toggles=True),
    Spec("heatmap", mark("Show heatmap"), VIEW, "label", ("M",), also=("live",), toggles=True),
    Spec("heatmaps", mark("Heatmaps"), VIEW, keys=("Ctrl+M",), icon="view-grid-outline", toggles=True),
    Spec("equalise", mark("Equalise"), VIEW, "label", ("E",), toggles=True),
    Spec("adjust", mark("Brightness and contrast"), VIEW, "label", ("Shift+E",), "tune-variant"),
    Spec("onion", mark("Show the last image's labels"), VIEW, "label", ("L",), "layers-outline", toggles=True),
    Spec("accept", mark("Accept, next"), LABEL, "label", ("Return",)),
    Spec("reject", mark("Reject"), LABEL, "label", ("Ctrl+R",)),
    Spec("flag", mark("Flag"), LABEL, "label", ("G",), toggles=True),
    Spec("remove_image", mark("Remove the image from the project"), LABEL, "label"),
    Spec("next_image", mark("Next image"), LABEL, "label", ("D",)),
    Spec("previous_image", mark("Previous image"), LABEL, "label", ("A",)),
    Spec("next_to_check", mark("Next that needs a look"), LABEL, "label", ("Space",)),
    Spec("previous_to_check", mark("Previous that needs a look"), LABEL, "label", ("Shift+Space",)),
    Spec("next_landmark", mark("Next landmark"), LABEL, "label", ("S",), also=("live",)),
    Spec("previous_landmark", mark("Previous landmark"), LABEL, "label", ("W",), also=("live",)),
    Spec("occluded", mark("Occluded"), LABEL, "label", ("Q",), also=("live",)),
    Spec("absent", mark("Absent"), LABEL, "label", ("X", "Backspace"), also=("live",)),
    Spec("peak_1", mark("Take peak 1"), LABEL, "label", ("1",), also=("live",)),
    Spec("peak_2", mark("Take peak 2"), LABEL, "label", ("2",), also=("live",)),
    Spec("peak_3", mark("Take peak 3"), LABEL, "label", ("3",), also=("live",)),
    Spec("next_peak", mark("Take the next peak"), LABEL, "label", ("C",)),
    Spec("snap", mark("Snap to peaks"), LABEL, "label", ("Z",), "magnet", toggles=True),
    Spec("new_instance", mark("New instance"), LABEL, "label", ("N",), toggles=True),
    Spec("box", mark("Draw the box"), LABEL, "label", ("B",), also=("live",), toggles=True),
    Spec("select_tool", mark("Select and move landmarks"), SHAPE, "label", ("V",), toggles=True),
    Spec("move_shape", mark("Move the shape"), SHAPE, "label", ("T",), "cursor-move", toggles=True),
    Spec("place", mark("Place one by one"), SHAPE, "label", ("P",), "map-marker-plus-outline", toggles=True),
    Spec("rotate_left", mark("Rotate to the left"), SHAPE, "label", (",",)),
    Spec("rotate_right", mark("Rotate to the right"), SHAPE, "label", (".",)),
    Spec("grow", mark("Scale up"), SHAPE, "label", ("+",)),
    Spec("shrink", mark("Scale down"), SHAPE, "label", ("-",)),
    Spec("mirror", mark("Mirror"), SHAPE, "label", ("Shift+M",)),
    Spec("swap_sides", mark("Swap left and right"), SHAPE, "label", ("Shift+S",)),
    Spec("other_side", mark("Copy to the other side"), SHAPE, "label", ("Shift+C",)),
    Spec("mean_shape", mark("Start from the mean shape"), SHAPE, "label", ("Shift+N",)),
    Spec("fit_rest", mark("Fit the rest to placed landmarks"), SHAPE, "label", ("Y",)),
    Spec("outside", mark("Landmarks may leave the picture"), SHAPE, "label", ("Shift+O",), toggles=True),
    Spec("bring_back", mark("Bring landmarks back"), SHAPE, "label", ("Shift+B",)),
    Spec("predict_again", mark("Predict again"), MODEL, "label", ("R",)),
    Spec("predict_all", mark("Predict all new images"), MODEL, "label"),
    Spec("predict_empty", mark("Predict images without labels"), MODEL, "label"),
    Spec("predict_models", mark("Replace what only models have placed"), MODEL, "label"),
    Spec("freeze", mark("Freeze or resume"), MODEL, "live", ("Space",), toggles=True),
    Spec("add_to_project", mark("Add the frame to the project"), MODEL, "live", ("Return",)),
    Spec("snapshot", mark("Save the frame as PNG"), MODEL, "live", ("Ctrl+Shift+S",)),
    Spec("record", mark("Record or stop recording"), MODEL, "live", ("V",), "record-circle-outline", toggles=True),
    Spec("play", mark("Play or pause"), MODEL, "live", ("P",), "play"),
    Spec("step_back", mark("One frame back"), MODEL, "live", (",",)),
    Spec("step_forward", mark("One frame on"), MODEL, "live", (".",)),
    Spec("slower", mark("Slower"), MODEL, "live", ("[",)),
    Spec("faster", mark("Faster"), MODEL, "live", ("]",)),
    Spec("repeat", mark("Repeat from the start"), MODEL, "live", toggles=True),
    Spec("second_model", mark("Another model beside it"), MODEL, "live", ("J",), toggles=True),
    Spec("swap_models", mark("Swap the two models"), MODEL, "live", ("Shift+J",)),
    Spec("names", mark("Show names"), VIEW, "live", ("L",), toggles=True),
    Spec("lines", mark("Show lines"), VIEW, "live", toggles=True),
    Spec("brackets", mark("Show boxes"), VIEW, "live", toggles=True),
    Spec("scores", mark("Show scores"), VIEW, "live", toggles=True),
    Spec("by_score", mark("Colour by score"), VIEW, "live", ("Shift+L",), toggles=True),
    Spec("mirror_view", mark("Mirror the view"), VIEW, "live", ("K",), toggles=True),
    Spec("smoother", mark("Smoother"), VIEW, "live", ("+",)),
    Spec("rougher", mark("Less smooth"), VIEW, "live", ("-",)),
    Spec("statistics", mark("Statistics"), VIEW, "live", ("T",), "chart-timeline-variant", toggles=True),
    Spec("full_screen", mark("Full screen"), VIEW, keys=("F11",), toggles=True),
    Spec("settings", mark("Settings"), VIEW, keys=("Ctrl+,",), icon="cog-outline"),
    Spec("fine_tune", mark("Fine-tune\u2026"), MODEL, "models", icon="school-outline"),
    Spec("import_model", mark("Import model\u2026"), MODEL, "models", icon="import"),
    Spec("palette", mark("Find a command"), HELP, keys=("Ctrl+Shift+P",)),
    Spec("keys", mark("Keys"), HELP, keys=("F1", "?")),
    Spec("about", mark("About Hourbit"), HELP),
)
BY_NAME = {spec.name: spec for spec in ACTIONS}


def title(spec: Spec) -> str:
    """The action's words in the user's language."""
    return tr(spec.text)
