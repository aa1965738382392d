"""Fewer passes over memory: what a convolution's values are used for moves into its own step.

Works on a plan in which every map has a buffer of its own. A skip's convolution, the addition of an enlarged map,
2 x 2 maxima and signs become part of the convolutions that write the map, so that most maps of floats need not
be written at all. Nothing here changes a sum or its order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from engine.modelfile import Model
from engine.runtime.memory import allocate
from engine.runtime.plan import make_plan
from engine.runtime.steps import SIGNS, Buffer, Op, Plan, Sign, Step


def fused_plan(model: Model) -> Plan:
    """The packed engine's steps for `model`, fused; without taps, since inner maps are not kept."""
    plan = make_plan(model, share=False)
    steps = list(plan.steps)
    for fusion in (_skips, _enlargements, _pools, _signs):
        steps = fusion(steps)
    steps = _ordered(_without_unread(steps))
    steps, buffers = _with_line(steps, list(plan.buffers))
    return Plan(*allocate(steps, buffers), (), plan.side)


def reads(step: Step) -> set[int]:
    """Buffers that a step reads."""
    return {step.source, step.other, step.skip, step.up} - {-1}


def writes(step: Step) -> set[int]:
    """Buffers that a step writes."""
    return {step.target, step.pooled, step.bits, *(sign.buffer for sign in step.signs)} - {-1}


def _writers(steps: list[Step], buffer: int) -> list[Step]:
    return [step for step in steps if buffer in writes(step)]


def _readers(steps: list[Step], buffer: int) -> list[Step]:
    return [step for step in steps if buffer in reads(step)]


def _final(step: Step) -> bool:
    """Whether a step is a convolution whose value nothing is added to later."""
    return step.op == Op.CONV and (step.other < 0 or step.other != step.target)


def _change(steps: list[Step], old: list[Step], change: Callable[[Step], Step], gone: Step) -> list[Step]:
    return [change(step) if any(step is o for o in old) else step for step in steps if step is not gone]


def _padded(arrays: tuple[np.ndarray | None, ...], count: int) -> tuple[np.ndarray | None, ...]:
    return (*arrays, *[None] * (count - len(arrays)))


def _skips(steps: list[Step]) -> list[Step]:
    """A 1 x 1 convolution added to a whole map -> part of the convolutions that write the map's slices."""
    for skip in [s for s in steps if s.op == Op.CONV and s.kernel == 1 and 0 <= s.target == s.other and s.bits < 0]:
        slices = [s for s in _writers(steps, skip.target) if s is not skip]
        plain = all(s.op == Op.CONV and s.other < 0 and s.skip < 0 and s.relu == skip.relu for s in slices)
        if not plain or sum(s.channels for s in slices) != skip.channels or skip.offset:
            continue
        bits, alpha = skip.arrays[:2]

        def joined(step: Step, skip: Step = skip, bits: np.ndarray = bits, alpha: np.ndarray = alpha) -> Step:
            part = slice(step.offset, step.offset + step.channels)
            arrays = (*_padded(step.arrays, 4), bits[part], alpha[part])
            return replace(step, skip=skip.source, skip_channels=skip.in_channels, arrays=arrays)

        steps = _change(steps, slices, joined, skip)
    return steps


def _enlargements(steps: list[Step]) -> list[Step]:
    """Adding an enlarged map to a map that is only read for it -> part of the convolutions that write that map."""
    for add in [s for s in steps if s.op == Op.UP_ADD]:
        slices = _writers(steps, add.other)
        if len(_readers(steps, add.other)) == 1 and all(_final(s) and s.up < 0 for s in slices):
            steps = _change(steps, slices, lambda s, add=add: replace(s, up=add.source, target=add.target), add)
    return steps


def _pools(steps: list[Step]) -> list[Step]:
    for pool in [s for s in steps if s.op == Op.POOL]:
        slices = _writers(steps, pool.source)
        if all(_final(s) and s.pooled < 0 for s in slices):
            steps = _change(steps, slices, lambda s, pool=pool: replace(s, pooled=pool.target), pool)
    return steps


def _signs(steps: list[Step]) -> list[Step]:
    """Signs of a map -> part of the steps that write the map, as far as these have room."""
    for sign in [s for s in steps if s.op == Op.SIGN]:
        slices = _writers(steps, sign.source)
        if not all((s.op == Op.STEM or _final(s)) and len(s.signs) < SIGNS for s in slices):
            continue
        scale, shift = sign.arrays[1:3]

        def signed(step: Step, sign: Step = sign, scale: np.ndarray = scale, shift: np.ndarray = shift) -> Step:
            part = slice(step.offset, step.offset + step.channels)
            new = Sign(sign.bits, scale[part], shift[part], step.pooled == sign.source)
            return replace(step, signs=(*step.signs, new))

        steps = _change(steps, slices, signed, sign)
    return steps


def _without_unread(steps: list[Step]) -> list[Step]:
    read = set().union(*(reads(step) for step in steps))

    def kept(buffer: int) -> int:
        return buffer if buffer in read else -1

    return [replace(s, target=kept(s.target), pooled=kept(s.pooled)) if s.op != Op.HEAD else s for s in steps]


def _ordered(steps: list[Step]) -> list[Step]:
    """The same steps, each after those that write what it reads and else in the order that they had."""
    left = {index: writes(step) for index, step in enumerate(steps)}
    ordered: list[Step] = []
    while left:
        for index in left:
            needed = reads(steps[index])
            own = writes(steps[index])  # what it adds to itself waits for those before it alone
            if not any(needed & written - (own if i > index else set()) for i, written in left.items() if i != index):
                ordered.append(steps[index])
                del left[index]
                break
        else:
            raise AssertionError("steps wait for one another")
    return ordered


def _with_line(steps: list[Step], buffers: list[Buffer]) -> tuple[list[Step], list[Buffer]]:
    """The head right after the convolution before it, with a line between them in place of a map."""
    head = steps[-1]
    found = _writers(steps, head.source)
    if head.op != Op.HEAD or len(found) != 1 or found[0].op != Op.CONV or len(_readers(steps, head.source)) != 1:
        return steps, buffers
    (conv,) = found
    if writes(conv) != {head.source} or (conv.channels, conv.offset) != (conv.stride, 0):
        return steps, buffers
    steps = [*(s for s in steps[:-1] if s is not conv), conv, head]
    buffers[head.source] = Buffer(False, floats=conv.side * conv.stride, line=True)
    return steps, buffers
