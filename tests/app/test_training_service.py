"""The training service: the real worker end to end, and workers that crash, hang or talk nonsense."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pytest

from app.files import data_folder
from app.library import Library
from app.project.document import Document
from app.project.edits import Accept
from app.services import runs
from app.services.training import Training
from engine.errors import UserError
from engine.graph import Architecture
from engine.modelfile import write_model
from engine.random_model import random_model
from tests.app.projects import SCHEMA, new_document, put

pytest.importorskip("torch")


@pytest.fixture
def document(tmp_path: Path):
    made = new_document(tmp_path, 4)
    for image in made.images():
        put(made, image.id, image.id)
        made.apply(Accept(image.id))
    yield made
    made.close()


@pytest.fixture
def library(tmp_path: Path) -> Library:
    library = Library(data_folder())
    path = tmp_path / "small.hourbit"
    write_model(path, random_model("small", Architecture(len(SCHEMA), width=32, stem=16, side=64), SCHEMA, 0))
    library.adopt(library.import_file(path))
    return library


def fake(tmp_path: Path, script: str) -> tuple[str, ...]:
    path = tmp_path / "worker.py"
    path.write_text(script)
    return ("-u", str(path))


def begin(training: Training, document: Document, library: Library, **settings) -> None:
    training.start(document, library.in_use(SCHEMA.name), settings)


def test_a_run_from_labels_to_the_model_in_use(qtbot, document: Document, library: Library) -> None:
    training = Training(library)
    heard: list[dict] = []
    training.progress.connect(heard.append)
    old = library.in_use(SCHEMA.name)
    with qtbot.waitSignal(training.finished, timeout=90_000) as blocker:
        begin(training, document, library, steps=4, evaluate_every=2, batch=2)
    assert [record["step"] for record in heard] == [1, 2, 3, 4]
    metrics = blocker.args[0]["metrics"]
    assert metrics["labels"] + metrics["held_out"] == 4 and metrics["before"] is not None
    entry = training.adopt()
    assert library.in_use(SCHEMA.name).path == entry.path != old.path
    assert entry.title == "small v2" and entry.parent == "small" and entry.origin == "fine-tuned"
    assert entry.latents is not None
    assert library.roll_back(SCHEMA.name).path == old.path
    assert training.close()


def test_stop_keeps_what_was_learnt(qtbot, document: Document, library: Library) -> None:
    training = Training(library)
    training.progress.connect(lambda record: training.stop() if record["step"] == 2 else None)
    with qtbot.waitSignal(training.finished, timeout=90_000) as blocker:
        begin(training, document, library, steps=100_000, batch=2)
    assert 2 <= blocker.args[0]["metrics"]["step"] < 1000
    assert training.close()


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("import sys; sys.stderr.write('no luck\\n'); sys.exit(7)", r"code 7.*no luck"),
        ("import os; os.abort()", "ended unexpectedly"),
        ('print("{}"); print("noise"); print("[" * 90000); print(\'{"type": "error", "text": "Too dark."}\'); exit(1)',
         "Too dark."),
        ('print(\'{"type": "done", "model": "/nowhere/model.hourbit"}\')', "cannot be used"),
        ("print('{\"type\": \"progress\"')", "ended unexpectedly"),
    ],
)  # fmt: skip
def test_a_worker_that_fails_says_why(
    qtbot, tmp_path: Path, document: Document, library: Library, script: str, sentence: str
) -> None:
    training = Training(library, fake(tmp_path, script))
    with qtbot.waitSignal(training.failed, timeout=20_000) as blocker:
        begin(training, document, library)
    assert re.search(sentence, blocker.args[0])
    assert training.state == "failed"
    assert training.close()


def test_a_silent_worker_is_noticed_and_ended(qtbot, tmp_path: Path, document: Document, library: Library) -> None:
    script = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)"
    training = Training(library, fake(tmp_path, script))
    training.patience, training.grace = 0.3, 0.3
    with qtbot.waitSignal(training.silent, timeout=10_000, check_params_cb=bool):
        begin(training, document, library)
    with qtbot.waitSignal(training.failed, timeout=10_000):
        training.stop()
    assert training.close()


def test_a_worker_that_heard_stop_may_take_its_time(
    qtbot, tmp_path: Path, document: Document, library: Library
) -> None:
    training = Training(library, fake(tmp_path, """
import json, sys, time
print('{"type": "progress", "step": 1, "loss": 0.5}', flush=True)
sys.stdin.readline(), sys.stdin.readline()
print('{"type": "heard", "order": "stop"}', flush=True)
time.sleep(1.5)
print('{"type": "error", "text": "Ended by itself."}', flush=True)
"""))
    training.grace = 0.3
    training.progress.connect(lambda record: training.stop())
    with qtbot.waitSignal(training.failed, timeout=20_000) as blocker:
        begin(training, document, library)
    assert blocker.args == ["Ended by itself."]
    assert training.close()


def test_stop_while_it_finishes_ends_it(qtbot, tmp_path: Path, document: Document, library: Library) -> None:
    script = "import time\nprint('{\"type\": \"finishing\"}', flush=True)\ntime.sleep(600)"
    training = Training(library, fake(tmp_path, script))
    with qtbot.waitSignal(training.began, timeout=10_000):
        begin(training, document, library)
    training.stop()
    with qtbot.waitSignal(training.failed, timeout=5_000):
        training.stop()
    assert training.close()


def test_closing_ends_a_deaf_worker(qtbot, tmp_path: Path, document: Document, library: Library) -> None:
    training = Training(library, fake(tmp_path, "import time\ntime.sleep(600)"))
    with qtbot.waitSignal(training.began, timeout=10_000):
        begin(training, document, library)
    assert training.active
    started = time.monotonic()
    assert training.close()
    assert time.monotonic() - started < 3


def test_a_killed_run_is_offered_and_goes_on(qtbot, document: Document, library: Library) -> None:
    training = Training(library)
    training.progress.connect(lambda record: training._worker.end(0) if record["step"] == 3 else None)
    with qtbot.waitSignal(training.failed, timeout=90_000):
        begin(training, document, library, steps=5, batch=2, checkpoint_every=1)
    assert training.close()
    later = Training(library)
    folder = later.unfinished()
    assert folder == training.folder
    steps: list[int] = []
    later.progress.connect(lambda record: steps.append(record["step"]))
    with qtbot.waitSignal(later.finished, timeout=90_000) as blocker:
        later.go_on(folder)
    assert steps[-1] == 5 and steps[0] in (3, 4)  # at most one checkpoint's interval is done again
    assert blocker.args[0]["name"] == "small v2" and later.unfinished() is None
    with pytest.raises(UserError, match="cannot go on"):
        later.go_on(folder)
    assert later.close()


def test_a_model_that_the_engines_disagree_on_is_not_offered(
    qtbot, document: Document, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wrong:
        name, notice = "packed", ""

        def run(self, crop: np.ndarray, logits: bool = False) -> np.ndarray:
            return np.zeros((len(SCHEMA), 16, 16), np.float32)

    real = runs.open_runtime
    monkeypatch.setattr(runs, "open_runtime", lambda model, name="": real(model, name) if name else Wrong())
    training = Training(library)
    with qtbot.waitSignal(training.failed, timeout=90_000) as blocker:
        begin(training, document, library, steps=1, batch=2)
    assert "differ" in blocker.args[0] and training.result is None
    assert training.close()


@pytest.mark.parametrize("damage", ["missing", "cut", "text", "shape"])
def test_odd_worst_pictures_are_left_out(tmp_path: Path, damage: str) -> None:
    fields = {
        "picture": np.zeros((2, 8, 8, 3), np.uint8), "truth": np.zeros((2, 3, 2)), "before": np.zeros((2, 3, 2)),
        "after": np.zeros((2, 3, 2)), "known": np.ones((2, 3), bool), "error_before": np.zeros(2),
        "error_after": np.zeros(2), "id": np.array([b"a", b"b"]),
    }  # fmt: skip
    path = tmp_path / runs.WORST
    np.savez(path, **fields)
    assert runs.read_worst(tmp_path).ids == ("a", "b")
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:500])
    elif damage == "text":
        path.write_text("no")
    else:
        np.savez(path, **fields | {"truth": np.zeros((3, 3, 2))})
    assert runs.read_worst(tmp_path) is None


@pytest.mark.parametrize(
    "line",
    [b"", b"noise", b"[]", b"{}", b'{"type": 3}', b'{"type": "progress", "step": "1", "loss": 1}', b"[" * 50_000,
     b'{"type": "progress", "step": 1, "loss": null}', b'{"type": "metric"}', b"\xff"],
)  # fmt: skip
def test_lines_that_are_no_records(line: bytes) -> None:
    assert runs.record(line) is None
    assert runs.record(b'{"type": "progress", "step": 1, "loss": 0.5}') is not None


def test_one_at_a_time_and_labels_are_needed(qtbot, tmp_path: Path, document: Document, library: Library) -> None:
    training = Training(library, fake(tmp_path, "import time\ntime.sleep(600)"))
    with qtbot.waitSignal(training.began, timeout=10_000):
        begin(training, document, library)
    with pytest.raises(UserError, match="running already"):
        begin(training, document, library)
    assert training.close()
    (tmp_path / "empty").mkdir()
    empty = new_document(tmp_path / "empty", 1)
    with pytest.raises(UserError, match="accepted labels"):
        begin(Training(library), empty, library)
    empty.close()
