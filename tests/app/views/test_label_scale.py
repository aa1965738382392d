"""The canvas at other screen scales: what is under the cursor stays the same (reliability.md 32)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TESTS = "test_a_drag_moves or test_the_grab_radius or test_the_wheel_zooms"


@pytest.mark.parametrize("scale", ["1.5", "2"])
def test_drags_grabs_and_zooms_are_exact_at_another_scale(scale: str) -> None:
    environment = os.environ | {"QT_SCALE_FACTOR": scale, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/app/views/test_label_canvas.py", "-q", "-k", TESTS,
         "-p", "no:cacheprovider"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert "8 passed" in done.stdout
