"""The live picture: the newest frame with what was found in this very frame, and the frozen frame to correct."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.project.values import Instance
from app.services.pipeline import Result
from app.views.live import overlay, picture
from app.views.live.drawing import BoxDrawing
from app.views.live.frozen import Frozen
from app.views.live.geometry import Fit, nearest
from app.views.live.look import Look
from app.views.qimage import to_qimage
from app.views.theme import theme
from engine.opencv import cv2

GRAB = 12.0  # screen pixels
ARROWS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}


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
        self._drag: tuple[Instance, QPointF, QPointF] | None = None
        self._image = QImage()
        self._unpainted: Result | None = None
        self._ring = False
        self._drawing = BoxDrawing(self)
        self.recording: int | None = None
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
        self.result = self._unpainted = result
        # In the screen's own format Qt scales it in a third of the time.
        self._image = QImage() if result is None else to_qimage(cv2.cvtColor(result.frame.pixels, cv2.COLOR_RGB2BGRA))
        self.update()

    def freeze(self, annotator: str = "") -> Frozen | None:
        """Hold the result on screen, to be corrected; None when there is none."""
        if self.result is not None:
            self.frozen = Frozen(self.result, annotator)
            self.select(-1, -1)
            self.setFocus()
        return self.frozen

    def resume(self) -> None:
        """Let go of the frozen frame."""
        self.frozen, self._drag = None, None
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
    def fit(self) -> Fit | None:
        """Where the frame lies in the view; None without one."""
        if self.result is None:
            return None
        height, width = self.result.frame.pixels.shape[:2]
        across = self.width() / 2 if self.result.other is not None else self.width()
        return Fit(width, height, across, self.height(), self.look.mirror)

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
                if self.result.other is not None:
                    painter.setClipRect(QRectF(0, 0, self.width() / 2, self.height()))
                self.paint_frame(painter, fit)
                if not self.trouble:
                    overlay.paint_subjects(painter, self, fit)
                painter.restore()
                if self.result.other is not None:
                    picture.paint_other(painter, self, fit, self._image)
                overlay.paint_read_out(painter, self, picture.read_out(self))
                self._drawing.paint(painter, fit)
            if self._ring:
                overlay.paint_focus(painter, self)
        finally:
            painter.end()
        if self._unpainted is not None:
            result, self._unpainted = self._unpainted, None
            self.painted.emit(result)

    def paint_frame(self, painter: QPainter, fit: Fit) -> None:
        """The frame and its heatmap, in the frame's place."""
        self.heat_maximum = picture.paint_picture(painter, self, fit, self._image, self.trouble)

    # ---- correcting

    def landmark_at(self, x: float, y: float) -> tuple[int, int]:
        """Subject and landmark within reach of a place on the screen; -1, -1 for none."""
        fit, best = self.fit, (GRAB + 1e-9, -1, -1)
        if fit is None or self.frozen is None or overlay.has_parts(self):
            return -1, -1
        for subject, points in enumerate(self.points()):
            placed = fit.to_screen(points)
            chosen = self.selection[1] if self.selection[0] == subject else -1
            found = nearest(placed, x, y, GRAB, chosen)
            if found >= 0:
                distance = float(np.hypot(*(placed[found] - (x, y))))
                best = min(best, (distance - 4.0 * (found == chosen), subject, found))
        return best[1], best[2]

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Grab the nearest landmark; where there is none, nothing stays selected."""
        if self._drawing.press(event, self.fit):
            return
        if self.frozen is None or event.button() != Qt.MouseButton.LeftButton or self.fit is None:
            return
        place = event.position()
        subject, landmark = self.landmark_at(place.x(), place.y())
        self.select(subject, landmark)
        if landmark >= 0:
            instance = self.frozen.instances[subject]
            mark = self.fit.to_screen(instance.points[landmark])
            # A mark keeps its distance from the pointer, so that a click alone moves nothing.
            self._drag = instance, QPointF(*mark) - place, place

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag what was grabbed, else tell what would be grabbed."""
        place = event.position()
        if self._drawing.move(event):
            return
        if self._drag is None:
            hover = self.landmark_at(place.x(), place.y())
            if hover != self.hover:
                self.hover = hover
                self.setCursor(Qt.CursorShape.ArrowCursor if hover[1] < 0 else Qt.CursorShape.SizeAllCursor)
                self.update()
        elif self.frozen is not None and self.fit is not None and place != self._drag[2]:
            target = place + self._drag[1]
            self.frozen.move(*self.selection, *self.fit.to_picture(target.x(), target.y()))
            self.corrected.emit()
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        if self._drawing.release(event, self.fit):
            return
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag = None

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
                self.step(-1 if key == Qt.Key.Key_Backtab else 1)
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows nudge the selected landmark by 1 px, Shift 10, Ctrl 0.1; Escape takes back, then lets go."""
        if self._drawing.key(event, self.fit):
            return
        if self.frozen is None or self.selection[1] < 0:
            return super().keyPressEvent(event)
        key = event.key()
        if key in ARROWS:
            self._nudge(*ARROWS[key], event.modifiers())
        elif key == Qt.Key.Key_Escape and self._drag is not None:
            self.frozen.restore(self.selection[0], self._drag[0])
            self._drag = None
            self.corrected.emit()
        elif key == Qt.Key.Key_Escape:
            self.select(-1, -1)
        else:
            return super().keyPressEvent(event)
        self.update()

    def step(self, by: int) -> None:
        """Select the next or previous landmark of the subject."""
        subject, landmark = self.selection
        points = self.points()
        if points:
            subject = max(subject, 0)
            self.select(subject, (landmark + by) % len(points[subject]))

    def _nudge(self, dx: int, dy: int, modifiers: Qt.KeyboardModifier) -> None:
        length = 10.0 if modifiers & Qt.KeyboardModifier.ShiftModifier else 1.0
        length = 0.1 if modifiers & Qt.KeyboardModifier.ControlModifier else length
        subject, landmark = self.selection
        x, y = self.frozen.instances[subject].points[landmark]
        sign = -1 if self.look.mirror else 1
        self.frozen.move(subject, landmark, x + sign * dx * length, y + dy * length)
        self.corrected.emit()
