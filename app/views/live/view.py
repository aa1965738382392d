"""The live picture: the newest frame with what was found in this very frame, and the frozen frame to correct."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from app.services.pipeline import Result
from app.views.live import overlay, picture
from app.views.live.correcting import Correcting
from app.views.live.drawing import BoxDrawing
from app.views.live.frozen import Frozen
from app.views.live.geometry import Fit
from app.views.live.look import Look
from app.views.live.zooming import Zooming
from app.views.qimage import to_qimage
from app.views.theme import theme
from engine.opencv import cv2


class LiveView(QWidget):
    """Shows results; while frozen, landmarks can be selected, dragged and nudged.

    painted(Result): a new result stands on the screen; corrected: a hand moved a landmark;
    selected(subject, landmark), -1 for none; box_drawn(Box): by hand, after `begin_box`.
    """

    painted = Signal(object)
    corrected = Signal()
    selected = Signal(int, int)
    box_drawn = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.look = Look()
        self.result: Result | None = None
        self.frozen: Frozen | None = None
        self.rate = 0.0
        self.latency = 0.0
        self.heat_maximum: float | None = None
        self.trouble = False
        self.selection = (-1, -1)
        self.hover = (-1, -1)
        self._image = QImage()
        self._unpainted: Result | None = None
        self._ring = False
        self._drawing, self.zooming, self.correcting = BoxDrawing(self), Zooming(self), Correcting(self)
        self.recording: int | None = None
        self.paused = False
        self.plates: list[QRectF] = []  # places at the edges, as painted last
        self.covered = 0.0  # screen pixels at the top over which a banner lies
        self.setMinimumSize(320, 240)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(self.tr("Live picture"))
        theme().changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """As much as there is."""
        return QSize(960, 720)

    # ---- what is shown

    def show_result(self, result: Result | None) -> None:
        """Draw a result in place of the one before; None clears the view."""
        if result is None:
            self.zooming.reset()
        self.result = self._unpainted = result
        # In the screen's own format Qt scales it in a third of the time.
        self._image = QImage() if result is None else to_qimage(cv2.cvtColor(result.frame.pixels, cv2.COLOR_RGB2BGRA))
        self.update()

    def hold(self, frozen: Frozen) -> None:
        """Show the result on screen as frozen, to be corrected."""
        self.frozen = frozen
        self.select(-1, -1)
        self.setFocus()

    def resume(self) -> None:
        """Let go of the frozen frame."""
        self.frozen = None
        self.correcting.end()
        self.hover = (-1, -1)
        self.select(-1, -1)

    def set_look(self, **changes: object) -> None:
        """Change what is drawn."""
        self.look = replace(self.look, **changes)
        self.update()

    def set_trouble(self, trouble: bool) -> None:
        """Dim the last frame while its source is silent."""
        if trouble != self.trouble:
            self.trouble = trouble
            self.update()

    def set_paused(self, paused: bool) -> None:
        """Say that a video waits: it has no rate then."""
        if paused != self.paused:
            self.paused = paused
            self.update()

    def set_covered(self, height: float) -> None:
        """Keep the read-outs clear of a banner of this height."""
        if height != self.covered:
            self.covered = height
            self.update()

    def set_readings(self, rate: float, latency: float) -> None:
        """Frames a second and seconds from capture to screen, for the read-out."""
        self.rate, self.latency = rate, latency
        self.update()

    def select(self, subject: int, landmark: int) -> None:
        """Select a landmark, or none with -1."""
        if (subject, landmark) != self.selection:
            self.selection = (subject, landmark)
            self.selected.emit(subject, landmark)
        self.update()

    @property
    def halves(self) -> list[QRectF]:
        """The view, or where two models are compared its halves: beside each other, or one above the other."""
        whole = QRectF(self.rect())
        if self.result is None or self.result.other is None:
            return [whole]
        height, width = self.result.frame.pixels.shape[:2]
        wide, high = whole.width(), whole.height()
        if min(wide / 2 / width, high / height) >= min(wide / width, high / 2 / height):
            return [QRectF(x, 0, wide / 2, high) for x in (0, wide / 2)]
        return [QRectF(0, y, wide, high / 2) for y in (0, high / 2)]

    @property
    def area(self) -> QRectF:
        """Where the first model's picture is, the one that can be corrected."""
        return self.halves[0]

    def in_half(self, place: QPointF) -> QPointF:
        """A place of either half as the same place of the first one."""
        return next((place - half.topLeft() for half in self.halves if half.contains(place)), place)

    @property
    def fit(self) -> Fit | None:
        """Where the frame lies in the view; None without one."""
        if self.result is None:
            return None
        height, width = self.result.frame.pixels.shape[:2]
        area = self.area
        return self.zooming.apply(Fit(width, height, area.width(), area.height(), self.look.mirror))

    def begin_box(self) -> None:
        """The next drag draws a box; Escape gives up."""
        self._drawing.begin()

    def set_recording(self, seconds: float | None) -> None:
        """Show for how long one records; None while one does not."""
        whole = None if seconds is None else int(seconds)
        if whole != self.recording:
            self.recording = whole
            self.update()

    def points(self) -> list[np.ndarray]:
        """(K, 2) picture pixels of each subject, as drawn."""
        if self.frozen is not None:
            return [instance.points for instance in self.frozen.instances]
        return [subject.shown for subject in self.result.subjects] if self.result is not None else []

    # ---- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """The frame, then what lies over it."""
        painter = QPainter(self)
        try:
            painter.fillRect(self.rect(), theme().color("canvas"))
            fit = self.fit
            if fit is not None and self.result is not None:
                painter.save()
                painter.setClipRect(self.area)
                self.paint_frame(painter, fit)
                if not self.trouble:
                    overlay.paint_subjects(painter, self, fit, self.plates)
                painter.restore()
                two = self.result.other is not None
                names = picture.paint_other(painter, self, fit, self._image) if two else []
                self.plates = [*names, *overlay.paint_read_out(painter, self, picture.read_out(self))]
                self._drawing.paint(painter, fit)
            if self._ring:
                overlay.paint_focus(painter, self)
        finally:
            painter.end()
        if self._unpainted is not None:
            result, self._unpainted = self._unpainted, None
            # What was painted goes to the screen when this returns, which may take longer than painting did.
            QTimer.singleShot(0, self, lambda: self.painted.emit(result))

    def paint_frame(self, painter: QPainter, fit: Fit) -> None:
        """The frame and its heatmap, in the frame's place."""
        self.heat_maximum = picture.paint_picture(painter, self, fit, self._image, self.trouble)

    # ---- what the hand does

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """To the box that is drawn, else to the zoom, else to the landmarks."""
        if not (self._drawing.press(event, self.fit) or self.zooming.press(event)):
            self.correcting.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """To whom the press went."""
        if not (self._drawing.move(event) or self.zooming.move(event)):
            self.correcting.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """To whom the press went."""
        if not (self._drawing.release(event, self.fit) or self.zooming.release(event)):
            self.correcting.release(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Nearer, or farther."""
        self.zooming.wheel(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Who came by keyboard sees where the focus is."""
        self._ring = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The focus went on."""
        self._ring = False
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is hovered outside."""
        self.hover = (-1, -1)
        self.update()

    def event(self, event: QEvent) -> bool:
        """Tab goes through the landmarks while one is selected."""
        if event.type() == QEvent.Type.KeyPress and self.frozen is not None and self.selection[1] >= 0:
            key = event.key()
            if key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
                self.correcting.step(-1 if key == Qt.Key.Key_Backtab else 1)
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """To the box that is drawn, else to the landmarks."""
        if not (self._drawing.key(event, self.fit) or self.correcting.key(event)):
            super().keyPressEvent(event)
