"""What is shown of a picture and how: labels, heatmap, onion skin, snapping, equalised, brightness."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from app.services.equalising import Equaliser
from app.services.pictures import Picture, equalised
from app.settings import Settings
from app.views.label.adjusting import Adjust
from app.views.label.canvas import Canvas
from app.views.label.kept_look import KeptLook
from app.views.label.last_picture import LastPicture
from app.views.label.tool_bar import ToolBar

AT_ONCE = 3_000_000  # values of a picture that is equalised without a wait that one would notice
KEEP_MS = 500  # after the last change until it is written down
SNAP = "snap to peaks"  # of the user; the rest is of a project


class Seeing(QObject):
    """The switches of the tool bar and what they do; edits nothing.

    Snapping is kept for the user; the sliders, the onion skin, equalising and whether landmarks may leave the picture
    are kept for each project.
    """

    def __init__(self, canvas: Canvas, tools: ToolBar, last: LastPicture, settings: Settings) -> None:
        super().__init__(canvas)
        self._settings, self._kept = settings, KeptLook(settings)
        self._project: Path | None = None
        self._later = QTimer(self, singleShot=True, interval=KEEP_MS)
        self._later.timeout.connect(self._keep)
        self._canvas, self._tools, self._last = canvas, tools, last
        self._picture: Picture | None = None
        self.equalised = False
        self._equaliser = Equaliser(self)
        self._equaliser.made.connect(self._made)
        self.adjust = Adjust(tools)
        self.adjust.looked.connect(canvas.picture.set_look)
        self.adjust.faded.connect(self._fade)
        for slider in self.adjust.sliders.values():
            slider.valueChanged.connect(self._later.start)
        canvas.shaping.outside_changed.connect(self._later.start)
        self.switch("snap", settings.get(SNAP, False))

    def open(self, project: Path | None) -> None:
        """Look at the pictures of another project, or none, as it was done last."""
        self._flush()
        if project == self._project:
            return
        self._project = project
        held = self._kept.of(project) if project is not None else {}
        for name, slider in self.adjust.sliders.items():
            slider.setValue(held.get(name, 0))
        for name in ("onion", "equalise"):
            self.switch(name, bool(held.get(name)))
        self._canvas.editing.may_leave = bool(held.get("outside"))
        self._later.stop()

    def _flush(self) -> None:
        if self._later.isActive():
            self._later.stop()
            self._keep()

    def _keep(self) -> None:
        if self._project is not None:
            values = {name: slider.value() for name, slider in self.adjust.sliders.items()}
            switches = {
                "onion": self._last.shown, "equalise": self.equalised, "outside": self._canvas.editing.may_leave,
            }  # fmt: skip
            self._kept.keep(self._project, values | switches)

    def show_picture(self, picture: Picture | None, keep_view: bool = False) -> None:
        """Put a picture on the canvas as the switches say, or none; a large one is equalised a moment later."""
        self._picture = picture
        wanted = self.equalised and picture is not None
        small = picture is not None and picture.pixels.size <= AT_ONCE
        self._equaliser.ask(picture if wanted and not small else None)
        self._canvas.set_picture(equalised(picture) if wanted and small else picture, keep_view)

    def _made(self, asked: Picture, made: Picture) -> None:
        if asked is self._picture and self.equalised:
            self._canvas.set_picture(made, keep_view=True)

    def close(self) -> bool:
        """Write down what is not yet, and end the thread; True when it has ended in time."""
        self._flush()
        return self._equaliser.close()

    def states(self) -> dict[str, bool]:
        """Which switches are on."""
        return {
            "labels": self._canvas.labels_shown, "heatmap": self._canvas.heat_shown, "onion": self._last.shown,
            "snap": self._canvas.snapping, "equalise": self.equalised,
        }  # fmt: skip

    def flip(self, name: str) -> None:
        """Turn a switch round."""
        self.switch(name, not self.states()[name])

    def switch(self, name: str, on: bool) -> None:
        """Set a switch."""
        self._tools.switches[name].setChecked(on)
        if name == "labels":
            self._canvas.show_labels(on)
        elif name == "heatmap":
            self._canvas.show_heat(on)
        elif name == "onion":
            self._last.show(on)
        elif name == "snap":
            self._canvas.snapping = on
            self._settings.set(SNAP, on)
        else:
            self.equalised = on
            if self._picture is not None:
                self.show_picture(self._picture, keep_view=True)
        if name in ("onion", "equalise"):
            self._later.start()

    def _fade(self, share: float) -> None:
        """The last picture shines through: its labels come with it."""
        self._last.fade(share)
        if share and not self._last.shown:
            self.switch("onion", True)

    def open_adjust(self) -> None:
        """Show the sliders."""
        self.adjust.open_under(self._tools.adjust if self._tools.adjust.isVisible() else self._tools.maps)
