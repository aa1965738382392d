"""The commands at the end of docs/train.md run as written, one after the other, on what ships."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

pytest.importorskip("torch")

from tests.app.cli_runner import hourbit  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
BLOCK = (ROOT / "docs" / "train.md").read_text("utf-8").split("```sh\n")[-1].split("```")[0]
COMMANDS = [line.removeprefix("hourbit ") for line in BLOCK.splitlines() if line]


def test_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(COMMANDS) >= 5
    said = []
    for command in COMMANDS:
        ran = hourbit(*shlex.split(command))
        assert ran.code == 0, (command, ran.err)
        said.append(ran.out)
    assert "model.hourbit" in said[0] and "bce to l2, binary" in said[3] and "L2 in place of BCE" in said[4]
    assert "miou, mean" in said[6] and "Inner mouth" in said[6]
