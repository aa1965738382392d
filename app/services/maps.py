"""What can be read off heatmaps: projections, differences, profiles, widths. Arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine import crop, heatmaps
from engine.opencv import cv2
from engine.types import Heatmaps

if TYPE_CHECKING:
    from app.services.inspection import Inspection

FIXED_LOGIT = 6.0  # probability 0.0025 to 0.9975


@dataclass(frozen=True)
class Look:
    """How maps are shown.

    projection: one, max or sum; scale: probability or logit; kind: map, crop, flip (the map minus the mirror
    image's) or other (the map minus the other model's); fixed: the same range for all maps instead of each its own.
    """

    landmark: int = -1
    projection: str = "one"
    scale: str = "probability"
    kind: str = "map"
    fixed: bool = False
    opacity: float = 0.75


@dataclass(frozen=True)
class Shown:
    """Values of a map, (h, w) float32, and what the ends of the colour bar stand for; signed: 0 is its middle."""

    values: np.ndarray
    low: float
    high: float
    signed: bool


def shown(inspection: Inspection, look: Look) -> Shown:
    """The map that `look` asks for; differences are 0 where there is nothing to compare with."""
    head = inspection.maps.head
    values = _projected(inspection.maps.logits, look, head)
    signed = look.scale == "logit" or look.kind in ("flip", "other")
    if look.kind == "flip":
        values = values - _projected(inspection.flipped, look, head)
    elif look.kind == "other":
        values = values - (values if inspection.other is None else _projected(inspection.other, look, head))
    reach = float(np.abs(values).max()) if signed else float(values.max())
    if look.fixed:
        least = FIXED_LOGIT if look.scale == "logit" else 1.0
        reach = max(reach, least) if look.projection == "sum" else least
    reach = max(reach, 1e-6)
    return Shown(values, -reach if signed else 0.0, reach, signed)


def _projected(logits: np.ndarray, look: Look, head: str) -> np.ndarray:
    """(h, w): one landmark's map, or all in one. Sums are of probabilities; their logit keeps to its range."""
    if look.projection == "one":
        values = logits if look.scale == "logit" else heatmaps.probabilities(logits, head)
        return values[max(look.landmark, 0)]
    if look.projection == "max":
        return (logits if look.scale == "logit" else heatmaps.probabilities(logits, head)).max(0)
    total = heatmaps.probabilities(logits, head).sum(0)
    if look.scale != "logit":
        return total
    share = np.clip(total, 1e-4, 1 - 1e-4)
    return np.log(share / (1 - share))


def on_grid_of(maps: Heatmaps, other: Heatmaps) -> np.ndarray:
    """(K, h, w) float32: another model's logits at the cells of `maps`, linear between its own cells."""
    height, width = maps.logits.shape[1:]
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    places = crop.apply(crop.invert(maps.affine), heatmaps.to_crop(corners, maps.stride))
    cells = heatmaps.to_heatmap(crop.apply(other.affine, places), other.stride)
    if other.logits.shape == maps.logits.shape and np.allclose(cells, corners, atol=1e-9):
        return other.logits
    affine = np.stack([cells[1] - cells[0], cells[2] - cells[0], cells[0]], 1)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = [cv2.warpAffine(one, affine, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
              for one in other.logits]  # fmt: skip
    return np.stack(warped).astype(np.float32)


def half_width(probability: np.ndarray) -> float:
    """Cells across the highest peak of a map (h, w) at half its height: the diameter of a disc of that area."""
    top = np.unravel_index(int(probability.argmax()), probability.shape)
    above = (probability >= 0.5 * probability[top]).astype(np.uint8)
    _, parts = cv2.connectedComponents(above)
    return float(2 * np.sqrt((parts == parts[top]).sum() / np.pi))


def to_cells(maps: Heatmaps, places: np.ndarray) -> np.ndarray:
    """Picture pixels (..., 2) to cells of maps."""
    return heatmaps.to_heatmap(crop.apply(maps.affine, places), maps.stride)


def to_picture(maps: Heatmaps, cells: np.ndarray) -> np.ndarray:
    """Cells of maps (..., 2) to picture pixels."""
    return crop.apply(crop.invert(maps.affine), heatmaps.to_crop(cells, maps.stride))


def line_through(peaks: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The line of a profile, (2, 2) cells: through the first two peaks and a third of the map beyond; level with one.

    peaks (n, 2) cells, n at least 1; shape (h, w) of the map, which the line does not leave.
    """
    height, width = shape
    first = peaks[0, :2]
    second = peaks[1, :2] if len(peaks) > 1 else first + (1.0, 0.0)
    along = (second - first) / max(np.linalg.norm(second - first), 1e-9)
    beyond = width / 3
    ends = [first - along * _reach(first, -along, beyond, height, width)]
    start = second if len(peaks) > 1 else first
    ends.append(start + along * _reach(start, along, beyond, height, width))
    return np.array(ends)


def _reach(start: np.ndarray, along: np.ndarray, most: float, height: int, width: int) -> float:
    """How far one can go from `start` before the map's edge, at most `most`."""
    room = [most]
    for at, step, size in zip(start, along, (width, height), strict=True):
        if abs(step) > 1e-9:
            room.append(((size - 1 if step > 0 else 0) - at) / step)
    return max(min(room), 0.0)


def profile(values: np.ndarray, line: np.ndarray, origin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values of a map along a line, linear between cells.

    line (2, 2) cells; origin (2,) cells, whose foot on the line is 0.
    Returns two (n,) arrays: cells along the line, and values.
    """
    start, end = line
    length = float(np.linalg.norm(end - start))
    along = (end - start) / max(length, 1e-9)
    steps = np.linspace(0.0, length, max(int(length * 8), 2))
    x, y = (start[:, None] + along[:, None] * steps).astype(np.float32)
    found = cv2.remap(values.astype(np.float32), x[None], y[None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return steps - float((origin - start) @ along), found[0].astype(float)


def channels(layer: np.ndarray, channel: int | str) -> np.ndarray:
    """(H, W) float32 of a layer (H, W, C): one channel, or the "mean" or "absolute" mean of all."""
    values = layer.astype(np.float32)
    if channel == "mean":
        return values.mean(2)
    if channel == "absolute":
        return np.abs(values).mean(2)
    return values[..., min(int(channel), values.shape[2] - 1)]


def standing_out(layer: np.ndarray, place: np.ndarray) -> np.ndarray:
    """(C,) float64: how far each channel of a layer (H, W, C) differs at a place from its mean over the crop.

    In standard deviations of that channel; place (2,): x, y as shares of the crop's side. 0 for constant channels.
    """
    height, width = layer.shape[:2]
    column, row = np.clip((place * (width, height)).astype(int), 0, (width - 1, height - 1))
    values = layer.astype(np.float64)
    spread = values.std((0, 1))
    return np.where(spread > 1e-9, (values[row, column] - values.mean((0, 1))) / np.maximum(spread, 1e-9), 0.0)
