"""What every export shares: collecting nodes and constants, and the operations that mean the same in all of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from engine.graph import Graph, Node
from engine.runtime.onnx.needed import onnx_package

OPSET = 17
IR_VERSION = 8  # the one that opset 17 came with


class Writer:
    """Collects ONNX nodes and constants; a method named after an operation turns one node of our graph into ONNX."""

    def __init__(self, graph: Graph) -> None:
        self.onnx = onnx_package()
        self.graph = graph
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray] = {}
        self.channels = {"image": 3} | {node.name: node.channels for node in graph.nodes}

    def constant(self, name: str, value: np.ndarray) -> str:
        """Keep a value under a name, and return the name."""
        self.constants[name] = np.ascontiguousarray(value)
        return name

    def add(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Append one ONNX node, and return the name of its output."""
        self.nodes.append(self.onnx.helper.make_node(op, inputs, [output], name=f"{op}:{output}", **attributes))
        return output

    def emit(self) -> None:
        """Append all nodes of the graph; the last one's output is called "logits"."""
        for node in self.graph.nodes:
            getattr(self, f"_{node.op}")(node, *node.inputs)

    def finish(self, name: str, source: tuple[str, int, list[int]], outputs: Iterable[str] = ()) -> Any:
        """The checked onnx.ModelProto; `source` is the input's name, element type and shape.

        outputs: nodes whose maps are given out besides the logits.
        """
        info, real = self.onnx.helper.make_tensor_value_info, self.onnx.TensorProto.FLOAT
        nodes = {"logits": self.graph.nodes[-1]} | {name: self.graph[name] for name in outputs if name != "logits"}
        used = {name for node in self.nodes for name in node.input}
        graph = self.onnx.helper.make_graph(
            self.nodes,
            name,
            [info(*source)],
            [info(name, real, [1, node.channels, node.side, node.side]) for name, node in nodes.items()],
            [self.onnx.numpy_helper.from_array(value, name) for name, value in self.constants.items() if name in used],
        )
        opsets = [self.onnx.helper.make_opsetid("", OPSET)]
        proto = self.onnx.helper.make_model(graph, opset_imports=opsets, producer_name="hourbit", ir_version=IR_VERSION)
        self.onnx.checker.check_model(proto)
        return proto

    def _relu(self, node: Node, x: str) -> None:
        self.add("Relu", [x], node.name)

    def output(self, node: Node) -> str:
        """What a head's output is called: "logits" that of the last one."""
        return "logits" if node.name == self.graph.outputs[-1] else node.name

    def _pool(self, node: Node, x: str) -> None:
        self.add("MaxPool", [x], node.name, kernel_shape=[2, 2], strides=[2, 2])

    def _around(self, node: Node, x: str) -> None:
        self.add("MaxPool", [x], node.name, kernel_shape=[3, 3], pads=[1, 1, 1, 1])

    def _mean(self, node: Node, x: str) -> None:
        """Slices and sums, since AveragePool leaves the order of its sums open."""
        ends = self.constant("ends", np.array([np.iinfo(np.int32).max] * 2, np.int64))
        axes, steps = self.constant("rows and columns", np.array([2, 3])), self.constant("by twos", np.array([2, 2]))
        corners = []
        for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
            start = self.constant(f"corner{row}{column}", np.array([row, column]))
            corners.append(self.add("Slice", [x, start, ends, axes, steps], f"{node.name}/{row}{column}"))
        upper = self.add("Add", corners[:2], f"{node.name}/upper")
        lower = self.add("Add", corners[2:], f"{node.name}/lower")
        total = self.add("Add", [upper, lower], f"{node.name}/total")
        self.add("Mul", [total, self.constant("quarter", np.float32(0.25))], node.name)

    def _up(self, node: Node, x: str) -> None:
        scales = self.constant("twice", np.array([1, 1, 2, 2], np.float32))
        self.add("Resize", [x, "", scales], node.name, mode="nearest", coordinate_transformation_mode="asymmetric",
                 nearest_mode="floor")  # fmt: skip

    def _add(self, node: Node, *parts: str) -> None:
        self.add("Add", list(parts), node.name)

    def _concat(self, node: Node, *parts: str) -> None:
        self.add("Concat", list(parts), node.name, axis=1)
