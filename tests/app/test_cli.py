"""The command line as a whole: help, exit codes, errors as sentences, and what each command's JSON holds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import check_rooms
from app.commands.output import columns, plain, track
from engine.errors import UserError
from tests.app.cli_runner import hourbit

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("doctor", "models", "predict", "evaluate", "train", "export", "convert", "validate", "bench", "demo")
MODEL_COMMANDS = ("info", "new", "verify", "export")
SHEETS = ("failures", "features")


@pytest.mark.parametrize("words", [(), ("model",), *((c,) for c in COMMANDS), *(("model", c) for c in MODEL_COMMANDS),
                                   ("sheet",), *(("sheet", c) for c in SHEETS)])
def test_every_help_has_an_example(words: tuple[str, ...]) -> None:
    ran = hourbit(*words, "--help")
    assert ran.code == 0
    assert "Example: hourbit " + " ".join(words) in ran.out


def test_help_lists_what_there_is() -> None:
    listed = hourbit("--help").out + hourbit("model", "--help").out + hourbit("sheet", "--help").out
    for name in (*COMMANDS, *MODEL_COMMANDS, "sheet", *SHEETS):
        assert f"  {name} " in listed
    assert "--peers" in hourbit("bench", "--help").out


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",), ("model", "nonsense"), ("model", "info"), ("predict",), ("bench", "--rounds", "x"),
        ("model", "info", "no-such-model"), ("model", "info", "nowhere/x.hourbit"), ("predict", "nowhere.jpg"),
        ("model", "new", "x.txt"), ("export", "nowhere.hourbit-project", "x.json"),
        ("evaluate", "no-such-model", "nowhere.npz"), ("predict", "x", "--shard", "3/2"),
        ("predict", ""), ("predict", "x.jpg", "--out="), ("models", "--model", ""), ("bench", "--threads", "0"),
        ("model", "new", "x.hourbit", "--block", "nothing"), ("model", "new", "x.hourbit", "--schema", "nothing"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_wrong_use_is_one_sentence_and_exit_code_2(words: tuple[str, ...], tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = hourbit(*words)
    assert ran.code == 2
    assert ran.out == ""
    assert len(ran.err.strip().splitlines()) == 1 and "Traceback" not in ran.err
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_is_a_word_and_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.commands.bench.find_own_model", interrupted)
    ran = hourbit("bench", "face68")
    assert (ran.code, ran.out, ran.err) == (1, "", "Stopped.\n")


def test_damaged_model_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "bad.hourbit").write_bytes(b"\x10" + b"\0" * 40)
    ran = hourbit("model", "info", tmp_path / "bad.hourbit", "--json")
    assert ran.code == 2 and ran.out == "" and "bad.hourbit" in ran.err


def test_program_runs_from_any_folder_and_stops_quietly_when_nobody_reads(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise SystemExit('a stranger ran')")
    script = f"{sys.executable} {ROOT / 'main.py'} --help | true; echo done"
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout == "done\n" and done.stderr == ""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is a display")
def test_without_a_display_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    ran = hourbit()
    assert ran.code == 2 and "hourbit demo" in ran.err and ran.out == ""


def test_strangers_packages_of_our_names_are_refused() -> None:
    check_rooms()
    with pytest.raises(UserError, match="takes the place of our 'engine'"):
        check_rooms(Path(os.sep) / "elsewhere")


def test_doctor_names_runtime_and_checks() -> None:
    ran = hourbit("doctor", "--json")
    value = ran.json
    assert set(value) == {"ok", "runtime", "isa", "isas", "checks"}
    checks = {check["name"]: check for check in value["checks"]}
    assert all(set(check) == {"name", "ok", "detail"} for check in value["checks"])
    assert {"python", "packages", "engine", "display", "cameras", "data folder"} <= set(checks)
    assert checks["data folder"]["ok"] and os.environ["HOURBIT_HOME"] in checks["data folder"]["detail"]
    assert ran.code == (0 if value["ok"] else 1)
    assert value["runtime"] == ("packed" if value["isas"] else "reference")


def test_doctor_fails_where_the_data_folder_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HOURBIT_HOME", str(tmp_path / "file" / "home"))
    ran = hourbit("doctor", "--json")
    assert ran.code == 1 and ran.json["ok"] is False
    assert not {check["name"]: check for check in ran.json["checks"]}["data folder"]["ok"]


def test_models_lists_name_schema_landmarks_bytes_and_path() -> None:
    for entry in hourbit("models", "--json").json:
        assert set(entry) == {"name", "schema", "landmarks", "bytes", "path"}
        assert Path(entry["path"]).stat().st_size == entry["bytes"]


def test_json_is_strict() -> None:
    assert plain({"a": float("nan"), 1: (Path("x"), float("inf"))}) == {"a": None, "1": ["x", None]}


def test_progress_is_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(track([1, 2, 3], "Working", 3)) == [1, 2, 3]
    assert capsys.readouterr() == ("", "")


def test_columns_line_up() -> None:
    assert columns([("a", "bb"), ("ccc", "d")]) == ["a    bb", "ccc  d"]
