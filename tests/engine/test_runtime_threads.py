"""The compiled engine among threads: a net of each one's own, equal results, and Python goes on meanwhile."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from engine.graph import Architecture
from engine.modelfile import Model
from engine.random_model import random_model
from engine.runtime import PackedRuntime, ReferenceRuntime, available_isas, compiled

pytestmark = pytest.mark.skipif(not available_isas(), reason="the C library is not built")


def test_nets_of_each_threads_own_give_equal_results() -> None:
    """Every instruction set at once, made, run and dropped in several threads."""
    models = [random_model(f"m{n}", Architecture(5, width=32 * n, stem=16, side=64, pad=-(n % 2))) for n in (1, 2)]
    crops = np.random.default_rng(5).integers(0, 256, (2, 64, 64, 3), np.uint8)
    expected = [[ReferenceRuntime(model).run(crop, logits=True) for crop in crops] for model in models]
    start, wrong = threading.Barrier(6), []

    def work(index: int) -> None:
        isas, which = available_isas(), index % 2
        start.wait(10)
        for turn in range(6):
            runtime = PackedRuntime(models[which], isas[(index + turn) % len(isas)])
            for crop, logits in zip(crops, expected[which], strict=True):
                if not np.array_equal(runtime.run(crop, logits=True), logits):
                    wrong.append((index, turn))

    threads = [threading.Thread(target=work, args=(index,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.fixture
def slow() -> Model:
    return random_model("slow", Architecture(16, width=64, stem=32, side=128))


@pytest.fixture
def turns() -> Iterator[list[int]]:
    """How often another thread has gone round; threads take turns only where one waits or leaves the interpreter."""
    count, ended = [0], threading.Event()

    def work() -> None:
        while not ended.is_set():
            count[0] += 1

    interval = sys.getswitchinterval()
    thread = threading.Thread(target=work)
    thread.start()
    sys.setswitchinterval(0.5)
    try:
        yield count
    finally:
        sys.setswitchinterval(interval)
        ended.set()
        thread.join()


CALLS, ROUNDS = 8, 6


def calls_with_turns(hb_run, runtime: PackedRuntime, turns: list[int]) -> int:
    """In how many of several calls the other thread goes on while the C function runs.

    On a busy machine it may wake too late for some of them; and where a call keeps the interpreter, the threads still
    change over after one once half a second is over. So neither all nor none can be asked for.
    """
    crop = np.zeros((128, 128, 3), np.uint8)
    out = np.empty((16, 32, 32), np.float32)
    words = (runtime._handle, crop.ctypes.data, crop.size, out.ctypes.data, out.size)
    found = 0
    for _ in range(CALLS):
        before = turns[0]
        assert hb_run(*words) == 0
        found += turns[0] - before > 100
    return found


def test_another_thread_goes_on_while_the_engine_runs(slow: Model, turns: list[int]) -> None:
    runtime = PackedRuntime(slow, "scalar")
    assert any(calls_with_turns(compiled.library().hb_run, runtime, turns) > CALLS / 2 for _ in range(ROUNDS))


def test_a_call_that_kept_the_interpreter_would_be_noticed(slow: Model, turns: list[int]) -> None:
    runtime = PackedRuntime(slow, "scalar")
    keeping = ctypes.PyDLL(compiled.library()._name).hb_run
    keeping.restype, keeping.argtypes = compiled.library().hb_run.restype, compiled.library().hb_run.argtypes
    assert any(calls_with_turns(keeping, runtime, turns) < CALLS for _ in range(ROUNDS))
