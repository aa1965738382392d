"""Memory of a plan's maps: which buffer holds what, who still reads it, and how its channels lie."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.graph import Graph, Node
from engine.modelfile import Model
from engine.runtime.steps import Buffer, Step, Tap
from engine.runtime.weights import Layout

LANES = 16  # channels of float maps are a multiple


def _ordered(graph: Graph) -> list[Node]:
    """The graph's nodes with every pool right after its input, so that its input can then be overwritten."""
    halving = ("pool", "mean")
    pools = {node.inputs[0]: node for node in graph.nodes if node.op in halving}
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.op not in halving:
            nodes.append(node)
            if node.name in pools:
                nodes.append(pools[node.name])
    return nodes


@dataclass
class _Value:
    """A float map in memory and the nodes that still have to read it."""

    buffer: int
    readers: set[str] = field(default_factory=set)


class Maps:
    """The maps of a plan in the making; a map's memory serves another one when its last reader is done."""

    def __init__(self, model: Model, share: bool) -> None:
        self.model = model
        self.share = share
        self.nodes = _ordered(model.graph)
        self.by_name = model.graph.by_name
        self.readers: dict[str, list[Node]] = {name: [] for name in ("image", *self.by_name)}
        for node in self.nodes:
            for source in node.inputs:
                self.readers[source].append(node)
        self.steps: list[Step] = []
        self.buffers: list[Buffer] = []
        self.taps: list[Tap] = []
        self.free: set[int] = set()
        self.values: dict[str, _Value] = {}  # float maps by node name
        self.bits: dict[str, int] = {}  # bit maps by the sign node's name

    def floats(self, side: int, channels: int) -> int:
        size = side * side * channels
        fitting = [i for i in self.free if self.share and not self.buffers[i].bits and self.buffers[i].floats >= size]
        if fitting:
            index = min(fitting, key=lambda i: self.buffers[i].floats)
            self.free.remove(index)
            return index
        self.buffers.append(Buffer(False, floats=size))
        return len(self.buffers) - 1

    def bit_map(self, side: int, channels: int) -> int:
        """A bit map keeps its shape, since its ring is written only once."""
        wanted = Buffer(True, side, channels)
        for index in sorted(self.free):
            if self.share and self.buffers[index] == wanted:
                self.free.remove(index)
                return index
        self.buffers.append(wanted)
        return len(self.buffers) - 1

    def new(self, name: str, buffer: int) -> None:
        self.values[name] = _Value(buffer, {node.name for node in self.readers[name]})

    def layout(self, name: str) -> Layout:
        """How a map of bits, or of floats that only bits are made of, holds its channels."""
        node = self.by_name[name]
        if node.op == "sign":
            return self.layout(self.by_name[node.inputs[0]].inputs[0])
        if node.op == "concat":
            return Layout([self.by_name[part].channels for part in node.inputs], LANES)
        for reader in self.readers[name]:
            if reader.op == "concat" and reader.inputs[-1] == name:  # which fills up the whole
                joined = self.layout(reader.name)
                return Layout([node.channels], joined.held - joined.starts[-1])
        return Layout([node.channels])

    def read(self, name: str, reader: str) -> int:
        """The buffer of a map, which `reader` needs for the last time."""
        value = self.values[name]
        value.readers.discard(reader)
        if not value.readers:
            self.free.add(value.buffer)
        return value.buffer

    def tap(self, node: Node) -> None:
        """The map of `node` is whole now, whatever later steps do with its memory."""
        self.taps.append(Tap(node.name, len(self.steps), self.values[node.name].buffer, node.side, node.channels))

    def tap_bits(self, sign: Node) -> None:
        """The bits of `sign` are whole now; of joined maps with gaps there is no tap."""
        layout = self.layout(sign.name)
        if len(layout.parts) > 1 and not layout.exact:
            return
        tap = Tap(sign.name, len(self.steps), self.bits[sign.name], sign.side, sign.channels, bits=True)
        self.taps.append(tap)
