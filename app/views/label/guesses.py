"""What the model says about the picture on screen: asking, taking answers in, heatmaps and candidates.

Answers may be late. They never move a landmark that a hand has made or holds: while a drag is in hand
they wait, and afterwards only untouched landmarks follow.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.project.edits import Onto, Predicted, PutInstance
from app.project.values import Box, State
from app.services import heat
from app.services.stills import Answer, Stills
from app.views.label import shapes
from app.views.label.editing import Editing
from app.views.words import mark

ORDERS = itertools.count(1)
AT_PEAK = 0.01  # of the box: nearer than this a landmark is at a peak


@dataclass(frozen=True)
class Order:
    """What a batch of predictions may do to the pictures; what comes of one order is undone at once."""

    onto: Onto
    number: int = field(default_factory=lambda: next(ORDERS), compare=False)


class Guesses(QObject):
    """Between the background predictor and the editing state."""

    maps_changed = Signal()  # heatmaps came or went
    said = Signal(str)  # a fact worth a line in the status bar

    def __init__(self, editing: Editing, stills: Stills, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.editing = editing
        self.stills = stills
        self.maps: dict[int, object] = {}  # instance id -> Prediction with heatmaps, of the picture on screen
        self.passing = -1  # a landmark whose map is looked at in passing
        self._held: list[Answer] = []
        self._withdrawn: set[int] = set()  # numbers of orders that were taken back
        stills.predicted.connect(self._predicted)
        editing.image_changed.connect(self._forget)
        editing.let_go.connect(self._release)

    # ---- asking
    def path(self) -> str:
        """Where the picture on screen lies."""
        return str(self.editing.document.picture_path(self.editing.image))

    def ask(self) -> None:
        """Ask for what the screen needs: a prediction of a new picture, heatmaps of a known one."""
        image, instances = self.editing.image, self.editing.instances
        if image is None or image.state is State.BROKEN:
            return
        if instances:
            boxes = tuple(i.box for i in instances)
            self.stills.request(image.id, self.path(), heatmaps=True, boxes=boxes)
        elif image.state is State.NEW:
            self.stills.request(image.id, self.path(), heatmaps=True)

    def predict_again(self) -> None:
        """Run the model once more: in the active box, or over the picture where there is no instance."""
        image, instance = self.editing.image, self.editing.current
        if image is None:
            return
        if instance is not None:
            self._run_in(instance.id, instance.box)
        else:
            self.stills.request(image.id, self.path(), heatmaps=True, token="again")

    def put_box(self, box: Box, new: bool) -> None:
        """A box drawn or moved by hand: a new instance, or the active one's box; the model then runs in it."""
        editing = self.editing
        if editing.image is None:
            return
        instance = None if new else editing.current
        if instance is None:
            document = editing.document
            start = shapes.mean_instance(document.schema, editing.image, box, document.annotator)
            done = editing.apply(PutInstance(start, mark("Add an instance")))
            target = done.created if done else 0
        else:
            done = editing.apply(PutInstance(replace(instance, box=box), mark("Move the box")))
            target = instance.id
        editing.cancel_preview()
        if done is not None:
            editing.activate(target)
            self._run_in(target, box)

    def withdraw_orders(self) -> None:
        """Take the rest of all orders back, whichever was undone: what they have not predicted yet is left as it is."""
        gone = self.stills.withdraw(lambda token: isinstance(token, Order))
        self._withdrawn |= {order.number for order in gone}
        if gone:
            self.said.emit(self.tr("Taken back; the rest of the order was stopped"))

    def _run_in(self, instance: int, box: Box) -> None:
        self.stills.request(self.editing.image.id, self.path(), box, heatmaps=True, token=("box", instance))

    # ---- answers
    def _predicted(self, image: int, answer: Answer) -> None:
        self.take(answer)

    def take(self, answer: Answer) -> None:
        """Use a prediction. Points made or held by hand stay as they are."""
        editing = self.editing
        token = answer.request.token
        if editing.document is None or (isinstance(token, Order) and token.number in self._withdrawn):
            return
        on_screen = editing.image is not None and answer.image == editing.image.id
        if on_screen and (editing.grabbed or editing.preview is not None):
            self._held.append(answer)
            return
        if isinstance(token, tuple) and token[0] == "box":
            self._take_box(token[1], answer)
        elif not answer.request.boxes:
            self._take_found(answer)
        if not on_screen:
            return
        self._match_maps(answer)
        if not answer.request.heatmaps and not answer.request.boxes:
            self.ask()  # the batch was faster: only the maps are missing

    def _take_found(self, answer: Answer) -> None:
        document = self.editing.document
        image = shapes.find(document, answer.image)
        order = answer.request.token if isinstance(answer.request.token, Order) else None
        onto = order.onto if order is not None else Onto.NEW
        boxed = image is not None and any(i.box.origin == "hand" for i in document.instances(image.id))
        if image is None or (boxed and onto is Onto.NEW):
            return  # somebody has said by a box where the subjects are
        found = tuple(shapes.instance_of(p, image, "") for p in answer.predictions)
        number = order.number if order is not None else 0
        self.editing.apply(Predicted(image.id, found, answer.doubt, onto=onto, doubts=answer.doubts, order=number))
        if not found and self.editing.image is not None and image.id == self.editing.image.id:
            self.said.emit(self.tr("The model found nothing here. Draw a box with N."))

    def _take_box(self, instance: int, answer: Answer) -> None:
        document = self.editing.document
        held = next((i for i in document.instances(answer.image) if i.id == instance), None)
        if held is not None and answer.predictions and shapes.same_box(held.box, answer.request.boxes[0]):
            merged = shapes.merge(held, answer.predictions[0], document.image(answer.image))
            self.editing.apply(PutInstance(merged, mark("Predict again")))

    def _release(self) -> None:
        held, self._held = self._held, []
        for answer in held:
            self.take(answer)

    # ---- heatmaps of the picture on screen
    def _forget(self) -> None:
        self.maps, self._held = {}, []
        self.maps_changed.emit()

    def _match_maps(self, answer: Answer) -> None:
        instances = self.editing.instances
        ids = {i.id for i in instances}
        self.maps = {i: m for i, m in self.maps.items() if i in ids}
        for prediction in answer.predictions:
            if prediction.heatmaps is None:
                continue
            for instance in instances:
                if shapes.same_box(instance.box, prediction.box):
                    self.maps[instance.id] = prediction
        self.maps_changed.emit()

    def map_in_hand(self) -> object | None:
        """The prediction, with heatmaps, of the active instance."""
        return self.maps.get(self.editing.active)

    def heat(self, opacity: float = 0.6) -> heat.Heat | None:
        """The selected landmark's map as a picture, or that of the one looked at in passing."""
        found = self.map_in_hand()
        landmark = self.passing if self.passing >= 0 else self.editing.landmark
        if found is None or landmark < 0:
            return None
        return heat.heat(found, landmark, opacity)

    def preview(self, landmark: int) -> None:
        """Show another landmark's map for a moment; -1 ends it."""
        if landmark != self.passing:
            self.passing = landmark
            self.maps_changed.emit()

    def value_at(self, x: float, y: float) -> float | None:
        """The selected landmark's probability at a place in picture pixels."""
        found = self.map_in_hand()
        if found is None or self.editing.landmark < 0:
            return None
        return heat.value_at(found, self.editing.landmark, x, y)

    def peaks(self) -> np.ndarray:
        """The selected landmark's candidate places: (n, 3) x, y in picture pixels, score."""
        return heat.peaks(self.map_in_hand(), self.editing.landmark)

    def take_peak(self, number: int) -> None:
        """Move the selected landmark to its candidate 1, 2 or 3."""
        found = self.peaks()
        if 0 < number <= len(found):
            x, y = found[number - 1, :2]
            self.editing.drop(self.editing.landmark, x, y, mark("Take a peak for {0}"))

    def next_peak(self) -> None:
        """Move the selected landmark on to the candidate after the one it is at, round the end."""
        found, instance = self.peaks(), self.editing.current
        if instance is None or not len(found):
            return
        away = np.hypot(*(found[:, :2] - instance.points[self.editing.landmark]).T)
        nearest = int(away.argmin())
        at_one = away[nearest] < AT_PEAK * instance.box.side
        self.take_peak((nearest + 1) % len(found) + 1 if at_one else nearest + 1)
