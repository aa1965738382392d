"""The menus, filled from the table of actions, with recent projects and the formats of the export."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from app.api import exporters
from app.project.document import Document
from app.services.projects import Recent
from app.views.actions import ACTIONS, ANYWHERE, BY_NAME, MENUS, MODEL, REPEATS, VIEW, title
from app.views.keymap import KeyMap
from app.views.words import told, tr

NEEDS_PROJECT = ("close_project", "export_set", "agreement", "schema", "locate", "copy_project", "backups")
SEEN_IN_PICTURES = ("heatmaps",)
# A line stands over each of these.
GROUPS = frozenset({
    "import_labels", "locate", "close_project", "copy", "select_all", "delete_instance", "schema", "fit", "labels",
    "names", "full_screen", "next_image", "next_landmark", "occluded", "peak_1", "new_instance", "rotate_left",
    "mirror", "mean_shape", "outside", "freeze", "play", "second_model", "fine_tune", "keys", "about",
})  # fmt: skip
OF_ONE_WORKSPACE = (VIEW, MODEL)  # menus that show nothing of the other workspaces
HISTORY = (("undo", "undo_title"), ("redo", "redo_title"))


class Menus(QObject):
    """chosen(name): an action of the table; exported(format); reopened(path): a recent project."""

    chosen = Signal(str)
    exported = Signal(str)
    reopened = Signal(object)

    def __init__(
        self, bar: QMenuBar, window: QWidget, keys: KeyMap, recent: Callable[[], list[Recent]],
        switched: Callable[[], Mapping[str, bool]] = dict,
    ) -> None:  # fmt: skip
        super().__init__(window)
        self._switched = switched
        self._recent, self._keys, self._document, self._current = recent, keys, None, ""
        self.menus: dict[str, QMenu] = {name: bar.addMenu(tr(name)) for name in MENUS}
        self.actions: dict[str, QAction] = {}
        for spec in ACTIONS:
            action = self.actions[spec.name] = QAction(window)
            action.setObjectName(spec.name)
            action.triggered.connect(lambda _=False, n=spec.name: self._choose(n))
            action.setCheckable(spec.toggles)
            if spec.name in GROUPS:
                self.menus[spec.menu].addSeparator()
            self.menus[spec.menu].addAction(action)
            action.setAutoRepeat(spec.name in REPEATS)
            window.addAction(action)
            if spec.name == "open_project":
                self.recent = self.menus["File"].addMenu(self.tr("Recent projects"))
                self.recent.aboutToShow.connect(self.fill_recent)
            if spec.name == "export_set":
                self._add_exports()
        for menu in self.menus.values():
            menu.aboutToShow.connect(self._tell_switched)
        self.menus["Edit"].aboutToShow.connect(self._tell_history)
        self.menus["Edit"].aboutToHide.connect(self._enable)
        keys.changed.connect(self._tell_keys)
        self._tell_keys()
        self._enable()

    def _tell_keys(self) -> None:
        for name, action in self.actions.items():
            action.setShortcuts(list(self._keys.shortcuts(name)))
            self._face(name, title(BY_NAME[name]))

    def _face(self, name: str, words: str) -> None:
        """Words, and the key at the right whoever hears it."""
        first = self._keys.keys(name)[:1]
        heard_elsewhere = bool(first) and first[0] not in self._keys.shortcuts(name)
        self.actions[name].setText(f"{words}\t{self._keys.cap(name)}" if heard_elsewhere else words)

    def _add_exports(self) -> None:
        self.export = self.menus["File"].addMenu(self.tr("Export"))
        for exporter in exporters():
            entry = self.export.addAction(f"{told(exporter.title)}\u2026")
            entry.setObjectName(exporter.name)
            entry.triggered.connect(lambda _=False, n=exporter.name: self.exported.emit(n))

    def _choose(self, name: str) -> None:
        self.chosen.emit(name)
        self._tell_switched()  # Qt has turned the mark round already, whatever came of it

    def _tell_switched(self) -> None:
        """Check marks say what is on."""
        on = self._switched()
        for spec in ACTIONS:
            if spec.toggles:
                self.actions[spec.name].setChecked(on.get(spec.name, False))

    def show_state(self, document: Document | None, current: str) -> None:
        """What can be done depends on the open project and on the workspace that shows."""
        self._document, self._current = document, current
        self._enable()

    def usable(self, name: str) -> bool:
        """Whether an action does something now."""
        spec = BY_NAME[name]
        if name in NEEDS_PROJECT:
            return self._document is not None
        if name in SEEN_IN_PICTURES:
            return self._current in ("label", "live")
        if self._current in spec.also:
            return True
        if spec.scope == "label":
            return self._document is not None and self._current == "label"
        return spec.scope in (ANYWHERE, "models", self._current)

    def fill_recent(self) -> None:
        """List the projects that were open before."""
        self.recent.clear()
        for project in self._recent():
            action = self.recent.addAction(project.name)
            action.triggered.connect(lambda _=False, p=Path(project.path): self.reopened.emit(p))
        if self.recent.isEmpty():
            self.recent.addAction(self.tr("None yet")).setEnabled(False)

    def _enable(self) -> None:
        for name, action in self.actions.items():
            spec = BY_NAME[name]
            here = spec.scope in (ANYWHERE, "models", self._current) or self._current in spec.also
            action.setEnabled(self.usable(name))
            action.setVisible(here or spec.menu not in OF_ONE_WORKSPACE)
        self.export.setEnabled(self._document is not None)

    def _tell_history(self) -> None:
        """While the menu is open it says what would be undone in Label; closed, the keys stay alive."""
        if self._current in BY_NAME["undo"].also:
            return
        for name, what in HISTORY:
            held = getattr(self._document, what) if self._document is not None else None
            words = title(BY_NAME[name])
            self._face(name, f"{words}: {told(held)}" if held else words)
            self.actions[name].setEnabled(bool(held) and self.usable(name))
