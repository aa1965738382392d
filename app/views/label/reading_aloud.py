"""The canvas for who cannot see it: which landmark is in hand and where it is, as text for screen readers."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QWidget

from app.project.values import Instance, Origin, Visibility
from app.views.label.editing import Editing
from app.views.label.numbers import number
from app.views.words import mark, named, tr

SEEN = {Visibility.VISIBLE: mark("visible"), Visibility.OCCLUDED: mark("occluded"), Visibility.ABSENT: mark("absent")}
FROM = {
    Origin.NONE: mark("not placed"), Origin.MODEL: mark("by the model"), Origin.EDITED: mark("moved by hand"),
    Origin.HAND: mark("by hand"),
}  # fmt: skip


class ReadingAloud(QObject):
    """Keeps the canvas's description true, and announces the landmark that one steps to or moves."""

    def __init__(self, canvas: QWidget, editing: Editing) -> None:
        super().__init__(canvas)
        self._canvas, self._editing = canvas, editing
        for signal in (editing.selected, editing.changed, editing.image_changed):
            signal.connect(self._tell)

    def _tell(self) -> None:
        words = described(self._editing)
        if words == self._canvas.accessibleDescription():
            return
        self._canvas.setAccessibleDescription(words)
        if self._editing.landmark >= 0 and QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._canvas, words))


def described(editing: Editing) -> str:
    """What is in hand: a landmark with place, visibility, origin and score; else how many there are to choose from."""
    image, instance, k = editing.image, editing.current, editing.landmark
    if image is None:
        return tr("No picture is open")
    if instance is None:
        return tr("No instance")
    if not 0 <= k < len(instance.points):
        return tr("{0} landmarks, none selected").format(len(instance.points))
    return ", ".join([named(editing.document.schema.landmarks[k]), *_state(instance, k)])


def _state(instance: Instance, k: int) -> list[str]:
    seen, origin = Visibility(int(instance.visibility[k])), Origin(int(instance.origin[k]))
    parts = [tr(SEEN[seen])]
    if seen != Visibility.ABSENT:
        x, y = (number(value, 1) for value in instance.points[k])
        parts = [f"x {x}", f"y {y}", *parts, tr(FROM[origin])]
        if origin in (Origin.MODEL, Origin.EDITED):
            parts.append(tr("score {0}").format(number(instance.score[k], 2)))
    return parts
