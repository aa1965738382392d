"""The canvas: the picture with its instances, edited with mouse and keys."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QWidget

from app.views.label.editing import Editing
from app.views.label.gestures import Clear, DragLandmark, DrawBox, Gesture, MoveBox, Pan
from app.views.label.gestures_shape import Band, Move, Place, Scale, Turn
from app.views.label.guesses import Guesses
from app.views.label.labelled_view import LabelledView
from app.views.label.reading_aloud import ReadingAloud
from app.views.label.shape_frame import CURSORS as FRAME_CURSORS
from app.views.label.shape_frame import SIDES

ARROWS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
CURSORS = {"select": Qt.CursorShape.ArrowCursor, "move": Qt.CursorShape.ArrowCursor}  # the others aim: a cross


class Canvas(LabelledView):
    """Shows `editing`'s picture and turns gestures into its commands."""

    hovered = Signal(object)  # QPointF in picture pixels, or None
    tool_changed = Signal(str)
    stepped = Signal(int)  # Left or Right without a selected landmark
    spaced = Signal(bool)  # Space was tapped; True with Shift

    def __init__(self, editing: Editing, guesses: Guesses, parent: QWidget | None = None) -> None:
        super().__init__(editing, guesses, parent)
        self.shift = self.ctrl = False  # held with the mouse
        self.hover_part: str | None = None
        self._space = self._space_used = False
        self._in_hand: int | None = None  # the instance that was active when the gesture began
        self._at = QPointF()  # where the mouse was last with a button down
        self.setObjectName("canvas")
        self.setAccessibleName(self.tr("Picture with landmarks"))
        ReadingAloud(self, editing)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(320, 240)
        editing.image_changed.connect(self._image_changed)
        self.placing.finished.connect(lambda: self.set_tool("select"))

    def _image_changed(self) -> None:
        self.cancel_gesture()
        self.hover_landmark = -1
        self._items_for(())

    def _rebuild(self) -> None:
        gone = self._in_hand is not None and self._in_hand != self.editing.active
        if gone and self.gesture is not None and not isinstance(self.gesture, Pan):
            self.cancel_gesture()  # what it moves went meanwhile; it must not move another instance
        super()._rebuild()

    @property
    def snaps(self) -> bool:
        """Whether a drag snaps to peaks now; Ctrl held turns it round."""
        return self.snapping != (self.ctrl and isinstance(self.gesture, DragLandmark))

    @property
    def turning(self) -> tuple[QPointF, QPointF] | None:
        """Middle and mouse in viewport pixels while a shape is turned."""
        if not isinstance(self.gesture, Turn) or not self.gesture.moved:
            return None
        return QPointF(*self.to_view(self.gesture.centre)), self.gesture.at

    # ---- tools and gestures
    def set_tool(self, tool: str) -> None:
        """Choose "select", "move", "place", "box" or "new"."""
        if tool != self.tool:
            self.cancel_gesture()
            self.tool = tool
            if tool == "place":
                self.placing.begin()
            self.tool_changed.emit(tool)
            self._repaint()
        self._set_cursor()

    def cancel_gesture(self) -> None:
        """End a gesture without an edit."""
        if self.gesture is not None:
            gesture, self.gesture = self.gesture, None
            gesture.cancel()
            self.editing.release()
            self._set_cursor()

    def _begin(self, position: QPointF) -> Gesture:
        """The gesture of a press with the left button."""
        if self._space:
            self._space_used = True
            return Pan(self, position)
        if self.picture.boundingRect().isEmpty():
            return Clear(self, position)  # it is being read, or is not there: nothing can be aimed at
        if self.tool in ("box", "new"):
            return DrawBox(self, position, self.tool == "new" or self.editing.current is None)
        if self.tool == "place":
            return Place(self, position)
        part = self.frame_part_at(position)
        if part == "turn":
            return Turn(self, position)
        if part in SIDES:
            return Scale(self, position, part)
        if self.tool == "move":
            found = self.landmark_at(position)
            return Move(self, position, found[1] if found else -1) if part else Band(self, position)
        return self._begin_select(position, part)

    def _begin_select(self, position: QPointF, part: str | None) -> Gesture:
        """The gesture of a press with the select tool, but for the frame's handles."""
        editing, found = self.editing, self.landmark_at(position)
        if found is not None:
            editing.activate(found[0])
            if self.shift:
                editing.toggle(found[1])
                return Gesture(self, position)
            if len(editing.chosen) > 1 and found[1] in editing.chosen and not self.ctrl:
                return Move(self, position, found[1])
            editing.select(found[1])
            return DragLandmark(self, position, found[1])
        if self.shift:
            return Band(self, position)
        if part == "inside":
            return Move(self, position)
        edge = self.box_part_at(position)
        if edge is not None:
            return MoveBox(self, position, None if edge == "edge" else edge)
        return Clear(self, position)

    def _hear_modifiers(self, event: QMouseEvent) -> None:
        self.shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self.ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a gesture; the right button cycles a landmark's visibility."""
        event.accept()
        self._hear_modifiers(event)
        self._at = event.position()
        if self.gesture is not None or self.editing.image is None:
            return
        if event.button() == Qt.MouseButton.LeftButton:
            self.editing.grab()
            self.gesture = self._begin(event.position())
            self._in_hand = self.editing.active
        elif event.button() == Qt.MouseButton.MiddleButton:
            self.gesture, self._in_hand = Pan(self, event.position()), None
        elif event.button() == Qt.MouseButton.RightButton:
            self._right_click(event.position())
        self._set_cursor()

    def _right_click(self, position: QPointF) -> None:
        if self.tool == "place":
            self.placing.absent()
            return
        found = self.landmark_at(position)
        if found is not None:
            self.editing.activate(found[0])
            self.editing.select(found[1])
            self.editing.cycle_visibility(found[1])

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """The second press of a double click is a press."""
        self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow a gesture, or say what lies under the mouse."""
        position = event.position()
        self._hear_modifiers(event)
        if self.gesture is not None and not event.buttons():
            self._finish(self._at)  # the release went elsewhere, to a dialog that came up: what was seen is kept
        if self.gesture is not None:
            self._at = position
            self.gesture.move(position)
        else:
            self._hover(position)
        self.hovered.emit(self.to_picture(position))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the gesture; this is where edits are made."""
        self._hear_modifiers(event)
        if self.gesture is not None and not event.buttons():
            self._finish(event.position())
        event.accept()

    def _finish(self, position: QPointF) -> None:
        try:
            self.gesture.finish(position)
        finally:
            self.gesture = None
            self.editing.release()
        self._hover(position)
        self._repaint()

    def _hover(self, position: QPointF) -> None:
        found = self.landmark_at(position) if self.tool in ("select", "move") else None
        landmark = found[1] if found and found[0] == self.editing.active else -1
        self.hover_part = self.frame_part_at(position)
        box = self.tool == "select" and not (found or self.hover_part) and self.box_part_at(position) is not None
        if (landmark, box) != (self.hover_landmark, self.hover_box):
            self.hover_landmark, self.hover_box = landmark, box
            self._repaint()
        self._set_cursor()

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing lies under the mouse any more."""
        self.hover_landmark, self.hover_box = -1, False
        self.hovered.emit(None)
        self._repaint()
        super().leaveEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Space is no longer held for us."""
        self._space = False
        super().focusOutEvent(event)

    def _set_cursor(self) -> None:
        if isinstance(self.gesture, (Pan, Clear)) and (self.gesture.moved or isinstance(self.gesture, Pan)):
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._space:
            shape = Qt.CursorShape.OpenHandCursor
        elif self.hover_part in FRAME_CURSORS and (self.hover_part != "inside" or self.hover_landmark < 0):
            shape = FRAME_CURSORS[self.hover_part]
        elif self.tool == "select" and (self.hover_landmark >= 0 or self.hover_box):
            shape = Qt.CursorShape.PointingHandCursor if self.hover_landmark >= 0 else Qt.CursorShape.SizeAllCursor
        else:
            shape = CURSORS.get(self.tool, Qt.CursorShape.CrossCursor)
        self.viewport().setCursor(shape)

    # ---- keys
    def event(self, event: QEvent) -> bool:
        """Keys with a meaning of their own here come before the window's shortcuts."""
        if event.type() == QEvent.Type.ShortcutOverride:
            key = event.key()
            if key in (Qt.Key.Key_Space, Qt.Key.Key_Escape) or (key in ARROWS and self._nudges):
                event.accept()
                return True
        return super().event(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab goes to the next landmark while one is selected."""
        if self.editing.landmark >= 0:
            self.editing.step_landmark(1 if forward else -1)
            return True
        return super().focusNextPrevChild(forward)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows nudge or change the picture, Escape lets go, Space holds the view."""
        key, mods = event.key(), event.modifiers()
        if key == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._space, self._space_used = True, self.gesture is not None
                self._set_cursor()
        elif key == Qt.Key.Key_Escape:
            self._escape()
        elif key in ARROWS and self._nudges and self.gesture is None:
            dx, dy = np.array(ARROWS[key]) * self._step(mods)
            self.shaping.nudge(dx, dy, whole=self.tool == "move")
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and self.gesture is None:
            self.stepped.emit(1 if key == Qt.Key.Key_Right else -1)
        else:
            event.ignore()

    @property
    def _nudges(self) -> bool:
        """Whether arrows move landmarks."""
        return self.editing.landmark >= 0 or (self.tool == "move" and self.editing.current is not None)

    def _step(self, mods: Qt.KeyboardModifier) -> float:
        """What one arrow moves, in picture pixels: 1, Shift 10, Ctrl 0.1; with Alt they are pixels of the screen."""
        step = 10.0 if mods & Qt.KeyboardModifier.ShiftModifier else 1.0
        step = 0.1 if mods & Qt.KeyboardModifier.ControlModifier else step
        return step / self.zoom if mods & Qt.KeyboardModifier.AltModifier else step

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Space alone acts on release, when nothing was dragged."""
        if event.key() != Qt.Key.Key_Space or event.isAutoRepeat():
            event.ignore()
            return
        used, held = self._space_used, self._space
        self._space = False
        self._set_cursor()
        if held and not used:
            self.spaced.emit(bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))

    def _escape(self) -> None:
        if self.gesture is not None:
            self.cancel_gesture()
        elif self.tool != "select":
            self.set_tool("select")
        else:
            self.editing.select(-1)
