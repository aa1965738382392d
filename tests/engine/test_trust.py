"""A model that was once compared with the reference is not compared again at the next start."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from app import cli
from engine import runtime as runtimes
from engine import trust
from engine.graph import Architecture
from engine.modelfile import Model
from engine.random_model import random_model
from engine.runtime import ReferenceRuntime, available_isas, open_runtime
from engine.runtime.compiled import library_path

pytestmark = pytest.mark.skipif(not available_isas(), reason="the compiled engine is not built")


class Wrong(ReferenceRuntime):
    def run(self, crop: np.ndarray, logits: bool = False) -> np.ndarray:
        return super().run(crop, logits) + np.float32(1e-6)


@pytest.fixture
def model() -> Model:
    return random_model("m", Architecture(3, width=32, stem=16, side=64), seed=9)


@pytest.fixture
def marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(trust, "folder", tmp_path / "checked")
    monkeypatch.setattr(runtimes, "_checked", {})
    return tmp_path / "checked"


def restart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what this process knows; a comparison would now fail."""
    monkeypatch.setattr(runtimes, "_checked", {})
    monkeypatch.setattr(runtimes, "ReferenceRuntime", Wrong)


def test_the_next_start_trusts_what_was_seen(model: Model, marks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_runtime(model).checked and len(list(marks.iterdir())) == 1
    restart(monkeypatch)
    assert open_runtime(model).name == "packed"
    assert open_runtime(random_model("n", model.architecture, seed=10)).name == "reference", "of another model"
    if "scalar" in available_isas()[1:]:
        assert open_runtime(model, isa="scalar").name == "reference", "of another instruction set"


def test_another_library_is_compared_again(model, marks, tmp_path, monkeypatch) -> None:
    open_runtime(model)
    other = tmp_path / library_path().name
    shutil.copyfile(library_path(), other)
    with other.open("ab") as file:
        file.write(b"\0")
    monkeypatch.setenv("HOURBIT_LIBRARY", str(other))
    restart(monkeypatch)
    assert open_runtime(model).name == "reference"


def test_a_difference_is_never_remembered(model: Model, marks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    restart(monkeypatch)
    assert open_runtime(model).name == "reference" and not marks.exists()


def test_without_a_place_nothing_is_kept(model: Model, marks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marks.write_text("a file where the folder should be")
    assert open_runtime(model).checked
    monkeypatch.setattr(trust, "folder", None)
    restart(monkeypatch)
    assert open_runtime(model).name == "reference"


def test_the_marks_are_bounded(model: Model, marks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "KEPT", 3)
    for number in range(5):
        trust.keep(str(number), "scalar", library_path())
    assert len(list(marks.iterdir())) == 3 and trust.seen("4", "scalar", library_path())


def test_doctor_compares_every_time(marks: Path, monkeypatch, capsys) -> None:
    assert cli.run(["doctor", "--json"]) == cli.DONE
    restart(monkeypatch)
    cli.run(["doctor", "--json"])
    assert "differs from the reference" in capsys.readouterr().out
