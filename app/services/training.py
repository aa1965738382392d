"""Fine-tuning as a service of the window: a process of its own, started, watched and ended here.

A training that dies, hangs or talks nonsense leaves the window as it was; its model is offered only after
it was read back under all checks and the packed engine agreed with the reference on it.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.library import Entry, Library
from app.project.document import Document
from app.project.snapshot import snapshot
from app.project.values import ACCEPTED
from app.services import runs
from app.services.launch import need_torch
from app.services.worker import COMMAND, Worker
from engine.errors import UserError
from engine.modelfile import read_model

NICENESS = 10  # the window goes first
RUNNING = ("starting", "running", "paused", "stopping", "checking")


class Training(QObject):
    """At most one training at a time. States: idle, starting, running, paused, stopping, checking, finished, failed.

    `began` carries the start line once the labels are frozen; `finished` the new model's path, name, metrics
    before and after, and the folder of the run.
    """

    state_changed = Signal(str)
    began = Signal(dict)
    progress = Signal(dict)
    metric = Signal(dict)
    finished = Signal(dict)
    failed = Signal(str)
    silent = Signal(bool)
    _frozen = Signal(dict, str)
    _checked = Signal(dict, str)

    def __init__(self, library: Library, command: tuple[str, ...] = COMMAND, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library, self._command = library, command
        self._worker: Worker | None = None
        self._error, self._asked, self._heeded = "", False, False
        self._done: dict[str, Any] | None = None
        self._thread: threading.Thread | None = None
        self.state = "idle"
        self.folder: Path | None = None
        self.start_line: dict[str, Any] = {}
        self.result: dict[str, Any] | None = None
        self.schema = self.name = ""
        self.patience = 10.0  # seconds without a word before it counts as silent
        self.grace = 5.0  # seconds from stop to terminate where stop was not heard, and from there to kill
        self._frozen.connect(self._on_frozen)
        self._checked.connect(self._on_checked)

    @property
    def active(self) -> bool:
        """Whether a training is under way."""
        return self.state in RUNNING

    def unfinished(self) -> Path | None:
        """The folder of the newest run that broke off and can go on; None while one is under way."""
        return None if self.active else runs.unfinished()

    # ---- what the window asks

    def start(self, document: Document, entry: Entry, settings: dict[str, Any] | None = None) -> None:
        """Freeze the accepted labels and begin; raises UserError where that cannot be."""
        self._ready()
        counts = document.counts()
        if not sum(counts.get(state, 0) for state in ACCEPTED):
            raise UserError("There are no accepted labels to train with; accept some images first.")
        self.folder, self.schema = runs.new_folder(document.schema.name), entry.schema
        self.name = runs.next_name(self._library, entry)
        start = {
            "type": "start", "schema": document.schema.name, "recipe": "finetune", "settings": settings or {},
            "from": str(entry.path), "out": str(self.folder), "seed": 0, "name": self.name,
            "nice": NICENESS,
        }  # fmt: skip
        self.result = None
        self._to("starting")
        self._thread = threading.Thread(target=self._freeze, args=(document, start), name="snapshot", daemon=True)
        self._thread.start()

    def go_on(self, folder: Path) -> None:
        """Go on with a run that broke off, from its last checkpoint; raises UserError."""
        self._ready()
        start = runs.read_start(folder)
        if start is None or not runs.can_go_on(folder):
            raise UserError("This training cannot go on; start a new one.")
        self.folder, self.result = folder, None
        self.schema, self.name = str(start.get("schema") or ""), str(start.get("name") or "")
        self._to("starting")
        self._launch(start | {"resume": True})

    def pause(self) -> None:
        """Let it rest after the step in hand."""
        if self.state == "running":
            self._say("pause")
            self._to("paused")

    def resume(self) -> None:
        """Go on after a pause."""
        if self.state == "paused":
            self._say("resume")
            self._to("running")

    def stop(self) -> None:
        """End it in good order; the best weights so far are still offered. What does not hear is ended.

        Asked again while it finishes, it is ended at once and offers nothing.
        """
        if self.state == "stopping":
            self._end(self._worker)
        elif self.state in ("starting", "running", "paused"):
            worker, self._asked = self._worker, True
            self._say("stop")
            self._to("stopping")
            QTimer.singleShot(int(self.grace * 1000), self, lambda: None if self._heeded else self._end(worker))

    def adopt(self) -> Entry:
        """Take the new model into the library and use it; raises UserError."""
        if self.result is None:
            raise UserError("There is no new model to use; train first.")
        entry = self._library.import_file(self.result["path"], "fine-tuned")
        self._library.adopt(entry)
        self.dismiss()
        return entry

    def dismiss(self) -> None:
        """Keep the old model, or leave a run that failed; the run's folder stays."""
        if not self.active:
            self.result = None
            self._to("idle")

    def give_up(self, folder: Path) -> None:
        """Do not offer to go on with a run any more."""
        runs.settle(folder)

    def close(self) -> bool:
        """End everything within 3 s; True where nothing is left."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()
        self.state = "idle"
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(1.0)
        return thread is None or not thread.is_alive()

    # ---- starting

    def _ready(self) -> None:
        if self.active:
            raise UserError("A training is running already; stop it first.")
        need_torch()

    def _freeze(self, document: Document, start: dict[str, Any]) -> None:
        """Write the snapshot; off the GUI's thread, since it reads every labelled picture."""
        problem, folder = "", Path(start["out"])
        try:
            frozen = snapshot(document, folder / "snapshot.npz")
            start = start | {"snapshot": [str(frozen.path)]}
            runs.write_start(folder, start)
        except (UserError, OSError) as error:
            problem = str(error)
        except Exception as error:  # a project closed meanwhile, for one; the window must not wait for ever
            problem = f"The labels could not be frozen ({type(error).__name__}: {error}); try again."
        if problem:
            runs.discard(folder)
        self._frozen.emit(start, problem)

    def _on_frozen(self, start: dict[str, Any], problem: str) -> None:
        self._thread = None
        if self.state == "stopping":
            self._fail("The training was stopped before it began.")
        elif problem and self.state == "starting":
            self._fail(problem)
        elif self.state == "starting":
            self._launch(start)

    def _launch(self, start: dict[str, Any]) -> None:
        self._worker = Worker(self._command, self.patience, self)
        self._worker.heard.connect(self._hear)
        self._worker.silent.connect(self.silent)
        self._worker.ended.connect(self._ended)
        self._done, self._error, self.start_line = None, "", start
        self._asked = self._heeded = False
        self._worker.start(start, self.folder / runs.LOG)
        self.began.emit(start)

    # ---- hearing

    def _say(self, kind: str) -> None:
        if self._worker is not None:
            self._worker.say(kind)

    def _to(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)

    def _hear(self, record: dict[str, Any]) -> None:
        kind = record["type"]
        if kind == "progress":
            if self.state == "starting":
                self._to("running")
            self.progress.emit(record)
        elif kind == "metric":
            self.metric.emit(record)
        elif kind == "finishing" or (kind == "heard" and record.get("order") == "stop"):
            self._heeded = True
            if self.state in ("running", "paused"):
                self._to("stopping")
        elif kind == "done":
            self._done = record
        elif kind == "error":
            self._error = str(record.get("text") or "")

    # ---- the end

    def _end(self, worker: Worker | None) -> None:
        if worker is not None and worker is self._worker:
            worker.end(self.grace)

    def _ended(self, code: int | None) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.deleteLater()
        if code is None:
            self._fail("The training could not be started; check the installation with: hourbit doctor")
        elif self._done is not None and code == 0:
            self._to("checking")
            self._thread = threading.Thread(target=self._check, args=(self._done,), name="model check", daemon=True)
            self._thread.start()
        elif self._asked and not self._error:
            self._fail("The training was ended before it had a model to offer.")
        else:
            self._fail(self._error or f"The training ended unexpectedly (code {code}): {runs.tail(self.folder)}")

    def _fail(self, sentence: str) -> None:
        self._to("failed")
        self.failed.emit(sentence)

    def _check(self, done: dict[str, Any]) -> None:
        """Read the model back and compare packed with reference; off the GUI's thread."""
        result, problem = {}, ""
        try:
            model = read_model(str(done["model"]))
            runtime = runs.check(model, self.folder)
            result = {
                "path": str(done["model"]), "name": model.name, "metrics": dict(done.get("metrics") or {}),
                "notice": runtime.notice, "sha256": model.sha256, "folder": str(self.folder),
            }  # fmt: skip
        except (UserError, OSError, KeyError, TypeError, ValueError) as error:
            problem = f"The new model cannot be used: {error}"
        self._checked.emit(result, problem)

    def _on_checked(self, result: dict[str, Any], problem: str) -> None:
        self._thread = None
        if self.state != "checking":
            return  # closed meanwhile
        runs.settle(self.folder)
        if problem:
            self._fail(problem)
            return
        self.result = result
        self._to("finished")
        self.finished.emit(result)
