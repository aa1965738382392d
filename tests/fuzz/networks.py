"""Random networks: whole architectures and small graphs of the same pieces, with weights that hit every edge.

Nothing here names a block or a field of `Architecture` that the engine may gain: those join by themselves.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

import engine.graph as graphs
from engine.blocks import BY_NAME, Builder
from engine.graph import Architecture, Graph, GraphError, Node, build
from engine.modelfile import Model
from engine.random_model import generic_schema, random_tensors

DEPTH = 4  # halvings of a quarter of the side: 16 becomes 1, and 48 becomes 3
USUAL: dict[str, tuple[Any, ...]] = {
    "landmarks": (1, 3, 5, 16, 17, 21, 68), "width": (32, 32, 32, 64, 64, 96, 128, 160), "stem": (16, 16, 32, 48),
    "pad": (-1, 0), "real": (False,), "mid": (0, 0, 0, 6, 20), "stacks": (1, 1, 1, 2),
    "side": (64,) * 60 + (128, 192),
}  # fmt: skip


def random_architecture(rng: np.random.Generator) -> Architecture:
    """An architecture with every field drawn: a text from the tuple named after it, such as BLOCKS for block."""
    while True:
        drawn: dict[str, Any] = {}
        for field in fields(Architecture):
            if field.name in USUAL:
                values: tuple[Any, ...] = USUAL[field.name]
            elif isinstance(field.default, bool):
                values = (False, True)
            elif isinstance(field.default, str):
                values = getattr(graphs, f"{field.name.upper()}S", (field.default,))
            else:
                values = (field.default, field.default, field.default, field.default + 1)
            drawn[field.name] = values[rng.integers(len(values))]
        try:
            return Architecture(**drawn)
        except GraphError:  # fields that do not go together
            continue


class _Growth:
    """A random graph between the usual stem and head: blocks, chains of convolutions, and branches down to 1 x 1."""

    def __init__(self, rng: np.random.Generator, architecture: Architecture) -> None:
        self.rng, self.architecture = rng, architecture
        self.builder = Builder(architecture)
        self.count = 0

    def name(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"

    def channels(self, x: str) -> int:
        return self.builder.nodes[x].channels

    def block(self, x: str, width: int) -> str:
        return BY_NAME[self.architecture.block](self.builder, self.name("block"), x, width)

    def branch(self, x: str, depth: int) -> str:
        """x halved, worked on, enlarged and added to x worked on; both ends have x's channels."""
        width, side = self.channels(x), self.builder.nodes[x].side
        upper = self.block(x, width) if self.rng.random() < 0.5 else x
        low = self.builder.half(self.name("pool"), x)
        if depth > 1 or self.rng.random() < 0.5:
            low = self.block(low, self.width(low))
        if depth > 1:
            low = self.branch(low, depth - 1)
        kind = self.rng.integers(3)
        if kind == 0:
            low = self.chain(low, width)
        elif kind == 1 or self.channels(low) != width:
            low = self.block(low, width)
        low = self.builder.add(self.name("up"), "up", low, side=side)
        return self.builder.add(self.name("sum"), "add", upper, low)

    def width(self, x: str) -> int:
        """A block's width: that of x, or another."""
        return self.channels(x) if self.rng.random() < 0.4 else 32 * int(self.rng.integers(1, 5))

    def chain(self, x: str, width: int) -> str:
        """Convolutions in a row; what only bits are made of may have any even number of channels."""
        for _ in range(int(self.rng.integers(0, 3))):
            x = self.builder.unit(self.name("chain"), x, 2 * int(self.rng.integers(1, 32)), self.kernel())
        return self.builder.unit(self.name("last"), x, width, self.kernel())

    def kernel(self) -> int:
        return int(self.rng.choice([1, 3, 3]))

    def graph(self) -> Graph:
        a, b = self.architecture, self.builder
        x = b.add("stem.conv", "stem", "image", channels=a.stem, side=a.side // 2, kernel=graphs.STEM_KERNEL)
        x = b.add("stem.relu", "relu", b.add("stem.norm", "norm", x))
        if self.rng.random() < 0.2:
            x = self.block(x, 32)
        x = b.half("stem.pool", x)
        x = self.block(x, 32 * int(self.rng.integers(1, 5)))
        for _ in range(int(self.rng.integers(0, 2))):
            if self.rng.random() < 0.3:
                x = self.block(x, self.width(x))
            else:
                x = self.branch(x, int(self.rng.integers(1, DEPTH + 1)))
        if self.rng.random() < 0.5:
            x = self.chain(x, 16 * int(self.rng.integers(1, 9)))
        x = b.add("head.relu", "relu", b.add("head.norm", "norm", x))
        out = b.add("head.conv", "head", x, channels=a.landmarks)
        return Graph(a, tuple(b.nodes.values()), (out,))


def random_network(seed: int) -> Model:
    """A model of this seed; every twentieth is a whole architecture, the others are small."""
    rng = np.random.default_rng(seed)
    architecture = random_architecture(rng)
    graph = build(architecture) if seed % 20 == 0 else _Growth(rng, architecture).graph()
    tensors = random_tensors(graph, seed)
    for node in graph.nodes:
        _spoil(rng, graph, node, tensors)
    schema = generic_schema(max(2, architecture.landmarks))
    return Model("fuzz", graph, schema, 1.5, tensors, {}, f"fuzz {seed}")


def _spoil(rng: np.random.Generator, graph: Graph, node: Node, tensors: dict[str, np.ndarray]) -> None:
    """Edges that training hardly meets: gamma 0, of both signs, tiny and large; exact ties; extreme weights."""
    some = rng.random(node.channels) < rng.choice([0.0, 0.1, 0.5])
    if node.op == "norm":
        scale, shift = tensors[f"{node.name}.scale"], tensors[f"{node.name}.shift"]
        kind = rng.integers(6)
        if kind == 0:
            scale[some] = 0
        elif kind == 1:
            scale[some], shift[some] = -scale[some], 0
        elif kind == 2:
            scale[some] *= np.float32(rng.choice([1e-42, 1e-30, 1e15]))
            shift[some] = 0
        elif kind == 3:
            shift[some] *= np.float32(rng.choice([0, 1e-40, 100]))
        elif kind == 4:
            _tie(rng, graph.by_name.get(node.inputs[0]), tensors, scale, shift)
    elif node.op == "binary":
        if rng.random() < 0.3:
            tensors[f"{node.name}.bits"][some] = rng.choice([0, 255, 0x0F])
        if rng.random() < 0.2:
            tensors[f"{node.name}.alpha"][some] = np.float32(rng.choice([1e-8, 1, 1e8]))
    elif node.op == "stem" and rng.random() < 0.3:
        tensors[f"{node.name}.weight"][some] = rng.choice([-32768, 32767, 0])


def _tie(rng: np.random.Generator, source: Node | None, tensors: dict[str, np.ndarray], scale, shift) -> None:
    """Make batch-norm give exactly 0, whose sign is -1, for some sums of the convolution before it."""
    if source is None or source.op != "binary":
        return
    tensors[f"{source.name}.alpha"][:] = 0.125
    scale[:] = rng.choice([-2.0, 0.5, 1.0], len(scale))
    shift[:] = -scale * np.float32(0.125) * rng.integers(-8, 9, len(scale)).astype(np.float32)
