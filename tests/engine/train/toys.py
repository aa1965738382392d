"""Small things to train with: a network, spots on noise in memory, and a recipe in float32, the quick way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from engine.graph import Architecture
from engine.train.datasets import Examples
from engine.train.fit import Fit
from engine.train.hourglass import Hourglass
from engine.train.recipes import Recipe
from tests.engine.blobs import blob_picture, schema_of
from tests.engine.packfile import SIZE, blob_boxes, blob_points

SMALL = Architecture(3, width=32, stem=16, side=64)
SCHEMA = schema_of(3)
RECIPE = Recipe(
    width=32, stem=16, side=64, batch=4, steps=6, warmup=2, flip=False, colour=0.1, erase=0.0, bf16=False, exact=False,
    evaluate_every=10_000, checkpoint_every=10_000,
)  # fmt: skip


def spots(count: int, seed: int = 0) -> Examples:
    """Pictures with a spot of each colour on faint noise; the landmarks are the spots."""
    rng = np.random.default_rng(seed)
    points = blob_points(count, seed)
    noise = rng.integers(0, 40, (count, SIZE[1], SIZE[0], 3), np.uint8)
    images = tuple(np.maximum(blob_picture(p, *SIZE, 3.0), n) for p, n in zip(points, noise, strict=True))
    return Examples(
        images, points, np.ones((count, 3), np.float32), np.zeros((count, 3), bool), blob_boxes(points),
        np.full(count, 1 / count),
    )  # fmt: skip


def small_network(seed: int = 0) -> Hourglass:
    torch.manual_seed(seed)
    return Hourglass(SMALL)


def new_fit(folder: Path, recipe: Recipe = RECIPE, seed: int = 0, network_seed: int = 0, held: int = 0) -> Fit:
    """A training of the small network on eight pictures of spots, with `held` more kept out."""
    folder.mkdir(parents=True, exist_ok=True)
    holdout = spots(max(held, 1), 99).subset(np.arange(held))
    return Fit(small_network(network_seed), spots(8), holdout, recipe, SCHEMA, folder, seed)


def crops(count: int, seed: int = 5) -> np.ndarray:
    """(count, 64, 64, 3) uint8 of noise."""
    return np.random.default_rng(seed).integers(0, 256, (count, 64, 64, 3), np.uint8)


def logits(network: Hourglass, pictures: np.ndarray) -> np.ndarray:
    """(N, 3, 16, 16) float32 by the exact eval path."""
    network.eval()
    with torch.no_grad():
        return network(torch.from_numpy(pictures).permute(0, 3, 1, 2)).numpy()


def run(fit: Fit, until: int | None = None) -> list[dict]:
    """The records of a run that stops after step `until`."""
    records = []
    for record in fit.run():
        records.append(record)
        fit.stopping = fit.step == until
    return records


def losses(records: list[dict]) -> list[float]:
    return [record["loss"] for record in records if record["type"] == "progress"]
