"""Nodes of a network and the blocks of Fig. 4 of the paper, a function each.

Every block adds its result to a skip: the input itself, or a 1 x 1 convolution where channels change.
Middle widths are fractions of the block's channels, as at 256. The paper leaves open how
the multi-scale blocks divide their channels and how their pool works, and what "wider, no 1 x 1" is; the
docstrings say what is our reading.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.architecture import Architecture


@dataclass(frozen=True)
class Node:
    """One operation. Its output is (channels, side, side) and carries the node's name.

    Operations: `stem` integer convolution, stride 2 | `norm` batch-norm as scale and shift | `relu` |
    `sign` (+1 where x > 0, else -1) | `binary` binary convolution x alpha | `conv` real convolution, zero
    padding, no bias | `pool` 2 x 2 maximum | `mean` 2 x 2 average: ((a + b) + (c + d)) x 0.25 with a, b the
    upper two, each sum rounded | `around` 3 x 3 maximum, stride 1, of what lies inside the map | `up` nearest x 2 |
    `add` | `concat` | `head` real 1 x 1 convolution with bias to heatmaps' logits | `mix` the same back into
    the stream, between stacks.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    channels: int
    side: int
    kernel: int = 1


class Builder:
    """Appends nodes; every method returns the name of the last node it added."""

    def __init__(self, architecture: Architecture) -> None:
        self.architecture = architecture
        self.nodes: dict[str, Node] = {}

    def add(self, name: str, op: str, *inputs: str, channels: int = 0, side: int = 0, kernel: int = 1) -> str:
        source = self.nodes.get(inputs[0])
        channels = channels or (source.channels if source else 0)
        self.nodes[name] = Node(name, op, inputs, channels, side or (source.side if source else 0), kernel)
        return name

    def unit(self, name: str, x: str, channels: int, kernel: int) -> str:
        """Batch-norm, sign, binary convolution; or batch-norm, ReLU, real convolution; ReLU where asked for."""
        norm = self.add(f"{name}.norm", "norm", x)
        if self.architecture.real:
            active = self.add(f"{name}.active", "relu", norm)
            out = self.add(f"{name}.conv", "conv", active, channels=channels, kernel=kernel)
        else:
            sign = self.add(f"{name}.sign", "sign", norm)
            out = self.add(f"{name}.conv", "binary", sign, channels=channels, kernel=kernel)
        return self.add(f"{name}.relu", "relu", out) if self.architecture.relu else out

    def half(self, name: str, x: str) -> str:
        """A map of half the side, by the architecture's pool."""
        op = {"max": "pool", "average": "mean"}[self.architecture.pool]
        return self.add(name, op, x, side=self.nodes[x].side // 2)

    def sum(self, name: str, x: str, y: str) -> str:
        """The block's end: y, which has the block's channels, plus the skip of x."""
        channels = self.nodes[y].channels
        skip = x if self.nodes[x].channels == channels else self.unit(f"{name}.skip", x, channels, 1)
        return self.add(f"{name}.out", "add", y, skip)

    def concat(self, name: str, *parts: str) -> str:
        return self.add(f"{name}.concat", "concat", *parts, channels=sum(self.nodes[p].channels for p in parts))

    def mid(self, channels: int, own: int) -> int:
        """Middle channels of a block of `channels`: `own`, or the architecture's in proportion, an even number."""
        wanted, width = self.architecture.mid, self.architecture.width
        return max(2, wanted * channels // (2 * width) * 2) if wanted else own


Block = Callable[[Builder, str, str, int], str]


def bottleneck(b: Builder, name: str, x: str, channels: int) -> str:
    """Fig. 4a: 1 x 1 to half the channels, 3 x 3, 1 x 1 back."""
    return _three(b, name, x, channels, b.mid(channels, channels // 2))


def wider(b: Builder, name: str, x: str, channels: int) -> str:
    """Fig. 4b: as 4a with all channels in the middle."""
    return _three(b, name, x, channels, b.mid(channels, channels))


def _three(b: Builder, name: str, x: str, channels: int, mid: int) -> str:
    y = b.unit(f"{name}.a", x, mid, 1)
    y = b.unit(f"{name}.b", y, mid, 3)
    return b.sum(name, x, b.unit(f"{name}.c", y, channels, 1))


def wider_no1x1(b: Builder, name: str, x: str, channels: int) -> str:
    """Our reading of "wider, no 1 x 1" (5.8M in Table 2): two 3 x 3 with 80 of 256 channels between them."""
    y = b.unit(f"{name}.a", x, b.mid(channels, channels * 5 // 16), 3)
    return b.sum(name, x, b.unit(f"{name}.b", y, channels, 3))


def multiscale(b: Builder, name: str, x: str, channels: int) -> str:
    """Fig. 4c: 1 x 1 and 3 x 3 beside two paths behind a 3 x 3 max-pool, joined by a 1 x 1.

    The pool's size and the even split of the right half are our reading.
    """
    quarter, eighth = channels // 4, channels // 8
    right = b.add(f"{name}.around", "around", x)
    left = b.unit(f"{name}.a", x, quarter, 1)
    left = b.unit(f"{name}.b", left, quarter, 3)
    one = b.unit(f"{name}.c", right, eighth, 3)
    two = b.unit(f"{name}.d", right, eighth, 3)
    two = b.unit(f"{name}.e", two, eighth, 3)
    return b.sum(name, x, b.unit(f"{name}.f", b.concat(name, left, one, two), channels, 1))


def multiscale_no1x1(b: Builder, name: str, x: str, channels: int) -> str:
    """Fig. 4d: as 4c without the 1 x 1 convolutions: half the channels left, a quarter in each path right."""
    half, quarter = channels // 2, channels // 4
    right = b.add(f"{name}.around", "around", x)
    left = b.unit(f"{name}.a", x, half, 3)
    one = b.unit(f"{name}.b", right, quarter, 3)
    two = b.unit(f"{name}.c", right, quarter, 3)
    two = b.unit(f"{name}.d", two, quarter, 3)
    return b.sum(name, x, b.concat(name, left, one, two))


def hierarchical(b: Builder, name: str, x: str, channels: int) -> str:
    """Fig. 4e: the hierarchical, parallel, multi-scale block."""
    one = b.unit(f"{name}.a", x, channels // 2, 3)
    two = b.unit(f"{name}.b", one, channels // 4, 3)
    three = b.unit(f"{name}.c", two, channels // 4, 3)
    return b.sum(name, x, b.concat(name, one, two, three))


BY_NAME: dict[str, Block] = {
    "bottleneck": bottleneck, "wider": wider, "wider-no1x1": wider_no1x1, "multiscale": multiscale,
    "multiscale-no1x1": multiscale_no1x1, "hierarchical": hierarchical,
}  # fmt: skip
