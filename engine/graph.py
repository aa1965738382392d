"""The network as data: its architecture, its nodes, shape inference and operation counts.

`Architecture` is the handful of numbers that name a network; `build` turns it into a `Graph`, a list
of nodes in evaluation order. Every runtime, the trainer and the model file read the same graph, so
the topology of Bulat & Tzimiropoulos (ICCV 2017) is written down once, here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

from engine.errors import UserError

BLOCKS = ("hierarchical",)
DEPTH = 4  # halvings inside the hourglass
STEM_KERNEL = 7


class GraphError(UserError):
    """An architecture that cannot be built; the message is one sentence with a remedy."""


@dataclass(frozen=True)
class Architecture:
    """What defines a network, apart from its weights.

    `width` is the hourglass's channel count, `stem` that of the first convolution (the stem's blocks
    then have 2 x stem, 2 x stem and `width` channels). `side` is the input's side in pixels and a
    multiple of 64. `pad` is the value outside the picture that binary convolutions see, -1 or 0.
    `relu` puts a ReLU on each binary convolution's output (Sec. 6 of the paper).
    """

    landmarks: int
    width: int = 256
    stem: int = 64
    side: int = 256
    pad: int = -1
    relu: bool = False
    block: str = "hierarchical"

    def __post_init__(self) -> None:
        for name in ("landmarks", "width", "stem", "side", "pad"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool):
                raise GraphError(f"{name} must be a whole number, not {value!r}.")
        if not isinstance(self.relu, bool):
            raise GraphError(f"relu must be true or false, not {self.relu!r}.")
        if self.block not in BLOCKS:
            raise GraphError(f"Unknown block {self.block!r}; use one of {', '.join(BLOCKS)}.")
        if not 1 <= self.landmarks <= 1024:
            raise GraphError(f"landmarks must be 1 to 1024, not {self.landmarks}.")
        if self.width % 32 or not 32 <= self.width <= 1024:
            raise GraphError(f"width must be a multiple of 32 from 32 to 1024, not {self.width}.")
        if self.stem % 16 or not 16 <= self.stem <= 256:
            raise GraphError(f"stem must be a multiple of 16 from 16 to 256, not {self.stem}.")
        if self.side % 64 or not 64 <= self.side <= 1024:
            raise GraphError(f"The input side must be a multiple of 64 from 64 to 1024, not {self.side}.")
        if self.pad not in (-1, 0):
            raise GraphError(f"pad must be -1 or 0, not {self.pad}.")

    @property
    def heatmap(self) -> int:
        """Side of the heatmaps in pixels: a quarter of the input's."""
        return self.side // 4

    def to_json(self) -> dict[str, Any]:
        """A JSON object with every field."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> Architecture:
        """The inverse of `to_json`; raises GraphError for unknown, missing or wrong fields."""
        names = {f.name for f in fields(cls)}
        if not isinstance(data, dict) or set(data) - names or "landmarks" not in data:
            raise GraphError("The architecture is not one this version knows; update Hourbit.")
        return cls(**data)


@dataclass(frozen=True)
class Node:
    """One operation. Its output is (channels, side, side) and carries the node's name.

    Operations: `stem` integer convolution, stride 2 | `norm` batch-norm as scale and shift | `relu` |
    `sign` (+1 where x > 0, else -1) | `binary` binary convolution x alpha | `pool` 2 x 2 maximum |
    `up` nearest x 2 | `add` | `concat` | `head` real 1 x 1 convolution with bias.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    channels: int
    side: int
    kernel: int = 1


@dataclass(frozen=True)
class Graph:
    """Nodes in evaluation order; the input is called "image", the last node's output is the logits."""

    architecture: Architecture
    nodes: tuple[Node, ...]

    def __getitem__(self, name: str) -> Node:
        return self.by_name[name]

    @property
    def by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}

    def tensors(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Name -> (NumPy dtype name, shape) of every tensor a trained network of this graph has.

        Binary weights are bits, one row a filter, in (ky, kx, input channel) order, least significant
        bit first: (out, kernel * kernel * in / 8) uint8.
        """
        found: dict[str, tuple[str, tuple[int, ...]]] = {}
        channels = {"image": 3} | {node.name: node.channels for node in self.nodes}
        for node in self.nodes:
            cin, cout, k = channels[node.inputs[0]], node.channels, node.kernel
            if node.op == "stem":
                found[f"{node.name}.weight"] = ("int16", (cout, k, k, cin))
                found[f"{node.name}.scale"] = ("float32", (cout,))
                found[f"{node.name}.bias"] = ("float32", (cout,))
            elif node.op == "norm":
                found[f"{node.name}.scale"] = ("float32", (cout,))
                found[f"{node.name}.shift"] = ("float32", (cout,))
            elif node.op == "binary":
                found[f"{node.name}.bits"] = ("uint8", (cout, k * k * cin // 8))
                found[f"{node.name}.alpha"] = ("float32", (cout,))
            elif node.op == "head":
                found[f"{node.name}.weight"] = ("float32", (cout, cin))
                found[f"{node.name}.bias"] = ("float32", (cout,))
        return found


@dataclass(frozen=True)
class Counts:
    """What a graph costs: parameters (weights, biases, batch-norm's scale and shift) and MACs."""

    parameters: int
    binary_weights: int
    binary_convolutions: int
    macs_binary: int
    macs_real: int


def count(graph: Graph) -> Counts:
    """Parameters and multiply-accumulates of one forward pass (network.md 1.2 and 1.5)."""
    parameters = binary_weights = convolutions = macs_binary = macs_real = 0
    channels = {"image": 3} | {node.name: node.channels for node in graph.nodes}
    for node in graph.nodes:
        weights = channels[node.inputs[0]] * node.channels * node.kernel**2
        if node.op == "norm":
            parameters += 2 * node.channels
        elif node.op == "binary":
            parameters += weights
            binary_weights += weights
            convolutions += 1
            macs_binary += weights * node.side**2
        elif node.op in ("stem", "head"):
            parameters += weights + node.channels
            macs_real += weights * node.side**2
    return Counts(parameters, binary_weights, convolutions, macs_binary, macs_real)


class _Builder:
    """Appends nodes; every method returns the name of the node it added."""

    def __init__(self, architecture: Architecture) -> None:
        self.architecture = architecture
        self.nodes: dict[str, Node] = {}

    def add(self, name: str, op: str, *inputs: str, channels: int = 0, side: int = 0, kernel: int = 1) -> str:
        source = self.nodes.get(inputs[0])
        node = Node(
            name,
            op,
            inputs,
            channels or (source.channels if source else 0),
            side or (source.side if source else 0),
            kernel,
        )
        self.nodes[name] = node
        return name

    def binary(self, name: str, x: str, channels: int, kernel: int) -> str:
        """Batch-norm, sign, binary convolution, and ReLU where the architecture asks for it."""
        norm = self.add(f"{name}.norm", "norm", x)
        sign = self.add(f"{name}.sign", "sign", norm)
        out = self.add(f"{name}.conv", "binary", sign, channels=channels, kernel=kernel)
        return self.add(f"{name}.relu", "relu", out) if self.architecture.relu else out

    def hierarchical(self, name: str, x: str, channels: int) -> str:
        """The hierarchical, parallel, multi-scale block of Fig. 4e."""
        a = self.binary(f"{name}.a", x, channels // 2, 3)
        b = self.binary(f"{name}.b", a, channels // 4, 3)
        c = self.binary(f"{name}.c", b, channels // 4, 3)
        joined = self.add(f"{name}.concat", "concat", a, b, c, channels=channels)
        skip = x if self.nodes[x].channels == channels else self.binary(f"{name}.skip", x, channels, 1)
        return self.add(f"{name}.out", "add", joined, skip)


def _hourglass(b: _Builder, block: Callable[[str, str, int], str], name: str, x: str, level: int) -> str:
    width, side = b.architecture.width, b.nodes[x].side
    upper = block(f"{name}.{level}.upper", x, width)
    low = b.add(f"{name}.{level}.pool", "pool", x, side=side // 2)
    low = block(f"{name}.{level}.before", low, width)
    if level > 1:
        low = _hourglass(b, block, name, low, level - 1)
    else:
        low = block(f"{name}.{level}.inner", low, width)
    low = block(f"{name}.{level}.after", low, width)
    low = b.add(f"{name}.{level}.up", "up", low, side=side)
    return b.add(f"{name}.{level}.out", "add", upper, low)


def build(architecture: Architecture) -> Graph:
    """The graph of an architecture (network.md 0): stem, one hourglass of depth 4, head."""
    b = _Builder(architecture)
    block = getattr(b, architecture.block)
    side, stem, width = architecture.side, architecture.stem, architecture.width
    x = b.add("stem.conv", "stem", "image", channels=stem, side=side // 2, kernel=STEM_KERNEL)
    x = b.add("stem.norm", "norm", x)
    x = b.add("stem.relu", "relu", x)
    x = block("stem.1", x, 2 * stem)
    x = b.add("stem.pool", "pool", x, side=side // 4)
    x = block("stem.2", x, 2 * stem)
    x = block("stem.3", x, width)
    x = _hourglass(b, block, "hourglass", x, DEPTH)
    x = block("head.block", x, width)
    x = b.binary("head.last", x, width, 1)
    x = b.add("head.norm", "norm", x)
    x = b.add("head.relu", "relu", x)
    b.add("head.conv", "head", x, channels=architecture.landmarks)
    return Graph(architecture, tuple(b.nodes.values()))
