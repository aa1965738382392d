"""A small panel of sliders that change what the eye sees of the picture, never the picture."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QPushButton, QSlider, QWidget

from app.services.look import Look
from app.views.label.numbers import number

GAMMA_STEPS = 20  # slider steps a doubling of gamma
WIDTH = 320


class Adjust(QFrame):
    """looked(Look) while a slider moves; faded(share): how much of the last picture shines through."""

    looked = Signal(object)
    faded = Signal(float)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("card", True)
        self.setFixedWidth(WIDTH)
        grid = QGridLayout(self)
        grid.setContentsMargins(16, 12, 16, 12)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        self.sliders: dict[str, QSlider] = {}
        self.values: dict[str, QLabel] = {}
        rows = (
            ("brightness", self.tr("Brightness"), -100, 100), ("contrast", self.tr("Contrast"), -100, 100),
            ("gamma", self.tr("Gamma"), -2 * GAMMA_STEPS, 2 * GAMMA_STEPS), ("last", self.tr("Last picture"), 0, 100),
        )  # fmt: skip
        for row, (name, text, low, high) in enumerate(rows):
            slider, value, caption = QSlider(Qt.Orientation.Horizontal), QLabel(), QLabel(text)
            slider.setRange(low, high)
            slider.setAccessibleName(text)
            caption.setBuddy(slider)
            value.setMinimumWidth(40)
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            value.setProperty("muted", True)
            for column, widget in enumerate((caption, slider, value)):
                grid.addWidget(widget, row, column)
            slider.valueChanged.connect(lambda _=0, n=name: self._moved(n))
            self.sliders[name], self.values[name] = slider, value
        self.reset = QPushButton(self.tr("As it is"))
        self.reset.clicked.connect(self.clear)
        grid.addWidget(self.reset, len(rows), 0, 1, 3, Qt.AlignmentFlag.AlignRight)
        self._tell()

    @property
    def look(self) -> Look:
        """What the sliders say."""
        at = {name: slider.value() for name, slider in self.sliders.items()}
        return Look(at["brightness"], at["contrast"], 2.0 ** (at["gamma"] / GAMMA_STEPS))

    def _moved(self, name: str) -> None:
        self._tell()
        if name == "last":
            self.faded.emit(self.sliders["last"].value() / 100)
        else:
            self.looked.emit(self.look)

    def _tell(self) -> None:
        for name, label in self.values.items():
            at = self.sliders[name].value()
            texts = {"gamma": number(self.look.gamma, 2), "last": f"{at} %"}
            label.setText(texts.get(name) or (f"+{at}" if at > 0 else number(at, 0)))
        self.reset.setEnabled(any(slider.value() for slider in self.sliders.values()))

    def clear(self) -> None:
        """Show the picture as it is."""
        for slider in self.sliders.values():
            slider.setValue(0)

    def open_under(self, button: QWidget) -> None:
        """Show below a button, the first slider in focus."""
        self.adjustSize()
        self.move(button.mapToGlobal(QPoint(0, button.height() + 4)))
        self.show()
        self.sliders["brightness"].setFocus(Qt.FocusReason.PopupFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter closes, as Escape does."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.close()
        else:
            super().keyPressEvent(event)
