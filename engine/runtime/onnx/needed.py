"""The two packages that ONNX needs, imported at the first use; the message says what to install."""

from __future__ import annotations

from typing import Any

from engine.errors import UserError


class OnnxError(UserError):
    """onnx or onnxruntime is missing; the message says what to install."""


def onnx_package() -> Any:
    """The package `onnx`, which writes and checks graphs; raises OnnxError."""
    try:
        import onnx
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise OnnxError('onnx is not installed; install it with: pip install "hourbit[train]".') from error
    return onnx


def onnxruntime_package() -> Any:
    """The package `onnxruntime`, which runs graphs; raises OnnxError."""
    try:
        import onnxruntime
    except ImportError as error:
        raise OnnxError("onnxruntime is not installed; install it with: pip install onnxruntime.") from error
    return onnxruntime
