"""What the mouse does on the canvas between press and release: one object a gesture.

Each has `move(position)`, `finish(position)` and `cancel()`; positions are QPointF in viewport pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF

from app.project.values import Box, Visibility
from app.views.label import shapes
from app.views.label.hits import nearest

if TYPE_CHECKING:
    from app.views.label.canvas import Canvas

SLACK = 2.0  # a press that moves less than this is a click, viewport pixels


class Gesture:
    """A press that may become a drag."""

    def __init__(self, canvas: Canvas, start: QPointF) -> None:
        self.canvas = canvas
        self.start = start
        self.moved = False

    def move(self, position: QPointF) -> None:
        """Follow the mouse, once it has left its slack."""
        if not self.moved and (position - self.start).manhattanLength() >= SLACK:
            self.moved = True
        if self.moved:
            self.follow(position)

    def finish(self, position: QPointF) -> None:
        """The button went up: commit."""
        self.move(position)
        if self.moved:
            self.commit(position)
        else:
            self.click()

    def follow(self, position: QPointF) -> None:
        """Show what the drag does so far; the default shows nothing."""

    def commit(self, position: QPointF) -> None:
        """Make the edit; the default makes none."""

    def click(self) -> None:
        """The press was a click; the default ignores it."""

    def cancel(self) -> None:
        """Put everything back; the default has nothing to put back."""


class Pan(Gesture):
    """Move the view."""

    def __init__(self, canvas: Canvas, start: QPointF) -> None:
        super().__init__(canvas, start)
        self.last = start

    def follow(self, position: QPointF) -> None:
        self.canvas.scroll_by(position - self.last)
        self.last = position


class Clear(Pan):
    """A press beside everything: a click drops the selection, a drag moves the view."""

    def click(self) -> None:
        self.canvas.editing.select(-1)


class DragLandmark(Gesture):
    """Move one landmark; it keeps its distance from the cursor, so that nothing jumps on the press.

    Where the canvas snaps, a peak of the landmark's heatmap within reach draws it. A click with Ctrl selects
    the landmark's group.
    """

    def __init__(self, canvas: Canvas, start: QPointF, landmark: int) -> None:
        super().__init__(canvas, start)
        self.landmark = landmark
        instance = canvas.editing.current
        absent = instance.visibility[landmark] == Visibility.ABSENT  # it has no place to keep a distance from
        self.offset = QPointF() if absent else QPointF(*instance.points[landmark]) - canvas.to_picture(start)

    def _place(self, position: QPointF) -> tuple[float, float]:
        place = self.canvas.to_picture(position) + self.offset
        if self.canvas.snaps:
            peaks = self.canvas.guesses.peaks()
            found = nearest(self.canvas.to_view(peaks[:, :2]), self.canvas.viewportTransform().map(place))
            if found is not None:
                return float(peaks[found, 0]), float(peaks[found, 1])
        return place.x(), place.y()

    def follow(self, position: QPointF) -> None:
        self.canvas.editing.drag(self.landmark, *self._place(position))

    def commit(self, position: QPointF) -> None:
        self.canvas.editing.drop(self.landmark, *self._place(position))

    def click(self) -> None:
        if self.canvas.ctrl:
            self.canvas.shaping.select_group(self.landmark)

    def cancel(self) -> None:
        self.canvas.editing.cancel_preview()


class MoveBox(Gesture):
    """Move the active instance's box by its edge, or size it by a corner with the opposite one fixed."""

    def __init__(self, canvas: Canvas, start: QPointF, corner: int | None) -> None:
        super().__init__(canvas, start)
        self.box = canvas.editing.current.box
        self.corner = corner
        self.origin = canvas.to_picture(start)
        self.result: Box | None = None

    def follow(self, position: QPointF) -> None:
        place = self.canvas.to_picture(position)
        box = self.box
        if self.corner is None:
            by = place - self.origin
            middle = shapes.clamp(self.canvas.editing.image, box.cx + by.x(), box.cy + by.y())
            self.result = Box(*middle, box.side, 1.0, "hand")
        else:
            x0, y0, x1, y1 = box.corners
            fixed = ((x1, y1), (x0, y1), (x0, y0), (x1, y0))[self.corner]
            place = shapes.about(self.canvas.editing.image, place.x(), place.y())
            self.result = shapes.square(*fixed, *place) or self.result
        if self.result is not None:
            self.canvas.editing.drag_box(self.result)

    def commit(self, position: QPointF) -> None:
        if self.result is not None:
            self.canvas.guesses.put_box(self.result, new=False)

    def cancel(self) -> None:
        self.canvas.editing.cancel_preview()


class DrawBox(Gesture):
    """Press and drag a square: a new instance, or the active one's new box."""

    def __init__(self, canvas: Canvas, start: QPointF, new: bool) -> None:
        super().__init__(canvas, start)
        self.new = new
        self.origin = canvas.to_picture(start)

    def _box(self, position: QPointF) -> Box | None:
        place, image = self.canvas.to_picture(position), self.canvas.editing.image
        start = shapes.about(image, self.origin.x(), self.origin.y())
        return shapes.square(*start, *shapes.about(image, place.x(), place.y()))

    def follow(self, position: QPointF) -> None:
        self.canvas.rubber.show_box(self._box(position))

    def commit(self, position: QPointF) -> None:
        box = self._box(position)
        self.cancel()
        if box is not None:
            self.canvas.set_tool("select")
            self.canvas.guesses.put_box(box, self.new)

    def cancel(self) -> None:
        self.canvas.rubber.show_box(None)
