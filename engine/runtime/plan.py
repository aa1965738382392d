"""From the graph to the packed engine's steps: fusion, integer thresholds, buffers that are reused.

A step writes whole maps. Concatenation is free (each convolution writes its channel slice), the residual
add happens in the convolution's epilogue, in place where nobody needs the input any more, and
batch-norm with sign after a convolution is one integer comparison (engine.md 4).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.graph import Graph, Node
from engine.modelfile import Model
from engine.runtime.steps import Buffer, Op, Plan, PlanError, Step, Tap


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
        value = value * scale
        value = value + shift
        holds = (value > 0) != flip
        low = np.where(holds, middle, low)
        high = np.where(holds, high, middle)
    return low, flip.astype(np.uint8)


def make_plan(model: Model, share: bool = True) -> Plan:
    """Steps and buffers of a model, maps sharing buffers if `share`; PlanError for a graph that has no packed form."""
    planner = _Planner(model, share)
    for node in planner.nodes:
        planner.emit(node)
    return Plan(tuple(planner.steps), tuple(planner.buffers), tuple(planner.taps), model.architecture.side)


def _ordered(graph: Graph) -> list[Node]:
    """The graph's nodes with every pool right after its input, so that its input can then be overwritten."""
    pools = {node.inputs[0]: node for node in graph.nodes if node.op == "pool"}
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.op != "pool":
            nodes.append(node)
            if node.name in pools:
                nodes.append(pools[node.name])
    return nodes


@dataclass
class _Value:
    """A float map in memory and the nodes that still have to read it."""

    buffer: int
    readers: set[str] = field(default_factory=set)


class _Planner:
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

    def emit(self, node: Node) -> None:
        """Append the step that `node` needs; nodes that a neighbour's step includes need none."""
        handler = getattr(self, f"_{node.op}", None)
        if handler is None:
            raise PlanError(f"the packed engine has no operation {node.op!r}")
        handler(node)

    # Memory

    def _floats(self, side: int, channels: int) -> int:
        size = side * side * channels
        fitting = [i for i in self.free if self.share and not self.buffers[i].bits and self.buffers[i].floats >= size]
        if fitting:
            index = min(fitting, key=lambda i: self.buffers[i].floats)
            self.free.remove(index)
            return index
        self.buffers.append(Buffer(False, floats=size))
        return len(self.buffers) - 1

    def _bits(self, side: int, channels: int) -> int:
        """A bit map keeps its shape, since its ring is written only once."""
        wanted = Buffer(True, side, channels)
        for index in sorted(self.free):
            if self.share and self.buffers[index] == wanted:
                self.free.remove(index)
                return index
        self.buffers.append(wanted)
        return len(self.buffers) - 1

    def _new(self, name: str, buffer: int) -> None:
        self.values[name] = _Value(buffer, {node.name for node in self.readers[name]})

    def _read(self, name: str, reader: str) -> int:
        """The buffer of a map, which `reader` needs for the last time."""
        value = self.values[name]
        value.readers.discard(reader)
        if not value.readers:
            self.free.add(value.buffer)
        return value.buffer

    def _tap(self, node: Node) -> None:
        """The map of `node` is whole now, whatever later steps do with its memory."""
        self.taps.append(Tap(node.name, len(self.steps), self.values[node.name].buffer, node.side, node.channels))

    def _tap_bits(self, sign: Node) -> None:
        """The bits of `sign` are whole now."""
        self.taps.append(Tap(sign.name, len(self.steps), self.bits[sign.name], sign.side, sign.channels, bits=True))

    # What the graph says

    def _tensor(self, node: Node, part: str) -> np.ndarray:
        return self.model.tensors[f"{node.name}.{part}"]

    def _only(self, name: str, op: str) -> Node:
        readers = self.readers[name]
        if len(readers) != 1 or readers[0].op != op:
            raise PlanError(f"{name} must be read by one {op}")
        return readers[0]

    def _output(self, node: Node) -> Node:
        """The node whose value a binary convolution's step gives: its ReLU's, where it has one."""
        readers = self.readers[node.name]
        return readers[0] if len(readers) == 1 and readers[0].op == "relu" else node

    # One method an operation

    def _stem(self, node: Node) -> None:
        norm = self._only(node.name, "norm")
        out = self._only(norm.name, "relu")
        buffer = self._floats(node.side, node.channels)
        arrays = [self._tensor(node, part) for part in ("weight", "scale", "bias")]
        arrays += [self._tensor(norm, part) for part in ("scale", "shift")]
        self.steps.append(Step(Op.STEM, node.side, node.channels, node.kernel, 3, target=buffer, arrays=tuple(arrays)))
        self._new(out.name, buffer)
        self._tap(out)

    def _norm(self, node: Node) -> None:
        """Belongs to the stem, the sign or the head that follows."""

    def _relu(self, node: Node) -> None:
        """Belongs to the stem, the convolution or the head."""

    def _concat(self, node: Node) -> None:
        """Belongs to the convolutions, which write slices."""

    def _up(self, node: Node) -> None:
        """Belongs to the add that follows."""

    def _sign(self, node: Node) -> None:
        norm = self.by_name[node.inputs[0]]
        source = norm.inputs[0]
        if node.name in self.bits:
            return  # the convolution before has written it
        arrays = (None, self._tensor(norm, "scale"), self._tensor(norm, "shift"))
        bits = self._bits(node.side, node.channels)
        self.bits[node.name] = bits
        buffer = self._read(source, norm.name)
        self.steps.append(
            Step(Op.SIGN, node.side, node.channels, 1, node.channels, source=buffer, bits=bits, arrays=arrays)
        )
        self._tap_bits(node)

    def _binary(self, node: Node) -> None:
        out = self._output(node)
        source = self.by_name[node.inputs[0]]
        bits, arrays = self._next_bits(node, out)
        target, other, stride, offset = self._place(out)
        self.steps.append(
            Step(
                Op.CONV, node.side, node.channels, node.kernel, source.channels, stride, offset, self.bits[source.name],
                target, other, bits, out.op == "relu", self.model.architecture.pad,
                (self._tensor(node, "bits"), self._tensor(node, "alpha"), *arrays),
            )
        )  # fmt: skip
        self.free.add(self.bits[source.name])
        if out.name in self.values:
            self._tap(out)
        if bits >= 0:
            self._tap_bits(self._sign_behind(out))

    def _sign_behind(self, out: Node) -> Node:
        """The sign after the batch-norm after `out`."""
        (norm,) = (r for r in self.readers[out.name] if r.op == "norm")
        return self._only(norm.name, "sign")

    def _next_bits(self, node: Node, out: Node) -> tuple[int, tuple[np.ndarray, ...]]:
        """Bit map and thresholds where the next operation on a convolution is batch-norm and sign."""
        norms = [r for r in self.readers[out.name] if r.op == "norm" and self.readers[r.name][0].op == "sign"]
        if not norms:
            return -1, ()
        if len(norms) > 1:
            raise PlanError(f"{out.name} must have one batch-norm behind it")
        sign = self._sign_behind(out)
        products = node.kernel**2 * self.by_name[node.inputs[0]].channels
        scale, shift = self._tensor(norms[0], "scale"), self._tensor(norms[0], "shift")
        found = thresholds(self._tensor(node, "alpha"), out.op == "relu", scale, shift, products)
        self.bits[sign.name] = self._bits(node.side, node.channels)
        return self.bits[sign.name], found

    def _place(self, out: Node) -> tuple[int, int, int, int]:
        """Where a convolution's floats go: target, other buffer to add, their channels, first channel."""
        joined, offset = out, 0
        for reader in self.readers[out.name]:
            if reader.op == "concat":
                before = reader.inputs[: reader.inputs.index(out.name)]
                joined, offset = reader, sum(self.by_name[name].channels for name in before)
        adds = [r for r in self.readers[joined.name] if r.op == "add"]
        if not adds:
            self._new(out.name, self._floats(out.side, out.channels))
            return self.values[out.name].buffer, -1, out.channels, 0
        (add,) = adds
        (partner,) = (name for name in add.inputs if name != joined.name)
        first = add.name not in self.values
        if first:
            self._begin(add, partner)
        target = self.values[add.name].buffer
        if partner in self.values:  # a map that stood before the block
            return target, self.values[partner].buffer, add.channels, offset
        other = -1 if self.by_name[joined.name].op == "concat" else target  # the skip comes last and adds itself
        return target, other, add.channels, offset

    def _begin(self, add: Node, partner: str) -> None:
        """Memory of a residual sum: its input's where nobody else reads that any more."""
        before = self.values.get(partner)
        if self.share and before is not None and before.readers == {add.name}:
            self._new(add.name, before.buffer)
        else:
            self._new(add.name, self._floats(add.side, add.channels))

    def _add(self, node: Node) -> None:
        ups = [name for name in node.inputs if self.by_name[name].op == "up"]
        if ups:
            self._up_add(node, ups[0])
            return
        target = self.values[node.name].buffer
        for name in node.inputs:
            if name in self.values:
                self._read(name, node.name)
        self.free.discard(target)
        self._tap(node)

    def _up_add(self, node: Node, up: str) -> None:
        (partner,) = (name for name in node.inputs if name != up)
        self._begin(node, partner)
        target = self.values[node.name].buffer
        other, source = self._read(partner, node.name), self._read(self.by_name[up].inputs[0], up)
        self.free.discard(target)
        self.steps.append(
            Step(
                Op.UP_ADD, node.side, node.channels, 1, node.channels, node.channels,
                source=source, target=target, other=other,
            )
        )  # fmt: skip
        self._tap(node)

    def _pool(self, node: Node) -> None:
        buffer = self._floats(node.side, node.channels)
        source = self._read(node.inputs[0], node.name)
        self.steps.append(Step(Op.POOL, node.side, node.channels, 1, node.channels, source=source, target=buffer))
        self._new(node.name, buffer)
        self._tap(node)

    def _head(self, node: Node) -> None:
        relu = self.by_name[node.inputs[0]]
        norm = self.by_name[relu.inputs[0]]
        if (relu.op, norm.op) != ("relu", "norm"):
            raise PlanError("the head needs batch-norm and ReLU before it")
        arrays = [self._tensor(node, part) for part in ("weight", "bias")]
        arrays += [self._tensor(norm, part) for part in ("scale", "shift")]
        source = self._read(norm.inputs[0], norm.name)
        self.steps.append(
            Step(Op.HEAD, node.side, node.channels, 1, norm.channels, source=source, arrays=tuple(arrays))
        )
