"""Fine-tuning as a service of the window: a process of its own, started, watched and ended here.

A training that dies, hangs or talks nonsense leaves the window as it was; its model is offered only after
it was read back under all checks and the packed engine agreed with the reference on it.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from app.files import data_folder
from app.library import Entry, Library
from app.project.document import Document
from app.project.snapshot import snapshot
from app.services.launch import COMMAND, LONGEST_LINE, environment, need_torch
from engine.errors import UserError
from engine.modelfile import read_model
from engine.runtime import open_runtime

RUNNING = ("starting", "running", "paused", "stopping", "checking")


class Training(QObject):
    """At most one training at a time. States: idle, starting, running, paused, stopping, checking, finished, failed."""

    state_changed = Signal(str)
    progress = Signal(dict)
    metric = Signal(dict)
    finished = Signal(dict)
    failed = Signal(str)
    silent = Signal(bool)
    _checked = Signal(dict, str)

    def __init__(self, library: Library, command: tuple[str, ...] = COMMAND, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library, self._command = library, command
        self._process: QProcess | None = None
        self._buffer = b""
        self._done: dict[str, Any] | None = None
        self._error = ""
        self._thread: threading.Thread | None = None
        self.state = "idle"
        self.folder: Path | None = None
        self.result: dict[str, Any] | None = None
        self.schema = ""
        self.patience = 10.0  # seconds without a word before it counts as silent
        self.grace = 15.0  # seconds from stop to terminate; finishing takes some
        self._heard = time.monotonic()
        self._watch = QTimer(self, interval=500)
        self._watch.timeout.connect(self._look)
        self._checked.connect(self._on_checked)

    @property
    def active(self) -> bool:
        """Whether a training is under way."""
        return self.state in RUNNING

    def start(self, document: Document, entry: Entry, settings: dict[str, Any] | None = None) -> None:
        """Freeze the accepted labels and begin; raises UserError where that cannot be."""
        if self.active:
            raise UserError("A training is running already; stop it first.")
        need_torch()
        stamp = time.strftime("%Y-%m-%d %H.%M.%S")
        self.folder = _free(data_folder() / "runs" / f"{stamp} {document.schema.name}")
        frozen = snapshot(document, self.folder / "snapshot.npz")
        self._launch({
            "type": "start", "snapshot": [str(frozen.path)], "schema": document.schema.name, "recipe": "finetune",
            "settings": settings or {}, "from": str(entry.path), "out": str(self.folder), "seed": 0,
            "name": self._next_name(entry),
        })  # fmt: skip
        self.schema = document.schema.name

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
        """End it in good order; the best weights so far are still offered. What does not hear is ended."""
        if self.state in ("starting", "running", "paused"):
            self._say("stop")
            self._to("stopping")
            process = self._process
            QTimer.singleShot(int(self.grace * 1000), self, lambda: self._end(process))

    def adopt(self) -> Entry:
        """Take the new model into the library and use it; raises UserError."""
        if self.result is None:
            raise UserError("There is no new model to use; train first.")
        entry = self._library.import_file(self.result["path"], "fine-tuned")
        self._library.adopt(entry)
        self.dismiss()
        return entry

    def dismiss(self) -> None:
        """Keep the old model; the run's folder stays."""
        self.result = None
        self._to("idle")

    def close(self) -> bool:
        """End everything within 3 s; True where nothing is left."""
        process, self._process = self._process, None
        self._watch.stop()
        if process is not None:
            process.blockSignals(True)
            process.closeWriteChannel()
            if not process.waitForFinished(1000):
                process.kill()
                process.waitForFinished(1000)
        if self._thread is not None:
            self._thread.join(1.0)
        return self._thread is None or not self._thread.is_alive()

    def _launch(self, start: dict[str, Any]) -> None:
        process = QProcess(self)
        values = QProcessEnvironment()
        for name, value in environment().items():
            values.insert(name, value)
        process.setProcessEnvironment(values)
        process.setStandardErrorFile(str(self.folder / "worker.log"))
        process.readyReadStandardOutput.connect(self._read)
        process.finished.connect(self._ended)
        process.errorOccurred.connect(self._broken)
        self._process, self._buffer, self._done, self._error, self.result = process, b"", None, "", None
        self._heard = time.monotonic()
        self._to("starting")
        process.start(sys.executable, list(self._command))
        process.write(json.dumps(start).encode() + b"\n")
        self._watch.start()

    def _say(self, kind: str) -> None:
        if self._process is not None:
            self._process.write(json.dumps({"type": kind}).encode() + b"\n")

    def _to(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self.state_changed.emit(state)

    def _read(self) -> None:
        if self._process is None:
            return
        self._buffer += bytes(self._process.readAllStandardOutput().data())
        *lines, self._buffer = self._buffer.split(b"\n")
        if len(self._buffer) > LONGEST_LINE:
            self._buffer = b""
        for line in lines:
            try:
                record = json.loads(line) if len(line) <= LONGEST_LINE else None
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict) and isinstance(record.get("type"), str):
                self._hear(record)

    def _hear(self, record: dict[str, Any]) -> None:
        if time.monotonic() - self._heard > self.patience:
            self.silent.emit(False)
        self._heard = time.monotonic()
        kind = record["type"]
        if kind == "progress":
            if self.state == "starting":
                self._to("running")
            self.progress.emit(record)
        elif kind == "metric":
            self.metric.emit(record)
        elif kind == "done":
            self._done = record
        elif kind == "error":
            self._error = str(record.get("text") or "")

    def _look(self) -> None:
        """Notice a worker that says nothing any more; heartbeats come even while it is paused."""
        if self._process is not None and time.monotonic() - self._heard > self.patience:
            self.silent.emit(True)

    def _end(self, process: QProcess | None) -> None:
        if process is not None and process is self._process and process.state() != QProcess.ProcessState.NotRunning:
            process.terminate()
            QTimer.singleShot(5000, self, lambda: process.kill() if process is self._process else None)

    def _broken(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._fail("The training could not be started; check the installation with: hourbit doctor")

    def _ended(self, code: int) -> None:
        if self._process is None:
            return
        self._read()
        self._watch.stop()
        stopped = self.state == "stopping"
        self._process.deleteLater()
        self._process = None
        if self._done is not None and code == 0:
            self._to("checking")
            self._thread = threading.Thread(target=self._check, args=(self._done,), name="model check")
            self._thread.start()
        elif stopped and not self._error:
            self._fail("The training was ended before it had a model to offer.")
        else:
            self._fail(self._error or f"The training ended unexpectedly (code {code}): {self._tail()}")

    def _fail(self, sentence: str) -> None:
        self._process = None
        self._watch.stop()
        self._to("failed")
        self.failed.emit(sentence)

    def _tail(self) -> str:
        try:
            lines = (self.folder / "worker.log").read_text("utf-8", "replace").strip().splitlines()
        except OSError:
            lines = []
        return lines[-1][:300] if lines else "its log is empty."

    def _check(self, done: dict[str, Any]) -> None:
        """Read the model back and compare packed with reference; off the GUI's thread."""
        result, problem = {}, ""
        try:
            model = read_model(str(done["model"]))
            runtime = open_runtime(model)
            result = {
                "path": str(done["model"]), "name": model.name, "metrics": dict(done.get("metrics") or {}),
                "notice": runtime.notice, "sha256": model.sha256,
            }  # fmt: skip
        except (UserError, OSError, KeyError) as error:
            problem = f"The new model cannot be used: {error}"
        self._checked.emit(result, problem)

    def _on_checked(self, result: dict[str, Any], problem: str) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if problem:
            self._fail(problem)
            return
        self.result = result
        self._to("finished")
        self.finished.emit(result)

    def _next_name(self, entry: Entry) -> str:
        """The parent's name with the next free version number."""
        base = entry.title.rsplit(" v", 1)[0] if entry.title.rsplit(" v", 1)[-1].isdigit() else entry.title
        taken = {e.title for e in self._library.entries()}
        number = 2
        while f"{base} v{number}" in taken:
            number += 1
        return f"{base} v{number}"


def _free(folder: Path) -> Path:
    number, found = 1, folder
    while found.exists():
        number += 1
        found = folder.with_name(f"{folder.name} {number}")
    found.mkdir(parents=True)
    return found
