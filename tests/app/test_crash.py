"""Crash reports: every kind of fault leaves its trace in the data folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.crash import REPORTS_KEPT, STALE

ROOT = Path(__file__).resolve().parents[2]
START = "import sys; from pathlib import Path; from app import crash; crash.install(Path(sys.argv[1]), print)\n"
FAULTS = {
    "exception": ("raise ValueError('in the main thread')", "ValueError: in the main thread"),
    "thread": (
        "import threading; t = threading.Thread(target=lambda: 1 / 0, name='worker'); t.start(); t.join()",
        "ZeroDivisionError",
    ),
    "unraisable": ("class A:\n def __del__(self): raise KeyError('late')\nA()", "KeyError: 'late'"),
    "no text": ("raise ValueError", "ValueError"),
    "odd text": ("raise ValueError('\\udcff \\u2603')", "\u2603"),
}


def last_crash(folder: Path) -> Path | None:
    """The newest report that holds something; empty ones belong to sessions that ended well."""
    reports = [path for path in (folder / "crashes").glob("*.txt") if path.stat().st_size]
    return max(reports, key=lambda path: path.name, default=None)


def run(folder: Path, code: str, *options: str) -> subprocess.CompletedProcess:
    command = [sys.executable, *options, "-c", START + code, str(folder)]
    environment = os.environ | {"PYTHONIOENCODING": "utf-8:backslashreplace"}
    return subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=60, env=environment)


@pytest.mark.parametrize("name", FAULTS)
def test_an_exception_anywhere_leaves_a_report_and_is_told(tmp_path: Path, name: str) -> None:
    code, words = FAULTS[name]
    done = run(tmp_path, code)
    report = last_crash(tmp_path)
    assert report is not None and words in report.read_text("utf-8") and words in done.stderr
    assert done.stdout.startswith("Something went wrong (") and str(report) in done.stdout


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_a_native_crash_leaves_a_report(tmp_path: Path, number: signal.Signals) -> None:
    done = run(tmp_path, f"import os; os.kill(os.getpid(), {int(number)})")
    assert done.returncode == -number
    report = last_crash(tmp_path)
    assert report is not None and "Fatal Python error" in report.read_text("utf-8")


def test_without_a_console_a_report_is_written_all_the_same(tmp_path: Path) -> None:
    run(tmp_path, "sys.stderr = None\nraise ValueError('unseen')")
    assert "unseen" in last_crash(tmp_path).read_text("utf-8")


def test_ctrl_c_is_no_crash(tmp_path: Path) -> None:
    run(tmp_path, "raise KeyboardInterrupt")
    assert last_crash(tmp_path) is None


def test_a_session_that_ended_well_leaves_nothing_to_tell(tmp_path: Path) -> None:
    assert last_crash(tmp_path) is None
    assert run(tmp_path, "").returncode == 0
    assert last_crash(tmp_path) is None


def test_old_reports_go_but_not_those_of_sessions_that_still_run(tmp_path: Path) -> None:
    folder = tmp_path / "crashes"
    folder.mkdir()
    for n in range(REPORTS_KEPT + 5):
        (folder / f"2020-01-01 00.00.{n:02d}.txt").write_text("crashed")
    (folder / "2020-01-02.txt").write_text("")
    (folder / "2020-01-03.txt").write_text("")
    past = time.time() - STALE - 60
    os.utime(folder / "2020-01-02.txt", (past, past))
    run(tmp_path, "raise ValueError('newest')")
    names = sorted(path.name for path in folder.glob("*.txt"))
    assert len([n for n in names if (folder / n).stat().st_size]) == REPORTS_KEPT
    assert "2020-01-02.txt" not in names and "2020-01-03.txt" in names
    assert "newest" in last_crash(tmp_path).read_text("utf-8")
