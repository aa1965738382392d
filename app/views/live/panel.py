"""The side panel: source, model, overlay, latency and confidence, one section under the other."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QComboBox, QFrame, QScrollArea, QVBoxLayout, QWidget

from app.views.live.confidence import ROW, ConfidenceList
from app.views.live.controls import OverlayControls, SourceControls
from app.views.live.latency import LatencyPanel
from app.views.live.model_controls import ModelControls
from app.views.theme import theme
from app.views.widgets import Section

WIDTH = 312
FOLD_UNDER, HIDE_UNDER = 900, 720  # heights under which Confidence folds, then the plot goes


class SidePanel(QScrollArea):
    """A scroll area with five sections."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(self.tr("Side panel"))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self._frozen = False
        self._dress()
        theme().changed.connect(self._dress)
        self.source, self.model, self.overlay = SourceControls(), ModelControls(), OverlayControls()
        self.latency, self.confidence = LatencyPanel(), ConfidenceList()
        holder = QWidget()
        holder.setObjectName("panel")
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.sections: dict[str, Section] = {}
        for name, title, content in (
            ("source", self.tr("Source"), self.source), ("model", self.tr("Model"), self.model),
            ("overlay", self.tr("Overlay"), self.overlay), ("latency", self.tr("Latency"), self.latency),
            ("confidence", self.tr("Confidence"), self.confidence),
        ):  # fmt: skip
            section = self.sections[name] = Section(title, holder)
            section.set_content(content)
            column.addWidget(section)
        self.set_frozen("")
        self.confidence.moved.connect(self._follow)
        self.latency.total_changed.connect(self.sections["latency"].set_note)
        column.addStretch(1)
        self.setWidget(holder)
        self.setFocusProxy(self.source.sources)
        for kind in (QAbstractButton, QComboBox):
            for control in holder.findChildren(kind):
                control.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # after a click Space still freezes the picture

    def set_frozen(self, subject: str) -> None:
        """The last section lists the landmarks of `subject` that is corrected; for "" those of the lowest scores."""
        section, self._frozen = self.sections["confidence"], bool(subject)
        section.set_title(self.tr("Landmarks") if subject else self.tr("Confidence"))
        section.set_note(subject or self.tr("lowest first"))
        section.fold_for_space(self.height() < FOLD_UNDER and not subject)

    def _follow(self, y: int) -> None:
        """Keep the chosen landmark's row in view."""
        if self.sections["confidence"].open:
            place = self.confidence.mapTo(self.widget(), QPoint(0, y + ROW // 2))
            self.ensureVisible(0, place.y(), 0, ROW)

    def _dress(self) -> None:
        self.setFixedWidth(theme().room(WIDTH))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """On a low window Confidence folds, on a lower one the plot goes."""
        super().resizeEvent(event)
        self.sections["confidence"].fold_for_space(self.height() < FOLD_UNDER and not self._frozen)
        self.latency.plot.set_low(self.height() < FOLD_UNDER)
        self.latency.plot.setVisible(self.height() >= HIDE_UNDER)
