"""Pictures with landmarks and heatmaps drawn into them, for files; the window paints its own."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engine.architecture import SEGMENTATION
from engine.crop import invert
from engine.opencv import cv2
from engine.parts import Parts, part_map, parts_of
from engine.persons import in_sight
from engine.schema import Schema
from engine.types import Heatmaps, Prediction

SIDES = {"left": (79, 195, 247), "right": (255, 167, 81), "centre": (236, 239, 244)}  # RGB
DARK = (16, 20, 24)
FINER = 3  # masks are laid over pictures so many times as fine as the crop, for even borders
SHIFT = 4  # OpenCV draws at 1 / 2**SHIFT pixels


def draw(picture: np.ndarray, predictions: Iterable[Prediction], schema: Schema) -> np.ndarray:
    """A copy of the picture, (H, W, 3) uint8 RGB, with lines and landmarks; dark rims keep them visible anywhere.

    Of a segmentation the parts are laid over it in their colours, and a legend stands below.
    """
    drawn, divided = picture.copy(), False
    for prediction in predictions:
        if prediction.heatmaps is not None and prediction.heatmaps.head == SEGMENTATION:
            lay_parts(drawn, prediction.heatmaps, schema)
            divided = True
            continue
        points, radius = prediction.landmarks[:, :2], _radius(prediction.box.side)
        shown = in_sight(prediction.landmarks, schema, picture)
        _lines(drawn, points, schema, radius, shown)
        for point, side in zip(points[shown], np.array(schema.sides)[shown], strict=True):
            _dot(drawn, point, radius, SIDES[side])
    return np.concatenate([drawn, legend(parts_of(schema), drawn.shape[1])]) if divided else drawn


def lay_parts(drawn: np.ndarray, maps: Heatmaps, schema: Schema, strength: float = 0.5) -> None:
    """Lay each pixel's likeliest part over a picture (H, W, 3) uint8 RGB in its colour, but for the background."""
    division, height, width = parts_of(schema), *drawn.shape[:2]
    found = part_map(maps, FINER)
    share = (found > 0).astype(np.float32)
    painted = np.dstack([division.colours[found] * share[..., None], share * strength]).astype(np.float32)
    to_picture = invert(maps.affine)
    from_fine = to_picture / FINER
    from_fine[:, 2] = to_picture[:, 2] + to_picture[:, :2] @ np.full(2, 0.5 / FINER - 0.5)  # pixel j is at (j+.5)/f-.5
    placed = cv2.warpAffine(painted, from_fine, (width, height), flags=cv2.INTER_LINEAR)
    drawn[:] = (drawn * (1 - placed[..., 3:]) + placed[..., :3] * strength).round().astype(np.uint8)


def legend(division: Parts, width: int) -> np.ndarray:
    """The parts' colours with their names, (H, width, 3) uint8 RGB, to stand below pictures."""
    scale = max(width / 640, 0.5)
    line, shown = round(26 * scale), division.parts[1:]
    columns = max(1, int(width // (130 * scale)))
    page = np.full((line * -(-len(shown) // columns) + round(8 * scale), width, 3), DARK, np.uint8)
    for n, part in enumerate(shown):
        x, y = n % columns * width // columns + round(10 * scale), n // columns * line + round(8 * scale)
        cv2.rectangle(page, (x, y), (x + round(14 * scale), y + round(14 * scale)), part.colour, -1)
        place = (x + round(22 * scale), y + round(12 * scale))
        cv2.putText(page, part.name, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42 * scale, SIDES["centre"], 1, cv2.LINE_AA)
    return page


def _radius(side: float) -> float:
    """Radius of a mark in pixels, by the size of the subject."""
    return float(np.clip(side / 90, 1.8, 9))


def _fixed(point: np.ndarray) -> tuple[int, int]:
    x, y = np.clip(np.rint(np.asarray(point, np.float64) * (1 << SHIFT)), -(2**28), 2**28).astype(int)
    return int(x), int(y)


def _lines(drawn: np.ndarray, points: np.ndarray, schema: Schema, radius: float, shown: np.ndarray) -> None:
    thick = max(1, round(radius * 0.6))
    for colour, width in ((DARK, thick + 2), (None, thick)):
        for a, b in ((a, b) for a, b in schema.edges if shown[a] and shown[b]):
            shade = colour or SIDES[schema.sides[a] if schema.sides[a] == schema.sides[b] else "centre"]
            cv2.line(drawn, _fixed(points[a]), _fixed(points[b]), shade, width, cv2.LINE_AA, SHIFT)


def _dot(drawn: np.ndarray, point: np.ndarray, radius: float, colour: tuple[int, int, int]) -> None:
    """A disc; as a polygon, since OpenCV's small circles have corners."""
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    rim = np.stack([np.cos(turn), np.sin(turn)], 1)
    for shade, size in ((DARK, radius + 1), (colour, radius)):
        corners = np.array([_fixed(corner) for corner in np.asarray(point) + size * rim], np.int32)
        cv2.fillConvexPoly(drawn, corners, shade, cv2.LINE_AA, SHIFT)


def blend_heatmaps(
    picture: np.ndarray, heatmaps: Iterable[Heatmaps], schema: Schema | None = None, strength: float = 0.65
) -> np.ndarray:  # fmt: skip
    """A copy of the picture with the strongest of all maps laid over it, (H, W, 3) uint8 RGB; of a segmentation parts.

    A heatmap cell covers 4 x 4 crop pixels, so cell j has its centre at crop pixel 4 * j + 1.5.
    """
    height, width = picture.shape[:2]
    most, picture = np.zeros((height, width), np.float32), picture.copy()
    for maps in heatmaps:
        if maps.head == SEGMENTATION and schema is not None:
            lay_parts(picture, maps, schema)
            continue
        to_picture = invert(maps.affine)
        from_cells = to_picture.copy()
        from_cells[:, :2] *= 4
        from_cells[:, 2] += to_picture[:, :2] @ (1.5, 1.5)
        strongest = maps.probabilities.max(0)
        most = np.maximum(most, cv2.warpAffine(strongest, from_cells, (width, height), flags=cv2.INTER_LINEAR))
    colours = cv2.cvtColor(cv2.applyColorMap((most * 255).astype(np.uint8), cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    share = (strength * np.clip(most * 4, 0, 1))[..., None]
    return (picture * (1 - share) + colours * share).round().astype(np.uint8)
