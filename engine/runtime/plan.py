"""From the graph to the packed engine's steps: fusion, integer thresholds, buffers that are reused.

A step writes whole maps. Concatenation is free (each convolution writes its channel slice), the residual
add happens in the convolution's epilogue, in place where nobody needs the input any more, and
batch-norm with sign after a convolution is one integer comparison.
"""

from __future__ import annotations

import numpy as np

from engine.graph import Node
from engine.modelfile import Model
from engine.runtime.maps import LANES, Maps
from engine.runtime.steps import Op, Plan, PlanError, Step
from engine.runtime.weights import Layout, filled, thresholds, up_to


def make_plan(model: Model, share: bool = True) -> Plan:
    """Steps and buffers of a model, maps sharing buffers if `share`; PlanError for a graph that has no packed form."""
    planner = _Planner(model, share)
    for node in planner.nodes:
        planner.emit(node)
    return Plan(tuple(planner.steps), tuple(planner.buffers), tuple(planner.taps), model.architecture.side)


class _Planner(Maps):
    """Turns one node after another into steps."""

    def emit(self, node: Node) -> None:
        """Append the step that `node` needs; nodes that a neighbour's step includes need none."""
        handler = getattr(self, f"_{node.op}", None)
        if handler is None:
            raise PlanError(f"the packed engine has no operation {node.op!r}")
        handler(node)

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
        buffer = self.floats(node.side, node.channels)
        arrays = [self._tensor(node, part) for part in ("weight", "scale", "bias")]
        arrays += [self._tensor(norm, part) for part in ("scale", "shift")]
        self.steps.append(Step(Op.STEM, node.side, node.channels, node.kernel, 3, target=buffer, arrays=tuple(arrays)))
        self.new(out.name, buffer)
        self.tap(out)

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
        layout = self.layout(source)
        arrays = (None, *(layout.spread(self._tensor(norm, part)) for part in ("scale", "shift")))
        bits = self.bit_map(node.side, layout.held)
        self.bits[node.name] = bits
        buffer = self.read(source, norm.name)
        self.steps.append(
            Step(Op.SIGN, node.side, layout.held, 1, layout.held, source=buffer, bits=bits, arrays=arrays)
        )
        self.tap_bits(node)

    def _binary(self, node: Node) -> None:
        out = self._output(node)
        source = self.by_name[node.inputs[0]]
        taken, given = self.layout(source.name), self.layout(out.name)
        bits, arrays = self._next_bits(node, out, taken, given)
        target, other, stride, offset = self._place(out)
        weights = filled(self._tensor(node, "bits"), node.kernel, taken, given)
        self.steps.append(
            Step(
                Op.CONV, node.side, given.held, node.kernel, taken.held, stride, offset, self.bits[source.name],
                target, other, bits, out.op == "relu", self.model.architecture.pad,
                (weights, given.spread(self._tensor(node, "alpha")), *arrays),
            )
        )  # fmt: skip
        self.free.add(self.bits[source.name])
        if out.name in self.values:
            self.tap(out)
        if bits >= 0:
            self.tap_bits(self._only(self._signed(out)[0].name, "sign"))

    def _signed(self, out: Node) -> list[Node]:
        """The batch-norms after `out` that lead to signs."""
        return [r for r in self.readers[out.name] if r.op == "norm" and self.readers[r.name][0].op == "sign"]

    def _next_bits(self, node: Node, out: Node, taken: Layout, given: Layout) -> tuple[int, tuple[np.ndarray, ...]]:
        """Bit map and thresholds where the next operation on a convolution is batch-norm and sign."""
        norms = self._signed(out)
        if not norms:
            return -1, ()
        if len(norms) > 1:
            raise PlanError(f"{out.name} must have one batch-norm behind it")
        sign = self._only(norms[0].name, "sign")
        values = [self._tensor(*of) for of in ((node, "alpha"), (norms[0], "scale"), (norms[0], "shift"))]
        alpha, scale, shift = (given.spread(value) for value in values)
        found = thresholds(alpha, out.op == "relu", scale, shift, node.kernel**2 * taken.held)
        self.bits[sign.name] = self.bit_map(node.side, given.held)
        return self.bits[sign.name], found

    def _place(self, out: Node) -> tuple[int, int, int, int]:
        """Where a convolution's floats go: target, other buffer to add, their channels, first channel."""
        if len(self._signed(out)) == len(self.readers[out.name]):
            return -1, -1, self.layout(out.name).held, 0
        joined, offset, stride = out, 0, out.channels
        for reader in self.readers[out.name]:
            if reader.op == "concat":
                layout = self.layout(reader.name)
                joined, offset, stride = reader, layout.starts[reader.inputs.index(out.name)], layout.held
        adds = [r for r in self.readers[joined.name] if r.op == "add"]
        if not adds:
            if joined.name not in self.values:
                self.new(joined.name, self.floats(out.side, stride))
            return self.values[joined.name].buffer, -1, stride, offset
        (add,) = adds
        (partner,) = (name for name in add.inputs if name != joined.name)
        first = add.name not in self.values
        if first:
            self._begin(add, partner)
        target = self.values[add.name].buffer
        if partner in self.values:  # a map that stood before the block
            return target, self.values[partner].buffer, add.channels, offset
        other = -1 if first or joined.op == "concat" else target  # the skip comes last and adds itself
        return target, other, add.channels, offset

    def _begin(self, add: Node, partner: str) -> None:
        """Memory of a residual sum: its input's where nobody else reads that any more."""
        before = self.values.get(partner)
        if self.share and before is not None and before.readers == {add.name}:
            self.new(add.name, before.buffer)
        else:
            self.new(add.name, self.floats(add.side, add.channels))

    def _add(self, node: Node) -> None:
        ups = [name for name in node.inputs if self.by_name[name].op == "up"]
        if ups:
            self._up_add(node, ups[0])
            return
        target = self.values[node.name].buffer
        for name in node.inputs:
            if name in self.values:
                self.read(name, node.name)
        self.free.discard(target)
        self.tap(node)

    def _up_add(self, node: Node, up: str) -> None:
        (partner,) = (name for name in node.inputs if name != up)
        self._begin(node, partner)
        target = self.values[node.name].buffer
        other, source = self.read(partner, node.name), self.read(self.by_name[up].inputs[0], up)
        self.free.discard(target)
        self.steps.append(
            Step(
                Op.UP_ADD, node.side, node.channels, 1, node.channels, node.channels,
                source=source, target=target, other=other,
            )
        )  # fmt: skip
        self.tap(node)

    def _pool(self, node: Node) -> None:
        self._shrink(node, Op.POOL)

    def _mean(self, node: Node) -> None:
        self._shrink(node, Op.MEAN)

    def _around(self, node: Node) -> None:
        """Sign and batch-norm go before the maximum: it is then one of bits, or a minimum where batch-norm falls."""
        layout, source = self.layout(node.name), self.values[node.inputs[0]].buffer
        norms = self._signed(node)
        if len(norms) < len(self.readers[node.name]):
            raise PlanError(f"{node.name} must be read by batch-norm and sign alone")
        for norm in norms:
            sign = self._only(norm.name, "sign")
            scale, shift = self._tensor(norm, "scale"), self._tensor(norm, "shift")
            before, self.bits[sign.name] = (self.bit_map(node.side, layout.held) for _ in range(2))
            size = (node.side, layout.held, 1, layout.held)
            arrays = (None, layout.spread(scale), layout.spread(shift))
            self.steps.append(Step(Op.SIGN, *size, source=source, bits=before, arrays=arrays))
            falling = layout.spread((scale < 0).astype(np.uint8))
            self.steps.append(Step(Op.AROUND, *size, source=before, bits=self.bits[sign.name], arrays=(falling,)))
            self.free.add(before)
            self.tap_bits(sign)
        self.read(node.inputs[0], node.name)

    def _shrink(self, node: Node, op: Op) -> None:
        buffer = self.floats(node.side, node.channels)
        source = self.read(node.inputs[0], node.name)
        self.steps.append(Step(op, node.side, node.channels, 1, node.channels, source=source, target=buffer))
        self.new(node.name, buffer)
        self.tap(node)

    def _features(self, node: Node) -> tuple[int, Node]:
        """Memory of what comes before the batch-norm and ReLU before `node`, and that batch-norm."""
        relu = self.by_name[node.inputs[0]]
        norm = self.by_name[relu.inputs[0]]
        if (relu.op, norm.op) != ("relu", "norm"):
            raise PlanError(f"{node.name} needs batch-norm and ReLU before it")
        source = norm.inputs[0]
        last = self.readers[relu.name][-1] is node
        return self.read(source, norm.name) if last else self.values[source].buffer, norm

    def _head(self, node: Node) -> None:
        """The last stack's gives the logits; another's gives a map, of landmarks filled up with zeros."""
        logits = node.name == self.model.graph.outputs[-1]
        channels = node.channels if logits else up_to(node.channels, LANES)
        buffer = -1 if logits else self.floats(node.side, channels)
        source, norm = self._features(node)
        parts = [self._tensor(norm, part) for part in ("scale", "shift")]
        weight, bias = self._tensor(node, "weight"), self._tensor(node, "bias")
        if logits:
            arrays = (weight, bias, *parts)
            self.steps.append(Step(Op.HEAD, node.side, node.channels, 1, norm.channels, source=source, arrays=arrays))
            return
        more = (0, channels - node.channels)
        arrays = (np.pad(weight, (more, (0, 0))), np.pad(bias, more), *parts)
        self.steps.append(
            Step(Op.MIX, node.side, channels, 1, norm.channels, channels, 0, source, buffer, relu=True, arrays=arrays)
        )
        self.new(node.name, buffer)

    def _mix(self, node: Node) -> None:
        arrays = (self._tensor(node, "weight"), self._tensor(node, "bias"))
        target, other, stride, _ = self._place(node)  # before what it reads is free
        before = self.by_name[node.inputs[0]]
        if before.op == "head":
            source, channels = self.read(before.name, node.name), up_to(before.channels, LANES)
        else:
            source, norm = self._features(node)
            channels = norm.channels
            arrays += tuple(self._tensor(norm, part) for part in ("scale", "shift"))
        self.steps.append(
            Step(
                Op.MIX, node.side, node.channels, 1, channels, stride, 0, source, target, other,
                relu=before.op != "head", arrays=arrays,
            )
        )  # fmt: skip
