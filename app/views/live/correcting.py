"""Correcting a frozen frame in the live view: by the mouse, by keys, by the heatmap's peaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent

from app.project.values import Visibility
from app.services import heat
from app.views.label.plates import absent_places
from app.views.live import overlay
from app.views.live.geometry import Fit, nearest

if TYPE_CHECKING:
    from app.views.live.view import LiveView

GRAB = 12.0  # screen pixels
ARROWS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}


class Correcting:
    """The hand on the frozen frame; the view passes it its mouse and keys, and paints what it tells."""

    def __init__(self, view: LiveView) -> None:
        self._view = view
        self._drag: tuple[QPointF, QPointF] | None = None  # from pointer to mark, and where the pointer began
        self._moved = False

    def end(self) -> None:
        """The frame is let go."""
        self._drag = None

    # ---- what is there

    def marks(self, subject: int, fit: Fit | None = None) -> np.ndarray:
        """(K, 2) screen pixels of a subject's marks; absent landmarks are listed under its box."""
        fit = self._view.fit if fit is None else fit
        placed = fit.to_screen(self._view.points()[subject])
        for landmark, place in self.absent(subject, fit).items():
            placed[landmark] = place.x(), place.y()
        return placed

    def absent(self, subject: int, fit: Fit | None = None) -> dict[int, QPointF]:
        """Where a subject's absent landmarks, which have no place in the picture, are listed."""
        view = self._view
        fit = view.fit if fit is None else fit
        if view.frozen is None or fit is None:
            return {}
        instance = view.frozen.instances[subject]
        if (instance.visibility != Visibility.ABSENT).all():
            return {}
        box = overlay.screen_box(fit, instance.box)
        return absent_places(box, instance.visibility, QRectF(0, 0, fit.across, fit.down))

    def landmark_at(self, x: float, y: float) -> tuple[int, int]:
        """Subject and landmark within reach of a place on the screen; -1, -1 for none."""
        view, best = self._view, (GRAB + 1e-9, -1, -1)
        if view.fit is None or view.frozen is None or overlay.has_parts(view):
            return -1, -1
        for subject in range(len(view.frozen.instances)):
            placed = self.marks(subject)
            chosen = view.selection[1] if view.selection[0] == subject else -1
            found = nearest(placed, x, y, GRAB, chosen)
            if found >= 0:
                distance = float(np.hypot(*(placed[found] - (x, y))))
                best = min(best, (distance - 4.0 * (found == chosen), subject, found))
        return best[1], best[2]

    def peaks(self) -> np.ndarray:
        """(n, 3) x, y in picture pixels and score: where the selected landmark's heatmap is highest."""
        view = self._view
        subject, landmark = view.selection
        if view.frozen is None or landmark < 0:
            return np.empty((0, 3))
        return heat.peaks(view.result.subjects[subject].prediction, landmark)

    # ---- the mouse

    def press(self, event: QMouseEvent) -> None:
        """Grab the nearest landmark; where there is none, nothing stays selected. The right button cycles."""
        view, place = self._view, event.position()
        if view.frozen is None or view.fit is None:
            return
        subject, landmark = self.landmark_at(place.x(), place.y())
        if event.button() == Qt.MouseButton.RightButton and landmark >= 0:
            view.select(subject, landmark)
            seen = view.frozen.instances[subject].visibility[landmark]
            self.set_visibility(Visibility((int(seen) - 1) % len(Visibility)))
        elif event.button() == Qt.MouseButton.LeftButton:
            view.select(subject, landmark)
            if landmark >= 0:
                # A mark keeps its distance from the pointer, so that a click alone moves nothing.
                listed = landmark in self.absent(subject)
                away = QPointF() if listed else QPointF(*self.marks(subject)[landmark]) - place
                self._drag, self._moved = (away, place), False

    def move(self, event: QMouseEvent) -> None:
        """Drag what was grabbed, else tell what would be grabbed."""
        view, place = self._view, event.position()
        if self._drag is None:
            hover = self.landmark_at(place.x(), place.y())
            if hover != view.hover:
                view.hover = hover
                view.setCursor(Qt.CursorShape.ArrowCursor if hover[1] < 0 else Qt.CursorShape.SizeAllCursor)
                view.update()
        elif view.frozen is not None and view.fit is not None and place != self._drag[1]:
            target = place + self._drag[0]
            self._place(*view.fit.to_picture(target.x(), target.y()), again=self._moved)
            self._moved = True

    def release(self, event: QMouseEvent) -> None:
        """Let go."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag = None

    # ---- keys and commands

    def key(self, event: QKeyEvent) -> bool:
        """Arrows nudge by 1 px, Shift 10, Ctrl 0.1; Escape takes a drag back, then lets go; True where it was one."""
        view, key = self._view, event.key()
        if view.frozen is None or view.selection[1] < 0:
            return False
        if key in ARROWS:
            self._nudge(*ARROWS[key], event.modifiers())
        elif key == Qt.Key.Key_Escape and self._drag is not None:
            self._drag = None
            if self._moved:
                self.undo()
        elif key == Qt.Key.Key_Escape:
            view.select(-1, -1)
        else:
            return False
        view.update()
        return True

    def step(self, by: int) -> None:
        """Select the next or previous landmark of the subject."""
        view = self._view
        subject, landmark = view.selection
        points = view.points()
        if view.frozen is not None and points:
            subject = max(subject, 0)
            landmark = 0 if landmark < 0 and by < 0 else landmark
            view.select(subject, (landmark + by) % len(points[subject]))
            view.zooming.show(*self.marks(subject)[view.selection[1]])

    def take_peak(self, number: int) -> None:
        """Move the selected landmark to peak 1, 2 or 3 of its heatmap."""
        found = self.peaks()
        if 0 < number <= len(found):
            self._place(*found[number - 1, :2])

    def set_visibility(self, visibility: Visibility) -> None:
        """Say whether the selected landmark is visible, occluded or absent."""
        view = self._view
        if view.frozen is not None and view.selection[1] >= 0:
            view.frozen.judge(*view.selection, visibility)
            self._told()

    def toggle_visibility(self, visibility: Visibility) -> None:
        """Say that the selected landmark is occluded or absent, or visible where that was said before."""
        view = self._view
        if view.frozen is not None and view.selection[1] >= 0:
            now = view.frozen.instances[view.selection[0]].visibility[view.selection[1]]
            self.set_visibility(Visibility.VISIBLE if now == visibility else visibility)

    def undo(self) -> bool:
        """Take the last correction back; False where there is none."""
        done = self._view.frozen is not None and self._view.frozen.undo()
        if done:
            self._told()
        return done

    def redo(self) -> bool:
        """Correct again what was taken back; False where there is nothing."""
        done = self._view.frozen is not None and self._view.frozen.redo()
        if done:
            self._told()
        return done

    def _place(self, x: float, y: float, again: bool = False) -> None:
        self._view.frozen.move(*self._view.selection, x, y, again)
        self._told()

    def _nudge(self, dx: int, dy: int, modifiers: Qt.KeyboardModifier) -> None:
        length = 10.0 if modifiers & Qt.KeyboardModifier.ShiftModifier else 1.0
        length = 0.1 if modifiers & Qt.KeyboardModifier.ControlModifier else length
        subject, landmark = self._view.selection
        x, y = self._view.frozen.instances[subject].points[landmark]
        sign = -1 if self._view.look.mirror else 1
        self._place(x + sign * dx * length, y + dy * length)

    def _told(self) -> None:
        self._view.corrected.emit()
        self._view.update()
