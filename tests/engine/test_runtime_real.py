"""Networks with real weights: ONNX Runtime serves them, and agrees with NumPy and torch but for rounding."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from engine.graph import BLOCKS, Architecture
from engine.modelfile import halved
from engine.random_model import random_model
from engine.runtime import ReferenceRuntime, open_runtime
from engine.runtime.plan import make_plan
from engine.runtime.steps import PlanError
from engine.verify import verify

SMALL = {"width": 32, "stem": 16, "side": 64, "real": True}
CLOSE = 2e-5  # of the range of the logits


def picture() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (64, 64, 3), np.uint8)


@pytest.mark.parametrize("block", BLOCKS)
def test_onnx_runtime_agrees_with_the_reference(block: str) -> None:
    pytest.importorskip("onnx")
    stacks = 1 + (block == "multiscale")
    model = random_model("m", Architecture(5, block=block, stacks=stacks, pool="average", **SMALL), seed=1)
    runtime = open_runtime(model)
    assert (runtime.name, runtime.notice) == ("onnx", "")
    found, expected = runtime.run(picture(), logits=True), ReferenceRuntime(model).run(picture(), logits=True)
    assert np.ptp(expected) > 0.1 and np.abs(found - expected).max() < CLOSE * np.ptp(expected)


def test_half_the_bits_change_little_and_all_runtimes_alike() -> None:
    pytest.importorskip("onnx")
    model = random_model("m", Architecture(5, **SMALL), seed=2)
    half = halved(model)
    one, two, other = (
        r.run(picture(), logits=True) for r in (open_runtime(half), ReferenceRuntime(half), ReferenceRuntime(model))
    )
    assert np.abs(one - two).max() < CLOSE * np.ptp(two) < np.abs(two - other).max() < 0.02 * np.ptp(two)


def test_torch_agrees_too() -> None:
    torch = pytest.importorskip("torch")
    from engine.modelfile import make_model
    from engine.random_model import schema_for
    from engine.train.hourglass import Hourglass

    torch.manual_seed(0)
    network = Hourglass(Architecture(5, stacks=2, **SMALL)).eval()
    model = make_model("m", network.architecture, schema_for(5), network.lowered())
    with torch.no_grad():
        found = network(torch.from_numpy(picture().transpose(2, 0, 1).copy())[None])[0].numpy()
    expected = ReferenceRuntime(model).run(picture(), logits=True)
    assert np.abs(found - expected).max() < CLOSE * np.ptp(expected)


def test_there_is_no_packed_form() -> None:
    model = random_model("m", Architecture(5, **SMALL))
    with pytest.raises(PlanError, match="conv"):
        make_plan(model)


def test_without_onnx_numpy_serves_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    runtime = open_runtime(random_model("m", Architecture(5, **SMALL)))
    assert runtime.name == "reference" and "onnxruntime" in runtime.notice and "NumPy" in runtime.notice


def test_verify_measures_onnx_runtime_alone() -> None:
    pytest.importorskip("onnx")
    told = verify(random_model("m", Architecture(5, **SMALL)), images=1, pictures=False)
    assert (told["by"], told["differing"]) == ({}, 0) and 0 < told["onnx_max_abs"] < 1e-3
