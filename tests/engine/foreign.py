"""Small ONNX networks as other makers might export them, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
make, FLOAT = onnx.helper.make_node, onnx.TensorProto.FLOAT
OPSETS = [onnx.helper.make_opsetid("", 17)]


def graph_of(nodes: list, source: tuple, target: tuple | list, constants: dict[str, np.ndarray] | None = None) -> Any:
    """source and targets: name and shape, of float32 unless a type is named third."""
    targets = target if isinstance(target, list) else [target]
    info = onnx.helper.make_tensor_value_info
    ports = [info(name, kind[0] if kind else FLOAT, shape) for name, shape, *kind in (source, *targets)]
    held = [onnx.numpy_helper.from_array(value, name) for name, value in (constants or {}).items()]
    return onnx.helper.make_graph(nodes, "net", ports[:1], ports[1:], held)


def file_of(graph: Any, **more: Any) -> bytes:
    return onnx.helper.make_model(graph, opset_imports=OPSETS, ir_version=8, **more).SerializeToString()


def light(size: tuple[int, int] = (64, 64), stride: int = 4, batch: Any = 1) -> bytes:
    """Landmark k is where channel k is light: the mean of each stride x stride square."""
    node = make("AveragePool", ["image"], ["maps"], kernel_shape=[stride] * 2, strides=[stride] * 2)
    cells = [side // stride for side in size]
    return file_of(graph_of([node], ("image", [batch, 3, *size]), ("maps", [batch, 3, *cells])))


def save(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
