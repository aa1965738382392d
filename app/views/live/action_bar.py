"""The bar under the live picture: freeze or resume, snapshot, add to project, full screen."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from app.views import theme
from app.views.fitting import give_way
from app.views.key_button import KeyButton
from app.views.keymap import KeyMap, KeyTip
from app.views.live.record_button import RecordButton
from app.views.widgets import bar_row

HEIGHT, LEAST = 48, 400


class ActionBar(QWidget):
    """Buttons only; the workspace does the work. Exactly one button is filled: Freeze, or Add to project."""

    frozen = Signal()  # freeze or resume
    snapshot = Signal()
    added = Signal()
    full_screen = Signal()
    panel = Signal(bool)  # whether the side panel is wanted

    def __init__(self, keys: KeyMap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("actionBar")
        row = bar_row(self, HEIGHT)
        row.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)
        self.freeze = KeyButton(self.tr("Freeze"), keys, "freeze", self)
        self.add = KeyButton(self.tr("Add to project"), keys, "add_to_project", self)
        self.record = RecordButton(keys, self)
        self.camera = self._tool("camera-outline", self.tr("Save the picture as PNG"))
        self.fit = self._tool("fit-to-screen-outline", self.tr("Fit"))
        KeyTip(self.fit, keys, "fit")
        self.full = self._tool("fullscreen", self.tr("Full screen"))
        KeyTip(self.full, keys, "full_screen")
        self.side = self._tool("dock-right", self.tr("Side panel"))
        self.side.setCheckable(True)
        self.side.setChecked(True)
        self.side.clicked.connect(self.panel)
        self.hint = QLabel("")
        self.hint.setProperty("muted", True)
        row.addWidget(self.freeze)
        row.addWidget(self.record)
        row.addWidget(self.camera)
        row.addStretch(1)
        row.addWidget(self.hint)
        row.addWidget(self.add)
        row.addSpacing(8)
        row.addWidget(self.fit)
        row.addWidget(self.full)
        row.addWidget(self.side)
        self.freeze.reserve(self.tr("Freeze"), self.tr("Resume"))
        self.setFocusProxy(self.freeze)
        self.freeze.clicked.connect(self.frozen)
        self.add.clicked.connect(self.added)
        self.camera.clicked.connect(self.snapshot)
        self.full.clicked.connect(self.full_screen)
        self._state = (False, False, self.tr("Freeze a picture first"))
        theme.theme().changed.connect(self._refresh)
        self._refresh()

    def _tool(self, name: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setProperty("iconName", name)
        theme.grow(button, icon=18, side=30)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        return button

    def set_state(self, picture: bool, frozen: bool, obstacle: str) -> None:
        """Whether there is a picture, whether it is frozen, and why it cannot be added, "" where it can."""
        if (picture, frozen, obstacle) != self._state:
            self._state = (picture, frozen, obstacle)
            self._refresh()

    def _refresh(self) -> None:
        picture, frozen, obstacle = self._state
        addable = not obstacle
        if frozen:
            self.freeze.set_face(self.tr("Resume"), "play", not addable)
        else:
            self.freeze.set_face(self.tr("Freeze"), "pause", True)
        self.freeze.setEnabled(picture)
        self.add.set_face(self.tr("Add to project"), "tray-arrow-down", addable)
        self.add.setEnabled(addable)
        self.camera.setEnabled(picture)
        self.fit.setEnabled(picture)
        words = obstacle or self.tr("Drag what is wrong, then")
        self.hint.setText(words if frozen else self.tr("Freeze, correct, then"))
        for button in (self.camera, self.fit, self.full, self.side):
            button.setIcon(theme.icon(button.property("iconName")))
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """What gives way must not keep the bar wide."""
        return QSize(LEAST, HEIGHT)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow bar leaves the hint out, then keys, then words."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        give_way(self, (
            self.hint.setVisible, self.add.set_capped, self.freeze.set_capped, self._word_record, self.add.set_worded,
        ))  # fmt: skip
        if self._state[2]:
            self.add.setToolTip(self._state[2])

    def _word_record(self, room: bool) -> None:
        style = Qt.ToolButtonStyle
        self.record.setToolButtonStyle(style.ToolButtonTextBesideIcon if room else style.ToolButtonIconOnly)
