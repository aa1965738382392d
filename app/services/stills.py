"""Predictions for the project's pictures, made in the background: the picture on screen first.

One thread owns the runtime. Values go in by `request` and `predict_all` and come out by signals, so
the window never waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.services.own_thread import OwnThread
from app.services.pictures import MissingError, PictureCache, problem
from engine.detect import patient_detector
from engine.doubts import worst_of
from engine.errors import UserError
from engine.images import load_image
from engine.predictor import Predictor
from engine.runtime import Runtime
from engine.schema import Schema
from engine.types import Box, Prediction


@dataclass(frozen=True)
class Request:
    """What to predict: the found subjects of a picture, or the landmarks in given boxes.

    `token` comes back with the answer; a request with boxes and without a token only wants heatmaps
    for the screen and is dropped when another picture is shown.
    """

    image: int
    path: Path
    boxes: tuple[Box, ...] = ()
    heatmaps: bool = False
    token: Hashable = None


@dataclass(frozen=True)
class Batch:
    """What the pictures of one `predict_all` have in common."""

    path_of: Callable[[int], Path | None]
    token: Hashable


@dataclass(frozen=True)
class Answer:
    """Predictions for a request, one a box or one a found subject; `doubt` of the worst, None where none.

    doubts: by engine.doubts.CRITERIA, each the highest, with the mirror test where a whole picture was looked at.
    """

    request: Request
    predictions: tuple[Prediction, ...]
    doubt: float | None
    doubts: tuple[float, ...] = ()

    @property
    def image(self) -> int:
        return self.request.image


class Stills(OwnThread, QObject):
    """Background prediction of project pictures.

    predicted(image id, Answer); failed(image id, sentence): the picture cannot be read; missing(image id, sentence):
    its file is not there, or its disk is away;
    progress(done, total) of `predict_all`, (0, 0) when it ends; unavailable(sentence): no model to run.
    """

    predicted = Signal(int, object)
    failed = Signal(int, str)
    missing = Signal(int, str)
    progress = Signal(int, int)
    unavailable = Signal(str)

    _thread_name = "stills"

    def __init__(
        self, runtime_for: Callable[[Schema], Runtime], cache: PictureCache | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._prepare_thread()
        self.cache = cache or PictureCache()
        self._runtime_for = runtime_for
        self._urgent: list[Request] = []  # newest last
        self._backlog: deque[tuple[int, Batch]] = deque()
        self._in_hand: tuple[tuple[int, Hashable], ...] = ()  # a whole picture: image, token
        self._served: set[int] = set()  # pictures of the backlog that a single request has predicted meanwhile
        self._done = self._total = 0
        self._schema: Schema | None = None
        self._predictor: Predictor | None = None

    # ---- what the window asks for
    def set_schema(self, schema: Schema | None) -> None:
        """Choose whose landmarks to predict; drops all requests, the model is opened when needed."""
        with self._ready:
            self._schema, self._predictor = schema, None
            self._urgent.clear()
        self.cancel()

    def set_runtime(self, runtime: Runtime | None) -> None:
        """Use this runtime from the next picture on; None asks for the schema's model again."""
        with self._ready:
            self._predictor = None if runtime is None else make_predictor(runtime)
            if runtime is not None:
                self._schema = runtime.model.schema

    def request(
        self, image: int, path: str | Path, box: Box | None = None, heatmaps: bool = False, token: Hashable = None,
        boxes: tuple[Box, ...] = (),
    ) -> None:  # fmt: skip
        """Predict a picture before everything asked for earlier."""
        wanted = Request(image, Path(path), boxes or ((box,) if box else ()), heatmaps, token)
        with self._ready:
            kept: list[Request] = []
            for old in self._urgent:
                if old.image == image and old.token == token and bool(old.boxes) == bool(wanted.boxes):
                    continue
                if heatmaps and old.heatmaps and old.image != image and old.token is None:
                    if old.boxes:
                        continue
                    old = replace(old, heatmaps=False)
                kept.append(old)
            self._urgent = [*kept, wanted]
        self._wake()

    def predict_all(
        self, images: Iterable[int], path_of: Callable[[int], Path | None], token: Hashable = None
    ) -> None:
        """Queue whole pictures behind all single requests; counted by `progress`. `token` is as in a request.

        path_of: where an image's file is, None where the image is to be passed over; asked when its turn has come,
        in the thread, since a disk may be slow.
        """
        batch = Batch(path_of, token)
        with self._ready:
            waiting = {image for image, other in self._backlog if other.token == token}
            waiting |= {r.image for r in self._urgent if r.token == token and not r.boxes}
            waiting |= {image for image, other in self._in_hand if other == token}
            new = [image for image in images if image not in waiting]
            self._backlog.extend((image, batch) for image in new)
            self._total += len(new)
            self._served.difference_update(new)
            done, total = self._done, self._total
        if new:
            self._tell(self.progress, done, total)
            self._wake()

    def cancel(self) -> None:
        """Drop what `predict_all` still has to do."""
        with self._ready:
            self._backlog.clear()
            self._done = self._total = 0
        self._tell(self.progress, 0, 0)

    def withdraw(self, unwanted: Callable[[Hashable], bool]) -> set[Hashable]:
        """Drop what `predict_all` still has to do under tokens that are `unwanted`; returns those tokens.

        The picture in hand is told all the same, and its token is among them.
        """
        with self._ready:
            gone = {token for _, token in self._in_hand if unwanted(token)}
            gone |= {batch.token for _, batch in self._backlog if unwanted(batch.token)}
            kept = [piece for piece in self._backlog if not unwanted(piece[1].token)]
            self._total -= len(self._backlog) - len(kept)
            self._backlog = deque(kept)
            if self._done >= self._total:
                self._done = self._total = 0
            done, total = self._done, self._total
        if gone:
            self._tell(self.progress, done, total)
        return gone

    # ---- the thread
    def _next(self) -> Request | tuple[int, Batch] | None:
        self._in_hand = ()
        if self._urgent:
            request = self._urgent.pop()
            self._in_hand = () if request.boxes else ((request.image, request.token),)
            return request
        if not self._backlog:
            return None
        image, batch = self._backlog.popleft()
        self._in_hand = ((image, batch.token),)
        return image, batch

    def _work(self, piece: Request | tuple[int, Batch]) -> None:
        if isinstance(piece, Request):
            if self._predict(piece) and not piece.boxes:
                self._served.add(piece.image)
        elif self._predict_waiting(*piece):
            self._count()

    def _predict_waiting(self, image: int, batch: Batch) -> bool:
        """A picture of the backlog, unless it has had its turn; whether it is done with."""
        if batch.token is None and image in self._served:
            return True
        path = batch.path_of(image)
        return path is None or self._predict(Request(image, path, token=batch.token))

    def _open(self) -> Predictor | None:
        """The predictor in force, opened here where there is none yet."""
        with self._ready:
            schema, predictor = self._schema, self._predictor
        if predictor is not None or schema is None:
            return predictor
        try:
            predictor = make_predictor(self._runtime_for(schema))
        except (UserError, OSError) as error:
            with self._ready:
                self._urgent.clear()
            self.cancel()
            self._tell(self.unavailable, str(error))
            return None
        with self._ready:
            if self._schema is schema and self._predictor is None:
                self._predictor = predictor
            return self._predictor

    def _predict(self, request: Request) -> bool:
        """Predict and tell; False where there is no model."""
        predictor, judged = self._open(), None
        if predictor is None:
            return False
        try:
            pixels = self._pixels(request)
            if request.boxes:
                found = [predictor.predict_box(pixels, box, heatmaps=True) for box in request.boxes]
                judged = worst_of([predictor.doubts(pixels, p, mirror=False) for p in found])
            else:
                found = predictor.predict(pixels, heatmaps=True)
                judged = worst_of([predictor.doubts(pixels, p) for p in found])
        except (UserError, OSError) as error:
            told = problem(request.path, error)
            self._tell(self.missing if isinstance(told, MissingError) else self.failed, request.image, str(told))
            return True
        doubts = () if judged is None else tuple(float(value) for value in judged)
        worst = doubts[0] if doubts and np.isfinite(doubts[0]) else None
        if not request.heatmaps:
            found = [replace(p, heatmaps=None) for p in found]
        self._tell(self.predicted, request.image, Answer(request, tuple(found), worst, doubts))
        return True

    def _pixels(self, request: Request) -> np.ndarray:
        """The picture's pixels; only a picture for the screen enters the cache. Raises UserError, also for damage."""
        held = self.cache.load(request.path) if request.heatmaps else self.cache.peek(request.path)
        if held is not None and held.damage:
            raise UserError(held.damage)
        return held.pixels if held else load_image(request.path)

    def _count(self) -> None:
        with self._ready:
            self._done += 1
            done, total = self._done, self._total
            if done >= total:
                self._done = self._total = 0
                self._served.clear()
        if total:
            self._tell(self.progress, done, total)
            if done >= total:
                self._tell(self.progress, 0, 0)

    def _tell(self, signal: Signal, *values: object) -> None:
        if not self._closed:
            signal.emit(*values)


def make_predictor(runtime: Runtime) -> Predictor:
    """A predictor with the detector that fits the model's subject."""
    return Predictor(runtime, detector=patient_detector(runtime))
