"""Pictures with landmarks and heatmaps drawn into them, for files; the window paints its own."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engine.crop import invert
from engine.opencv import cv2
from engine.schema import Schema
from engine.types import Heatmaps, Prediction

SIDES = {"left": (79, 195, 247), "right": (255, 167, 81), "centre": (236, 239, 244)}  # RGB
DARK = (16, 20, 24)
SHIFT = 4  # OpenCV draws at 1 / 2**SHIFT pixels


def draw(picture: np.ndarray, predictions: Iterable[Prediction], schema: Schema) -> np.ndarray:
    """A copy of the picture, (H, W, 3) uint8 RGB, with lines and landmarks; dark rims keep them visible anywhere."""
    drawn = picture.copy()
    for prediction in predictions:
        points, radius = prediction.landmarks[:, :2], _radius(prediction.box.side)
        _lines(drawn, points, schema, radius)
        for point, side in zip(points, schema.sides, strict=True):
            _dot(drawn, point, radius, SIDES[side])
    return drawn


def _radius(side: float) -> float:
    """Radius of a mark in pixels, by the size of the subject."""
    return float(np.clip(side / 90, 1.8, 9))


def _fixed(point: np.ndarray) -> tuple[int, int]:
    x, y = np.clip(np.rint(np.asarray(point, np.float64) * (1 << SHIFT)), -(2**28), 2**28).astype(int)
    return int(x), int(y)


def _lines(drawn: np.ndarray, points: np.ndarray, schema: Schema, radius: float) -> None:
    thick = max(1, round(radius * 0.6))
    for colour, width in ((DARK, thick + 2), (None, thick)):
        for a, b in schema.edges:
            shade = colour or SIDES[schema.sides[a] if schema.sides[a] == schema.sides[b] else "centre"]
            cv2.line(drawn, _fixed(points[a]), _fixed(points[b]), shade, width, cv2.LINE_AA, SHIFT)


def _dot(drawn: np.ndarray, point: np.ndarray, radius: float, colour: tuple[int, int, int]) -> None:
    """A disc; as a polygon, since OpenCV's small circles have corners."""
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    rim = np.stack([np.cos(turn), np.sin(turn)], 1)
    for shade, size in ((DARK, radius + 1), (colour, radius)):
        corners = np.array([_fixed(corner) for corner in np.asarray(point) + size * rim], np.int32)
        cv2.fillConvexPoly(drawn, corners, shade, cv2.LINE_AA, SHIFT)


def blend_heatmaps(picture: np.ndarray, heatmaps: Iterable[Heatmaps], strength: float = 0.65) -> np.ndarray:
    """A copy of the picture with the strongest of all maps laid over it, (H, W, 3) uint8 RGB.

    A heatmap cell covers 4 x 4 crop pixels, so cell j has its centre at crop pixel 4 * j + 1.5.
    """
    height, width = picture.shape[:2]
    most = np.zeros((height, width), np.float32)
    for maps in heatmaps:
        to_picture = invert(maps.affine)
        from_cells = to_picture.copy()
        from_cells[:, :2] *= 4
        from_cells[:, 2] += to_picture[:, :2] @ (1.5, 1.5)
        strongest = maps.probabilities.max(0)
        most = np.maximum(most, cv2.warpAffine(strongest, from_cells, (width, height), flags=cv2.INTER_LINEAR))
    colours = cv2.cvtColor(cv2.applyColorMap((most * 255).astype(np.uint8), cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    share = (strength * np.clip(most * 4, 0, 1))[..., None]
    return (picture * (1 - share) + colours * share).round().astype(np.uint8)
