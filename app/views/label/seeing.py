"""What is shown of a picture and how: labels, heatmap, onion skin, snapping, equalised, brightness."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.services.equalising import Equaliser
from app.services.pictures import Picture, equalised
from app.views.label.adjusting import Adjust
from app.views.label.canvas import Canvas
from app.views.label.last_picture import LastPicture
from app.views.label.tool_bar import ToolBar

AT_ONCE = 3_000_000  # values of a picture that is equalised without a wait that one would notice


class Seeing(QObject):
    """The switches of the tool bar and what they do; edits nothing."""

    def __init__(self, canvas: Canvas, tools: ToolBar, last: LastPicture) -> None:
        super().__init__(canvas)
        self._canvas, self._tools, self._last = canvas, tools, last
        self._picture: Picture | None = None
        self.equalised = False
        self._equaliser = Equaliser(self)
        self._equaliser.made.connect(self._made)
        self.adjust = Adjust(tools)
        self.adjust.looked.connect(canvas.picture.set_look)
        self.adjust.faded.connect(self._fade)

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
        """End the thread; True when it has ended in time."""
        return self._equaliser.close()

    def flip(self, name: str) -> None:
        """Turn a switch round."""
        states = {
            "labels": self._canvas.labels_shown, "heatmap": self._canvas.heat_shown, "onion": self._last.shown,
            "snap": self._canvas.snapping, "equalise": self.equalised,
        }  # fmt: skip
        self.switch(name, not states[name])

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
        else:
            self.equalised = on
            if self._picture is not None:
                self.show_picture(self._picture, keep_view=True)

    def _fade(self, share: float) -> None:
        """The last picture shines through: its labels come with it."""
        self._last.fade(share)
        if share and not self._last.shown:
            self.switch("onion", True)

    def open_adjust(self) -> None:
        """Show the sliders."""
        self.adjust.open_under(self._tools.adjust if self._tools.adjust.isVisible() else self._tools.maps)
