"""A small real model and pictures for the Label tests: random weights, the real runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.graph import Architecture
from engine.images import encode_png
from engine.modelfile import Model
from engine.random_model import random_model
from engine.schema import Schema


def small_model(schema: Schema, seed: int = 0) -> Model:
    """A network of width 32 on 64 px with random weights."""
    return random_model(f"small-{seed}", Architecture(len(schema), width=32, stem=16, side=64), schema, seed)


def write_pictures(folder: Path, count: int, size: tuple[int, int] = (160, 120)) -> list[Path]:
    """Pictures of noise, so that every pixel has a value of its own."""
    rng = np.random.default_rng(1)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for n in range(1, count + 1):
        pixels = rng.integers(0, 256, (size[1], size[0], 3), np.uint8)
        path = folder / f"picture{n}.png"
        path.write_bytes(encode_png(pixels))
        paths.append(path)
    return paths
