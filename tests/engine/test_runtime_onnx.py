"""The exported ONNX graph is the same function bit for bit; the twin has its shape."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from engine.errors import UserError
from engine.graph import Architecture, build, count
from engine.modelfile import make_model
from engine.random_model import random_model
from engine.runtime import ReferenceRuntime, open_runtime
from engine.runtime.onnx import export_onnx, twin_model

SMALL = Architecture(5, width=32, stem=16, side=64)


SHAPES = [{}, {"pad": 0}, {"relu": True, "width": 64}]
FUSIONS = ["ConvMulFusion", "ConvAddFusion", "ConvBNFusion"]


def crop_of(side: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)


@pytest.mark.parametrize("numbers", SHAPES)
def test_onnx_runtime_equals_the_reference(numbers: dict) -> None:
    pytest.importorskip("onnx")
    model = random_model("m", Architecture(5, **{"width": 32, "stem": 16, "side": 64} | numbers), seed=1)
    runtime = open_runtime(model, "onnx")
    assert (runtime.name, runtime.isa) == ("onnx", "onnx")
    found, expected = runtime.run(crop_of(64), logits=True), ReferenceRuntime(model).run(crop_of(64), logits=True)
    assert np.ptp(expected) > 0.1
    assert found.dtype == np.float32 and np.array_equal(found, expected)
    assert np.array_equal(runtime.run(crop_of(64)), ReferenceRuntime(model).run(crop_of(64)))


@pytest.mark.parametrize("level", ["ORT_DISABLE_ALL", "ORT_ENABLE_BASIC", "ORT_ENABLE_EXTENDED", "ORT_ENABLE_ALL"])
@pytest.mark.parametrize("disabled", [[], FUSIONS])
def test_the_export_is_exact_however_it_is_optimised(level: str, disabled: list[str]) -> None:
    pytest.importorskip("onnx")
    import onnxruntime

    model = random_model("m", replace(SMALL, width=96, pad=0), seed=4)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    data = export_onnx(model).SerializeToString()
    session = onnxruntime.InferenceSession(data, options, ["CPUExecutionProvider"], disabled_optimizers=disabled)
    (found,) = session.run(["logits"], {"crop": crop_of(64)})
    assert np.array_equal(found[0], ReferenceRuntime(model).run(crop_of(64), logits=True))


def test_the_largest_and_smallest_pixels_are_exact_too() -> None:
    """Sums of the stem beyond 2**24 come only with flat, bright pictures and weights of one sign."""
    pytest.importorskip("onnx")
    model = random_model("m", SMALL, seed=2)
    weight = np.full_like(model.tensors["stem.conv.weight"], 32767)
    weight[::2] = -32767
    odd = make_model("m", SMALL, model.schema, {**model.tensors, "stem.conv.weight": weight})
    for crop in (np.full((64, 64, 3), 255, np.uint8), np.zeros((64, 64, 3), np.uint8), crop_of(64) | 0x81):
        found = open_runtime(odd, "onnx").run(crop, logits=True)
        assert np.array_equal(found, ReferenceRuntime(odd).run(crop, logits=True))


@pytest.mark.parametrize("numbers", SHAPES)
def test_the_twin_has_the_shape_and_the_cost_of_the_network(numbers: dict) -> None:
    onnx = pytest.importorskip("onnx")
    import onnxruntime

    architecture = Architecture(5, **{"width": 32, "stem": 16, "side": 64} | numbers)
    data = twin_model(architecture, seed=3)
    assert data == twin_model(architecture, seed=3) != twin_model(architecture, seed=4)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    (source,), (target,) = session.get_inputs(), session.get_outputs()
    assert (source.name, source.shape, source.type) == ("image", [1, 3, 64, 64], "tensor(float)")
    assert (target.name, target.shape) == ("logits", [1, 5, 16, 16])
    picture = (crop_of(64).transpose(2, 0, 1)[None] / 255).astype(np.float32)
    (found,) = session.run(None, {"image": picture})
    assert np.isfinite(found).all() and 0.1 < found.std() < 100
    graph, counts = onnx.load_from_string(data).graph, count(build(architecture))
    weights = {t.name: t.dims for t in graph.initializer if t.name.endswith(".weight")}
    assert (
        sum(np.prod(dims) for dims in weights.values()) == counts.binary_weights + 3 * 49 * 16 + 5 * architecture.width
    )
    assert sum(node.op_type == "Conv" for node in graph.node) == len(weights) == counts.binary_convolutions + 2
    assert {node.op_type for node in graph.node} <= {
        "Conv", "BatchNormalization", "Relu", "MaxPool", "Resize", "Add", "Concat",
    }  # fmt: skip


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UserError, match="onnx is not installed; install it"):
        export_onnx(random_model("m", SMALL))
