"""Integer thresholds, and what the plan does with memory."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from engine import lower
from engine.graph import Architecture
from engine.random_model import random_model
from engine.runtime.fuse import fused_plan, reads, writes
from engine.runtime.plan import make_plan
from engine.runtime.steps import Op, Plan, PlanError
from engine.runtime.weights import Layout, filled, thresholds


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("products", [8, 72, 2304])
def test_thresholds_equal_the_float_pipeline_at_every_count(relu: bool, products: int) -> None:
    rng = np.random.default_rng(products)
    n = 400
    alpha = rng.uniform(1e-3, 0.1, n).astype(np.float32)
    scale = rng.normal(0, 3, n).astype(np.float32)
    shift = rng.normal(0, 1, n).astype(np.float32)
    scale[:20] = 0  # a constant: the sign of the shift
    shift[10:40] = 0  # decided at the zero itself
    shift[40:60] *= 1e4  # always or never
    level = rng.integers(0, products + 1, 100)
    shift[300:] = -((products - 2 * level).astype(np.float32) * alpha[300:] * scale[300:])  # exactly on a count
    found, flip = thresholds(alpha, relu, scale, shift, products)
    differing = np.arange(products + 1)[:, None]
    value = (products - 2 * differing).astype(np.float32) * alpha
    if relu:
        value = np.maximum(value, np.float32(0))
    value = value * scale
    value = value + shift
    assert np.array_equal((differing <= found) ^ flip.astype(bool), value > 0)
    assert (found >= -1).all() and (found <= products).all() and found.dtype == np.int32


def test_filled_up_channels_change_no_sum() -> None:
    """Parts of 4, 6 and 2 channels in 8 each, 24 in 32; outside the picture too, where all bits are 0."""
    rng = np.random.default_rng(1)
    taken, given = Layout([4, 6, 2], 16), Layout([10])
    assert (taken.starts, taken.held, given.held) == ([0, 8, 16], 32, 16)
    weight = rng.normal(size=(10, 12, 3, 3))
    bits = lower.binary_weights(weight)[0]
    wide = lower.unpack_weights(filled(bits, 3, taken, given), 32, 3).astype(int)
    signs = lower.unpack_weights(bits, 12, 3).astype(int)
    values = rng.choice([-1, 1], (3, 3, 12))
    values[0] = -1  # a row outside
    held = np.full((3, 3, 32), -1)
    held[..., taken.places] = values
    assert np.array_equal((wide * held).sum((1, 2, 3))[given.places], (signs * values).sum((1, 2, 3)))
    for tap in range(3):  # and with zero padding, whose correction counts the ones of each tap
        ones, half = (wide[:, tap, tap] > 0).sum(1)[given.places] - 16, (signs[:, tap, tap] > 0).sum(1) - 6
        assert np.array_equal(ones, half)
    with pytest.raises(PlanError, match="even"):
        Layout([5])


def plan_of(**numbers) -> Plan:
    return make_plan(random_model("m", Architecture(16, **numbers)))


def test_every_node_has_its_step() -> None:
    plan = plan_of(width=64, stem=16, side=64)
    count = {op: n for op in Op if (n := sum(step.op == op for step in plan.steps))}
    # 17 blocks, each with one real-valued sign; 2 skips and head.last's input add three
    assert count == {Op.STEM: 1, Op.SIGN: 20, Op.CONV: 54, Op.POOL: 5, Op.UP_ADD: 4, Op.HEAD: 1}


def test_nothing_is_read_before_it_is_written_or_written_over_its_source() -> None:
    plan = plan_of(width=96, stem=32, side=128, relu=True)
    written: set[int] = set()
    for step in plan.steps:
        for index in (step.source, step.other):
            assert index < 0 or index in written
        assert step.source not in {step.target, step.bits} - {-1}
        written |= {step.target, step.bits} - {-1}


def test_fusion_leaves_the_stem_the_convolutions_and_the_head() -> None:
    plan = fused_plan(random_model("m", Architecture(16, width=64, stem=16, side=64)))
    # 2 of 54 convolutions are skips, which became part of their blocks' three
    assert Counter(step.op for step in plan.steps) == {Op.STEM: 1, Op.CONV: 52, Op.HEAD: 1}
    assert plan.steps[0].target == -1, "nobody reads the stem's map itself"
    assert sum(step.skip >= 0 for step in plan.steps) == 6
    assert sum(step.up >= 0 for step in plan.steps) == 4 * 3
    assert plan.buffers[plan.steps[-1].source].line


def test_fused_steps_read_only_what_was_written_and_share_no_buffer_too_early() -> None:
    """Runs the plan on paper: each buffer holds the value whose writers wrote it last, and all of it."""
    model = random_model("m", Architecture(16, width=96, stem=32, side=128, relu=True))
    apart = fused_plan(model)
    held: dict[int, int] = {}
    for index, step in enumerate(apart.steps):
        for buffer in reads(step):
            assert buffer in held, "read before it is written"
        for buffer in writes(step) - {step.other}:
            assert buffer not in reads(step)
        held |= dict.fromkeys(writes(step), index)


def test_maps_share_memory() -> None:
    floats = sum(buffer.floats for buffer in plan_of(width=256, stem=64, side=256).buffers) * 4
    assert floats < 18e6  # 8 MB is the largest single map; all of them together are 100 MB
