"""The training process as the window sees it: records in, orders out, and an end that always comes."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from app.services import runs

LONGEST_LINE = 64 << 10
COMMAND = ("-P", "-u", "-m", "engine.train.worker")


class Worker(QObject):
    """One process. `ended` comes exactly once, with the exit code, or None where it could not be started."""

    heard = Signal(dict)
    silent = Signal(bool)
    ended = Signal(object)

    def __init__(self, command: tuple[str, ...], patience: float, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._command, self._patience = command, patience
        self._buffer, self._quiet, self._told = b"", False, False
        self._last = time.monotonic()
        self._process = QProcess(self)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self._finished)
        self._process.errorOccurred.connect(self._broken)
        self._watch = QTimer(self, interval=500)
        self._watch.timeout.connect(self._look)

    def start(self, first: dict[str, Any], log: Path) -> None:
        """Start it with its first line; what it prints beside the protocol goes to `log`."""
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONPATH", runs.python_path(environment.value("PYTHONPATH")))
        for name in runs.QT_VARIABLES:
            environment.remove(name)
        self._process.setProcessEnvironment(environment)
        self._process.setStandardErrorFile(str(log))
        self._last = time.monotonic()
        self._process.start(sys.executable, list(self._command))
        self._process.write(json.dumps(first).encode() + b"\n")
        self._watch.start()

    def say(self, kind: str) -> None:
        """Send an order."""
        self._process.write(json.dumps({"type": kind}).encode() + b"\n")

    def end(self, grace: float) -> None:
        """Terminate it, and kill it where it is still there `grace` seconds later."""
        if self._process.state() != QProcess.ProcessState.NotRunning:
            self._process.terminate()
            QTimer.singleShot(int(grace * 1000), self, self._process.kill)

    def close(self) -> None:
        """End it within 2 s, without a word: its input ends first, which ends it by itself."""
        self._told = True
        self._watch.stop()
        self._process.closeWriteChannel()
        if not self._process.waitForFinished(1000):
            self._process.kill()
            self._process.waitForFinished(1000)

    def _read(self) -> None:
        self._buffer += bytes(self._process.readAllStandardOutput().data())
        *lines, self._buffer = self._buffer.split(b"\n")
        if len(self._buffer) > LONGEST_LINE:
            self._buffer = b""
        for line in lines:
            found = runs.record(line) if len(line) <= LONGEST_LINE else None
            if found is None or self._told:
                continue
            self._last = time.monotonic()
            if self._quiet:
                self._quiet = False
                self.silent.emit(False)
            self.heard.emit(found)

    def _look(self) -> None:
        """Notice that it says nothing any more; heartbeats come even while it is paused."""
        if not self._quiet and time.monotonic() - self._last > self._patience:
            self._quiet = True
            self.silent.emit(True)

    def _broken(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._tell(None)

    def _finished(self, code: int) -> None:
        self._read()
        self._tell(code)

    def _tell(self, code: int | None) -> None:
        self._watch.stop()
        if not self._told:
            self._told = True
            self.ended.emit(code)
