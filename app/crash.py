"""Crash reports: a trace in the data folder, whatever kind of fault it was."""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

REPORTS_KEPT = 20
STALE = 2 * 86400.0  # seconds after which an empty report belongs to no session that still runs


def install(folder: Path, notify: Callable[[str], None] | None = None) -> Path:
    """Write faults of Python and of native code to `folder`/crashes; returns this session's file.

    `notify` gets one sentence for every uncaught exception, in the thread where it happened. Raises OSError
    where the folder cannot be written.
    """
    reports = folder / "crashes"
    reports.mkdir(parents=True, exist_ok=True)
    _prune(reports)
    path = reports / f"{time.strftime('%Y-%m-%d %H.%M.%S')}-{os.getpid()}-{time.time_ns() % 1_000_000:06d}.txt"
    file = open(path, "w", encoding="utf-8", errors="backslashreplace", buffering=1)  # noqa: SIM115  # for life
    faulthandler.enable(file)

    def report(kind: type[BaseException], error: BaseException | None, trace) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        text = "".join(traceback.format_exception(kind, error, trace))
        file.write(text)
        if sys.stderr is not None:  # there is none in a program without a console
            sys.stderr.write(text)
        if notify is not None:
            reason = str(error or "").strip() or kind.__name__
            notify(f"Something went wrong ({reason}); a report is in {path}.")

    sys.excepthook = report
    threading.excepthook = lambda args: report(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: report(args.exc_type, args.exc_value, args.exc_traceback)
    return path


def _prune(reports: Path) -> None:
    """Drop the oldest reports, and empty ones, but for those that another session may still write to."""
    written = []
    for path in sorted(reports.glob("*.txt")):
        facts = path.stat()
        if facts.st_size:
            written.append(path)
        elif time.time() - facts.st_mtime > STALE:
            path.unlink(missing_ok=True)
    for path in written[: -REPORTS_KEPT + 1]:
        path.unlink(missing_ok=True)
