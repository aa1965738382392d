"""Pictures for random networks."""

from __future__ import annotations

import numpy as np


def random_picture(seed: int, side: int) -> np.ndarray:
    """(S, S, 3) uint8: noise, black and white, one colour with little noise, or a black one."""
    rng = np.random.default_rng([seed, 1])
    noise = rng.integers(0, 256, (side, side, 3), np.uint8)
    kind = rng.integers(8)
    if kind == 0:
        return np.where(noise > 127, 255, 0).astype(np.uint8)
    if kind == 1:
        return (noise // 32 + rng.integers(0, 240, 3)).astype(np.uint8)
    return noise * np.uint8(0) if kind == 2 and rng.random() < 0.2 else noise
