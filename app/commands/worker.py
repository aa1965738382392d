"""The training worker from the command line's side: start it, hear its records, end it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.services.launch import COMMAND, LONGEST_LINE, environment, need_torch
from engine.errors import UserError

PATIENCE = 20.0  # seconds that a worker has to end by itself


class WorkerError(Exception):
    """The worker failed; the message is its own, or the end of its log."""


class Worker:
    """One training process. Iterate over its records; leaving the context ends it, whatever happens."""

    def __init__(self, start: dict[str, Any], log: Path) -> None:
        need_torch()
        json.dumps(start, allow_nan=False)  # raises before there is a process, which would wait for ever
        self._made = [folder for folder in log.parents if not os.path.exists(folder)]
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        # A session of its own: Ctrl+C reaches us only, and we ask it to stop.
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                [sys.executable, *COMMAND], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file,
                env=environment(), start_new_session=True,
            )  # fmt: skip
        self.send({"type": "start", **start})

    def send(self, message: dict[str, Any]) -> None:
        """Write one line to the worker; harmless when it is gone."""
        assert self._process.stdin is not None
        line = json.dumps(message, allow_nan=False).encode() + b"\n"  # what JSON cannot hold is no message: it raises
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def stop(self) -> None:
        """Ask it to end in good order; it still says what it reached."""
        self.send({"type": "stop"})

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Its records up to done; raises WorkerError where it failed or died."""
        assert self._process.stdout is not None
        for line in iter(lambda: self._process.stdout.readline(LONGEST_LINE), b""):
            record = _record(line)
            if record is None:
                continue  # what libraries print
            if record["type"] == "error":
                if record.get("kind") == "user":
                    raise UserError(str(record.get("text")))
                raise WorkerError(f"{record.get('text')} The log is {self._log}.")
            yield record
            if record["type"] == "done":
                return
        raise WorkerError(f"The training ended without a result (exit code {self._process.wait()}): {self.tail()}")

    def tail(self) -> str:
        """The last lines of its log."""
        lines = self._log.read_text("utf-8", "replace").strip().splitlines() if os.path.exists(self._log) else []
        return " / ".join(lines[-3:]) or f"its log {self._log} is empty."

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *exception: object) -> None:
        """The end of its stdin ends it; what does not hear that is killed."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        with contextlib.suppress(OSError):  # a training that was refused leaves nothing behind
            if self._made and not self._log.stat().st_size and [*self._log.parent.iterdir()] == [self._log]:
                self._log.unlink()
                for folder in self._made:
                    folder.rmdir()


def _record(line: bytes) -> dict[str, Any] | None:
    """One record of the protocol, or None for any other line."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and isinstance(record.get("type"), str) else None
