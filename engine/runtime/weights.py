"""Binary weights as the packed engine takes them: integer thresholds, and channels filled up to whole bytes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.lower import unpack_weights
from engine.runtime.steps import PlanError

BYTE = 8  # channels


def thresholds(
    alpha: np.ndarray, relu: bool, scale: np.ndarray, shift: np.ndarray, products: int
) -> tuple[np.ndarray, np.ndarray]:
    """Integer form of sign(norm(relu(alpha * (products - 2 * differing)))), one a channel.

    Returns T (C,) int32 and flip (C,) uint8 with bit = (differing <= T) xor flip. Every operation of the
    float pipeline is monotone, so bisection with the pipeline itself as oracle is exact.
    """
    flip = scale < 0
    low = np.full(len(alpha), -1, np.int32)  # holds at `low`, does not at `high`
    high = np.full(len(alpha), products + 1, np.int32)
    while (high - low).max() > 1:
        middle = (low + high) // 2
        value = (products - 2 * middle).astype(np.float32) * alpha
        if relu:
            value = np.where(value > 0, value, np.float32(0))
        with np.errstate(over="ignore"):  # infinity is on the right side, too
            value = value * scale
        value = value + shift
        holds = (value > 0) != flip
        low = np.where(holds, middle, low)
        high = np.where(holds, high, middle)
    return low, flip.astype(np.uint8)


class Layout:
    """Where a map's channels lie in memory: parts joined by a concat, each filled up to whole bytes.

    parts: channels of each part; multiple: what the channels in memory are a multiple of.
    """

    def __init__(self, parts: Sequence[int], multiple: int = BYTE) -> None:
        if any(part % 2 for part in parts):
            raise PlanError("the packed engine takes even numbers of channels inside the network")
        self.parts = tuple(parts)
        self.starts = [sum(up_to(part, BYTE) for part in parts[:n]) for n in range(len(parts))]
        self.held = up_to(sum(up_to(part, BYTE) for part in parts), multiple)
        self.channels = sum(parts)
        pairs = zip(self.starts, parts, strict=True)
        self.places = np.concatenate([np.arange(start, start + part) for start, part in pairs])

    @property
    def exact(self) -> bool:
        """Whether nothing is filled up."""
        return self.held == self.channels

    def spread(self, values: np.ndarray) -> np.ndarray:
        """A value for each channel (C,) -> one for each place (held,), 0 where no channel is."""
        if self.exact:
            return values
        out = np.zeros(self.held, values.dtype)
        out[self.places] = values
        return out


def up_to(count: int, multiple: int) -> int:
    """`count` or the next larger multiple."""
    return -(-count // multiple) * multiple


def filled(bits: np.ndarray, kernel: int, taken: Layout, given: Layout) -> np.ndarray:
    """Weights (O, k * k * I / 8) uint8 of a filter between two layouts: (O held, k * k * I held / 8).

    Bits of places without a channel are 0 in every map. Half of their weights are 0 and half are 1: what differs
    there and what does not cancel each other, so that a sum over all places is the sum over the channels.
    """
    if taken.exact and given.exact:
        return bits
    weight = np.zeros((given.held, kernel, kernel, taken.held), bool)
    empty = np.setdiff1d(np.arange(taken.held), taken.places)
    weight[..., empty[::2]] = True
    signs = unpack_weights(bits, taken.channels, kernel) > 0
    weight[np.ix_(given.places, range(kernel), range(kernel), taken.places)] = signs
    return np.packbits(weight.reshape(given.held, -1), axis=1, bitorder="little")
