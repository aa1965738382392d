"""Inner layers by name, the same in every runtime; several crops at once; threads beside one another."""

from __future__ import annotations

import threading
import tracemalloc

import numpy as np
import pytest

from engine.errors import UserError
from engine.graph import Architecture
from engine.modelfile import Model
from engine.random_model import random_model
from engine.runtime import RUNTIMES, PackedRuntime, ReferenceRuntime, Runtime, available_isas, open_runtime

needs_library = pytest.mark.skipif(not available_isas(), reason="the C library is not built")
SHAPES = [{}, {"pad": 0, "stem": 32}, {"relu": True, "width": 96}]


def model_of(numbers: dict, seed: int = 4) -> Model:
    return random_model("m", Architecture(5, **{"width": 32, "stem": 16, "side": 64} | numbers), seed=seed)


@pytest.fixture(scope="module")
def model() -> Model:
    return model_of({})


def crops_of(count: int, side: int = 64) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, side, side, 3), np.uint8)


def runtimes(model: Model) -> list[Runtime]:
    """Every instruction set of this machine, and ONNX Runtime where it can be had."""
    found: list[Runtime] = [PackedRuntime(model, isa) for isa in available_isas()]
    try:
        return [*found, open_runtime(model, "onnx")]
    except UserError:
        return found


@pytest.mark.parametrize("numbers", SHAPES)
def test_every_layer_is_the_same_in_every_runtime(numbers: dict) -> None:
    model = model_of(numbers)
    (crop,) = crops_of(1)
    names = ReferenceRuntime(model).layers()
    assert names == tuple(node.name for node in model.graph.nodes)
    expected = ReferenceRuntime(model).tap(crop, names)
    assert list(expected) == list(names)
    for node in model.graph.nodes:
        values = expected[node.name]
        assert values.shape == (node.side, node.side, node.channels)
        assert values.dtype == (bool if node.op == "sign" else np.float32)
        assert values.std() > 0, node.name
    for runtime in runtimes(model):
        assert runtime.layers() == names
        found = runtime.tap(crop, names)
        assert list(found) == list(names)
        for name in names:
            assert found[name].dtype == expected[name].dtype
            assert np.array_equal(found[name], expected[name]), (runtime.isa, name)


def test_the_last_layer_is_what_run_gives(model: Model) -> None:
    (crop,) = crops_of(1)
    for runtime in (ReferenceRuntime(model), *runtimes(model)):
        (logits,) = runtime.tap(crop, [model.graph.nodes[-1].name]).values()
        assert np.array_equal(logits.transpose(2, 0, 1), runtime.run(crop, logits=True))


def test_sign_bits_are_those_of_the_norm_before(model: Model) -> None:
    (crop,) = crops_of(1)
    found = ReferenceRuntime(model).tap(crop, ["hourglass.4.upper.a.sign", "hourglass.4.upper.a.norm"])
    bits, real = found.values()
    assert bits.dtype == bool and np.array_equal(bits, real > 0) and 0.1 < bits.mean() < 0.9


@needs_library
def test_the_packed_engine_reads_its_own_bits_and_sums(model: Model) -> None:
    """A layer whose inputs were wrong would show it: what is read does not come from the reference."""
    runtime = PackedRuntime(model)
    written = runtime.maps(crops_of(1)[0])
    ops = {name: model.graph[name].op for name in written}
    signs = [node.name for node in model.graph.nodes if node.op == "sign"]
    assert [name for name in signs if name not in written] == []
    assert {"add", "pool", "sign"} <= set(ops.values())


@needs_library
def test_a_tap_leaves_no_trace_in_the_next_run(model: Model) -> None:
    runtime, (one, two) = PackedRuntime(model), crops_of(2)
    before = runtime.run(one, logits=True)
    memory = runtime.memory
    runtime.tap(two, ["hourglass.1.inner.out", "stem.2.b.conv"])
    assert np.array_equal(runtime.run(one, logits=True), before) and runtime.memory == memory


def test_no_names_and_unknown_names(model: Model) -> None:
    (crop,) = crops_of(1)
    for runtime in (ReferenceRuntime(model), *runtimes(model)):
        assert runtime.tap(crop, []) == {}
        assert list(runtime.tap(crop, ["stem.pool", "stem.pool"])) == ["stem.pool"]
        with pytest.raises(UserError, match=r"no layer 'hourglass.9'; its layers\(\) tells their names"):
            runtime.tap(crop, ["stem.pool", "hourglass.9"])
        with pytest.raises(ValueError, match="64 x 64"):
            runtime.tap(crop[:32], ["stem.pool"])


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_batch_is_its_crops_one_by_one(model: Model, name: str) -> None:
    if name == "onnx":
        pytest.importorskip("onnx")
    runtime, crops = open_runtime(model, name), crops_of(3)
    for logits in (False, True):
        found = runtime.run_batch(crops, logits)
        assert found.shape == (3, 5, 16, 16) and found.dtype == np.float32
        for crop, maps in zip(crops, found, strict=True):
            assert np.array_equal(maps, runtime.run(crop, logits))
    assert runtime.run_batch(crops[:0]).shape == (0, 5, 16, 16)
    assert np.array_equal(runtime.run_batch(crops[::2, ::-1]), runtime.run_batch(crops[::2, ::-1].copy()))
    for wrong in (crops[0], crops[:, :32], crops.astype(np.float32)):
        with pytest.raises(ValueError, match=r"\(N, 64, 64, 3\) uint8"):
            runtime.run_batch(wrong)


@needs_library
def test_a_batch_needs_no_memory_but_its_result(model: Model) -> None:
    runtime, crops = PackedRuntime(model), crops_of(16)
    runtime.run_batch(crops[:1], logits=True)
    memory = runtime.memory
    tracemalloc.start()
    result = runtime.run_batch(crops, logits=True)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert runtime.memory == memory and peak < result.nbytes + 20_000


@needs_library
def test_threads_with_a_handle_each_run_beside_one_another() -> None:
    """Each thread's handle is its own, also for taps; test_runtime_threads shows that the interpreter goes on."""
    model, crops = model_of({"side": 128, "width": 64}), crops_of(4, 128)
    expected = ReferenceRuntime(model).run_batch(crops, logits=True)
    handles = [PackedRuntime(model) for _ in crops]
    start, wrong = threading.Barrier(len(crops)), []

    def work(index: int) -> None:
        start.wait(10)
        for _ in range(10):
            batch = handles[index].run_batch(crops, logits=True)
            inner = handles[index].tap(crops[index], ["stem.3.out"])
            if not np.array_equal(batch, expected) or inner["stem.3.out"].shape != (32, 32, 64):
                wrong.append(index)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(crops))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
