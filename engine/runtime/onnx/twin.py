"""The real-valued twin: the network of the same shape with floats for signs, as others would build it.

Benchmarks run it at the peers' full speed: batch-norm, ReLU and float convolution in place of batch-norm,
sign and binary convolution, zero padding, nothing in the way of a runtime's own fusions.
"""

from __future__ import annotations

import numpy as np

from engine.graph import Architecture, Node, build
from engine.random_model import random_tensors
from engine.runtime.onnx.writer import Writer


class _Twin(Writer):
    def __init__(self, architecture: Architecture, seed: int) -> None:
        super().__init__(build(architecture))
        self.tensors = random_tensors(self.graph, seed)
        self.rng = np.random.default_rng(seed)

    def part(self, node: Node, name: str) -> np.ndarray:
        return self.tensors[f"{node.name}.{name}"]

    def conv(
        self, node: Node, x: str, weight: np.ndarray, bias: np.ndarray | None, output: str, stride: int = 1
    ) -> None:
        inputs = [x, self.constant(f"{node.name}.weight", weight.astype(np.float32))]
        if bias is not None:
            inputs.append(self.constant(f"{node.name}.bias", bias))
        kernel, border = weight.shape[2], weight.shape[2] // 2
        self.add("Conv", inputs, output, kernel_shape=[kernel] * 2, pads=[border] * 4, strides=[stride] * 2)

    def _stem(self, node: Node, x: str) -> None:
        scale = self.part(node, "scale")[:, None, None, None] * 255
        self.conv(
            node, x, self.part(node, "weight").transpose(0, 3, 1, 2) * scale, self.part(node, "bias"), node.name, 2
        )

    def _norm(self, node: Node, x: str) -> None:
        none = np.zeros(node.channels, np.float32)
        values = {
            "scale": self.part(node, "scale"),
            "shift": self.part(node, "shift"),
            "mean": none,
            "variance": none + 1,
        }
        names = [self.constant(f"{node.name}.{name}", value) for name, value in values.items()]
        self.add("BatchNormalization", [x, *names], node.name)

    def _sign(self, node: Node, x: str) -> None:
        self._relu(node, x)

    def _binary(self, node: Node, x: str) -> None:
        fan_in = self.channels[x] * node.kernel**2
        shape = (node.channels, self.channels[x], node.kernel, node.kernel)
        self.conv(node, x, self.rng.normal(0, fan_in**-0.5, shape), None, node.name)

    def _conv(self, node: Node, x: str) -> None:
        self.conv(node, x, self.part(node, "kernel"), None, node.name)

    def _head(self, node: Node, x: str) -> None:
        self.real(node, x, self.output(node))

    def _mix(self, node: Node, x: str) -> None:
        self.real(node, x, node.name)

    def real(self, node: Node, x: str, output: str) -> None:
        self.conv(node, x, self.part(node, "weight")[:, :, None, None], self.part(node, "bias"), output)


def twin_model(architecture: Architecture, seed: int = 0) -> bytes:
    """An ONNX file of the twin, of random weights: "image" (1, 3, S, S) float32 in [0, 1] -> "logits" (1, K, S/4, S/4).

    The same seed gives the same bytes. Raises OnnxError where onnx is not installed.
    """
    twin = _Twin(architecture, seed)
    twin.emit()
    shape = [1, 3, architecture.side, architecture.side]
    return twin.finish("hourbit twin", ("image", twin.onnx.TensorProto.FLOAT, shape)).SerializeToString()
