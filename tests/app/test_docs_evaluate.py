"""The commands at the end of docs/evaluate.md run as written, on what ships."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.app.cli_runner import hourbit

ROOT = Path(__file__).resolve().parents[2]
BLOCK = (ROOT / "docs" / "evaluate.md").read_text("utf-8").split("```sh\n")[-1].split("```")[0]
COMMANDS = [line.removeprefix("hourbit ") for line in BLOCK.splitlines() if line.startswith("hourbit ")]


def test_there_are_commands() -> None:
    assert len(COMMANDS) >= 5 and all(line.startswith("hourbit ") for line in BLOCK.splitlines() if line)


@pytest.mark.parametrize("command", COMMANDS)
def test_command_runs(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "resources").symlink_to(ROOT / "resources")
    monkeypatch.chdir(tmp_path)
    ran = hourbit(*shlex.split(command))
    assert ran.code == 0, ran.err
    made = [word for word in shlex.split(command) if word.endswith((".png", ".csv"))]
    assert ran.out and all((tmp_path / name).stat().st_size > 1000 for name in made)
