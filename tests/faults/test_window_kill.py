"""kill -9 of the real window at random moments: every acknowledged edit is there, and nothing is damaged.

HOURBIT_KILLS sets how many windows are killed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from app.project.document import Document
from app.project.edits import PutInstance
from tests.app.views.bench import guessed, make_project

KILLS = int(os.environ.get("HOURBIT_KILLS", "8"))
CHILD = Path(__file__).with_name("window_child.py")
PICTURES = 3
FIRST_LINE = 120.0  # seconds a loaded machine may take to open the window


def prepare(folder: Path) -> Path:
    """A project whose pictures all have an instance already."""
    path = make_project(folder, PICTURES)
    document = Document.open(path)
    for n, image in enumerate(document.images()):
        document.apply(PutInstance(guessed(image.id, n), "Add"))
    document.close()
    return path


def run_and_kill(path: Path, seed: int, home: Path) -> list[dict]:
    """What the window acknowledged until it was killed, 0 to 2 s after its first edit."""
    environment = os.environ | {"HOURBIT_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"}
    errors = path.with_suffix(".errors")
    with errors.open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, str(CHILD), str(path), str(seed)], stdout=subprocess.PIPE, stderr=log, env=environment
        )
        try:
            first = child.stdout.readline()
            assert first, f"the window ended by itself: {errors.read_text()[-2000:]}"
            time.sleep(random.Random(seed).uniform(0.0, 2.0))
            assert child.poll() is None, f"the window ended by itself: {errors.read_text()[-2000:]}"
            child.send_signal(signal.SIGKILL)
            rest = child.stdout.read()
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
    lines = (first + rest).split(b"\n")
    return [json.loads(line) for line in lines[:-1]]  # what follows the last line break was never said whole


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
@pytest.mark.parametrize("seed", range(KILLS))
def test_a_killed_window_has_lost_nothing_that_it_acknowledged(seed: int, tmp_path: Path, data_folder: Path) -> None:
    path = prepare(tmp_path)
    said = run_and_kill(path, seed, data_folder)
    document = Document.open(path)  # without any dialog, lock or repair
    try:
        last = said[-1]
        assert document.revision >= last["revision"]
        extra = document.revision - last["revision"]
        assert extra <= 1, "more was kept than was ever shown"
        if extra:  # an edit that was kept though the window died before it could say so
            document.undo()
        held_by_image = {line["image"]: line for line in said}
        for image, line in held_by_image.items():
            (instance,) = document.instances(image)
            assert np.abs(instance.points - np.array(line["points"])).max() < 1e-5
            assert instance.visibility.tolist() == line["visibility"]
            assert document.image(image).state.value == line["state"]
        steps = 0
        while document.undo_title is not None:
            document.undo()
            steps += 1
        assert steps == len(said) + PICTURES + 1  # each edit, the instances, the pictures
        assert document.check() == []
    finally:
        document.close()
