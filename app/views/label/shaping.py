"""Commands on several landmarks at once: selecting, moving as a shape, sides, starting shapes.

They act on the selected landmarks where at least two are selected, otherwise on the whole active instance.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.project.values import Box, Instance, Origin, Visibility
from app.views.label import moves, shapes
from app.views.label.editing import Editing
from app.views.words import mark, several

LEAST_SIDE = 1.0  # of a box, pixels
TURN, GROW = 1.0, 1.02  # what one press of a key does: degrees, and times


class Shaping(QObject):
    """Commands; `said` is a fact worth a line in the status bar, `outside_changed` that landmarks may lie elsewhere."""

    said = Signal(str)
    outside_changed = Signal()

    def __init__(self, editing: Editing, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.editing = editing

    # ---- what is selected
    def members(self) -> list[int]:
        """The landmarks that a move moves: those selected, or all; absent ones have no place to move."""
        instance = self.editing.current
        if instance is None:
            return []
        chosen = self.editing.chosen if len(self.editing.chosen) > 1 else range(len(instance.points))
        return [k for k in sorted(chosen) if instance.visibility[k] != Visibility.ABSENT]

    def _pairs(self) -> list[int]:
        """The landmarks whose sides a command concerns: those selected, be it one, or all."""
        return sorted(self.editing.chosen) or list(range(len(self.editing.current.points)))

    def select_all(self) -> None:
        """Select every landmark of the active instance."""
        if self.editing.current is not None:
            self.editing.choose(range(len(self.editing.current.points)))

    def groups(self) -> dict[str, tuple[int, ...]]:
        """The schema's groups that hold landmarks."""
        document = self.editing.document
        return {} if document is None else {name: held for name, held in document.schema.groups.items() if held}

    def select_group(self, landmark: int | None = None) -> None:
        """Select the group of a landmark, by default of the selected one; all where it has none."""
        k = self.editing.landmark if landmark is None else landmark
        found = next((held for held in self.groups().values() if k in held), None)
        if found is None:
            self.select_all()
        else:
            self.editing.choose(found, k)

    def step_group(self, step: int) -> None:
        """Select the next or previous group of the schema, round the end."""
        groups = list(self.groups().items())
        if not groups or self.editing.current is None:
            return
        held = [n for n, (_, members) in enumerate(groups) if self.editing.landmark in members]
        if held and self.editing.chosen != frozenset(groups[held[0]][1]):
            step = 0  # the rest of the group one is in comes first
        name, members = groups[(held[0] + step) % len(groups) if held else (0 if step > 0 else -1)]
        self.editing.choose(members, members[0])
        self.said.emit(name)

    # ---- moving
    def moved(self, affine: np.ndarray, members: Iterable[int]) -> Instance:
        """The active instance with some landmarks moved as one shape, which stays in the picture as a whole."""
        editing, members = self.editing, list(members)
        instance = editing.current
        places = moves.moved_by(affine, instance.points)
        if not editing.may_leave:
            was = moves.bounds(instance.points[members])
            room = np.array([0.0, 0.0, editing.image.width - 1.0, editing.image.height - 1.0])
            room = np.concatenate([np.minimum(room[:2], was[:2]), np.maximum(room[2:], was[2:])])
            places[members] = moves.held_inside(places[members], room)
        made = moves.with_places(instance, members, places)
        if len(members) < (instance.visibility != Visibility.ABSENT).sum():
            return made
        return replace(made, box=self._box_after(affine, made.points[members] - instance.points[members], members))

    def _box_after(self, affine: np.ndarray, moved: np.ndarray, members: list[int]) -> Box:
        """The box goes with the shape, as far as its middle landmark really went. moved (n, 2)."""
        instance = self.editing.current
        box, wanted = instance.box, moves.moved_by(affine, instance.points[members]) - instance.points[members]
        cx, cy = moves.moved_by(affine, np.array([box.cx, box.cy])) + np.median(moved - wanted, 0)
        times = float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
        return replace(box, cx=float(cx), cy=float(cy), side=max(box.side * times, LEAST_SIDE))

    def move(self, affine: np.ndarray, title: str, members: Iterable[int] | None = None) -> bool:
        """Move as one edit; True when it was kept."""
        members = self.members() if members is None else list(members)
        return bool(members) and self.editing.put(self.moved(affine, members), title)

    def nudge(self, dx: float, dy: float, whole: bool = False) -> None:
        """Move what is selected, or the `whole` shape, by picture pixels."""
        editing = self.editing
        if editing.current is None:
            return
        if len(editing.chosen) > 1 or (whole and not editing.chosen):
            self.move(moves.shift((dx, dy)), mark("Move {0} landmarks").format(len(self.members())))
        elif editing.landmark >= 0:
            x, y = editing.current.points[editing.landmark]
            editing.drop(editing.landmark, x + dx, y + dy)

    def centre(self) -> np.ndarray | None:
        """The middle of what a move moves, (2,); None where there is nothing."""
        members = self.members()
        if not members:
            return None
        x0, y0, x1, y1 = moves.bounds(self.editing.current.points[members])
        return np.array([(x0 + x1) / 2, (y0 + y1) / 2])

    def rotate(self, degrees: float) -> None:
        """Turn around the middle, clockwise."""
        if (centre := self.centre()) is not None:
            self.move(moves.turn(centre, degrees), mark("Rotate"))

    def grow(self, times: float) -> None:
        """Scale around the middle."""
        if (centre := self.centre()) is not None:
            self.move(moves.scale(centre, times, times), mark("Scale"))

    def toggle_outside(self) -> None:
        """Let landmarks lie outside the picture, or keep them inside again; those outside stay where they are."""
        self.editing.may_leave = not self.editing.may_leave
        self.outside_changed.emit()
        may = self.tr("Landmarks may leave the picture now")
        self.said.emit(may if self.editing.may_leave else self.tr("Landmarks stay in the picture now"))

    def bring_back(self) -> None:
        """Move landmarks that lie outside the picture to its edge."""
        editing = self.editing
        if editing.current is None:
            return
        inside = shapes.clamped(editing.image, editing.current.points)
        seen = editing.current.visibility != Visibility.ABSENT
        out = np.flatnonzero((inside != editing.current.points).any(1) & seen)
        if len(out):
            editing.put(moves.with_places(editing.current, out, inside), mark("Bring back"))
        self.said.emit(several(len(out), mark("1 landmark brought back into the picture"),
                               mark("{0} landmarks brought back into the picture")))  # fmt: skip

    # ---- sides
    def mirror(self) -> None:
        """Turn the shape over, as in a mirror; what is left stays left."""
        self._sided(moves.mirrored, mark("Mirror"))

    def swap_sides(self) -> None:
        """Exchange left and right landmarks."""
        self._sided(moves.swapped, mark("Swap left and right"))

    def _sided(self, change: object, title: str) -> None:
        if self.editing.current is not None:
            self.editing.put(change(self.editing.current, self._pairs(), self.editing.document.schema), title)

    def to_other_side(self) -> None:
        """Place the partners of the selected landmarks at their mirror images."""
        editing = self.editing
        if editing.current is None or not editing.chosen:
            self.said.emit(self.tr("Select the landmarks of one side first"))
            return
        made, placed = moves.onto_the_other_side(editing.current, editing.chosen, editing.document.schema)
        if not placed:
            self.said.emit(self.tr("Select landmarks of one side only"))
            return
        if not editing.may_leave:
            made = replace(made, points=shapes.clamped(editing.image, made.points))
        if editing.put(made, mark("Copy to the other side")):
            editing.choose(placed)

    # ---- starting shapes
    def mean_shape(self) -> None:
        """Put the selected landmarks, or all that no hand has placed, where the mean shape has them in the box."""
        editing = self.editing
        if editing.current is None:
            return
        instance = editing.current
        start = shapes.mean_instance(editing.document.schema, editing.image, instance.box, instance.annotator)
        which = np.isin(np.arange(len(instance.points)), list(editing.chosen)) if editing.chosen else self._free()
        points = np.where(which[:, None], start.points, instance.points)
        origin = np.where(which, Origin.MODEL, instance.origin).astype(np.uint8)
        seen = np.where(which, Visibility.VISIBLE, instance.visibility).astype(np.uint8)
        score = np.where(which, 0.0, instance.score).astype(np.float32)
        made = replace(instance, points=points, origin=origin, visibility=seen, score=score)
        editing.put(made, mark("Start from the mean shape"))

    def _free(self) -> np.ndarray:
        return np.isin(self.editing.current.origin, (Origin.NONE, Origin.MODEL))

    def fit_rest(self) -> None:
        """Let the landmarks that no hand has placed follow those that one has, as a shape."""
        editing = self.editing
        if editing.current is None:
            return
        made = moves.rest_fitted(editing.current, self._free(), editing.document.schema)
        if made is None:
            self.said.emit(self.tr("Place a landmark by hand first; the rest then follows"))
            return
        if not editing.may_leave:
            made = replace(made, points=shapes.clamped(editing.image, made.points))
        editing.put(made, mark("Fit the rest"))
