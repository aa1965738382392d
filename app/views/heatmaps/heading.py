"""The dock's own title bar: whose maps, their scale, and what can be done with them."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QMenu, QToolButton, QWidget

from app.views.heatmaps.colour_bar import ColourBar
from app.views.theme import grow, icon, theme
from app.views.tokens import HEADING
from app.views.widgets import ElidedLabel, label_combo


class DockHeading(QWidget):
    """layers(bool): inner layers instead of maps; png(), npz(): save; floated(); closed();
    compared(): another model B."""

    layers = Signal(bool)
    png = Signal()
    npz = Signal()
    floated = Signal()
    closed = Signal()
    compared = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("bar", True)
        grow(self, height=HEADING)
        title = QLabel(self.tr("Heatmaps"))
        title.setProperty("heading", True)
        self.model = ElidedLabel("")
        self.model.setProperty("muted", True)
        self.model.setProperty("small", True)
        self.bar = ColourBar(self)
        self.minus, self.other = QLabel("\u2212"), QComboBox()
        label_combo(self.other, self.tr("Model B, to compare with"))
        self.other.setMaximumWidth(140)
        self.other.activated.connect(self.compared)
        self.show_comparing(False)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 8, 0)
        row.setSpacing(4)
        row.addWidget(title)
        row.addSpacing(4)
        row.addWidget(self.model, 1)
        row.addWidget(self.minus)
        row.addWidget(self.other)
        row.addSpacing(4)
        row.addWidget(self.bar)
        row.addSpacing(4)
        self._icons: list[tuple[QToolButton, str]] = []
        self.inner = self._button("layers-search-outline", self.tr("Inner layers"))
        self.inner.setCheckable(True)
        self.inner.toggled.connect(self.layers)
        self.save = self._button("image-outline", self.tr("Save"))
        self.save.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.save)
        menu.addAction(self.tr("Picture (PNG)\u2026")).triggered.connect(self.png)
        menu.addAction(self.tr("Arrays (NPZ)\u2026")).triggered.connect(self.npz)
        self.save.setMenu(menu)
        self.float = self._button("dock-window", self.tr("A window of its own, or back"))
        self.float.clicked.connect(self.floated)
        self.cross = self._button("close", self.tr("Close the heatmaps  Ctrl+M"))
        self.cross.clicked.connect(self.closed)
        for button, _ in self._icons:
            row.addWidget(button)
        theme().changed.connect(self._dress)
        self._dress()

    def set_models(self, entries: list[tuple[str, str]]) -> None:
        """Models to compare with, as (path, title); the one chosen stays where it is among them."""
        current = self.other.currentData()
        self.other.clear()
        for path, title in entries:
            self.other.addItem(title, path)
        self.other.setCurrentIndex(max(self.other.findData(current), 0) if entries else -1)

    def show_comparing(self, on: bool) -> None:
        """Whether another model is subtracted."""
        self.minus.setVisible(on)
        self.other.setVisible(on)

    def _button(self, name: str, text: str) -> QToolButton:
        button = QToolButton(self)
        grow(button, icon=18)
        button.setToolTip(text)
        button.setAccessibleName(text)
        self._icons.append((button, name))
        return button

    def _dress(self) -> None:
        for button, name in self._icons:
            button.setIcon(icon(name, 18))
