"""Other makers' ONNX networks as models: read, refused in a sentence, run, and placed right in the picture."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import heatmaps, load_model
from engine.errors import UserError
from engine.evaluate import evaluate
from engine.external import ExternalModel, ExternalModelError, read_external
from engine.modelfile import ModelError, read_model
from engine.models import open_model
from engine.predictor import Predictor
from engine.runtime import Runtime, open_runtime
from engine.runtime.onnx import export_onnx
from engine.types import Box
from engine.uncertainty import peaks
from tests.engine.blobs import blob_picture, schema_of, small_model
from tests.engine.foreign import FLOAT, file_of, graph_of, light, make, onnx, save
from tests.engine.packfile import write_pack
from tests.source_tree import ROOT

THREE = {"schema": schema_of(3).to_json(), "crop": 1.25}
FIVE = {"schema": schema_of(5).to_json()}


def external(folder: Path, data: bytes | None = None, **told: Any) -> ExternalModel:
    return read_external(save(folder / "net.onnx", light() if data is None else data), {**THREE, **told})


def crop_of(side: int = 64) -> np.ndarray:
    return np.random.default_rng(side).integers(0, 256, (side, side, 3), np.uint8)


def means(crop: np.ndarray, stride: int = 4) -> np.ndarray:
    """(3, h, w) float64: what `light` gives, by hand."""
    side = len(crop) // stride
    return crop.reshape(side, stride, side, stride, 3).mean((1, 3)).transpose(2, 0, 1)


def test_the_description_beside_the_file_makes_it_a_model(tmp_path: Path) -> None:
    path = save(tmp_path / "net.onnx", light())
    (tmp_path / "net.json").write_text(json.dumps({**THREE, "name": "Light"}))
    model = open_model(path)
    assert isinstance(model, ExternalModel)
    assert (model.name, model.side, model.cells, model.stride, model.landmarks) == ("Light", 64, 16, 4, 3)
    assert model.crop == 1.25 and model.schema == schema_of(3) and model.size == len(light())
    runtime = load_model(path)
    assert isinstance(runtime, Runtime) and (runtime.name, runtime.isa, runtime.notice) == ("onnx", "onnx", "")
    assert np.allclose(runtime.run(crop_of()), means(crop_of()) / 255, atol=2e-6)
    assert np.array_equal(heatmaps.sigmoid(runtime.run(crop_of(), logits=True)), runtime.run(crop_of()))


def test_digests_tell_file_and_description(tmp_path: Path) -> None:
    first = external(tmp_path)
    assert first.sha256 == external(tmp_path).sha256
    assert first.sha256 != external(tmp_path, crop=1.5).sha256
    assert first.sha256 != external(tmp_path, light(batch="N")).sha256
    with pytest.raises(ExternalModelError, match="net.onnx has changed since"):
        open_runtime(first)


@pytest.mark.parametrize("size, stride", [((64, 64), 4), ((64, 48), 4), ((48, 64), 2), ((64, 64), 8), ((96, 64), 1)])
def test_landmarks_land_where_the_light_is(tmp_path: Path, size: tuple[int, int], stride: int) -> None:
    """Also for networks that are not square or have another stride, and through peaks and flip."""
    points = np.array([[71.0, 52.0], [80.0, 66.0], [64.0, 74.0]])
    picture = blob_picture(points, 160, 120, 4.0)
    runtime = open_runtime(external(tmp_path, light(size, stride)))
    assert runtime.run(crop_of(max(size))).shape == (3, max(size) // stride, max(size) // stride)
    for flip in (False, True):
        found = Predictor(runtime, "whole", flip).predict_box(picture, Box(72, 62, 60), heatmaps=True)
        assert np.abs(found.landmarks[:, :2] - points).max() < 1.0, (flip, found.landmarks)
        for k in range(3):
            assert np.allclose(peaks(found.heatmaps, k, 1)[0], found.landmarks[k])


def test_pixels_are_read_as_the_description_says(tmp_path: Path) -> None:
    """logits: the network's own values; BGR, range, mean and std as the formula has them."""
    raw = crop_of().astype(np.float64)
    told = {"output": "logits", "range": 255, "mean": [10, 20, 30], "std": [2, 4, 8], "colour": "BGR"}
    found = open_runtime(external(tmp_path, **told)).run(crop_of(), logits=True)
    expected = (raw[:, :, ::-1] - [10, 20, 30]) / [2, 4, 8]
    assert np.allclose(found, means(expected), atol=1e-4)
    found = open_runtime(external(tmp_path, output="logits", mean=[0.5, 0.4, 0.3])).run(crop_of(), logits=True)
    assert np.allclose(found, means(raw / 255 - [0.5, 0.4, 0.3]), atol=1e-6)


def test_outside_of_an_upright_network_nothing_is_found(tmp_path: Path) -> None:
    maps = open_runtime(external(tmp_path, light((64, 48)))).run(crop_of(), logits=True)
    assert np.allclose(heatmaps.sigmoid(maps[:, :, 2:14]), means(crop_of())[:, :, 2:14] / 255, atol=2e-6)
    assert (maps[:, :, :2] == maps.min()).all() and (maps[:, :, 14:] == maps.min()).all()


def test_values_that_are_no_probabilities_do_no_harm(tmp_path: Path) -> None:
    nodes = [
        make("AveragePool", ["image"], ["mean"], kernel_shape=[4, 4], strides=[4, 4]),
        make("Div", ["mean", "zero"], ["maps"]),
    ]
    constants = {"zero": np.zeros((1, 3, 1, 1), np.float32)}
    data = file_of(graph_of(nodes, ("image", [1, 3, 64, 64]), ("maps", [1, 3, 16, 16]), constants))
    for output in ("probability", "logits"):
        found = open_runtime(external(tmp_path, data, output=output)).run(crop_of() // 200, logits=True)
        assert np.isfinite(found).all() and found.max() > 10 and found.min() < -10


def test_batches_taps_and_wrong_crops(tmp_path: Path) -> None:
    runtime = open_runtime(external(tmp_path))
    crops = np.stack([crop_of(), crop_of()[::-1]])
    batch = runtime.run_batch(crops, logits=True)
    assert np.array_equal(batch[1], runtime.run(crops[1], logits=True)) and not np.array_equal(batch[0], batch[1])
    assert runtime.layers() == () and runtime.tap(crops[0], []) == {}
    with pytest.raises(UserError, match="shows no inner layers"):
        runtime.tap(crops[0], ["conv1"])
    with pytest.raises(ValueError, match="64 x 64"):
        runtime.run(crop_of(32))
    with pytest.raises(UserError, match="runs in ONNX Runtime only"):
        open_runtime(runtime.model, "reference")


def test_our_own_twin_is_such_a_network(tmp_path: Path) -> None:
    from engine.graph import Architecture
    from engine.runtime.onnx import twin_model

    data = twin_model(Architecture(5, width=32, stem=16, side=64))
    runtime = open_runtime(external(tmp_path, data, **FIVE, output="logits"))
    assert runtime.run(crop_of()).shape == (5, 16, 16)


def test_our_function_as_others_would_export_it_measures_the_same(tmp_path: Path) -> None:
    """The exact export with a float picture for its input: the same bits as our engine, crop for crop and in all."""
    model = small_model(5, schema=schema_of(5))
    proto = export_onnx(model)
    del proto.graph.node[:3]  # bytes to float, pixels to planes, a batch of one
    del proto.graph.input[:]
    proto.graph.input.append(onnx.helper.make_tensor_value_info("image", FLOAT, ["N", 3, 64, 64]))
    told = {"schema": model.schema.to_json(), "crop": model.crop, "output": "logits", "range": 255}
    runtime, ours = open_runtime(external(tmp_path, proto.SerializeToString(), **told)), open_runtime(model)
    assert np.array_equal(runtime.run(crop_of(), logits=True), ours.run(crop_of(), logits=True))
    points = np.random.default_rng(2).uniform(20, 60, (3, 5, 2)).astype(np.float32)
    pack = write_pack(tmp_path / "pack.npz", points, points[:, :3])
    found, expected = (evaluate(r, pack, normalise="box", flip=True) for r in (runtime, ours))
    assert found["n"] == 3 and found["mean"] == expected["mean"] > 1


POOL = make("AveragePool", ["image"], ["maps"], kernel_shape=[4, 4], strides=[4, 4])
SOURCE, TARGET = ("image", [1, 3, 64, 64]), ("maps", [1, 3, 16, 16])
CUSTOM = onnx.helper.make_node("Fold", ["image"], ["maps"], domain="acme")
HALF, BYTE = onnx.TensorProto.FLOAT16, onnx.TensorProto.UINT8


def two_inputs() -> bytes:
    graph = graph_of([make("Add", ["image", "other"], ["maps"])], SOURCE, TARGET)
    graph.input.append(onnx.helper.make_tensor_value_info("other", FLOAT, [1]))
    return file_of(graph)


def elsewhere(inside: bool = False) -> bytes:
    """Weights in another file, at the top or inside of a branch."""
    tensor = onnx.numpy_helper.from_array(np.zeros(4, np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    nodes = [POOL]
    if inside:
        branch = onnx.helper.make_graph([make("Constant", [], ["x"], value=tensor)], "b", [], [
            onnx.helper.make_tensor_value_info("x", FLOAT, [4]),
        ])  # fmt: skip
        nodes.append(make("If", ["c"], ["y"], then_branch=branch, else_branch=branch))
    graph = graph_of(nodes, SOURCE, TARGET)
    if not inside:
        graph.initializer.append(tensor)
    return file_of(graph)


@pytest.mark.parametrize(
    "data, told, sentence",
    [
        (b"", {}, "no ONNX model"),
        (b"\x00" * 100, {}, "no ONNX model"),
        (b"not an onnx file at all", {}, "no ONNX model"),
        (light()[:-40], {}, "no ONNX model"),
        (file_of(graph_of([POOL], ("image", [1, 3, "H", "W"]), TARGET)), {}, "height and width .* not fixed"),
        (file_of(graph_of([POOL], SOURCE, ("maps", [1, 3, "h", "w"]))), {}, "heatmaps .* of fixed sizes"),
        (file_of(graph_of([POOL], ("image", [3, 64, 64]), TARGET)), {}, r"must be \(1, 3, H, W\) float32, not \(3, 64"),
        (file_of(graph_of([POOL], ("image", [2, 3, 64, 64]), TARGET)), {}, r"must be \(1, 3, H, W\)"),
        (file_of(graph_of([POOL], ("image", [1, 1, 64, 64]), TARGET)), {}, r"must be \(1, 3, H, W\)"),
        (file_of(graph_of([POOL], (*SOURCE, HALF), TARGET)), {}, "of another type"),
        (file_of(graph_of([POOL], SOURCE, ("maps", [1, 6]))), {}, r"heatmaps \(1, K, h, w\)"),
        (file_of(graph_of([POOL], SOURCE, (*TARGET, BYTE))), {}, r"heatmaps \(1, K, h, w\) float32"),
        (file_of(graph_of([POOL], ("image", [1, 3, 4096, 4096]), TARGET)), {}, "32 to 1024 pixels a side"),
        (file_of(graph_of([POOL], SOURCE, ("maps", [1, 3, 15, 16]))), {}, "no whole part of its pictures"),
        (file_of(graph_of([POOL], SOURCE, ("maps", [1, 3, 128, 128]))), {}, "no whole part of its pictures"),
        (light(), FIVE, "3 heatmaps for the schema's 5 landmarks"),
        (two_inputs(), {}, "takes 2 inputs and not one picture"),
        (elsewhere(), {}, "keeps weights in other files"),
        (elsewhere(inside=True), {}, "keeps weights in other files"),
        (file_of(graph_of([CUSTOM], SOURCE, TARGET)), {}, r"operator acme\.Fold"),
        (file_of(graph_of([POOL], SOURCE, [TARGET, TARGET])), {"heatmaps": "x"}, "must name one output of maps, maps"),
        (light(), {"heatmaps": "x"}, "must name one output of maps"),
        (light(), {"output": "softmax"}, "output must be probability or logits, not 'softmax'"),
        (light(), {"range": True}, "range must be 1 or 255, not True"),
        (light(), {"colour": "rgb"}, "colour must be RGB or BGR"),
        (light(), {"crop": 100}, "crop must be a number from 0.5 to 10, not 100"),
        (light(), {"std": [1, 0, 1]}, "std must be three positive numbers"),
        (light(), {"mean": [1, float("nan"), 1]}, "mean must be three numbers"),
        (light(), {"mean": 3}, "mean must be three numbers"),
        (light(), {"name": ""}, "name has 1 to 200"),
        (light(), {"schema": "nobody"}, "no schema 'nobody'"),
        (light(), {"schema": 7}, "schema must be a JSON object"),
        (light(), {"landmark": 3}, "has no use for 'landmark'; it may hold schema"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(tmp_path: Path, data: bytes, told: dict, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        external(tmp_path, data, **told)
    text = str(caught.value)
    assert text.startswith("net.onnx: ") and text.endswith(".") and "\n" not in text and len(text) < 400


def test_descriptions_that_are_missing_or_broken(tmp_path: Path) -> None:
    path = save(tmp_path / "net.onnx", light())
    with pytest.raises(UserError, match=r'net.json beside it must say .* \{"schema": "ibug68"\}'):
        open_model(path)
    for text, sentence in (("{", "net.json is no JSON"), ("[]", "must hold a JSON object"), ("{}", "lacks the schema")):
        (tmp_path / "net.json").write_text(text)
        with pytest.raises(UserError, match=sentence):
            open_model(path)
    with pytest.raises(FileNotFoundError):
        open_model(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match="no Hourbit model"):
        read_model(path)


def test_what_the_runtime_refuses_is_a_sentence_too(tmp_path: Path) -> None:
    """A graph whose header fits but which cannot be loaded, or which gives another shape than it says."""
    unknown = file_of(graph_of([make("NoSuchOperator", ["image"], ["maps"])], SOURCE, TARGET))
    lying = file_of(
        graph_of([make("MaxPool", ["image"], ["maps"], kernel_shape=[8, 8], strides=[8, 8])], SOURCE, TARGET)
    )
    for data in (unknown, lying):
        with pytest.raises(ExternalModelError) as caught:
            open_runtime(external(tmp_path, data))
        assert "\n" not in str(caught.value) and "net" in str(caught.value)


def test_no_damage_of_any_byte_does_more_than_a_sentence(tmp_path: Path) -> None:
    data, rng = light(), np.random.default_rng(1)
    for trial in range(400):
        broken = bytearray(data[: rng.integers(len(data))] if trial % 2 else data)
        for at in rng.integers(0, max(len(broken), 1), 3) if broken else ():
            broken[at] = rng.integers(256)
        try:
            external(tmp_path, bytes(broken))
        except UserError as error:
            assert "\n" not in str(error)


def test_graphs_nested_without_end_are_refused(tmp_path: Path) -> None:
    def field(number: int, value: bytes) -> bytes:
        size, head = len(value), bytearray()
        while size > 127:
            head.append(size & 127 | 128)
            size >>= 7
        return bytes([number << 3 | 2, *head, size]) + value

    graph = b""
    for _ in range(2000):
        graph = field(1, field(5, field(6, graph)))
    with pytest.raises(ExternalModelError, match="nested too deep"):
        external(tmp_path, b"\x08\x08" + field(7, graph))


def test_reading_one_loads_no_runtime(tmp_path: Path) -> None:
    path = save(tmp_path / "net.onnx", light())
    (tmp_path / "net.json").write_text(json.dumps(THREE))
    code = (
        "import sys; from engine.models import open_model; import app.library, engine.runtime; "
        f"m = open_model({str(path)!r}); print(m.landmarks, [n for n in ('onnx', 'onnxruntime') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "3 []", done.stderr


def test_a_missing_onnxruntime_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match="onnxruntime is not installed; install it"):
        open_runtime(external(tmp_path))


def test_models_are_values(tmp_path: Path) -> None:
    model = external(tmp_path)
    assert replace(model, name="other") != model == external(tmp_path)
