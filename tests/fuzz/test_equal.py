"""Random networks on random pictures: every instruction set gives the reference's bits.

HOURBIT_FUZZ sets how many, HOURBIT_FUZZ_SEED the first one's seed; a failure names the seed that repeats it.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from engine.runtime import PackedRuntime, ReferenceRuntime, available_isas, packed
from engine.runtime.plan import make_plan
from engine.verify import differing
from tests.fuzz.networks import random_network
from tests.fuzz.pictures import random_picture

CASES = int(os.environ.get("HOURBIT_FUZZ", "5000"))
FIRST = int(os.environ.get("HOURBIT_FUZZ_SEED", "0"))
BATCH = 250  # cases of one test


def compare(seed: int) -> bool:
    """Fail where an instruction set differs from the reference; returns whether the output is not flat."""
    model = random_network(seed)
    crop = random_picture(seed, model.architecture.side)
    signs = {node.name for node in model.graph.nodes if node.op == "sign"}
    maps = ReferenceRuntime(model).maps(crop)
    expected = {name: values > 0 if name in signs else values for name, values in maps}
    logits = np.ascontiguousarray(list(expected.values())[-1].transpose(2, 0, 1))
    for isa in available_isas():
        runtime = PackedRuntime(model, isa)
        wrong = {"the logits": differing(runtime.run(crop, logits=True), logits)}
        wrong |= {name: differing(values, expected[name]) for name, values in runtime.maps(crop).items()}
        if seed % 4 == 0:  # with the last run's maps in memory
            wrong["a later run's logits"] = differing(runtime.run(crop, logits=True), logits)
        repeat = f"HOURBIT_FUZZ=1 HOURBIT_FUZZ_SEED={seed}"
        found = ", ".join(f"{count} values of {name}" for name, count in wrong.items() if count)
        assert not found, f"{isa} differs from the reference in {found}; repeat with {repeat}; {model.architecture}"
    return bool(np.ptp(logits) > 0)


@pytest.mark.skipif(not available_isas(), reason="the C library is not built")
@pytest.mark.parametrize("first", range(FIRST, FIRST + CASES, BATCH))
def test_packed_equals_the_reference(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = {}  # one for all instruction sets
    monkeypatch.setattr(packed, "make_plan", lambda model: plans.setdefault(model.sha256, make_plan(model)))
    cases = range(first, min(first + BATCH, FIRST + CASES))
    lively = sum(compare(seed) for seed in cases)
    assert lively > 0.8 * len(cases) or len(cases) < BATCH, "flat outputs prove nothing"
