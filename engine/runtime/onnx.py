"""The same function as a float ONNX graph, and ONNX Runtime to run it.

Binary layers become float convolutions of +-1, which are exact; batch-norm is a multiplication and an
addition of its own; so only the head's sums may be rounded in another order. onnx and onnxruntime are
imported when needed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.errors import UserError
from engine.graph import Node
from engine.heatmaps import sigmoid
from engine.lower import unpack_weights
from engine.modelfile import Model
from engine.runtime.reference import check_crop

OPSET = 17
IR_VERSION = 8  # the one that opset 17 came with


class OnnxError(UserError):
    """onnx or onnxruntime is missing; the message says what to install."""


def _onnx() -> Any:
    try:
        import onnx
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise OnnxError('onnx is not installed; install it with: pip install "hourbit[train]".') from error
    return onnx


def _onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise OnnxError("onnxruntime is not installed; install it with: pip install onnxruntime.") from error
    return onnxruntime


class _Exporter:
    """Collects ONNX nodes and constants; each method turns one node of our graph into ONNX ones."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.onnx = _onnx()
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray] = {}
        self.channels = {"image": 3} | {node.name: node.channels for node in model.graph.nodes}
        self.constant("one", np.float32(1))
        self.constant("minus", np.float32(-1))
        self.constant("zero", np.float32(0))

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants[name] = np.ascontiguousarray(value)
        return name

    def column(self, node: Node, part: str) -> str:
        """A vector of a value for each channel, shaped to act on (1, C, H, W)."""
        return self.constant(f"{node.name}.{part}", self.model.tensors[f"{node.name}.{part}"][:, None, None])

    def add(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(self.onnx.helper.make_node(op, inputs, [output], name=f"{op}:{output}", **attributes))
        return output

    def emit(self, node: Node) -> None:
        getattr(self, f"_{node.op}")(node, *node.inputs)

    def _stem(self, node: Node, image: str) -> None:
        """int16 weights as 256 * high + low: both sums are exact in float32, and their sum is rounded once."""
        weight = self.model.tensors[f"{node.name}.weight"].transpose(0, 3, 1, 2).astype(np.int32)
        low = (weight + 128) % 256 - 128
        pads = [node.kernel // 2] * 4
        parts = []
        for name, part in (("high", (weight - low) // 256), ("low", low)):
            kernel = self.constant(f"{node.name}.{name}", part.astype(np.float32))
            parts.append(self.add("Conv", [image, kernel], f"{node.name}/{name}", pads=pads, strides=[2, 2]))
        byte = self.constant(f"{node.name}.byte", np.float32(256))
        shifted = self.add("Mul", [parts[0], byte], f"{node.name}/shifted")
        total = self.add("Add", [shifted, parts[1]], f"{node.name}/sum")
        scaled = self.add("Mul", [total, self.column(node, "scale")], f"{node.name}/scaled")
        self.add("Add", [scaled, self.column(node, "bias")], node.name)

    def _norm(self, node: Node, x: str) -> None:
        scaled = self.add("Mul", [x, self.column(node, "scale")], f"{node.name}/scaled")
        self.add("Add", [scaled, self.column(node, "shift")], node.name)

    def _relu(self, node: Node, x: str) -> None:
        self.add("Relu", [x], node.name)

    def _sign(self, node: Node, x: str) -> None:
        self.add("Where", [self.add("Greater", [x, "zero"], f"{node.name}/bit"), "one", "minus"], node.name)

    def _binary(self, node: Node, x: str) -> None:
        channels, border, pad = self.channels[x], node.kernel // 2, self.model.architecture.pad
        signs = unpack_weights(self.model.tensors[f"{node.name}.bits"], channels, node.kernel).transpose(0, 3, 1, 2)
        kernel = self.constant(f"{node.name}.signs", signs.astype(np.float32))
        if pad and border:
            pads = self.constant(f"pads{border}", np.array([0, 0, border, border] * 2, np.int64))
            x = self.add("Pad", [x, pads, "minus"], f"{node.name}/padded", mode="constant")
            border = 0
        total = self.add("Conv", [x, kernel], f"{node.name}/sum", pads=[border] * 4)
        self.add("Mul", [total, self.column(node, "alpha")], node.name)

    def _pool(self, node: Node, x: str) -> None:
        self.add("MaxPool", [x], node.name, kernel_shape=[2, 2], strides=[2, 2])

    def _up(self, node: Node, x: str) -> None:
        scales = self.constant("twice", np.array([1, 1, 2, 2], np.float32))
        self.add("Resize", [x, "", scales], node.name, mode="nearest", coordinate_transformation_mode="asymmetric",
                 nearest_mode="floor")  # fmt: skip

    def _add(self, node: Node, a: str, b: str) -> None:
        self.add("Add", [a, b], node.name)

    def _concat(self, node: Node, *parts: str) -> None:
        self.add("Concat", list(parts), node.name, axis=1)

    def _head(self, node: Node, x: str) -> None:
        weight = self.constant(f"{node.name}.weight", self.model.tensors[f"{node.name}.weight"][:, :, None, None])
        bias = self.constant(f"{node.name}.bias", self.model.tensors[f"{node.name}.bias"])
        self.add("Conv", [x, weight, bias], "logits")


def export_onnx(model: Model) -> Any:
    """An onnx.ModelProto of a model: "crop" (S, S, 3) uint8 -> "logits" (1, K, S/4, S/4) float32.

    Raises OnnxError where onnx is not installed.
    """
    exporter = _Exporter(model)
    onnx, architecture = exporter.onnx, model.architecture
    axis = exporter.constant("batch", np.array([0], np.int64))
    pixels = exporter.add("Cast", ["crop"], "crop/float", to=onnx.TensorProto.FLOAT)
    planes = exporter.add("Transpose", [pixels], "crop/planes", perm=[2, 0, 1])
    exporter.add("Unsqueeze", [planes, axis], "image")
    for node in model.graph.nodes:
        exporter.emit(node)
    info = onnx.helper.make_tensor_value_info
    side, cells = architecture.side, architecture.heatmap
    graph = onnx.helper.make_graph(
        exporter.nodes,
        "hourbit",
        [info("crop", onnx.TensorProto.UINT8, [side, side, 3])],
        [info("logits", onnx.TensorProto.FLOAT, [1, architecture.landmarks, cells, cells])],
        [onnx.numpy_helper.from_array(value, name) for name, value in exporter.constants.items()],
    )
    opsets = [onnx.helper.make_opsetid("", OPSET)]
    proto = onnx.helper.make_model(graph, opset_imports=opsets, producer_name="hourbit", ir_version=IR_VERSION)
    onnx.checker.check_model(proto)
    return proto


class OnnxRuntime:
    """A model in ONNX Runtime; graph optimisation is off, since fusions round otherwise."""

    name = "onnx"
    isa = "onnx"
    notice = ""
    checked = False

    def __init__(self, model: Model, threads: int = 1) -> None:
        runtime = _onnxruntime()
        self.model = model
        self.threads = threads
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
        data = export_onnx(model).SerializeToString()
        self._session = runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def run(self, crop: np.ndarray, logits: bool = False) -> np.ndarray:
        """Heatmaps of one crop: (S, S, 3) uint8 RGB -> (K, S/4, S/4) float32, in [0, 1] unless `logits`."""
        check_crop(crop, self.model)
        (result,) = self._session.run(["logits"], {"crop": np.ascontiguousarray(crop)})
        return result[0] if logits else sigmoid(result[0])
