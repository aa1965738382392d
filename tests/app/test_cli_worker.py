"""hourbit train against scripted workers: records pass through, every kind of death is told."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path

import pytest

from app.commands import worker as worker_module
from app.commands.train import setting
from app.commands.worker import Worker, WorkerError
from app.services import launch
from engine.errors import UserError
from tests.app.cli_runner import hourbit

TALK = """
import json, sys
start = json.loads(sys.stdin.readline())
def tell(**record):
    print(json.dumps(record), flush=True)
tell(type="hello")
"""


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch):
    """Let the worker run this code after it has read its first line."""

    def use(code: str) -> None:
        monkeypatch.setattr(worker_module, "COMMAND", ("-c", TALK + textwrap.dedent(code)))
        for place in (worker_module, launch):
            monkeypatch.setattr(place, "need_torch", lambda: None)

    return use


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "labels.npz"
    path.write_bytes(b"")
    return path


def test_records_pass_through_as_lines(script, data: Path, tmp_path: Path) -> None:
    script("""
        print("a library says hello")
        tell(type="progress", step=1, loss=0.5, done=0.5)
        tell(type="done", model=start["out"] + "/model.hourbit", metrics={"nme": 4.5}, heard=start)
    """)
    ran = hourbit("train", data, "--schema", "ibug68", "--out", tmp_path / "run", "--set", "steps=3", "--json")
    records = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 0
    assert [record["type"] for record in records] == ["hello", "progress", "done"]
    heard = records[-1]["heard"]
    assert heard["type"] == "start" and heard["out"] == str(tmp_path / "run") and heard["seed"] == 0
    assert str(data) in json.dumps(heard["snapshot"])


def test_without_json_people_read_the_result(script, data: Path, tmp_path: Path) -> None:
    script('''tell(type="done", model="new.hourbit", metrics={
        "metric": "nme", "before": None, "after": 4.51234, "after_groups": {"Jaw": 6.0}, "after_images": [1.0, 2.0],
    })''')
    ran = hourbit("train", data, "--schema", "ibug68", "--out", tmp_path / "run")
    assert ran.code == 0 and ran.out.splitlines() == [
        "Wrote new.hourbit", "  metric             nme", "  before             -", "  after              4.512",
        "  after groups, Jaw  6",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("sys.exit(3)", "exit code 3"),
        ("print('gone wrong', file=sys.stderr); sys.exit(1)", "gone wrong"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "exit code -9"),
        ('tell(type="error", kind="bug", text="It broke.")', "It broke."),
    ],
)
def test_a_worker_that_dies_is_exit_code_1(script, data: Path, tmp_path: Path, code: str, told: str) -> None:
    script(code)
    ran = hourbit("train", data, "--schema", "ibug68", "--out", tmp_path / "run", "--json")
    assert ran.code == 1 and told in ran.err and "Traceback" not in ran.err


def test_a_run_is_not_overwritten(script, data: Path, tmp_path: Path) -> None:
    script('tell(type="done", model="m", metrics={})')
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "latest.safetensors").write_bytes(b"kept")
    words = ("train", data, "--schema", "ibug68", "--out", tmp_path / "run")
    ran = hourbit(*words)
    assert ran.code == 2 and "--resume" in ran.err
    assert hourbit(*words, "--resume").code == 0


def test_without_torch_training_says_so(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.services.launch.util.find_spec", lambda name: None)
    ran = hourbit("train", data, "--schema", "ibug68", "--out", tmp_path / "run")
    assert ran.code == 2 and "PyTorch" in ran.err and not (tmp_path / "run").exists()


def test_leaving_ends_a_worker_that_would_go_on(script, tmp_path: Path) -> None:
    script("sys.stdin.read(); sys.exit(0)")
    with Worker({"out": "x"}, tmp_path / "log") as worker:
        process = worker._process
        assert next(iter(worker))["type"] == "hello"
    assert process.returncode == 0


def test_a_deaf_worker_is_killed(script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "PATIENCE", 0.2)
    script("import time; time.sleep(60)")
    with Worker({"out": "x"}, tmp_path / "log") as worker:
        process = worker._process
    assert process.returncode == -9


def test_stop_is_heard(script, tmp_path: Path) -> None:
    script("""
        message = json.loads(sys.stdin.readline())
        tell(type="done", model="m", stopped=message["type"] == "stop")
    """)
    with Worker({"out": "x"}, tmp_path / "log") as worker:
        records = iter(worker)
        assert next(records)["type"] == "hello"
        worker.stop()
        assert next(records)["stopped"] is True


def test_a_start_that_json_cannot_hold_starts_nothing(script, tmp_path: Path) -> None:
    script("")
    with pytest.raises(ValueError):
        Worker({"settings": {"rate": float("nan")}}, tmp_path / "log")
    assert not (tmp_path / "log").exists()


def test_an_endless_line_does_not_fill_the_memory(script, tmp_path: Path) -> None:
    script("print('x' * 5_000_000); sys.exit(0)")
    with Worker({"out": "x"}, tmp_path / "log") as worker, pytest.raises(WorkerError):
        list(worker)


def test_settings_read_as_toml() -> None:
    assert setting("steps=20") == ("steps", 20)
    assert setting("rate = 1e-3") == ("rate", 0.001)
    assert setting('name="x"') == ("name", "x")
    for wrong in ("steps", "steps=", "a=b c", "rate=nan", "rate=-inf", "steps=2020-01-01", "steps=[1]"):
        with pytest.raises(UserError, match="NAME=VALUE"):
            setting(wrong)


def test_worker_runs_our_own_python() -> None:
    assert worker_module.COMMAND[:3] == ("-P", "-u", "-m")
    assert sys.executable and "PYTHONPATH" in worker_module.environment()


def test_a_training_that_is_refused_leaves_nothing_behind(data: Path, tmp_path: Path) -> None:
    """The real worker, which refuses an empty file before it imports PyTorch."""
    ran = hourbit("train", data, "--schema", "ibug68", "--out", tmp_path / "runs" / "one")
    assert ran.code == 2 and "labels.npz" in ran.err and not (tmp_path / "runs").exists()
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "notes.txt").touch()
    assert hourbit("train", data, "--schema", "ibug68", "--out", kept).code == 2
    assert (kept / "notes.txt").exists()
