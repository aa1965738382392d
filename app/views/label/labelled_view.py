"""A picture with its instances: what is painted over it, and what lies under the mouse."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QWidget

from app.project.values import Instance, Origin, Visibility
from app.views.label import shape_frame
from app.views.label.editing import Editing
from app.views.label.guesses import Guesses
from app.views.label.hits import box_part, nearest
from app.views.label.items import InstanceItem, RubberItem
from app.views.label.onion import OnionItem
from app.views.label.overlay import HeatItem, ReadOut
from app.views.label.picture_view import PictureView
from app.views.label.placing import Placing
from app.views.label.plates import absent_places
from app.views.label.shaping import Shaping


class LabelledView(PictureView):
    """Shows `editing`'s picture and instances; `Canvas` adds the hands."""

    def __init__(self, editing: Editing, guesses: Guesses, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.editing, self.guesses = editing, guesses
        self.shaping = Shaping(editing, self)
        self.placing = Placing(editing, self)
        self.tool = "select"
        self.gesture: object | None = None
        self.hover_landmark = -1
        self.hover_box = False
        self.labels_shown, self.heat_shown, self.snapping = True, True, False
        self.items_by_id: dict[int, InstanceItem] = {}
        self.heat, self.rubber, self.onion = HeatItem(), RubberItem(), OnionItem(self)
        for item in (self.onion, self.heat, self.rubber):
            self.scene().addItem(item)
        self.hint_plate = ReadOut(self.viewport(), right=False, top=True)
        editing.changed.connect(self._rebuild)
        editing.selected.connect(self._selected)
        editing.previewed.connect(self._repaint)
        guesses.maps_changed.connect(self._selected)

    def zoom_changed(self, scale: float) -> None:
        """Marks keep their size on screen."""
        super().zoom_changed(scale)
        self.onion.zoom_changed(scale)
        for item in self.items_by_id.values():
            item.zoom_changed(scale)

    def place_plates(self) -> None:
        """Put the read-outs into their corners."""
        super().place_plates()
        self.hint_plate.place()

    # ---- items
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
        self._items_for(self.editing.shown())
        self._repaint()

    def _selected(self) -> None:
        for i, item in self.items_by_id.items():
            item.setZValue(3 if i == self.editing.active else 2)
        self.heat.set_heat(self.guesses.heat() if self.heat_shown else None)
        self._repaint()

    def _repaint(self) -> None:
        self.hint_plate.set_text(self.placing.hint() if self.tool == "place" else "")
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
    @property
    def graspable(self) -> bool:
        """Whether what is labelled can be seen, and so can be taken hold of."""
        return self.labels_shown and not self.picture.boundingRect().isEmpty()

    def landmark_at(self, position: QPointF) -> tuple[int, int] | None:
        """(instance id, landmark) within reach of a place; the active instance's and the selected first."""
        if not self.graspable:
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

    def absent_marks(self, instance: Instance) -> dict[int, QPointF]:
        """Where the active instance's absent landmarks are listed; not those that are still to be placed."""
        seen = instance.visibility
        if self.tool == "place":
            seen = np.where(instance.origin == Origin.NONE, Visibility.VISIBLE, seen)
        return absent_places(self.box_on_screen(instance), seen, QRectF(self.viewport().rect()))

    def places(self, instance: Instance) -> np.ndarray:
        """(K, 2) viewport pixels where the marks of the active instance are; NaN where it shows none."""
        found = self.to_view(instance.points)
        found[instance.visibility == Visibility.ABSENT] = np.nan
        for k, place in self.absent_marks(instance).items():
            found[k] = place.x(), place.y()
        return found

    def box_part_at(self, position: QPointF) -> int | str | None:
        """Corner 0 to 3 of the active box, "edge", or None."""
        instance = self.editing.shown_current()
        if instance is None or not self.graspable:
            return None
        return box_part(self.box_on_screen(instance), position)

    # ---- the frame around what a move moves
    def frame(self) -> QRectF | None:
        """The frame in viewport pixels, where it is of use: several landmarks are selected, or the tool is move."""
        several = len(self.editing.chosen) > 1 and self.tool == "select"
        instance = self.editing.shown_current()
        if instance is None or not self.graspable or not (several or self.tool == "move"):
            return None
        members = self.shaping.members()
        return shape_frame.around(self.to_view(instance.points[members])) if members else None

    def frame_part_at(self, position: QPointF) -> str | None:
        """A handle of the frame, "inside", or None."""
        rect = self.frame()
        return None if rect is None else shape_frame.part_at(rect, position, QRectF(self.viewport().rect()))
