"""ONNX: export of the exact function and of the real-valued twin; ONNX Runtime for our models and for others'.

onnx and onnxruntime are imported when they are needed, never when this package is.
"""

from __future__ import annotations

from engine.runtime.onnx.exact import export_onnx
from engine.runtime.onnx.external import ExternalRuntime
from engine.runtime.onnx.needed import OnnxError
from engine.runtime.onnx.session import OnnxRuntime
from engine.runtime.onnx.twin import twin_model
from engine.runtime.onnx.writer import OPSET

__all__ = ["OPSET", "ExternalRuntime", "OnnxError", "OnnxRuntime", "export_onnx", "twin_model"]
