"""The network as data: its nodes in evaluation order, shapes of its tensors and operation counts.

`build` turns an `Architecture` into a `Graph`. Every runtime, the trainer and the model file read the same
graph, so the topology of Bulat & Tzimiropoulos (ICCV 2017) is written down once: blocks in
`engine.blocks`, the rest here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from engine.architecture import BLOCKS, POOLS, Architecture, GraphError
from engine.blocks import BY_NAME, Block, Builder, Node

__all__ = ["BLOCKS", "POOLS", "Architecture", "Counts", "Graph", "GraphError", "Node", "build", "count"]

DEPTH = 4  # halvings inside the hourglass
STEM_KERNEL = 7


@dataclass(frozen=True)
class Graph:
    """Nodes in evaluation order; the input is called "image", the last node's output is the logits.

    `outputs` names each stack's logits; all but the last serve training.
    """

    architecture: Architecture
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]

    def __getitem__(self, name: str) -> Node:
        return self.by_name[name]

    @cached_property
    def by_name(self) -> dict[str, Node]:
        """Nodes by their names; not to be changed."""
        return {node.name: node for node in self.nodes}

    def tensors(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Name -> (NumPy dtype name, shape) of every tensor a trained network of this graph has.

        Binary weights are bits, one row a filter, in (ky, kx, input channel) order, least significant
        bit first, the last byte filled up with 0: (out, kernel * kernel * in / 8) uint8. A real
        convolution's `kernel` may also be float16 in a file.
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
                found[f"{node.name}.bits"] = ("uint8", (cout, -(-k * k * cin // 8)))
                found[f"{node.name}.alpha"] = ("float32", (cout,))
            elif node.op == "conv":
                found[f"{node.name}.kernel"] = ("float32", (cout, cin, k, k))
            elif node.op in ("head", "mix"):
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
    """Parameters and multiply-accumulates of one forward pass."""
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
        elif node.op in ("stem", "head", "mix", "conv"):
            parameters += weights + (node.channels if node.op != "conv" else 0)
            macs_real += weights * node.side**2
    return Counts(parameters, binary_weights, convolutions, macs_binary, macs_real)


def _hourglass(b: Builder, block: Block, name: str, x: str, level: int) -> str:
    width, side = b.architecture.width, b.nodes[x].side
    upper = block(b, f"{name}.{level}.upper", x, width)
    low = b.half(f"{name}.{level}.pool", x)
    low = block(b, f"{name}.{level}.before", low, width)
    if level > 1:
        low = _hourglass(b, block, name, low, level - 1)
    else:
        low = block(b, f"{name}.{level}.inner", low, width)
    low = block(b, f"{name}.{level}.after", low, width)
    low = b.add(f"{name}.{level}.up", "up", low, side=side)
    return b.add(f"{name}.{level}.out", "add", upper, low)


def _stem(b: Builder, block: Block) -> str:
    side, stem = b.architecture.side, b.architecture.stem
    x = b.add("stem.conv", "stem", "image", channels=stem, side=side // 2, kernel=STEM_KERNEL)
    x = b.add("stem.norm", "norm", x)
    x = b.add("stem.relu", "relu", x)
    x = block(b, "stem.1", x, 2 * stem)
    x = b.half("stem.pool", x)
    x = block(b, "stem.2", x, 2 * stem)
    return block(b, "stem.3", x, b.architecture.width)


def build(architecture: Architecture) -> Graph:
    """The graph of an architecture: stem, then an hourglass of depth 4 and a head a stack.

    Between stacks the head's last features and its heatmaps come back into the stream, each by a real
    1 x 1 convolution.
    """
    b, block = Builder(architecture), BY_NAME[architecture.block]
    width = architecture.width
    x = _stem(b, block)
    features, outputs = "", list[str]()
    for stack in range(1, architecture.stacks + 1):
        at = "" if stack == 1 else f"stack{stack}."
        if outputs:
            lin = b.add(f"{at}lin", "mix", features, channels=width)
            x = b.add(f"{at}features", "add", x, lin)
            maps = b.add(f"{at}maps", "mix", outputs[-1], channels=width)
            x = b.add(f"{at}in", "add", x, maps)
        y = _hourglass(b, block, f"{at}hourglass", x, DEPTH)
        y = block(b, f"{at}head.block", y, width)
        y = b.unit(f"{at}head.last", y, width, 1)
        y = b.add(f"{at}head.norm", "norm", y)
        features = b.add(f"{at}head.relu", "relu", y)
        outputs.append(b.add(f"{at}head.conv", "head", features, channels=architecture.landmarks))
    return Graph(architecture, tuple(b.nodes.values()), tuple(outputs))
