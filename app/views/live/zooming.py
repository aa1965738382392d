"""How near one looks at the live picture: the wheel zooms at the pointer, the middle button pans."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent

from app.views.live.geometry import Fit

if TYPE_CHECKING:
    from app.views.live.view import LiveView

STEP = 1.25
NEAREST = 64.0  # screen pixels a picture pixel
NOTCH = 120.0  # of a wheel
EDGE = 32.0  # screen pixels that a landmark keeps from the view's edge where it is brought into sight


class Zooming:
    """Zoom and place are the same in both halves where two models are compared."""

    def __init__(self, view: LiveView) -> None:
        self._view = view
        self._zoom = 1.0
        self._centre: tuple[float, float] | None = None
        self._grip: QPointF | None = None

    @property
    def near(self) -> bool:
        """Whether one sees a part of the frame only."""
        return self._zoom > 1

    def apply(self, fit: Fit) -> Fit:
        """The same frame, as near as one looks."""
        return replace(fit, zoom=self._zoom, centre=self._centre) if self.near else fit

    def reset(self) -> None:
        """The whole frame."""
        self._zoom, self._centre, self._grip = 1.0, None, None
        self._view.update()

    def by(self, factor: float, at: QPointF | None = None) -> None:
        """Nearer or farther; what is under `at`, or in the middle, stays where it is."""
        fit, area = self._view.fit, self._view.area
        if fit is None:
            return
        whole = fit.scale / self._zoom
        zoom = min(max(self._zoom * factor, 1.0), max(NEAREST / whole, 1.0))
        at = area.center() if at is None else self._view.in_half(at)
        x, y = fit.to_picture(at.x(), at.y())
        away = at - area.center()
        sign = -1 if fit.mirror else 1
        self._zoom = zoom
        self._centre = x - sign * away.x() / (whole * zoom), y - away.y() / (whole * zoom)
        self._keep()
        self._view.update()

    def actual(self) -> None:
        """One screen pixel a picture pixel, where that is nearer than the whole frame."""
        fit = self._view.fit
        if fit is not None:
            self.by(1 / fit.scale)

    def show(self, x: float, y: float) -> None:
        """Bring a place on the screen into sight."""
        area = self._view.area.adjusted(EDGE, EDGE, -EDGE, -EDGE)
        if self.near and not area.contains(QPointF(x, y)):
            self._centre = self._view.fit.to_picture(x, y)
            self._keep()
            self._view.update()

    def _keep(self) -> None:
        """The centre as it is shown: at the frame's edge the picture stops, and going back begins at once."""
        fit, area = self._view.fit, self._view.area
        self._centre = fit.to_picture(area.center().x(), area.center().y()) if fit is not None else None

    # ---- the mouse

    def wheel(self, event: QWheelEvent) -> None:
        """Zoom at the pointer."""
        turned = event.angleDelta().y()
        if turned:
            self.by(STEP ** (turned / NOTCH), event.position())
        event.accept()

    def press(self, event: QMouseEvent) -> bool:
        """The middle button takes the picture; True where it did."""
        if event.button() == Qt.MouseButton.MiddleButton and self.near:
            self._grip = event.position()
            return True
        return False

    def move(self, event: QMouseEvent) -> bool:
        """The picture follows the pointer; True while it is held."""
        if self._grip is None or self._view.fit is None:
            return False
        middle = self._view.area.center() - (event.position() - self._grip)
        self._grip = event.position()
        self._centre = self._view.fit.to_picture(middle.x(), middle.y())
        self._keep()
        self._view.update()
        return True

    def release(self, event: QMouseEvent) -> bool:
        """Let the picture be; True where it was held."""
        held = self._grip is not None and event.button() == Qt.MouseButton.MiddleButton
        if held:
            self._grip = None
        return held
