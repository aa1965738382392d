"""The dock around the panel. Until it is opened first there is no panel, no thread and no model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDockWidget, QMainWindow

from app.services.inspection import Inspector
from app.views.heatmaps.heading import DockHeading
from app.views.heatmaps.panel import HeatmapPanel
from app.views.heatmaps.target import Target
from engine.images import load_image

WIDE, NARROW = 800, 520
ROOM_FOR_WIDE = 1240


class HeatmapDock(QDockWidget):
    """Docked at the right, wide: other docks make room and come back.

    look() says what to show, or None and why not; load reads pictures; made(panel): the panel is there, to be wired.
    """

    made = Signal(object)

    def __init__(
        self, window: QMainWindow, look: Callable[[], tuple[Target | None, str]], neighbours: Iterable[QDockWidget],
        load: Callable[[Path], np.ndarray] = load_image,
    ) -> None:  # fmt: skip
        super().__init__(window)
        self.setWindowTitle(self.tr("Heatmaps"))
        self.setObjectName("Heatmaps")
        self.panel: HeatmapPanel | None = None
        self._load, self._look, self._neighbours = load, look, tuple(neighbours)
        self._hidden: list[QDockWidget] = []
        self.heading = DockHeading(self)
        self.heading.floated.connect(lambda: self.setFloating(not self.isFloating()))
        self.heading.closed.connect(self.hide)
        self.setTitleBarWidget(self.heading)
        features = QDockWidget.DockWidgetFeature
        self.setFeatures(features.DockWidgetClosable | features.DockWidgetMovable | features.DockWidgetFloatable)
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self)
        self.hide()

    def toggle(self) -> None:
        """Open beside the picture, or close."""
        if not self.isHidden():
            self.hide()
            return
        self._make()
        if not self.isFloating():
            self._hidden = [dock for dock in self._neighbours if not dock.isHidden()]
            for dock in self._hidden:
                dock.hide()
        self.show()
        window: QMainWindow = self.parentWidget()
        width = WIDE if window.width() >= ROOM_FOR_WIDE else NARROW
        window.resizeDocks([self], [width], Qt.Orientation.Horizontal)
        self.refresh()

    def refresh(self) -> None:
        """Look again; costs nothing while closed."""
        if self.panel is not None and self.panel.isVisible():
            self.panel.show_target(*self._look())

    def close_service(self) -> bool:
        """End the thread; True when it has ended in time."""
        return self.panel is None or self.panel.service.close()

    def _make(self) -> None:
        if self.panel is None:
            service = Inspector(self._load, parent=self)
            self.panel = HeatmapPanel(service, self.heading)
            self.setWidget(self.panel)
            self.made.emit(self.panel)

    def showEvent(self, event: object) -> None:
        """Shown by whatever way, a layout kept from last time too."""
        super().showEvent(event)
        self._make()
        self.refresh()

    def hideEvent(self, event: object) -> None:
        """What made room comes back, unless only the workspace is left."""
        super().hideEvent(event)
        if self.isHidden():
            for dock in self._hidden:
                dock.show()
            self._hidden = []
