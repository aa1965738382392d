"""The float ONNX graph is the same function but for the order of the head's sums."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from engine.errors import UserError
from engine.graph import Architecture
from engine.random_model import random_model
from engine.runtime import ReferenceRuntime, open_runtime
from engine.runtime.onnx import OPSET, export_onnx

SMALL = Architecture(5, width=32, stem=16, side=64)


@pytest.mark.parametrize("numbers", [{}, {"pad": 0}, {"relu": True, "width": 64}])
def test_onnx_runtime_agrees_with_the_reference(numbers: dict) -> None:
    pytest.importorskip("onnx")
    model = random_model("m", Architecture(5, **{"width": 32, "stem": 16, "side": 64} | numbers), seed=1)
    runtime = open_runtime(model, "onnx")
    assert (runtime.name, runtime.isa) == ("onnx", "onnx")
    crop = np.random.default_rng(3).integers(0, 256, (64, 64, 3), np.uint8)
    found, expected = runtime.run(crop, logits=True), ReferenceRuntime(model).run(crop, logits=True)
    assert found.shape == expected.shape and np.ptp(expected) > 0.1
    assert np.abs(found - expected).max() < 1e-5
    assert np.abs(runtime.run(crop) - ReferenceRuntime(model).run(crop)).max() < 1e-5


def test_the_exported_stem_is_exact() -> None:
    onnx = pytest.importorskip("onnx")
    import onnxruntime

    model = random_model("m", SMALL, seed=2)
    proto = export_onnx(model)
    assert proto.opset_import[0].version == OPSET
    proto.graph.output.append(onnx.helper.make_tensor_value_info("stem.relu", onnx.TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    crop = np.random.default_rng(3).integers(0, 256, (64, 64, 3), np.uint8)
    (found,) = session.run(["stem.relu"], {"crop": crop})
    operations = ReferenceRuntime(model)._operations
    expected = operations["stem.relu"](operations["stem.norm"](operations["stem.conv"](crop)))
    assert np.array_equal(found[0].transpose(1, 2, 0), expected)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UserError, match="onnx is not installed; install it"):
        export_onnx(random_model("m", SMALL))
