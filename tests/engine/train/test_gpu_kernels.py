"""The fused kernels, where Triton is installed: on a GPU, or else on the CPU by Triton's own interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.skipif(find_spec("triton") is None, reason="Triton is not installed")
def test_kernels_compute_what_pytorch_does() -> None:
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    interpreted = {} if torch.cuda.is_available() else {"TRITON_INTERPRET": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.engine.train.fused_units"], env=os.environ | {"PYTHONPATH": paths} | interpreted,
        cwd=ROOT, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    if done.returncode == 77:
        pytest.skip("Triton's interpreter does not work here")
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines() == [
        "as shipped", "padded by 0", "real", "no power of two", "with ReLU, stacked", "a training",
    ]  # fmt: skip


def test_nothing_but_the_kernels_needs_triton() -> None:
    code = (
        "import sys; sys.modules['triton'] = None; import engine.train.run, engine.train.gpu.choice, "
        "engine.train.gpu.fit, engine.train.gpu.step, engine.train.gpu.batches; print('imported')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "imported", done.stderr
