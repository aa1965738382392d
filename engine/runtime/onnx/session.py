"""A model's exact function in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from engine.heatmaps import probabilities
from engine.modelfile import Model
from engine.runtime.inputs import check_crop, known_layers, layer_names, run_each
from engine.runtime.onnx.exact import export_onnx
from engine.runtime.onnx.needed import onnxruntime_package


def open_session(data: bytes, threads: int) -> Any:
    """An onnxruntime.InferenceSession on the CPU; raises OnnxError where onnxruntime is not installed."""
    runtime = onnxruntime_package()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is told by exceptions
    return runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


class OnnxRuntime:
    """A model in ONNX Runtime. Threads may share one."""

    name = "onnx"
    isa = "onnx"
    notice = ""
    checked = False

    def __init__(self, model: Model, threads: int = 1) -> None:
        self.model = model
        self.threads = threads
        self._session = open_session(export_onnx(model).SerializeToString(), threads)

    def run(self, crop: np.ndarray, logits: bool = False) -> np.ndarray:
        """Heatmaps of one crop: (S, S, 3) uint8 RGB -> (K, S/4, S/4) float32, in [0, 1] unless `logits`."""
        check_crop(crop, self.model)
        (result,) = self._session.run(["logits"], {"crop": np.ascontiguousarray(crop)})
        return result[0] if logits else probabilities(result[0], self.model.head)

    def run_batch(self, crops: np.ndarray, logits: bool = False) -> np.ndarray:
        """Heatmaps of several crops: (N, S, S, 3) uint8 RGB -> (N, K, S/4, S/4) float32, as `run` gives them."""
        return run_each(self, crops, logits)

    def layers(self) -> tuple[str, ...]:
        """Names of the graph's nodes in evaluation order: what `tap` takes."""
        return layer_names(self.model)

    def tap(self, crop: np.ndarray, names: Iterable[str]) -> dict[str, np.ndarray]:
        """What inner layers give for a crop, by name: (H, W, C), a sign's bits as bool, else float32."""
        check_crop(crop, self.model)
        names = known_layers(self.model, names)
        if not names:
            return {}
        nodes, last = self.model.graph.by_name, self.model.graph.outputs[-1]
        outputs = ["logits" if name == last else name for name in names]
        session = open_session(export_onnx(self.model, outputs).SerializeToString(), self.threads)
        maps = session.run(outputs, {"crop": np.ascontiguousarray(crop)})
        found = {
            name: np.ascontiguousarray(values[0].transpose(1, 2, 0)) for name, values in zip(names, maps, strict=True)
        }
        return {name: values > 0 if nodes[name].op == "sign" else values for name, values in found.items()}
