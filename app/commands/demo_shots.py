"""The demo's pictures: the sample face moved, turned, scaled and lit anew, with the landmarks a hand would place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine import crop, metrics
from engine.schema import Schema
from engine.types import Box, Prediction

SIZE = 320  # pixels a side
TURN = 12.0  # degrees at most, as far as the face detector goes
VIEW = (1.7, 2.6)  # side of the view in sides of the face


@dataclass(frozen=True)
class Shot:
    """One picture, (H, W, 3) uint8 RGB, and (K, 2) float64, where its landmarks truly are in pixels."""

    name: str
    pixels: np.ndarray
    truth: np.ndarray

    @property
    def box(self) -> Box:
        """The square around the true landmarks."""
        cx, cy, side = metrics.tight_boxes(self.truth[None], np.ones((1, len(self.truth)), bool))[0]
        return Box(float(cx), float(cy), float(side), 1.0, "hand")


def make_shots(picture: np.ndarray, landmarks: np.ndarray, schema: Schema, count: int, seed: int) -> list[Shot]:
    """`count` pictures of one face, (H, W, 3) uint8 RGB with landmarks (K, 2); every second one is mirrored."""
    rng = np.random.default_rng(seed)
    low, high = landmarks.min(0), landmarks.max(0)
    side = float((high - low).max())
    shots = []
    for number in range(count):
        mirrored = number % 2 == 1
        centre = (low + high) / 2 + rng.uniform(-0.2, 0.2, 2) * side
        affine = crop.matrix(*centre, rng.uniform(*VIEW) * side, SIZE, rng.uniform(-TURN, TURN), flip=mirrored)
        truth = crop.apply(affine, landmarks)
        pixels = _lit(crop.sample(picture, affine, SIZE), rng)
        shots.append(Shot(f"face-{number + 1:02d}", pixels, truth[schema.permutation] if mirrored else truth))
    return shots


def _lit(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another light, another camera: contrast, brightness, a tint and noise."""
    gain = rng.uniform(0.7, 1.2) * rng.uniform(0.92, 1.08, 3)
    noise = rng.normal(0, rng.uniform(0, 5), pixels.shape)
    return np.clip((pixels - 128.0) * gain + 128 + rng.uniform(-25, 25) + noise, 0, 255).round().astype(np.uint8)


def mean_error(shots: list[Shot], predictions: list[Prediction], schema: Schema) -> float:
    """NME in percent: the mean distance from the truth, by the distance of the schema's two reference landmarks."""
    truth = np.stack([shot.truth for shot in shots])
    found = np.stack([prediction.landmarks[:, :2] for prediction in predictions])
    size = metrics.pair_distance(truth, schema.normaliser)
    return 100 * float(np.mean(metrics.nme(found, truth, size, np.ones(truth.shape[:2]))))
