"""The exact function as a float ONNX graph.

Binary layers become float convolutions of +-1 and the stem two convolutions of integers: exact in any order of
summation. A rounding to whole numbers behind each of them changes nothing and keeps a runtime from folding the
scale that follows into the weights, which would round otherwise. Batch-norm is a multiplication and an addition
of its own, and the head sums channel by channel in a Scan.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from engine.graph import Node
from engine.lower import unpack_weights
from engine.modelfile import Model
from engine.runtime.onnx.writer import Writer


class _Exact(Writer):
    def __init__(self, model: Model) -> None:
        super().__init__(model.graph)
        self.model = model
        self.constant("one", np.float32(1))
        self.constant("minus", np.float32(-1))
        self.constant("zero", np.float32(0))

    def part(self, node: Node, name: str) -> np.ndarray:
        return self.model.tensors[f"{node.name}.{name}"]

    def column(self, node: Node, name: str) -> str:
        """A vector of a value for each channel, shaped to act on (1, C, H, W)."""
        return self.constant(f"{node.name}.{name}", self.part(node, name)[:, None, None])

    def whole(self, x: str, kernel: str, output: str, **attributes: Any) -> str:
        """A convolution of whole numbers."""
        total = self.add("Conv", [x, kernel], f"{output}/float", **attributes)
        return self.add("Round", [total], output)

    def image(self, side: int) -> None:
        """ "crop" (S, S, 3) uint8 -> "image" (1, 3, S, S) float32."""
        axis = self.constant("batch", np.array([0], np.int64))
        pixels = self.add("Cast", ["crop"], "crop/float", to=self.onnx.TensorProto.FLOAT)
        planes = self.add("Transpose", [pixels], "crop/planes", perm=[2, 0, 1])
        self.add("Unsqueeze", [planes, axis], "image")

    def _stem(self, node: Node, image: str) -> None:
        """int16 weights as 256 * high + low: both sums are exact in float32, and their sum is rounded once."""
        weight = self.part(node, "weight").transpose(0, 3, 1, 2).astype(np.int32)
        low = (weight + 128) % 256 - 128
        parts = []
        for name, values in (("high", (weight - low) // 256), ("low", low)):
            kernel = self.constant(f"{node.name}.{name}", values.astype(np.float32))
            pads = [node.kernel // 2] * 4
            parts.append(self.whole(image, kernel, f"{node.name}/{name}", pads=pads, strides=[2, 2]))
        byte = self.constant(f"{node.name}.byte", np.float32(256))
        shifted = self.add("Mul", [parts[0], byte], f"{node.name}/shifted")
        total = self.add("Add", [shifted, parts[1]], f"{node.name}/sum")
        scaled = self.add("Mul", [total, self.column(node, "scale")], f"{node.name}/scaled")
        self.add("Add", [scaled, self.column(node, "bias")], node.name)

    def _norm(self, node: Node, x: str) -> None:
        scaled = self.add("Mul", [x, self.column(node, "scale")], f"{node.name}/scaled")
        self.add("Add", [scaled, self.column(node, "shift")], node.name)

    def _sign(self, node: Node, x: str) -> None:
        self.add("Where", [self.add("Greater", [x, "zero"], f"{node.name}/bit"), "one", "minus"], node.name)

    def _binary(self, node: Node, x: str) -> None:
        channels, border, pad = self.channels[x], node.kernel // 2, self.model.architecture.pad
        signs = unpack_weights(self.part(node, "bits"), channels, node.kernel).transpose(0, 3, 1, 2)
        kernel = self.constant(f"{node.name}.signs", signs.astype(np.float32))
        if pad and border:
            pads = self.constant(f"pads{border}", np.array([0, 0, border, border] * 2, np.int64))
            x = self.add("Pad", [x, pads, "minus"], f"{node.name}/padded", mode="constant")
            border = 0
        total = self.whole(x, kernel, f"{node.name}/sum", pads=[border] * 4)
        self.add("Mul", [total, self.column(node, "alpha")], node.name)

    def _conv(self, node: Node, x: str) -> None:
        """Real, with zeros outside; its sums may be rounded in any order."""
        kernel = self.constant(f"{node.name}.kernel", self.part(node, "kernel").astype(np.float32))
        self.add("Conv", [x, kernel], node.name, pads=[node.kernel // 2] * 4)

    def _head(self, node: Node, x: str) -> None:
        self.ordered(node, x, self.output(node))

    def _mix(self, node: Node, x: str) -> None:
        self.ordered(node, x, node.name)

    def ordered(self, node: Node, x: str, output: str) -> None:
        """total = bias, then total += weight[:, c] * x[c] for each channel c in turn, by a Scan over c."""
        make, real = self.onnx.helper, self.onnx.TensorProto.FLOAT
        cells = [node.side, node.side]
        weight = self.constant(f"{node.name}.weight", self.part(node, "weight").T[:, :, None, None])
        axis = self.constant("batch", np.array([0], np.int64))
        planes = self.add("Squeeze", [x, axis], f"{node.name}/planes")
        shape = self.constant(f"{node.name}.shape", np.array([node.channels, *cells], np.int64))
        start = self.add("Expand", [self.column(node, "bias"), shape], f"{node.name}/start")
        product = make.make_node("Mul", ["plane", "column"], ["product"])
        sizes = {"before": [node.channels, *cells], "plane": cells, "column": [node.channels, 1, 1]}
        body = make.make_graph(
            [product, make.make_node("Add", ["before", "product"], ["after"])],
            "channel by channel",
            [make.make_tensor_value_info(name, real, size) for name, size in sizes.items()],
            [make.make_tensor_value_info("after", real, sizes["before"])],
        )
        total = self.add("Scan", [start, planes, weight], f"{node.name}/total", body=body, num_scan_inputs=2)
        self.add("Unsqueeze", [total, axis], output)


def export_onnx(model: Model, outputs: Iterable[str] = ()) -> Any:
    """An onnx.ModelProto of a model: "crop" (S, S, 3) uint8 -> "logits" (1, K, S/4, S/4) float32.

    outputs: graph nodes whose maps are given out as well, (1, C, H, W). Raises OnnxError where onnx is not installed.
    """
    side = model.architecture.side
    exact = _Exact(model)
    exact.image(side)
    exact.emit()
    return exact.finish("hourbit", ("crop", exact.onnx.TensorProto.UINT8, [side, side, 3]), outputs)
