"""Play, pause, step, seek, speed and repeat of a video or slide show, in a line under the picture."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QComboBox, QLabel, QSlider, QStyle, QToolButton, QWidget

from app.sources.transport import SPEEDS, Transport
from app.views import theme
from app.views.keymap import KeyMap, KeyTip
from app.views.widgets import bar_row, label_combo
from app.views.words import tr

HEIGHT = 40


class TransportBar(QWidget):
    """Works on the transport it was given; hidden while the source has none."""

    def __init__(self, keys: KeyMap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.transport: Transport | None = None
        row = bar_row(self, HEIGHT)
        self.back = self._tool("skip-previous", keys, "step_back", lambda: self.step(-1))
        self.play = self._tool("pause", keys, "play", self.toggle)
        self.forward = self._tool("skip-next", keys, "step_forward", lambda: self.step(1))
        self.slider = SeekSlider(self)
        self.slider.setAccessibleName(tr("Place in the video"))
        self.slider.valueChanged.connect(self._sought)
        self.place = QLabel()
        self.place.setProperty("small", True)
        self.place.setMinimumWidth(172)
        self.place.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.speeds = QComboBox()
        label_combo(self.speeds, tr("Speed"))
        self.speeds.setToolTip(tr("Speed"))
        for speed in SPEEDS:
            self.speeds.addItem(f"{self.locale().toString(speed)} \u00d7", speed)
        self.speeds.setCurrentIndex(SPEEDS.index(1.0))
        self.speeds.activated.connect(lambda index: self.transport and self.transport.set_speed(SPEEDS[index]))
        self.loop = self._tool("repeat", keys, "repeat", None)
        self.loop.setCheckable(True)
        self.loop.toggled.connect(lambda on: self.transport and self.transport.set_loop(on))
        for widget in (self.back, self.play, self.forward):
            row.addWidget(widget)
        row.addWidget(self.slider, 1)
        for widget in (self.place, self.speeds, self.loop):
            row.addWidget(widget)
        QWidget.setTabOrder(self.speeds, self.loop)
        self._shown: tuple = ()
        theme.theme().changed.connect(self._dress)
        self._dress()
        self.hide()

    def _tool(self, name: str, keys: KeyMap, action: str, pressed: object) -> QToolButton:
        button = QToolButton(self)
        button.setProperty("iconName", name)
        theme.grow(button, icon=18, side=30)
        KeyTip(button, keys, action)
        button.setAccessibleName(button.toolTip().partition(" (")[0])
        if pressed is not None:
            button.clicked.connect(pressed)
        return button

    def _dress(self) -> None:
        for button in (self.back, self.play, self.forward, self.loop):
            button.setIcon(theme.icon(button.property("iconName")))

    # ---- what people ask

    def toggle(self) -> None:
        """Play or pause."""
        if self.transport is not None:
            self.transport.toggle()
            self.refresh()

    def step(self, frames: int) -> None:
        """Pause and go some frames on or back."""
        if self.transport is not None:
            self.transport.step(frames)
            self.refresh()

    def faster(self, steps: int) -> None:
        """The next higher or lower speed."""
        index = min(max(self.speeds.currentIndex() + steps, 0), len(SPEEDS) - 1)
        self.speeds.setCurrentIndex(index)
        if self.transport is not None:
            self.transport.set_speed(SPEEDS[index])

    def _sought(self, index: int) -> None:
        if self.transport is not None:
            self.transport.seek(index)

    # ---- what is shown

    def follow(self, transport: Transport | None) -> None:
        """Work on another source's transport; None hides the bar."""
        self.transport, self._shown = transport, ()
        self.setVisible(transport is not None)
        if transport is not None:
            transport.set_speed(SPEEDS[self.speeds.currentIndex()])
            with QSignalBlocker(self.loop):
                self.loop.setChecked(transport.loop)
        self.refresh()

    def refresh(self) -> None:
        """Say where the source is; cheap where nothing changed."""
        transport = self.transport
        if transport is None:
            return
        now = (transport.playing, transport.position, transport.count)
        if now == self._shown:
            return
        self._shown = now
        name = "pause" if transport.playing else "play"
        if name != self.play.property("iconName"):
            self.play.setProperty("iconName", name)
            self._dress()
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, max(transport.count - 1, 0))
            if not self.slider.isSliderDown():
                self.slider.setValue(max(transport.position, 0))
        for widget in (self.back, self.play, self.forward, self.slider):
            widget.setEnabled(transport.count > 0)
        if not transport.count:
            self.place.setText("")
            return
        index = min(max(transport.position, 0), max(transport.count - 1, 0))
        moment = transport.times[index]
        frame = tr("frame {0} of {1}").format(
            self.locale().toString(index + 1), self.locale().toString(transport.count)
        )
        self.place.setText(f"{clock(moment)} / {clock(transport.duration)}   {frame}")


class SeekSlider(QSlider):
    """A slider that jumps to where it is clicked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setPageStep(30)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """The handle comes to the pointer, and is held."""
        if event.button() == Qt.MouseButton.LeftButton:
            x = round(event.position().x())
            self.setValue(QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), x, self.width()))
        super().mousePressEvent(event)


def clock(seconds: float) -> str:
    """Seconds as minutes, seconds and hundredths; with hours where there are any."""
    hundredths = round(seconds * 100)
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    start = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{start}:{rest // 100:02d}.{rest % 100:02d}"
