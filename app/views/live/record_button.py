"""The button that records, with a menu of what to record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from app.settings import Settings
from app.views import theme
from app.views.key_button import more_for
from app.views.keymap import KeyMap
from app.views.words import tr

LANDMARKS, OVERLAY = "live/record landmarks", "live/record overlay"


@dataclass(frozen=True)
class RecordWishes:
    """What a recording holds: how landmarks are written, and whether what is drawn is in the picture."""

    landmarks: Literal["csv", "json"] = "csv"
    overlay: bool = False


class RecordButton(QToolButton):
    """wanted: begin or end. Its arrow opens the choice of format and overlay, which is remembered."""

    wanted = Signal()

    def __init__(self, keys: KeyMap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys, self._settings = keys, None
        self._state = (False, False)
        theme.grow(self, icon=18)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self.setProperty("split", True)
        self.clicked.connect(self.wanted)
        menu = QMenu(self)
        group = QActionGroup(self)
        self._csv = self._choice(menu, tr("Landmarks as CSV"), group)
        self._json = self._choice(menu, tr("Landmarks as JSON"), group)
        menu.addSeparator()
        self._overlay = self._choice(menu, tr("With the overlay in the picture"), None)
        self._csv.setChecked(True)
        self.setMenu(menu)
        menu.triggered.connect(self._keep)
        keys.changed.connect(self._dress)
        theme.theme().changed.connect(self._dress)
        self._dress()

    @property
    def wishes(self) -> RecordWishes:
        """What is chosen in the menu."""
        return RecordWishes("json" if self._json.isChecked() else "csv", self._overlay.isChecked())

    def remember(self, settings: Settings) -> None:
        """Choose as last time, and keep later choices."""
        self._json.setChecked(settings.get(LANDMARKS, "csv") == "json")
        self._overlay.setChecked(settings.get(OVERLAY, False) is True)
        self._settings = settings

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Down opens the choice, as it does in every list."""
        if event.key() == Qt.Key.Key_Down:
            self.showMenu()
        else:
            super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        """As wide as while one records, so that nothing beside it moves."""
        worded = self.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        return super().sizeHint() + QSize(more_for(self, (tr("Record"), tr("Stop recording"))) if worded else 0, 0)

    def minimumSizeHint(self) -> QSize:
        """Never narrower."""
        return self.sizeHint()

    def show_state(self, recording: bool, possible: bool) -> None:
        """Whether one records, and whether one can."""
        if (recording, possible) != self._state:
            self._state = (recording, possible)
            self._dress()

    def _choice(self, menu: QMenu, text: str, group: QActionGroup | None) -> QAction:
        action = menu.addAction(text)
        action.setCheckable(True)
        if group is not None:
            group.addAction(action)
        return action

    def _keep(self) -> None:
        if self._settings is not None:
            self._settings.set(LANDMARKS, self.wishes.landmarks)
            self._settings.set(OVERLAY, self.wishes.overlay)

    def _dress(self) -> None:
        recording, possible = self._state
        text = tr("Stop recording") if recording else tr("Record")
        self.setText(text)
        self.setAccessibleName(text)
        self.setToolTip(self._keys.tip("record", tr("Video and landmarks, frame by frame")))
        self.setIcon(theme.icon("stop-circle" if recording else "record-circle-outline", 18,
                                "error" if recording else "text"))  # fmt: skip
        self.setEnabled(recording or possible)
