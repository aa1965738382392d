"""The training process from outside: its lines, its orders, and its end."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from engine.modelfile import read_model, write_model  # noqa: E402
from tests.engine.blobs import small_model  # noqa: E402
from tests.engine.packfile import blob_points, write_pack  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
WORKER = ("-P", "-u", "-m", "engine.train.worker")
LIMIT = 180.0  # seconds
# A worker whose training is this script's: it needs no torch.
SCRIPTED = """
import os, sys, time, types
from engine.errors import UserError
def run(start, send, orders):
{body}
module = types.ModuleType("engine.train.run")
module.run = run
sys.modules["engine.train.run"] = module
from engine.train import worker
worker.HEARTBEAT, worker.read_start = 0.1, lambda start: None
os._exit(worker.main())
"""


class Worker:
    """A worker process; leaving the context kills what still runs, and so does LIMIT: no test waits for ever."""

    def __init__(self, folder: Path, command: tuple[str, ...] = WORKER) -> None:
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=folder,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
            )  # fmt: skip
        self.late = threading.Timer(LIMIT, self.process.kill)
        self.late.start()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *exception: object) -> None:
        self.late.cancel()
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()

    def say(self, line: bytes | dict[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError):  # it may have said its last word already
            self.process.stdin.write(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")
            self.process.stdin.flush()

    def records(self) -> Iterator[dict[str, Any]]:
        for line in self.process.stdout:
            assert len(line) <= 64 << 10
            yield json.loads(line)

    def until(self, type: str) -> dict[str, Any]:
        return next(record for record in self.records() if record["type"] == type)


def scripted(tmp_path: Path, body: str) -> Worker:
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    return Worker(tmp_path, ("-c", SCRIPTED.replace("{body}", lines)))


@pytest.fixture
def start(tmp_path: Path) -> dict[str, Any]:
    write_model(tmp_path / "old.hourbit", small_model(3))
    pack = write_pack(tmp_path / "labels.npz", blob_points(6), holdout=np.arange(6) == 0)
    return {
        "type": "start", "snapshot": [str(pack)], "from": str(tmp_path / "old.hourbit"), "out": str(tmp_path / "out"),
        "settings": {"steps": 100_000, "batch": 2},
    }  # fmt: skip


def test_pause_resume_noise_and_stop(tmp_path: Path, start: dict[str, Any]) -> None:
    with Worker(tmp_path) as worker:
        assert next(worker.records())["type"] == "hello"
        worker.say(start)
        worker.until("progress")
        worker.say(b"no JSON\n[1, 2]\n{}\n\xff\xfe\n" + b'{"type": ["stop"]}\n')
        worker.say({"type": "pause"})
        assert worker.until("heard")["order"] == "pause"
        seen, limit = [], time.monotonic() + 5
        for record in worker.records():
            seen.append(record["type"])
            if seen[-2:] == ["heartbeat"] * 2:
                break  # more than 2 s of silence but for heartbeats
            assert time.monotonic() < limit + 5
        assert seen.count("progress") <= 1
        worker.say({"type": "resume"})
        worker.until("progress")
        worker.say({"type": "stop"})
        done = worker.until("done")
        assert read_model(done["model"]).sha256 == done["sha256"]
        assert worker.process.wait(10) == 0


def test_the_end_of_its_input_ends_it(tmp_path: Path, start: dict[str, Any]) -> None:
    with Worker(tmp_path) as worker:
        worker.say(start)
        worker.until("progress")
        asked = time.monotonic()
        worker.process.stdin.close()
        worker.process.wait(5)
        assert time.monotonic() - asked <= 1
    assert not (tmp_path / "out" / "model.hourbit").exists()


def test_a_broken_snapshot_is_one_sentence_and_exit_code_1(tmp_path: Path, start: dict[str, Any]) -> None:
    Path(start["snapshot"][0]).write_bytes(b"PK not a pack")
    with Worker(tmp_path) as worker:
        worker.say(start)
        error = worker.until("error")
        assert error["kind"] == "user" and "labels.npz" in error["text"]
        assert worker.process.wait(10) == 1


@pytest.mark.parametrize("line", [b"\n", b"noise\n", b'{"type": "stop"}\n', b"[" * 70_000 + b"\n", b'"start"\n'])
def test_without_a_start_line_it_says_so_at_once(tmp_path: Path, line: bytes) -> None:
    with Worker(tmp_path) as worker:
        worker.say(line)
        assert worker.until("error")["kind"] == "user"
        assert worker.process.wait(10) == 1


def test_what_libraries_print_stays_out_of_the_protocol(tmp_path: Path) -> None:
    body = """
print("from python", flush=True)
os.write(1, b"from below\\n")
os.system("echo from a child")
send("done", value=float("nan"), many=[1.0, float("inf")])
"""
    with scripted(tmp_path, body) as worker:
        worker.say({"type": "start"})
        records = list(worker.records())
        assert worker.process.wait(10) == 0
    assert [r["type"] for r in records if r["type"] != "heartbeat"] == ["hello", "done"]
    assert records[-1]["value"] is None and records[-1]["many"] == [1.0, None]
    log = worker.log.read_text()
    assert all(words in log for words in ("from python", "from below", "from a child"))


def test_heartbeats_come_while_the_training_is_busy(tmp_path: Path) -> None:
    with scripted(tmp_path, "time.sleep(0.6)\nsend('done')") as worker:
        worker.say({"type": "start"})
        kinds = [record["type"] for record in worker.records()]
    assert kinds.count("heartbeat") >= 3 and kinds[-1] == "done"


NO_TORCH = "import sys\nsys.modules['torch'] = None\nfrom engine.train import worker\nworker.main()"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"from": None, "schema": "mpii16"}, "mpii16 has 16"), ({"from": None, "schema": "detect"}, "no scene pack"),
        ({"recipe": "theirs"}, "No recipe 'theirs'"), ({"settings": {"batch": 1}}, "batch"),
        ({"snapshot": ["absent.npz"]}, "absent.npz"),
    ],
)  # fmt: skip
def test_mistakes_are_told_before_pytorch_is_imported(
    tmp_path: Path, start: dict[str, Any], changes: dict, words: str
) -> None:
    with Worker(tmp_path, ("-c", NO_TORCH)) as worker:
        worker.say(start | changes)
        told = worker.until("error")
    assert told["kind"] == "user" and words in told["text"]


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ("raise UserError('Too dark.')", "user", "Too dark."),
        ("raise KeyError('loss')", "bug", "KeyError"),
        ("send('metric', values=['x' * 70_000])", "bug", "metric is"),
        ("raise MemoryError", "bug", "MemoryError"),
    ],
)
def test_failures_are_told(tmp_path: Path, body: str, kind: str, words: str) -> None:
    with scripted(tmp_path, body) as worker:
        worker.say({"type": "start"})
        error = worker.until("error")
        assert error["kind"] == kind and words in error["text"]
        assert worker.process.wait(10) == 1
    assert kind == "user" or "Traceback" in worker.log.read_text()
