"""What leaves the dock: a picture, and everything as arrays."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QImage

from app.files import atomic_write
from app.services.inspection import Inspection
from engine.schema import Schema
from engine.types import Box


def save_png(path: Path, image: QImage) -> None:
    """Write a picture, whole or not at all; raises UserError."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    atomic_write(path, bytes(data.data()))


def save_npz(path: Path, inspection: Inspection, schema: Schema, label: np.ndarray | None = None) -> None:
    """Write all that the dock shows, whole or not at all; raises UserError.

    names (K,); crop (S, S, 3) uint8 RGB; logits, flip_logits and other_logits (K, h, w) float32; landmarks,
    flip_landmarks, other_landmarks (K, 3): x, y in picture pixels and score; label (K, 2); affine (2, 3): picture to
    crop pixels; stride; box: cx, cy, side; layer_bits, layer_real (H, W, C) with their names. No pickles.
    """
    box: Box = inspection.ask.box
    arrays: dict[str, object] = {
        "schema": schema.name, "names": list(schema.landmarks), "model": inspection.model, "crop": inspection.crop,
        "logits": inspection.maps.logits, "flip_logits": inspection.flipped, "landmarks": inspection.landmarks,
        "flip_landmarks": inspection.flip_landmarks, "doubts": inspection.doubts, "affine": inspection.maps.affine,
        "stride": inspection.maps.stride, "box": [box.cx, box.cy, box.side],
    }  # fmt: skip
    if label is not None:
        arrays["label"] = label
    if inspection.other is not None:
        arrays |= {"other_model": inspection.other_name, "other_logits": inspection.other,
                   "other_landmarks": inspection.other_landmarks}  # fmt: skip
    layer = inspection.layer
    if layer is not None and layer.bits is not None:
        arrays |= {"layer_bits_name": layer.bits_name, "layer_bits": layer.bits}
    if layer is not None and layer.real is not None:
        arrays |= {"layer_real_name": layer.real_name, "layer_real": layer.real}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: np.asarray(value) for name, value in arrays.items()})
    atomic_write(path, buffer.getvalue())
