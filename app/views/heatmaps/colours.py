"""Colours of maps: evenly light steps that people with any colour sight can order."""

from __future__ import annotations

from functools import cache

import numpy as np
from PySide6.QtGui import QImage

from app.services.heat import FLOOR, inferno, parts_layer
from app.services.maps import Shown
from app.views.qimage import to_qimage
from engine.opencv import cv2
from engine.parts import Parts
from engine.types import Heatmaps

SATURATION = 0.35  # of the picture under a map, so that the map is the only colour
SIGNS = np.array([[0x46, 0x3F, 0x3A], [0xD6, 0xCE, 0xC9]], np.uint8)  # BGR of -1 and +1


@cache
def diverging() -> np.ndarray:
    """(256, 3) uint8 BGR, CET-D1A: blue below 0, red above, nearly white between."""
    import pyqtgraph

    return np.ascontiguousarray(pyqtgraph.colormap.get("CET-D1A").getLookupTable(nPts=256)[:, 2::-1], np.uint8)


@cache
def viridis() -> np.ndarray:
    """(256, 3) uint8 BGR."""
    return cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_VIRIDIS)[:, 0]


def scale_colours(signed: bool) -> np.ndarray:
    """(256, 3) uint8 BGR: the colours of a colour bar from its low to its high end."""
    return diverging() if signed else inferno()


def over_picture(shown: Shown, opacity: float) -> QImage:
    """A map to lay over the crop, one pixel a cell; what is near 0 lets the picture through."""
    share = np.clip(shown.values / shown.high, -1.0 if shown.signed else 0.0, 1.0)
    strength = np.abs(share)
    alpha = np.minimum(1.0, 1.25 * strength) ** 0.8 * opacity
    alpha[strength < FLOOR] = 0.0
    steps = ((share + 1) / 2 if shown.signed else share) * 255
    colours = scale_colours(shown.signed)[steps.astype(np.uint8)] * alpha[..., None]
    pixels = np.concatenate([colours, alpha[..., None] * 255], 2).round().astype(np.uint8)
    return _whole(pixels, QImage.Format.Format_ARGB32_Premultiplied)


def parts_over(maps: Heatmaps, division: Parts, opacity: float) -> QImage:
    """Each pixel's likeliest part in its colour, to lay over the crop."""
    return _whole(parts_layer(maps, division.colours, opacity).pixels, QImage.Format.Format_ARGB32_Premultiplied)


def pale(crop: np.ndarray) -> QImage:
    """The crop (S, S, 3) uint8 RGB with little colour left."""
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    mixed = grey + SATURATION * (crop.astype(np.float32) - grey)
    return _whole(mixed.round().clip(0, 255).astype(np.uint8), QImage.Format.Format_RGB888)


def plain(crop: np.ndarray) -> QImage:
    """The crop as the network is given it."""
    return _whole(np.array(crop), QImage.Format.Format_RGB888)


def signs(values: np.ndarray) -> QImage:
    """Bits (H, W) as two greys; a mean of bits, 0 to 1, as the greys between."""
    share = np.clip(values, 0, 1)[..., None]
    pixels = SIGNS[0] + share * (SIGNS[1].astype(np.float32) - SIGNS[0])
    return _whole(pixels.round().astype(np.uint8), QImage.Format.Format_BGR888)


def residual(values: np.ndarray, low: float, high: float) -> QImage:
    """Real values (H, W) in viridis between two ends."""
    share = np.clip((values - low) / max(high - low, 1e-9), 0, 1)
    return _whole(viridis()[(share * 255).astype(np.uint8)], QImage.Format.Format_BGR888)


def _whole(pixels: np.ndarray, form: QImage.Format) -> QImage:
    return to_qimage(np.ascontiguousarray(pixels), form).copy()  # Qt's rows are padded, ours are not
