"""Evaluation of a model in the background, on a file, on the sample pictures, or on a project's accepted labels."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from app.formats.others import OTHER
from app.services.own_thread import OwnThread
from engine.errors import UserError
from engine.evaluate import Options, measure
from engine.labelled import Labelled
from engine.modelfile import Model
from engine.runtime import open_runtime

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

    def _next(self) -> Task | None:
        task, self._waiting = self._waiting, None
        return task

    def _work(self, task: Task) -> None:
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
            others = sum(problem.what == OTHER for problem in done.labelled.problems)
            self._end(self.finished, task, done.figures | {"others": others})

    def _end(self, signal: Signal, *values: object) -> None:
        self.active = False
        if not self._closed:
            signal.emit(*values)
