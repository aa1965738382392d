"""Choosing an engine: instruction sets, overrides, fallbacks; and its manners under threads and bad input."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

import engine.runtime as runtimes
from engine.errors import UserError
from engine.graph import Architecture
from engine.modelfile import Model
from engine.random_model import random_model
from engine.runtime import PackedRuntime, ReferenceRuntime, available_isas, compiled, open_runtime
from engine.runtime.fuse import fused_plan
from engine.runtime.plan import make_plan
from engine.runtime.steps import Buffer, Op, Plan

needs_library = pytest.mark.skipif(not available_isas(), reason="the C library is not built")


@pytest.fixture(scope="module")
def model() -> Model:
    return random_model("m", Architecture(5, width=32, stem=16, side=64, pad=0), seed=4)


@pytest.fixture
def crop() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)


@needs_library
def test_the_best_instruction_set_serves_and_is_checked(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOURBIT_ISA", raising=False)
    runtime = open_runtime(model)
    assert (runtime.name, runtime.isa) == ("packed", available_isas()[0])
    assert runtime.checked and runtime.notice == "" and runtime.threads == 1
    assert isinstance(runtime, runtimes.Runtime) and isinstance(ReferenceRuntime(model), runtimes.Runtime)


@needs_library
def test_the_environment_overrides_the_instruction_set(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOURBIT_ISA", "scalar")
    assert open_runtime(model).isa == "scalar"
    best = available_isas()[0]
    assert open_runtime(model, isa=best).isa == best, "an argument goes before the environment"


@needs_library
def test_an_unknown_instruction_set_is_named(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="mmx is no instruction set; use one of .*scalar"):
        open_runtime(model, isa="mmx")
    monkeypatch.setenv("HOURBIT_ISA", "avx9")
    with pytest.raises(UserError, match="HOURBIT_ISA=avx9 is no instruction set"):
        open_runtime(model)


@needs_library
def test_an_absent_instruction_set_is_refused(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "supported_isas", lambda: ["scalar"])
    monkeypatch.setenv("HOURBIT_ISA", "avx512")
    with pytest.raises(UserError, match="cannot run HOURBIT_ISA=avx512; use one of scalar"):
        open_runtime(model)


def test_unknown_runtime(model: Model) -> None:
    with pytest.raises(UserError, match="Unknown runtime 'gpu'"):
        open_runtime(model, "gpu")
    with pytest.raises(UserError, match="at least one thread"):
        open_runtime(model, threads=0)


def test_without_the_library_numpy_serves_and_says_so(model, crop, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HOURBIT_LIBRARY", str(tmp_path / "absent.so"))
    assert available_isas() == []
    runtime = open_runtime(model)
    assert runtime.name == "reference" and "NumPy" in runtime.notice and "install" in runtime.notice
    assert np.array_equal(runtime.run(crop), ReferenceRuntime(model).run(crop))


@needs_library
def test_an_engine_that_differs_is_not_used(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(ReferenceRuntime):
        def run(self, crop, logits=False):
            return super().run(crop, logits) + np.float32(1e-6)

    monkeypatch.setattr(runtimes, "_checked", {})
    monkeypatch.setattr(runtimes, "ReferenceRuntime", Wrong)
    runtime = open_runtime(model)
    assert runtime.name == "reference" and "differs from the reference" in runtime.notice


@needs_library
def test_threads_with_their_own_and_with_a_shared_net(model: Model) -> None:
    rng = np.random.default_rng(5)
    crops = rng.integers(0, 256, (4, 64, 64, 3), np.uint8)
    expected = [ReferenceRuntime(model).run(crop, logits=True) for crop in crops]
    shared = PackedRuntime(model)
    wrong: list[int] = []

    def work(index: int) -> None:
        runtime = PackedRuntime(model) if index % 2 else shared
        for _ in range(20):
            if not np.array_equal(runtime.run(crops[index], logits=True), expected[index]):
                wrong.append(index)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@needs_library
def test_crops_of_any_layout_and_of_the_right_size_only(model: Model, crop: np.ndarray) -> None:
    runtime = PackedRuntime(model)
    turned = np.asfortranarray(crop)
    assert np.array_equal(runtime.run(turned), runtime.run(crop))
    assert np.array_equal(runtime.run(crop[:, ::-1]), runtime.run(crop[:, ::-1].copy()))
    with pytest.raises(ValueError, match="64 x 64"):
        runtime.run(crop[:32])


def spoilt(plan: Plan, op: Op, **changes) -> Plan:
    """A plan whose first step of a kind has other fields."""
    at = next(i for i, step in enumerate(plan.steps) if step.op == op)
    return replace(plan, steps=(*plan.steps[:at], replace(plan.steps[at], **changes), *plan.steps[at + 1 :]))


SPOILT = [
    (Op.CONV, {"source": 999}), (Op.CONV, {"source": -1}), (Op.CONV, {"kernel": 5}), (Op.CONV, {"pad": 1}),
    (Op.CONV, {"channels": 12}), (Op.CONV, {"channels": 2048}), (Op.CONV, {"offset": 24}), (Op.CONV, {"offset": -8}),
    (Op.CONV, {"stride": 1 << 30}), (Op.CONV, {"arrays": ()}), (Op.CONV, {"side": 4096}), (Op.CONV, {"side": 0}),
    (Op.STEM, {"side": 64}), (Op.STEM, {"target": -1}), (Op.SIGN, {"bits": 0}), (Op.SIGN, {"channels": 48}),
    (Op.POOL, {"in_channels": 64}), (Op.UP_ADD, {"stride": 64}), (Op.SIGN, {"in_channels": 32}),
    (Op.POOL, {"source": 1}), (Op.POOL, {"side": 512}), (Op.UP_ADD, {"side": 1}), (Op.UP_ADD, {"other": -1}),
    (Op.HEAD, {"in_channels": 1 << 20}), (Op.HEAD, {"arrays": (np.zeros(3, np.float32),)}), (Op.HEAD, {"source": -5}),
]  # fmt: skip


@needs_library
@pytest.mark.parametrize(("op", "changes"), SPOILT, ids=lambda value: str(value)[:40])
def test_the_library_checks_every_size_again(model: Model, op: Op, changes: dict) -> None:
    with pytest.raises(compiled.EngineError, match="refused the model"):
        compiled.create(compiled.library(), spoilt(make_plan(model), op, **changes), "scalar")


MORE = [
    (Op.MEAN, {"side": 512}), (Op.MEAN, {"channels": 24}), (Op.MEAN, {"in_channels": 64}), (Op.MEAN, {"source": -1}),
    (Op.AROUND, {"bits": 999}), (Op.AROUND, {"side": 0}), (Op.AROUND, {"bits": -1}), (Op.AROUND, {"channels": 2048}),
    (Op.MIX, {"stride": 64}), (Op.MIX, {"side": 2}), (Op.MIX, {"other": 999}), (Op.MIX, {"arrays": ()}),
    (Op.MIX, {"in_channels": 1 << 20}), (Op.MIX, {"arrays": (np.zeros((32, 64), np.float32),)}),
]  # fmt: skip


@needs_library
@pytest.mark.parametrize(("op", "changes"), MORE, ids=lambda value: str(value)[:40])
def test_the_library_checks_the_steps_of_other_blocks(op: Op, changes: dict) -> None:
    network = Architecture(5, width=32, stem=16, side=64, block="multiscale", stacks=2, pool="average")
    model = random_model("m", network)
    PackedRuntime(model, "scalar")
    plan = make_plan(model)
    with pytest.raises(compiled.EngineError, match="refused the model"):
        compiled.create(compiled.library(), spoilt(plan, op, **changes), "scalar")


@needs_library
def test_the_library_checks_buffers_and_the_side(model: Model) -> None:
    plan = make_plan(model)
    wrong = [
        replace(plan, side=63),
        replace(plan, side=1 << 20),
        replace(plan, steps=plan.steps[:-1]),  # no head
        replace(plan, buffers=(Buffer(False, floats=-1), *plan.buffers[1:])),
        replace(plan, buffers=(Buffer(True, side=1 << 20, channels=32), *plan.buffers[1:])),
    ]
    for spoilt_plan in wrong:
        with pytest.raises(compiled.EngineError, match="refused the model"):
            compiled.create(compiled.library(), spoilt_plan, "scalar")


@needs_library
def test_memory_stays_small() -> None:
    model = random_model("m", Architecture(16, width=256, side=256))
    floats = sum(buffer.floats for buffer in fused_plan(model).buffers) * 4
    bits = sum((b.side + 2) ** 2 * -(-b.channels // 32) * 4 for b in fused_plan(model).buffers if b.bits)
    assert floats + bits < 7e6  # the picture lies in one of these
    assert PackedRuntime(model).memory < 9e6  # with weights and thresholds


@needs_library
@pytest.mark.parametrize("isa", available_isas())
@pytest.mark.parametrize("threads", [2, 3, 5, 16])
def test_threads_share_a_crop_and_change_no_bit(isa: str, threads: int) -> None:
    model = random_model("m", Architecture(5, width=32, stem=16, side=128, pad=0), seed=6)
    crops = np.random.default_rng(2).integers(0, 256, (3, 128, 128, 3), np.uint8)
    runtime = PackedRuntime(model, isa, threads)
    assert runtime.threads == threads
    assert np.array_equal(runtime.run_batch(crops, logits=True), ReferenceRuntime(model).run_batch(crops, logits=True))


@needs_library
def test_open_runtime_takes_threads_and_more_than_it_has_are_cut(model: Model, crop: np.ndarray) -> None:
    assert open_runtime(model, threads=2).threads == 2
    many = open_runtime(model, threads=999)
    assert many.threads == 16 and np.array_equal(many.run(crop), open_runtime(model).run(crop))


@needs_library
def test_a_profile_has_a_time_for_every_step(model: Model, crop: np.ndarray) -> None:
    runtime = PackedRuntime(model)
    times = runtime.profile(crop, 3)
    assert times.shape == (len(runtime.steps),) and (times >= 0).all() and times.sum() > 0
    assert compiled.peak_rate(runtime.isa, 1000) > 0
