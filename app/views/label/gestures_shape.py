"""What the mouse does to several landmarks: select with a band, move, scale, turn; and guided placement."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from app.project.values import Visibility
from app.views.label import moves, shape_frame
from app.views.label.gestures import Gesture
from app.views.words import mark

if TYPE_CHECKING:
    from app.views.label.canvas import Canvas

STEP = 15.0  # degrees of a turn with Shift
SMALLEST = 0.02  # a shape is not scaled below this share of its size


def place_of(canvas: Canvas, position: QPointF) -> np.ndarray:
    """Viewport pixels to picture pixels (2,)."""
    place = canvas.to_picture(position)
    return np.array([place.x(), place.y()])


class Band(Gesture):
    """A rectangle that selects the landmarks in it; with Shift they join those selected before."""

    def __init__(self, canvas: Canvas, start: QPointF) -> None:
        super().__init__(canvas, start)
        self.before = canvas.editing.chosen if canvas.shift else frozenset()
        self.last = canvas.editing.landmark
        self.origin = canvas.to_picture(start)

    def follow(self, position: QPointF) -> None:
        rect = QRectF(self.origin, self.canvas.to_picture(position)).normalized()
        self.canvas.rubber.show_rect(rect)
        instance = self.canvas.editing.current
        if instance is not None:
            x, y = instance.points.T
            inside = (x >= rect.left()) & (x <= rect.right()) & (y >= rect.top()) & (y <= rect.bottom())
            found = np.flatnonzero(inside & (instance.visibility != Visibility.ABSENT))
            self.canvas.editing.choose(self.before | {int(k) for k in found}, self.last)

    def commit(self, position: QPointF) -> None:
        self.canvas.rubber.show_rect(None)

    def click(self) -> None:
        if not self.canvas.shift:
            self.canvas.editing.select(-1)

    def cancel(self) -> None:
        self.canvas.rubber.show_rect(None)
        self.canvas.editing.choose(self.before, self.last)


class Move(Gesture):
    """Move several landmarks as one shape; with Shift along one axis. A click selects the landmark under it."""

    title = mark("Move {0} landmarks")

    def __init__(self, canvas: Canvas, start: QPointF, landmark: int = -1) -> None:
        super().__init__(canvas, start)
        self.landmark = landmark
        self.members = canvas.shaping.members()
        self.origin = place_of(canvas, start)

    def affine(self, position: QPointF) -> np.ndarray:
        """The move so far."""
        by = place_of(self.canvas, position) - self.origin
        if self.canvas.shift:
            by[int(abs(by[0]) >= abs(by[1]))] = 0.0
        return moves.shift(by)

    def follow(self, position: QPointF) -> None:
        if self.members:
            self.canvas.editing.show_preview(self.canvas.shaping.moved(self.affine(position), self.members))

    def commit(self, position: QPointF) -> None:
        title = self.title.format(len(self.members))
        self.canvas.shaping.move(self.affine(position), title, self.members)

    def click(self) -> None:
        if self.landmark >= 0:
            self.canvas.editing.select(self.landmark)

    def cancel(self) -> None:
        self.canvas.editing.cancel_preview()


class Scale(Move):
    """Scale by a handle: corners keep the form unless Shift is down, edges stretch; Ctrl scales around the middle."""

    title = mark("Scale {0} landmarks")

    def __init__(self, canvas: Canvas, start: QPointF, handle: str) -> None:
        super().__init__(canvas, start)
        self.sides = np.array(shape_frame.SIDES[handle], np.float64)
        x0, y0, x1, y1 = moves.bounds(canvas.editing.current.points[self.members])
        self.centre, self.half = np.array([(x0 + x1) / 2, (y0 + y1) / 2]), np.array([x1 - x0, y1 - y0]) / 2

    def affine(self, position: QPointF) -> np.ndarray:
        by = (place_of(self.canvas, position) - self.origin) * self.sides
        middle = self.canvas.ctrl
        grown = by if middle else by / 2
        times = np.where((self.sides != 0) & (self.half > moves.LEAST), 1 + grown / np.maximum(self.half, 1e-9), 1.0)
        if self.sides.all() and not self.canvas.shift:
            length = max(float(self.half @ self.half), moves.LEAST)
            times[:] = 1 + float(grown @ self.half) / length  # along the diagonal
        times = np.maximum(times, SMALLEST)
        pivot = self.centre if middle else self.centre - self.sides * self.half
        return moves.scale(pivot, *times)


class Turn(Move):
    """Turn around the middle; with Shift in steps of 15 degrees."""

    title = mark("Rotate {0} landmarks")

    def __init__(self, canvas: Canvas, start: QPointF) -> None:
        super().__init__(canvas, start)
        self.centre = canvas.shaping.centre()
        self.at = start

    def affine(self, position: QPointF) -> np.ndarray:
        self.at = position
        a, b = self.origin - self.centre, place_of(self.canvas, position) - self.centre
        degrees = math.degrees(math.atan2(b[1], b[0]) - math.atan2(a[1], a[0]))
        return moves.turn(self.centre, round(degrees / STEP) * STEP if self.canvas.shift else degrees)


class Place(Gesture):
    """Put the landmark whose turn it is; it follows until the button goes up."""

    def _visibility(self) -> Visibility:
        return Visibility.OCCLUDED if self.canvas.shift else Visibility.VISIBLE

    def follow(self, position: QPointF) -> None:
        self.canvas.placing.preview(*place_of(self.canvas, position), self._visibility())

    def finish(self, position: QPointF) -> None:
        self.canvas.placing.put(*place_of(self.canvas, position), self._visibility())

    def cancel(self) -> None:
        self.canvas.editing.cancel_preview()
