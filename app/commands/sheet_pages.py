"""Pages of pictures for `hourbit sheet`: rows of captioned tiles, drawn without a window."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from app.overlay import draw
from engine import crop
from engine.opencv import cv2
from engine.schema import Schema
from engine.types import Box, Prediction

if TYPE_CHECKING:
    from engine.features import Features

TILE, CAPTION, GAP = 224, 22, 6
GROUND, INK = (20, 24, 30), (226, 230, 236)  # RGB


def tile(picture: np.ndarray, caption: str) -> np.ndarray:
    """A captioned (TILE + CAPTION, TILE, 3) uint8 tile from a square picture."""
    method = cv2.INTER_AREA if len(picture) > TILE else cv2.INTER_NEAREST
    body = cv2.resize(picture, (TILE, TILE), interpolation=method)
    return np.concatenate([_label(caption, TILE), body])


def page(rows: list[list[np.ndarray]]) -> np.ndarray:
    """Rows of tiles of one size as one picture, (H, W, 3) uint8 RGB."""
    height, width = rows[0][0].shape[:2]
    across = max(len(row) for row in rows)
    sheet = np.empty((GAP + len(rows) * (height + GAP), GAP + across * (width + GAP), 3), np.uint8)
    sheet[:] = GROUND
    for y, row in enumerate(rows):
        for x, one in enumerate(row):
            top, left = GAP + y * (height + GAP), GAP + x * (width + GAP)
            sheet[top : top + height, left : left + width] = one
    return sheet


def subject_tile(
    picture: np.ndarray, box: Box, widen: float, points: np.ndarray, known: np.ndarray, schema: Schema, caption: str
) -> np.ndarray:  # fmt: skip
    """The subject's square with landmarks: points (K, 2) picture pixels, known (K,) bool: which are drawn."""
    side = 2 * TILE  # drawn large and made small, so that the marks are fine
    affine = crop.matrix(box.cx, box.cy, box.side * widen, side)
    cut = crop.sample(picture, affine, side)
    placed = np.column_stack([crop.apply(affine, points[known]), np.ones(int(known.sum()))])
    if len(placed):
        cut = draw(cut, [Prediction(placed, Box(side / 2, side / 2, side / widen), "")], _part(schema, known))
    return tile(cut, caption)


def feature_rows(found: Features, picture: np.ndarray, count: int) -> list[list[np.ndarray]]:
    """The crop and the `count` most varied output maps, each beside the input map of the same channel."""
    both = found.before.shape[2] == found.after.shape[2]
    order = np.argsort(-found.after.reshape(-1, found.after.shape[2]).std(0), kind="stable")[:count]
    inputs = order if both else np.argsort(-found.before.reshape(-1, found.before.shape[2]).std(0), kind="stable")
    rows = [[tile(picture, "crop"), tile(_grey(found.before.mean(2)), "before, mean of all"),
             tile(_grey(found.after.mean(2)), "after, mean of all")]]  # fmt: skip
    pairs = [
        (tile(_grey(found.before[..., i]), f"before {i}"), tile(_grey(found.after[..., o]), f"after {o}"))
        for i, o in zip(inputs, order, strict=False)
    ]
    for start in range(0, len(pairs), 4):
        rows.append([one for pair in pairs[start : start + 4] for one in pair])
    return rows


def _part(schema: Schema, known: np.ndarray) -> Schema:
    """The schema of the known landmarks alone, as far as drawing needs it."""
    number = {int(k): n for n, k in enumerate(np.flatnonzero(known))}
    edges = tuple((number[a], number[b]) for a, b in schema.edges if a in number and b in number)
    return replace(schema, edges=edges, sides=tuple(schema.sides[k] for k in number))


def _grey(values: np.ndarray) -> np.ndarray:
    """(H, W) float to (H, W, 3) uint8, black at the least value and white at the largest."""
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) / (high - low) if high > low else np.zeros_like(values)
    return np.repeat((255 * scaled).round().astype(np.uint8)[..., None], 3, 2)


def _label(text: str, width: int) -> np.ndarray:
    """One line of text, (CAPTION, width, 3) uint8; what the font lacks becomes a question mark."""
    line = np.empty((CAPTION, width, 3), np.uint8)
    line[:] = GROUND
    plain = text.encode("ascii", "replace").decode()
    cv2.putText(line, plain, (2, CAPTION - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.42, INK, 1, cv2.LINE_AA)
    return line
