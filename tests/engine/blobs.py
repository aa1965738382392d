"""A runtime that finds bright blobs, and pictures with blobs at known places, for tests of geometry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine import heatmaps
from engine.graph import Architecture
from engine.modelfile import Model
from engine.random_model import random_model
from engine.schema import Schema, load_schema


def schema_of(count: int, **changes: object) -> Schema:
    """`count` landmarks named after the face schema's first, without structure unless `changes` add it."""
    face = load_schema("ibug68")
    plain = replace(
        face, name=f"blobs{count}", landmarks=face.landmarks[:count], edges=(), flip=(), groups={},
        sides=face.sides[:count], normaliser=(0, count - 1), mean=face.mean[:count],
    )  # fmt: skip
    return replace(plain, **changes)


def small_model(count: int = 3, side: int = 64, schema: Schema | None = None, seed: int = 1) -> Model:
    architecture = Architecture(count, width=32, stem=16, side=side)
    return random_model(f"small {count}", architecture, schema or schema_of(count), seed)


class BlobRuntime:
    """Answers a crop with a log-Gaussian at the centre of light of each channel: landmark k looks at channel k.

    A channel without light gives a flat, low map.
    """

    name, isa, threads, notice, checked = "blobs", "numpy", 1, "", True

    def __init__(self, model: Model) -> None:
        self.model = model
        self.crops: list[np.ndarray] = []

    def run(self, crop: np.ndarray, logits: bool = False) -> np.ndarray:
        self.crops.append(crop)
        side = len(crop)
        light = crop.astype(np.float64).transpose(2, 0, 1)
        total = light.sum((1, 2))
        cells = np.arange(side // heatmaps.STRIDE)
        maps = np.full((3, len(cells), len(cells)), -6, np.float32)
        for k in range(3):
            if total[k] > 0:
                y, x = (light[k].sum(1 - axis) @ np.arange(side) / total[k] for axis in (0, 1))
                cx, cy = heatmaps.to_heatmap(np.array([x, y]))
                maps[k] = 2 - 0.5 * ((cells[None] - cx) ** 2 + (cells[:, None] - cy) ** 2) / 1.2**2
        return maps if logits else heatmaps.sigmoid(maps)


def blob_picture(points: np.ndarray, width: int, height: int, sigma: float) -> np.ndarray:
    """(height, width, 3) uint8: channel k holds one Gaussian spot around points[k]."""
    x, y = np.arange(width), np.arange(height)[:, None]
    spots = [255 * np.exp(-0.5 * ((x - px) ** 2 + (y - py) ** 2) / sigma**2) for px, py in points]
    return np.stack(spots, 2).round().astype(np.uint8)


