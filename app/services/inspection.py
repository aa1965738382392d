"""Everything the heatmap dock shows of one subject, worked out in a thread of its own.

The newest request wins; what comes back carries its request, so that a view drops what it no longer shows.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.services.maps import half_width, on_grid_of
from app.services.own_thread import OwnThread
from engine import crop, heatmaps
from engine.architecture import SEGMENTATION
from engine.errors import UserError
from engine.graph import Graph
from engine.images import load_image
from engine.models import open_model
from engine.parts import predicted
from engine.runtime import Runtime, open_runtime
from engine.types import Box, Heatmaps, Prediction
from engine.uncertainty import landmark_doubts

HELD_MODELS = 2  # the model and the one it is compared with


@dataclass(frozen=True)
class Ask:
    """What to look into.

    key: names picture and subject, and comes back; source: the picture's file or its pixels (H, W, 3) uint8 RGB;
    model and other: model files, the second to compare with; layer: an inner layer to tap, "" for none.
    """

    key: Hashable
    source: Path | np.ndarray = field(compare=False)
    box: Box
    model: Path
    other: Path | None = None
    layer: str = ""


@dataclass(frozen=True)
class Layer:
    """An inner layer. bits (H, W, C) bool and real (H, W, C) float32, each None where the network has none there."""

    bits_name: str
    bits: np.ndarray | None
    real_name: str
    real: np.ndarray | None


@dataclass(frozen=True)
class Inspection:
    """One subject as a model saw it.

    crop (S, S, 3) uint8 RGB: what the network was given; maps: its answer; flipped (K, h, w) float32 logits of the
    mirror image, turned back; other: the other model's logits on the same cells, None without one. landmarks,
    flip_landmarks, other_landmarks (K, 3) float64: x, y in picture pixels and score; doubts (K,) 0 to 1; widths (K,)
    cells across the peak at half its height; layers: names that can be tapped.
    """

    ask: Ask
    model: str
    crop: np.ndarray
    maps: Heatmaps
    flipped: np.ndarray
    landmarks: np.ndarray
    flip_landmarks: np.ndarray
    doubts: np.ndarray
    widths: np.ndarray
    layers: tuple[str, ...]
    other_name: str = ""
    other: np.ndarray | None = None
    other_landmarks: np.ndarray | None = None
    layer: Layer | None = None


class Inspector(OwnThread, QObject):
    """Works on the newest request. ready(Inspection); failed(Ask, sentence)."""

    ready = Signal(object)
    failed = Signal(object, str)

    _thread_name = "inspection"

    def __init__(
        self, load: Callable[[Path], np.ndarray] = load_image, open_file: Callable[[Path], Runtime] | None = None,
        parent: QObject | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._prepare_thread()
        self._load = load
        self._open_file = open_file or (lambda path: open_runtime(open_model(path)))
        self._wanted: Ask | None = None
        self._drop_held = False
        self._last: Inspection | None = None
        self._runtimes: OrderedDict[tuple[Path, int], Runtime] = OrderedDict()

    def request(self, ask: Ask) -> None:
        """Look into this, and forget what was asked before."""
        with self._ready:
            self._wanted = ask
        self._wake()

    def rest(self) -> None:
        """Nobody looks any more: let models and maps go. Starts no thread."""
        with self._ready:
            self._wanted, self._drop_held = None, True
            self._ready.notify_all()

    def _next(self) -> Ask | None:
        ask, self._wanted = self._wanted, None
        if self._drop_held:
            self._drop_held, self._last = False, None
            self._runtimes.clear()
        return ask

    def _work(self, ask: Ask) -> None:
        try:
            made = self._made(ask)
        except (UserError, OSError) as error:
            self._tell(self.failed, ask, str(error))
            return
        self._last = made
        with self._ready:
            late = self._wanted is not None or self._drop_held
        if not late:
            self._tell(self.ready, made)

    def _made(self, ask: Ask) -> Inspection:
        runtime, last = self._runtime(ask.model), self._last
        if last is not None and replace(last.ask, layer=ask.layer) == ask:
            made = replace(last, ask=ask)
        else:
            picture = ask.source if isinstance(ask.source, np.ndarray) else self._load(ask.source)
            other = None if ask.other is None else self._runtime(ask.other)
            made = inspect(ask, picture, runtime, other)
        layer = tap(runtime, made.crop, ask.layer) if ask.layer in made.layers else None
        return replace(made, layer=layer)

    def _runtime(self, path: Path) -> Runtime:
        key = (path, path.stat().st_mtime_ns)
        if key not in self._runtimes:
            self._runtimes[key] = self._open_file(path)
            while len(self._runtimes) > HELD_MODELS:
                self._runtimes.popitem(last=False)
        self._runtimes.move_to_end(key)
        return self._runtimes[key]

    def _tell(self, signal: Signal, *values: object) -> None:
        if not self._closed:
            signal.emit(*values)


def inspect(ask: Ask, picture: np.ndarray, runtime: Runtime, other: Runtime | None = None) -> Inspection:
    """Run a model on a subject and on its mirror image, and another model beside it.

    picture (H, W, 3) uint8 RGB. Raises UserError where the two models find different landmarks.
    """
    model = runtime.model
    if other is not None and other.model.schema.landmarks != model.schema.landmarks:
        raise UserError(f"{other.model.name} finds other landmarks than {model.name}; choose one of the same schema.")
    affine = crop.matrix(ask.box.cx, ask.box.cy, ask.box.side * model.crop, model.side)
    mirrored = crop.matrix(ask.box.cx, ask.box.cy, ask.box.side * model.crop, model.side, flip=True)
    seen = crop.sample(picture, affine, model.side)
    maps = Heatmaps(runtime.run(seen, logits=True), affine, model.stride, model.head)
    turned = runtime.run(crop.sample(picture, mirrored, model.side), logits=True)
    flipped = np.ascontiguousarray(turned[model.schema.permutation][:, :, ::-1])
    landmarks = placed(maps)
    divided = maps.head == SEGMENTATION
    doubts = 1 - landmarks[:, 2] if divided else landmark_doubts(Prediction(landmarks, ask.box, model.name, maps))
    probabilities = maps.probabilities
    widths = np.array([half_width(one) for one in probabilities])
    made = Inspection(
        ask, model.name, seen, maps, flipped, landmarks, placed(replace(maps, logits=flipped)),
        doubts, widths, runtime.layers(),
    )  # fmt: skip
    if other is None:
        return made
    b = other.model
    theirs = crop.matrix(ask.box.cx, ask.box.cy, ask.box.side * b.crop, b.side)
    answer = Heatmaps(other.run(crop.sample(picture, theirs, b.side), logits=True), theirs, b.stride, b.head)
    return replace(made, other_name=b.name, other=on_grid_of(maps, answer), other_landmarks=placed(answer))


def placed(maps: Heatmaps) -> np.ndarray:
    """(K, 3) float64: where the landmarks of maps, or the middles of parts, are, picture pixels, and their scores."""
    if maps.head == SEGMENTATION:
        return predicted(maps, Box(0, 0, 1), "").landmarks
    found = heatmaps.decode(maps.logits)
    found[:, :2] = crop.apply(crop.invert(maps.affine), heatmaps.to_crop(found[:, :2], maps.stride))
    return found


def tap(runtime: Runtime, seen: np.ndarray, name: str) -> Layer:
    """An inner layer with its partner: the bits that a binary convolution reads, and the real values behind them."""
    bits, real = partners(runtime.model.graph, name)
    found = runtime.tap(seen, [n for n in (bits, real) if n])
    return Layer(bits, found.get(bits), real, found.get(real))


def partners(graph: Graph, name: str) -> tuple[str, str]:
    """Names of the sign layer and of the real layer that belong to a layer; "" where there is none.

    A sign belongs to what its batch-norm reads, which is the block's residual; a real layer to the sign that reads it.
    """
    node = graph.by_name[name]
    if node.op == "sign":
        source = node.inputs[0]
        before = graph.by_name.get(source)
        if before is not None and before.op == "norm" and before.inputs[0] in graph.by_name:
            source = before.inputs[0]
        return name, source if source in graph.by_name else ""
    reached = {name}
    for after in graph.nodes:
        if after.op in ("norm", "sign") and reached & set(after.inputs):
            if after.op == "sign":
                return after.name, name
            reached.add(after.name)
    return "", name
