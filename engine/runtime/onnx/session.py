"""A model's exact function in ONNX Runtime."""

from __future__ import annotations

import numpy as np

from engine.heatmaps import sigmoid
from engine.modelfile import Model
from engine.runtime.onnx.exact import export_onnx
from engine.runtime.onnx.needed import onnxruntime_package
from engine.runtime.reference import check_crop


class OnnxRuntime:
    """A model in ONNX Runtime."""

    name = "onnx"
    isa = "onnx"
    notice = ""
    checked = False

    def __init__(self, model: Model, threads: int = 1) -> None:
        runtime = onnxruntime_package()
        self.model = model
        self.threads = threads
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        data = export_onnx(model).SerializeToString()
        self._session = runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def run(self, crop: np.ndarray, logits: bool = False) -> np.ndarray:
        """Heatmaps of one crop: (S, S, 3) uint8 RGB -> (K, S/4, S/4) float32, in [0, 1] unless `logits`."""
        check_crop(crop, self.model)
        (result,) = self._session.run(["logits"], {"crop": np.ascontiguousarray(crop)})
        return result[0] if logits else sigmoid(result[0])
