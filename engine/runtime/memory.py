"""Buffers that maps share: a map's memory serves another one as soon as nobody reads the first any more."""

from __future__ import annotations

from dataclasses import replace

from engine.runtime.steps import Buffer, Op, Step

FIELDS = ("source", "other", "skip", "up", "target", "pooled", "bits")
ADDING = (Op.CONV, Op.UP_ADD, Op.MIX)  # what reads `other` at the very places that it writes


def allocate(steps: list[Step], buffers: list[Buffer]) -> tuple[tuple[Step, ...], tuple[Buffer, ...]]:
    """Steps and buffers with fewer buffers; `steps` give every map a buffer of its own."""
    first, last = _lives(steps)
    place: dict[int, int] = {}
    shared: list[Buffer] = []
    busy: list[int] = []  # the step that reads a shared buffer last
    for buffer in sorted(first, key=first.__getitem__):
        wanted, start = buffers[buffer], first[buffer]
        index = _in_place(steps, buffer, start, last, place)
        if index is None:
            index = _fitting([i for i, end in enumerate(busy) if end < start], shared, wanted)
        if index is None:
            index = len(shared)
            shared.append(wanted)
            busy.append(-1)
        elif not wanted.bits:
            shared[index] = replace(shared[index], floats=max(shared[index].floats, wanted.floats))
        place[buffer] = index
        busy[index] = last[buffer]
    return tuple(_moved(step, place) for step in steps), tuple(shared)


def _uses(step: Step) -> list[int]:
    return [b for b in (*(getattr(step, f) for f in FIELDS), *(sign.buffer for sign in step.signs)) if b >= 0]


def _lives(steps: list[Step]) -> tuple[dict[int, int], dict[int, int]]:
    """The first and the last step that use each buffer."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for index, step in enumerate(steps):
        for buffer in _uses(step):
            first.setdefault(buffer, index)
            last[buffer] = index
    return first, last


def _in_place(steps: list[Step], buffer: int, start: int, last: dict[int, int], place: dict[int, int]) -> int | None:
    """The place of the map that is added to `buffer`'s, where nobody else reads that from then on."""
    step = steps[start]
    other = step.other
    if step.op not in ADDING or step.target != buffer or other < 0 or other == buffer:
        return None
    for late in steps[start : last[other] + 1]:
        if other not in _uses(late):
            continue
        elsewhere = (late.source, late.skip, late.up, late.target)
        if late.op not in ADDING or late.other != other or late.target != buffer or other in elsewhere:
            return None
    return place[other]


def _fitting(free: list[int], shared: list[Buffer], wanted: Buffer) -> int | None:
    """A free buffer: of bits the same shape, since a ring is written only once; of floats the least waste."""
    if wanted.bits or wanted.line:
        return next((i for i in free if shared[i] == wanted), None)
    floats = [i for i in free if not shared[i].bits and not shared[i].line]
    large = [i for i in floats if shared[i].floats >= wanted.floats]
    if large:
        return min(large, key=lambda i: shared[i].floats)
    return max(floats, key=lambda i: shared[i].floats, default=None)  # it grows


def _moved(step: Step, place: dict[int, int]) -> Step:
    moved = {field: place[getattr(step, field)] for field in FIELDS if getattr(step, field) >= 0}
    signs = tuple(replace(sign, buffer=place[sign.buffer]) for sign in step.signs)
    return replace(step, signs=signs, **moved)
