"""The operations of a Torch7 module tree, told apart by what they do and not by how they are nested.

The tree is walked as Torch would run it, with names in place of maps: every layer becomes a `Step` whose inputs
are the numbers of earlier steps. Wrappers, the nesting of joins and the order of an addition leave no trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.graph import Graph, Node
from engine.torch7 import Torch7Error, Torch7Object

IMAGE = -1  # the number that stands for the input
MAX_CALLS = 20_000  # modules run; the authors' networks have about 500
MAX_NESTED = 100
PLAIN = {"ReLU": "relu", "Sigmoid": "sigmoid", "SpatialMaxPooling": "pool", "SpatialUpSamplingNearest": "up",
         "SpatialBatchNormalization": "norm", "SpatialConvolution": "conv", "SpatialConvolutionMM": "conv"}  # fmt: skip
OPERATIONS = {f"{package}.{name}": op for package in ("nn", "cudnn") for name, op in PLAIN.items()}
OPERATIONS |= {"bnn.Binary": "sign", "bnn.SpatialConvolution": "binary"}
WORDS = {
    "stem": "a convolution", "head": "a convolution", "conv": "a convolution", "norm": "batch-norm", "relu": "ReLU",
    "sign": "a sign layer", "binary": "a binary convolution", "pool": "max-pooling", "up": "upsampling",
    "add": "an addition", "concat": "a join", "sigmoid": "a sigmoid",
}  # fmt: skip

Value = int | list["Value"]


@dataclass(frozen=True)
class Step:
    """One operation: its inputs are indices of earlier steps, or IMAGE; `module` is None for additions and joins."""

    op: str
    inputs: tuple[int, ...]
    module: Torch7Object | None = None


def whole(module: Torch7Object, name: str, default: int | None = None) -> int:
    """A field that holds a whole number; raises Torch7Error."""
    value = module.fields.get(name, default)
    if type(value) is bool or not isinstance(value, (int, float)) or not -(2**31) <= value < 2**31 or value % 1:
        raise Torch7Error(f"{name} of a {module.kind} must be a whole number, not {_short(value)}")
    return int(value)


def trace(root: Any) -> list[Step]:
    """The steps of a network from picture to maps, in the order in which Torch runs them; raises Torch7Error."""
    walk = _Walk()
    end = walk.run(root, IMAGE, 0)
    if not walk.steps or end != len(walk.steps) - 1:
        raise Torch7Error("the network does not end in one layer")
    return walk.steps


class _Walk:
    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.calls = 0

    def run(self, module: Any, value: Value, depth: int) -> Value:
        """What a module makes of a value, a step's number or a list of values."""
        self.calls += 1
        if not isinstance(module, Torch7Object):
            raise Torch7Error(f"a layer is expected where {_short(module)} stands")
        if depth > MAX_NESTED or self.calls > MAX_CALLS:
            raise Torch7Error("its layers hold each other without end, or are far too many")
        if module.kind == "nn.Sequential":
            for child in _children(module):
                value = self.run(child, value, depth + 1)
            return value
        if module.kind == "nn.ConcatTable":
            return [self.run(child, value, depth + 1) for child in _children(module)]
        if module.kind == "nn.Identity":
            return value
        if module.kind == "nn.JoinTable":
            return self.join(module, value)
        if module.kind == "nn.CAddTable":
            return self.add("add", _numbers(module, value, 2))
        op = OPERATIONS.get(module.kind)
        if op is None:
            raise Torch7Error(f"{_short(module)} is a kind of layer that this network does not have")
        if not isinstance(value, int):
            raise Torch7Error(f"a {module.kind} is given several maps")
        return self.add(op, (value,), module)

    def add(self, op: str, inputs: tuple[int, ...], module: Torch7Object | None = None) -> int:
        self.steps.append(Step(op, inputs, module))
        return len(self.steps) - 1

    def join(self, module: Torch7Object, value: Value) -> int:
        """A join of maps along their channels; one of joins is one join."""
        if (whole(module, "dimension"), whole(module, "nInputDims", 0)) not in ((2, 0), (2, -1), (2, 4), (1, 3)):
            raise Torch7Error("a JoinTable does not join channels")
        flat: list[int] = []
        for number in _numbers(module, value):
            inner = number >= 0 and self.steps[number].op == "concat"
            flat += self.steps[number].inputs if inner else (number,)
        if len(flat) > MAX_NESTED:
            raise Torch7Error("a JoinTable joins far too many maps")
        return self.add("concat", tuple(flat))


def match(graph: Graph, steps: list[Step]) -> dict[str, Step]:
    """The step of every node of a graph, found from the end backwards.

    `steps` end in the sigmoid behind the graph's last node. Raises Torch7Error at the first node where the
    network is another one.
    """
    if steps[-1].op != "sigmoid":
        raise Torch7Error("the network does not end in a sigmoid")
    nodes, found = graph.by_name, {"image": IMAGE}
    todo = [(graph.nodes[-1].name, steps[-1].inputs[0])]
    while todo:
        name, number = todo.pop()
        if name not in found and name != "image" and number != IMAGE:
            node, step = nodes[name], steps[number]
            _same(node, step)
            found[name] = number
            todo += zip(node.inputs, _ordered(node, step, nodes, steps), strict=True)
        elif found.get(name) != number:
            raise Torch7Error(f"{name} takes its input from another layer")
    return {name: steps[number] for name, number in found.items() if name != "image"}


def _same(node: Node, step: Step) -> None:
    op = "conv" if node.op in ("stem", "head") else node.op
    if step.op != op or len(step.inputs) != len(node.inputs):
        raise Torch7Error(f"at {node.name} stands {WORDS.get(step.op, step.op)}, not {WORDS.get(node.op, node.op)}")


def _ordered(node: Node, step: Step, nodes: dict[str, Node], steps: list[Step]) -> tuple[int, ...]:
    """The step's inputs in the node's order; only an addition may have another one."""
    def fits(inputs: tuple[int, ...]) -> bool:
        wanted = [nodes[n].op for n in node.inputs]
        return all(number >= 0 and steps[number].op == op for number, op in zip(inputs, wanted, strict=True))

    turned = step.inputs[::-1]
    return turned if node.op == "add" and not fits(step.inputs) and fits(turned) else step.inputs


def _children(module: Torch7Object) -> list[Any]:
    held = module.fields.get("modules")
    if type(held) is not dict or not held or set(held) != {float(n + 1) for n in range(len(held))}:
        raise Torch7Error(f"a {module.kind} has no list of layers")
    return [held[float(n + 1)] for n in range(len(held))]


def _numbers(module: Torch7Object, value: Value, count: int | None = None) -> tuple[int, ...]:
    flat = isinstance(value, list) and all(isinstance(v, int) for v in value)
    if not flat or (count is not None and len(value) != count) or not value:
        raise Torch7Error(f"a {module.kind} is not given {count or 'a list of'} maps")
    return tuple(value)


def _short(value: Any) -> str:
    text = value.kind if isinstance(value, Torch7Object) else repr(value) if isinstance(value, (str, float)) else ""
    return (text if len(text) <= 40 else f"{text[:40]}...") or type(value).__name__
