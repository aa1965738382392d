"""The window closes in any state of Live: exit code 0, in time, nothing said."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.app.conftest import MjpegServer
from tests.app.videos import write_coded
from tests.source_tree import ROOT

STATES = ["running", "blocked", "lost", "opening", "frozen", "recording", "stream", "stalled", "paused"]


@pytest.mark.parametrize("state", STATES)
def test_closing_is_over_in_three_seconds_with_code_0(state: str, tmp_path: Path) -> None:
    environment = {**os.environ, "HOURBIT_HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen", "no_proxy": "*"}
    server = MjpegServer() if state in ("stream", "stalled") else None
    address = str(write_coded(tmp_path / "a.mp4")) if state == "paused" else server.url if server is not None else ""
    try:
        if state == "stalled":
            server.mode = "stall"
        command = [sys.executable, "-m", "tests.e2e.live_child", state, address]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90)
        ended = time.time()
    finally:
        if server is not None:
            server.close()
    assert done.returncode == 0, done.stderr
    assert not any(word in done.stderr for word in ("Traceback", "terminate", "QThread"))
    assert ended - float(done.stdout.split("closing")[1]) < 3.5  # three, and what a busy machine needs to end a process
