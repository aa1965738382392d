"""`engine.load_model` opens a file or a model that ships, and says what there is otherwise."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import engine
from engine.errors import UserError
from engine.graph import Architecture
from engine.modelfile import read_model, write_model
from engine.random_model import random_model
from engine.runtime import PackedRuntime, available_isas


def test_a_file_is_opened(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.hourbit", random_model("m", Architecture(5, width=32, stem=16, side=64)))
    for name in ("packed", "reference"):
        runtime = engine.load_model(tmp_path / "m.hourbit", runtime=name)
        assert runtime.model.sha256 == model.sha256
        assert runtime.run(np.zeros((64, 64, 3), np.uint8)).shape == (5, 16, 16)


@pytest.mark.parametrize("name", ["no-such-model", "../schemas/ibug68", "/absent/file.hourbit"])
def test_an_unknown_name_is_said(name: str) -> None:
    with pytest.raises(UserError, match="There is no model"):
        engine.load_model(name)


def test_importing_the_runtimes_is_light() -> None:
    heavy = "('torch', 'onnx', 'onnxruntime')"
    code = f"import sys, engine, engine.runtime, engine.verify; print([m for m in {heavy} if m in sys.modules])"
    root = Path(engine.__file__).parents[1]
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert found.stdout.strip() == "[]", found.stdout


@pytest.mark.skipif(not available_isas(), reason="the C library is not built")
def test_a_model_of_full_size_loads_at_once(tmp_path: Path) -> None:
    """Reading, checking and packing 6 million bits: 0.4 of what NumPy takes to sort as many numbers."""
    path = write_model(tmp_path / "full.hourbit", random_model("full", Architecture(68))).path
    numbers = np.random.default_rng(0).random(6_000_000)
    loading, sorting = (least(work) for work in (lambda: PackedRuntime(read_model(path)), lambda: np.sort(numbers)))
    assert loading < 0.8 * sorting, (loading, sorting)


def least(work: Callable[[], object], rounds: int = 6) -> float:
    """The least processor time of some rounds, seconds."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)
