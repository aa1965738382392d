"""What every test gets: its own data folder, no screen, and a check that it left nothing running."""

from __future__ import annotations

import gc
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.services.garbage import collect
from engine import trust

gc.disable()  # only between tests and in this thread, see app.services.garbage

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_SCALE_FACTOR", "1")
os.environ["LANGUAGE"] = "en"  # tests read the window's English words wherever they run
PATIENCE = 3.0  # seconds that threads and processes of a test have to end


@pytest.fixture(autouse=True)
def data_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of this test's own, so that nobody's settings and models are read or changed."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOURBIT_HOME", str(folder))
    monkeypatch.setattr(trust, "folder", None)  # a command sets it
    return folder


def _threads() -> set[threading.Thread]:
    return {t for t in threading.enumerate() if not t.daemon}


def _children() -> set[int]:
    """Process ids of this process's children, where the system tells; helpers of the runner are known by then."""
    found: set[int] = set()
    for task in Path("/proc/self/task").glob("*/children"):
        try:
            found |= {int(pid) for pid in task.read_text().split()}
        except OSError:  # the thread ended meanwhile
            continue
    return found - {child.pid for child in multiprocessing.active_children()}


@pytest.fixture(autouse=True)
def garbage_ends_here() -> Iterator[None]:
    """What a test leaves is collected after it, in the thread in which it made its widgets."""
    yield
    collect()


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """Fail a test that leaves a thread or a child process behind."""
    threads, children = _threads(), _children()
    yield
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        if not (_threads() - threads or _children() - children):
            return
        gc.collect()
        time.sleep(0.02)
    left = [t.name for t in _threads() - threads] + [f"process {pid}" for pid in _children() - children]
    pytest.fail(f"left running: {', '.join(left)}")
