"""What is shown and how: the dock's row of switches."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSlider, QVBoxLayout, QWidget

from app.services.maps import Look
from app.views.live.segments import Segments


class Switches(QWidget):
    """changed(): another look."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.projection = self._segments(
            [("one", self.tr("One")), ("max", self.tr("Max")), ("sum", self.tr("Sum"))], self.tr("Landmarks together")
        )
        self.scale = self._segments(
            [("probability", self.tr("Probability")), ("logit", self.tr("Logit"))], self.tr("Values")
        )
        self.kind = self._segments(
            [("map", self.tr("Map")), ("crop", self.tr("Crop")), ("flip", self.tr("Flip difference")),
             ("other", self.tr("A \u2212 B"))], self.tr("What is shown"),
        )  # fmt: skip
        self.fixed = QPushButton(self.tr("0 to 1"))
        self.fixed.setCheckable(True)
        self.fixed.setProperty("chip", True)
        self.fixed.setToolTip(self.tr("The same range for all maps, instead of each map's own"))
        self.fixed.clicked.connect(self.changed)
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(10, 100)
        self.opacity.setValue(75)
        self.opacity.setFixedWidth(72)
        self.opacity.setAccessibleName(self.tr("Opacity"))
        self.opacity.valueChanged.connect(self.changed)
        self._lay_out()

    def _segments(self, choices: list[tuple[str, str]], name: str) -> Segments:
        made = Segments(choices, self)
        for button in made.buttons.values():
            button.setAccessibleDescription(name)
        made.set_bounded()
        made.chosen.connect(self.changed)
        return made

    def _lay_out(self) -> None:
        caption = self._caption = QLabel(self.tr("Opacity"))
        caption.setProperty("muted", True)
        caption.setProperty("small", True)
        self._above, self._below = QHBoxLayout(), QHBoxLayout()
        for row in (self._above, self._below):
            row.setSpacing(8)
        for widget in (self.projection, self.scale):
            self._above.addWidget(widget)
        self._above.addStretch(1)
        for widget in (caption, self.opacity):
            self._above.addWidget(widget)
        self._below.addWidget(self.kind)
        self._below.addWidget(self.fixed)
        self._below.addStretch(1)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(16, 2, 16, 8)
        self._column.setSpacing(8)
        self._column.addLayout(self._above)
        self._column.addLayout(self._below)

    def needed(self) -> int:
        """The width that holds everything in one row."""
        words = sum(part.needed() for part in (self.projection, self.scale, self.kind))
        more = sum(part.sizeHint().width() for part in (self.fixed, self._caption, self.opacity))
        return words + more + 2 * 16 + 6 * 8

    def set_wide(self, wide: bool) -> None:
        """One row, or two."""
        if wide == (self._above.indexOf(self.kind) >= 0):
            return
        if wide:
            self._above.insertWidget(2, self.kind)
            self._above.insertWidget(3, self.fixed)
        else:
            self._below.insertWidget(0, self.kind)
            self._below.insertWidget(1, self.fixed)
        self._column.setSpacing(0 if wide else 8)

    def minimumSizeHint(self) -> QSize:
        """Narrower than its words: the dock scrolls, it does not grow."""
        return QSize(0, super().minimumSizeHint().height())

    def set_comparable(self, comparable: bool) -> None:
        """Whether there is a second model; without one the switch is off."""
        button = self.kind.buttons["other"]
        button.setEnabled(comparable)
        words = self.tr("There is no second model for these landmarks; import one in Models")
        button.setToolTip("" if comparable else words)
        if not comparable and self.kind.current == "other":
            self.kind.choose("map")

    def look(self, landmark: int) -> Look:
        """What the switches say, for a landmark."""
        look = Look(landmark, self.projection.current, self.scale.current, self.kind.current)
        return replace(look, fixed=self.fixed.isChecked(), opacity=self.opacity.value() / 100)
