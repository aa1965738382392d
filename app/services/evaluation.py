"""Evaluation of a model in the background, on a file, on the sample pictures, or on a project's accepted labels."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.project.document import Document
from app.project.snapshot import WEIGHTS
from app.project.values import ACCEPTED, Visibility
from app.services.own_thread import OwnThread
from engine import metrics
from engine.errors import UserError
from engine.evaluate import Options, measure
from engine.images import load_image
from engine.labelled import Labelled, load_labelled, sample_subjects
from engine.modelfile import Model
from engine.runtime import open_runtime
from engine.schema import Schema

EVERY = 0.1  # seconds between two words on progress


class _Stopped(Exception):  # noqa: N818  # not an error: a person asked for it
    """The evaluation was cut short on request."""


@dataclass(frozen=True)
class Task:
    """One evaluation: `subjects` reads the labelled pictures, in the service's thread; `name` says what they are."""

    model: Model
    name: str
    subjects: Callable[[], Labelled]
    options: Options = Options()


class Evaluating(OwnThread, QObject):
    """One evaluation at a time.

    progress(done, total); finished(Task, figures of engine.evaluate); failed(sentence); stopped(): on request.
    """

    progress = Signal(int, int)
    finished = Signal(object, object)  # as a dict, Qt would sort the landmarks by name
    failed = Signal(str)
    stopped = Signal()

    _thread_name = "evaluation"

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._prepare_thread()
        self._waiting: Task | None = None
        self._stop = False
        self.active = False

    def start(self, task: Task) -> None:
        """Begin; raises UserError while another runs."""
        with self._ready:
            if self.active:
                raise UserError("An evaluation is under way; wait for its end, or stop it.")
            self._waiting, self._stop, self.active = task, False, True
        self._wake()

    def stop(self) -> None:
        """Cut the evaluation short after the picture in hand."""
        self._stop = True

    def _run(self) -> None:
        while True:
            with self._ready:
                while not (self._closed or self._waiting):
                    self._ready.wait()
                if self._closed:
                    return
                task, self._waiting = self._waiting, None
            self._evaluate(task)

    def _evaluate(self, task: Task) -> None:
        said = 0.0

        def tell(done: int, total: int) -> None:
            nonlocal said
            if self._stop or self._closed:
                raise _Stopped
            if done == total or time.monotonic() - said > EVERY:
                said = time.monotonic()
                self.progress.emit(done, total)

        try:
            done = measure(open_runtime(task.model), task.subjects(), task.options, progress=tell)
        except _Stopped:
            self._end(self.stopped)
        except (UserError, OSError) as error:
            self._end(self.failed, str(error))
        else:
            self._end(self.finished, task, done.figures)

    def _end(self, signal: Signal, *values: object) -> None:
        self.active = False
        if not self._closed:
            signal.emit(*values)


def file_subjects(path: Path, schema: Schema) -> Callable[[], Labelled]:
    """Reads a pack or COCO keypoints file when called."""
    return lambda: load_labelled(path, schema)


def sample_subjects_of(schema: Schema) -> Callable[[], Labelled]:
    """Makes the sample pictures when called."""
    return lambda: sample_subjects(schema)


def project_subjects(document: Document) -> Callable[[], Labelled]:
    """The accepted labels of a project as they are now; the pictures are read when they are evaluated.

    Raises UserError where nothing with two landmarks is accepted.
    """
    rows = [
        (document.picture_path(image), instance)
        for image in document.images() if image.state in ACCEPTED
        for instance in document.instances(image.id) if (instance.visibility != Visibility.ABSENT).sum() >= 2
    ]  # fmt: skip
    if not rows:
        raise UserError("No image with landmarks is accepted yet; accept some in Label first.")
    paths = [path for path, _ in rows]
    points = np.stack([instance.points for _, instance in rows]).astype(np.float64)
    weight = np.array([[WEIGHTS[Visibility(v)] for v in instance.visibility] for _, instance in rows])
    number = {path: n for n, path in enumerate(dict.fromkeys(paths))}
    box = metrics.tight_boxes(points, weight > 0)
    box[:, 2] = np.maximum(box[:, 2], 2.0)
    found = Labelled(
        lambda n: load_image(paths[n]), points, weight, box, ids=tuple(path.name for path in paths),
        image=tuple(number[path] for path in paths),
    )  # fmt: skip
    return lambda: found
