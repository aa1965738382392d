"""What a real X server shows of the real window, in both themes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.views import tokens
from engine.images import load_image

ROOT = Path(__file__).resolve().parents[2]
SIZE = (1280, 800)
SCHEMES = {"dark": tokens.DARK, "light": tokens.LIGHT}


@pytest.fixture(scope="module")
def display():
    """A virtual screen of 24 bits."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24", "-nolisten", "tcp"],
        pass_fds=(write,), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()
    if not number:
        server.wait(10)
        pytest.skip("Xvfb does not start here")
    yield f":{number}"
    server.terminate()
    server.wait(10)


def share(picture: np.ndarray, colour: str) -> float:
    """Share of the pixels that have exactly this colour."""
    wanted = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)])
    return float((picture == wanted).all(2).mean())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_window_as_the_screen_shows_it(display: str, scheme: str, tmp_path: Path) -> None:
    environment = {n: v for n, v in os.environ.items() if n not in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY")}
    environment |= {"DISPLAY": display, "PYTHONPATH": str(ROOT)}
    child = [sys.executable, "-m", "tests.e2e.screen_child", scheme, str(tmp_path)]
    ran = subprocess.run(child, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr[-2000:]
    shots = {name: load_image(tmp_path / f"{name}.png") for name in ("first", "label", "models")}
    colours = SCHEMES[scheme]
    for name, shot in shots.items():
        assert shot.shape == (SIZE[1], SIZE[0], 3)
        assert len(np.unique(shot.reshape(-1, 3), axis=0)) > 200, f"{name} is all but empty"
        # Exactly one filled button: the accent is there, and nowhere large.
        assert 0.0005 < share(shot, colours["accent"]) < 0.05, name
        assert share(shot, colours["window"]) > 0.05, name
    assert share(shots["first"], colours["panel"]) > 0.3
    picture = shots["label"][100:700, 340:920]
    for side in ("left", "right"):
        assert share(picture, tokens.SIDES[side]) > 0.0005, f"no {side} landmarks on the picture"
    assert share(shots["models"], colours["sel"]) > 0.005, "no model is selected"
