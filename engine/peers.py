"""What else could run this network: the twin in ONNX Runtime and OpenVINO, and OpenVINO's binary convolution.

The yardstick of `hourbit bench --peers`, nothing more. onnxruntime and openvino are imported when needed; a peer
that is not installed is reported by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import UserError
from engine.graph import Architecture, Graph, Node, build
from engine.lower import unpack_weights
from engine.random_model import random_tensors

ORT, OPENVINO, BINARY = "onnxruntime float32 twin", "openvino float32 twin", "openvino binary"


class PeerError(UserError):
    """A peer that cannot take part; the message says why."""


@dataclass(frozen=True)
class Peer:
    """name, and run: crop (S, S, 3) uint8 -> (K, S/4, S/4) float32 logits of a network of its own."""

    name: str
    run: Callable[[np.ndarray], np.ndarray]


def open_peers(architecture: Architecture, threads: int = 1) -> tuple[list[Peer], list[str]]:
    """Every peer that can run, and for each other one its name and why not."""
    found: list[Peer] = []
    absent: list[str] = []
    for name, make in ((ORT, _onnxruntime), (OPENVINO, _openvino), (BINARY, _openvino_binary)):
        try:
            found.append(Peer(name, make(architecture, threads)))
        except UserError as error:
            absent.append(f"{name}: {error}")
    return found, absent


def _picture(crop: np.ndarray) -> np.ndarray:
    """(S, S, 3) uint8 -> (1, 3, S, S) float32 in [0, 1]."""
    return np.ascontiguousarray(crop.transpose(2, 0, 1)[None], np.float32) / np.float32(255)


def _twin(architecture: Architecture) -> bytes:
    from engine.runtime.onnx import twin_model

    return twin_model(architecture)


def _onnxruntime(architecture: Architecture, threads: int) -> Callable[[np.ndarray], np.ndarray]:
    try:
        import onnxruntime
    except ImportError as error:
        raise PeerError("not installed; install it with: pip install onnxruntime.") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(_twin(architecture), options, providers=["CPUExecutionProvider"])
    return lambda crop: session.run(None, {"image": _picture(crop)})[0][0]


def _openvino_package() -> Any:
    try:
        import openvino
    except ImportError as error:
        raise PeerError('not installed; install it with: pip install "hourbit[bench]".') from error
    return openvino


def _compiled(model: Any, kept: list[np.ndarray], threads: int = 1) -> Callable[[np.ndarray], np.ndarray]:
    openvino = _openvino_package()
    settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": "1", "INFERENCE_PRECISION_HINT": "f32"}
    try:
        compiled = openvino.Core().compile_model(model, "CPU", settings)
    except RuntimeError as error:
        raise PeerError(f"OpenVINO refuses the network ({str(error).splitlines()[0]}).") from error
    request = compiled.create_infer_request()

    def run(crop: np.ndarray, kept: list[np.ndarray] = kept) -> np.ndarray:
        return request.infer([_picture(crop)])[0][0]

    return run


def _openvino(architecture: Architecture, threads: int) -> Callable[[np.ndarray], np.ndarray]:
    openvino = _openvino_package()
    return _compiled(openvino.Core().read_model(_twin(architecture)), [], threads)


def _openvino_binary(architecture: Architecture, threads: int) -> Callable[[np.ndarray], np.ndarray]:
    _openvino_package()
    graph = build(architecture)
    return _compiled(*binary_model(graph, random_tensors(graph, 0)), threads=threads)


def binary_model(graph: Graph, tensors: dict[str, np.ndarray]) -> tuple[Any, list[np.ndarray]]:
    """The network as an OpenVINO model, and arrays that must live as long.

    "image" (1, 3, S, S) float32 -> logits; signs and inner convolutions are binary.

    A threshold in two levels, 0 and 1, stands for batch-norm and sign: only these are run on bits. Where a scale
    of batch-norm is negative the sign is turned, which costs as much. Raises PeerError for a graph with other nodes.
    """
    odd = sorted({node.op for node in graph.nodes if not hasattr(_Binary, f"_{node.op}")})
    if odd:
        raise PeerError(f"no form of the operation {odd[0]!r}.")
    builder = _Binary(graph, tensors)
    outputs: dict[str, Any] = {"image": builder.image}
    for node in graph.nodes:
        inputs = [outputs[source] for source in node.inputs]
        outputs[node.name] = getattr(builder, f"_{node.op}")(node, *inputs)
    return _openvino_package().Model([outputs[graph.nodes[-1].name]], [builder.image], "binary"), builder.kept


class _Binary:
    """One method an operation of the graph; each gives the OpenVINO node that holds its value."""

    def __init__(self, graph: Graph, tensors: dict[str, np.ndarray]) -> None:
        openvino = _openvino_package()
        self.ov, self.ops, self.newer = openvino, openvino.opset1, openvino.opset11
        self.tensors, self.pad = tensors, graph.architecture.pad
        self.kept: list[np.ndarray] = []
        self.channels = {"image": 3} | {node.name: node.channels for node in graph.nodes}
        self.norms = {node.inputs[0]: graph[node.inputs[0]] for node in graph.nodes if node.op == "sign"}
        side = graph.architecture.side
        self.image = self.ops.parameter([1, 3, side, side], np.float32, name="image")

    def _column(self, node: Node, part: str) -> np.ndarray:
        return self.tensors[f"{node.name}.{part}"].reshape(1, -1, 1, 1)

    def _real(self, weight: np.ndarray, bias: np.ndarray, x: Any, stride: int) -> Any:
        border = weight.shape[2] // 2
        out = self.ops.convolution(x, weight, [stride] * 2, [border] * 2, [border] * 2, [1, 1])
        return self.ops.add(out, bias)

    def _stem(self, node: Node, x: Any) -> Any:
        scale = self.tensors[f"{node.name}.scale"][:, None, None, None] * 255
        weight = (self.tensors[f"{node.name}.weight"].transpose(0, 3, 1, 2) * scale).astype(np.float32)
        return self._real(weight, self._column(node, "bias"), x, 2)

    def _head(self, node: Node, x: Any) -> Any:
        return self._real(self.tensors[f"{node.name}.weight"][:, :, None, None], self._column(node, "bias"), x, 1)

    def _norm(self, node: Node, x: Any) -> Any:
        if node.name in self.norms:
            return x  # part of the threshold
        return self.ops.add(self.ops.multiply(x, self._column(node, "scale")), self._column(node, "shift"))

    def _relu(self, node: Node, x: Any) -> Any:
        return self.ops.relu(x)

    def _sign(self, node: Node, x: Any) -> Any:
        norm = self.norms[node.inputs[0]]
        threshold = -self._column(norm, "shift") / np.abs(self._column(norm, "scale"))
        low, high = (np.full((1, 1, 1, 1), value, np.float32) for value in (0, 1))
        return self.ops.fake_quantize(x, threshold, threshold, low, high, 2)

    def _binary(self, node: Node, x: Any) -> Any:
        cin, k = self.channels[node.inputs[0]], node.kernel
        signs = unpack_weights(self.tensors[f"{node.name}.bits"], cin, k).transpose(0, 3, 1, 2)
        bits = np.packbits(signs.ravel() > 0, bitorder="little")
        weight = self.ov.op.Constant(self.ov.Tensor(bits, list(signs.shape), self.ov.Type.u1))
        self.kept.append(bits)  # the constant does not copy it
        border = [k // 2] * 2
        dot = self.ops.binary_convolution(x, weight, [1, 1], border, border, [1, 1], "xnor-popcount", float(self.pad))
        return self.ops.multiply(dot, self._column(node, "alpha"))

    def _pool(self, node: Node, x: Any) -> Any:
        return self.ops.max_pool(x, [2, 2], [0, 0], [0, 0], [2, 2], "floor")

    def _up(self, node: Node, x: Any) -> Any:
        scales, axes = np.array([2, 2], np.float32), np.array([2, 3], np.int64)
        return self.newer.interpolate(
            x, scales, "nearest", "scales", coordinate_transformation_mode="asymmetric", nearest_mode="floor", axes=axes
        )

    def _add(self, node: Node, a: Any, b: Any) -> Any:
        return self.ops.add(a, b)

    def _concat(self, node: Node, *parts: Any) -> Any:
        return self.ops.concat(list(parts), 1)
