"""NumPy pixels as QImage, with the size check that QImage itself leaves out."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QImage

BYTES = {
    QImage.Format.Format_RGB32: 4,
    QImage.Format.Format_ARGB32_Premultiplied: 4,
    QImage.Format.Format_RGB888: 3,
    QImage.Format.Format_BGR888: 3,
    QImage.Format.Format_Grayscale8: 1,
}


def to_qimage(pixels: np.ndarray, form: QImage.Format = QImage.Format.Format_RGB32) -> QImage:
    """A QImage over an array (H, W, channels) uint8, rows contiguous; the image keeps the array alive.

    Raises ValueError where the array does not have the format's channels.
    """
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if pixels.dtype != np.uint8 or channels != BYTES[form] or not pixels.size:
        raise ValueError(f"{form} cannot show {pixels.shape} {pixels.dtype}")
    pixels = np.ascontiguousarray(pixels)
    stride = pixels.strides[0]
    if pixels.nbytes < stride * height:
        raise ValueError("the array is shorter than its picture")
    return QImage(pixels.data, width, height, stride, form)
