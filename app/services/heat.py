"""Heatmaps as pictures to lay over a picture, and the places they speak for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine import crop, heatmaps
from engine.architecture import SEGMENTATION
from engine.opencv import cv2
from engine.parts import part_map
from engine.types import Heatmaps, Prediction
from engine.uncertainty import peaks as peaks_of

FINER = 2  # parts are drawn so many times as fine as the crop
FLOOR = 0.04  # below this share of the maximum nothing is drawn


@dataclass(frozen=True)
class Heat:
    """A map for the screen.

    pixels (h, w, 4) uint8 BGRA, premultiplied; affine (2, 3) maps the map's own coordinates (0 to w,
    edge to edge) to picture pixels; maximum: the highest probability.
    """

    pixels: np.ndarray
    affine: np.ndarray
    maximum: float


def inferno() -> np.ndarray:
    """(256, 3) uint8 BGR: the colours from 0 to the maximum."""
    return cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_INFERNO)[:, 0]


def heat(prediction: Prediction, landmark: int | Literal["max", "sum"], opacity: float = 0.6) -> Heat | None:
    """Probabilities in inferno, scaled to their own maximum: one landmark's, or all in one; None without heatmaps."""
    if prediction.heatmaps is None:
        return None
    if isinstance(landmark, str):
        every = prediction.heatmaps.probabilities
        values = every.max(0) if landmark == "max" else every.sum(0)
    else:
        values = prediction.heatmaps.probabilities[landmark]
    maximum = float(values.max())
    share = values / max(maximum, 1e-9)
    alpha = np.minimum(1.0, 1.25 * share) ** 0.8 * opacity
    alpha[share < FLOOR] = 0.0
    colours = inferno()[(share * 255).astype(np.uint8)] * alpha[..., None]
    pixels = np.concatenate([colours, alpha[..., None] * 255], 2)
    return Heat(np.ascontiguousarray(pixels.round().astype(np.uint8)), _to_picture(prediction.heatmaps), maximum)


def divided(prediction: Prediction) -> bool:
    """Whether a model told parts and no landmarks."""
    return prediction.heatmaps is not None and prediction.heatmaps.head == SEGMENTATION


def parts_layer(maps: Heatmaps, colours: np.ndarray, opacity: float) -> Heat:
    """Each pixel's likeliest part in its colour, the background clear; colours (C, 3) uint8 RGB."""
    found = part_map(maps, FINER)
    alpha = np.where(np.arange(len(colours)) > 0, opacity, 0.0)[:, None]
    table = np.concatenate([colours[:, ::-1] * alpha, alpha * 255], 1).round().astype(np.uint8)
    return Heat(table[found], _to_picture(maps, 1 / FINER), 1.0)


def value_at(prediction: Prediction, landmark: int, x: float, y: float) -> float | None:
    """Probability of a landmark at a place in picture pixels; None outside the map."""
    if prediction.heatmaps is None:
        return None
    maps = prediction.heatmaps
    cell = heatmaps.to_heatmap(crop.apply(maps.affine, np.array([x, y])), maps.stride)
    column, row = np.floor(cell + 0.5).astype(int)
    height, width = maps.logits.shape[1:]
    if not (0 <= row < height and 0 <= column < width):
        return None
    return float(heatmaps.probabilities(maps.logits[:, row : row + 1, column : column + 1], maps.head)[landmark, 0, 0])


def peaks(prediction: Prediction | None, landmark: int, count: int = 3) -> np.ndarray:
    """The best places of one landmark in its map: (n, 3) x, y in picture pixels, score."""
    if prediction is None or prediction.heatmaps is None or landmark < 0:
        return np.empty((0, 3))
    return peaks_of(prediction.heatmaps, landmark, count)


def _to_picture(maps: Heatmaps, stride: float | None = None) -> np.ndarray:
    """(2, 3): map coordinates, edge to edge, to picture pixels; stride: crop pixels in a cell, else the maps' own."""
    back = crop.invert(maps.affine)
    linear = back[:, :2] * (stride or maps.stride)
    return np.concatenate([linear, (back[:, :2] @ [-0.5, -0.5] + back[:, 2])[:, None]], 1)
