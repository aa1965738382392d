"""The canvas: the picture with its instances, edited with mouse and keys."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QWidget

from app.project.values import Instance, Visibility
from app.views.label.editing import Editing
from app.views.label.gestures import Clear, DragLandmark, DrawBox, Gesture, MoveBox, Pan
from app.views.label.guesses import Guesses
from app.views.label.hits import box_part, nearest
from app.views.label.items import InstanceItem, RubberItem
from app.views.label.overlay import HeatItem
from app.views.label.picture_view import PictureView
from app.views.label.plates import absent_places

ARROWS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
CURSORS = {"select": Qt.CursorShape.ArrowCursor, "box": Qt.CursorShape.CrossCursor, "new": Qt.CursorShape.CrossCursor}


class Canvas(PictureView):
    """Shows `editing`'s picture and turns gestures into its commands."""

    hovered = Signal(object)  # QPointF in picture pixels, or None
    tool_changed = Signal(str)
    stepped = Signal(int)  # Left or Right without a selected landmark
    spaced = Signal(bool)  # Space was tapped; True with Shift

    def __init__(self, editing: Editing, guesses: Guesses, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.editing, self.guesses = editing, guesses
        self.tool = "select"
        self.gesture: Gesture | None = None
        self.hover_landmark = -1
        self.hover_box = False
        self.labels_shown, self.heat_shown = True, True
        self._space = self._space_used = False
        self.items_by_id: dict[int, InstanceItem] = {}
        self.heat, self.rubber = HeatItem(), RubberItem()
        self.scene().addItem(self.heat)
        self.scene().addItem(self.rubber)
        self.setObjectName("canvas")
        self.setAccessibleName(self.tr("Picture with landmarks"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(320, 240)
        editing.changed.connect(self._rebuild)
        editing.selected.connect(self._selected)
        editing.previewed.connect(self._repaint)
        editing.image_changed.connect(self._image_changed)
        guesses.maps_changed.connect(self._selected)

    def zoom_changed(self, scale: float) -> None:
        """Marks keep their size on screen."""
        super().zoom_changed(scale)
        for item in self.items_by_id.values():
            item.zoom_changed(scale)

    # ---- items
    def _image_changed(self) -> None:
        self.cancel_gesture()
        self.hover_landmark = -1
        self._items_for(())

    def _items_for(self, instances: tuple) -> None:
        ids = [i.id for i in instances]
        for gone in [i for i in self.items_by_id if i not in ids]:
            self.scene().removeItem(self.items_by_id.pop(gone))
        for i in ids:
            if i not in self.items_by_id:
                item = self.items_by_id[i] = InstanceItem(self, i)
                self.scene().addItem(item)
                item.zoom_changed(self.zoom)

    def _rebuild(self) -> None:
        if self.gesture is not None and self.editing.current is None:
            self.cancel_gesture()
        self._items_for(self.editing.shown())
        self._repaint()

    def _selected(self) -> None:
        for i, item in self.items_by_id.items():
            item.setZValue(3 if i == self.editing.active else 2)
        self.heat.set_heat(self.guesses.heat() if self.heat_shown else None)
        self._repaint()

    def _repaint(self) -> None:
        self.viewport().update()

    def show_labels(self, shown: bool) -> None:
        """Show or hide everything but the picture."""
        self.labels_shown = shown
        self._repaint()

    def show_heat(self, shown: bool) -> None:
        """Show or hide the selected landmark's heatmap."""
        self.heat_shown = shown
        self._selected()

    # ---- what lies under the mouse
    def landmark_at(self, position: QPointF) -> tuple[int, int] | None:
        """(instance id, landmark) within reach of a place; the active instance's and the selected first."""
        if not self.labels_shown:
            return None
        for instance in sorted(self.editing.shown(), key=lambda i: i.id != self.editing.active):
            active = instance.id == self.editing.active
            places = self.places(instance) if active else self.to_view(instance.points)
            if not active:
                places[instance.visibility == Visibility.ABSENT] = np.nan
            found = nearest(places, position, self.editing.landmark if active else -1)
            if found is not None:
                return instance.id, found
        return None

    def box_on_screen(self, instance: Instance) -> QRectF:
        """An instance's box in viewport pixels."""
        x0, y0, x1, y1 = instance.box.corners
        (x0, y0), (x1, y1) = self.to_view(np.array([[x0, y0], [x1, y1]]))
        return QRectF(x0, y0, x1 - x0, y1 - y0)

    def places(self, instance: Instance) -> np.ndarray:
        """(K, 2) viewport pixels where the marks of the active instance are, those of absent landmarks too."""
        found = self.to_view(instance.points)
        view = QRectF(self.viewport().rect())
        for k, place in absent_places(self.box_on_screen(instance), instance.visibility, view).items():
            found[k] = place.x(), place.y()
        return found

    def box_part_at(self, position: QPointF) -> int | str | None:
        """Corner 0 to 3 of the active box, "edge", or None."""
        instance = self.editing.shown_current()
        if instance is None or not self.labels_shown:
            return None
        return box_part(self.box_on_screen(instance), position)

    # ---- tools and gestures
    def set_tool(self, tool: str) -> None:
        """Choose "select", "box" or "new"."""
        if tool != self.tool:
            self.tool = tool
            self.tool_changed.emit(tool)
        self._set_cursor()

    def cancel_gesture(self) -> None:
        """End a gesture without an edit."""
        if self.gesture is not None:
            gesture, self.gesture = self.gesture, None
            gesture.cancel()
            self._set_cursor()

    def _begin(self, position: QPointF) -> Gesture:
        """The gesture of a press with the left button."""
        if self._space:
            self._space_used = True
            return Pan(self, position)
        if self.tool in ("box", "new"):
            return DrawBox(self, position, self.tool == "new" or self.editing.current is None)
        found = self.landmark_at(position)
        if found is not None:
            self.editing.activate(found[0])
            self.editing.select(found[1])
            return DragLandmark(self, position, found[1])
        part = self.box_part_at(position)
        if part is not None:
            return MoveBox(self, position, None if part == "edge" else part)
        return Clear(self, position)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a gesture; the right button cycles a landmark's visibility."""
        event.accept()
        if self.gesture is not None or self.editing.image is None:
            return
        if event.button() == Qt.MouseButton.LeftButton:
            self.gesture = self._begin(event.position())
        elif event.button() == Qt.MouseButton.MiddleButton:
            self.gesture = Pan(self, event.position())
        elif event.button() == Qt.MouseButton.RightButton:
            found = self.landmark_at(event.position())
            if found is not None:
                self.editing.activate(found[0])
                self.editing.select(found[1])
                self.editing.cycle_visibility(found[1])
        self._set_cursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """The second press of a double click is a press."""
        self.mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow a gesture, or say what lies under the mouse."""
        position = event.position()
        if self.gesture is not None:
            self.gesture.move(position)
        else:
            self._hover(position)
        self.hovered.emit(self.to_picture(position))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the gesture; this is where edits are made."""
        gesture = self.gesture
        if gesture is not None and not event.buttons():
            self.gesture = None
            gesture.finish(event.position())
            self._hover(event.position())
        event.accept()

    def _hover(self, position: QPointF) -> None:
        found = self.landmark_at(position)
        landmark = found[1] if found and found[0] == self.editing.active else -1
        box = found is None and self.box_part_at(position) is not None
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
        elif self.tool == "select" and (self.hover_landmark >= 0 or self.hover_box):
            shape = Qt.CursorShape.PointingHandCursor if self.hover_landmark >= 0 else Qt.CursorShape.SizeAllCursor
        else:
            shape = CURSORS[self.tool]
        self.viewport().setCursor(shape)

    # ---- keys
    def event(self, event: QEvent) -> bool:
        """Keys with a meaning of their own here come before the window's shortcuts."""
        if event.type() == QEvent.Type.ShortcutOverride:
            key = event.key()
            if key in (Qt.Key.Key_Space, Qt.Key.Key_Escape) or (key in ARROWS and self.editing.landmark >= 0):
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
        elif key in ARROWS and self.editing.landmark >= 0 and self.gesture is None:
            step = 10.0 if mods & Qt.KeyboardModifier.ShiftModifier else 1.0
            step = 0.1 if mods & Qt.KeyboardModifier.ControlModifier else step
            dx, dy = ARROWS[key]
            self.editing.nudge(dx * step, dy * step)
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and self.gesture is None:
            self.stepped.emit(1 if key == Qt.Key.Key_Right else -1)
        else:
            event.ignore()

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
