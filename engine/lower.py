"""From trained weights to what the engine runs: sign bits, scales, integer stem, batch-norm's scale and shift.

NumPy only. torch's eval path uses these very functions, so training and engine cannot disagree.
"""

from __future__ import annotations

import numpy as np

EPSILON = 1e-5  # batch-norm's
STEM_LEVELS = 32767  # int16 grid of the stem's weights


def binary_weights(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sign bits and scale of one binary convolution.

    weight (O, I, k, k) float -> bits (O, k * k * I / 8, rounded up) uint8 in (ky, kx, channel) order, least
    significant bit first, bit = w > 0, filled up with 0; alpha (O,) float32 = mean |w| of each filter.
    """
    weight = np.asarray(weight, np.float64)
    alpha = np.abs(weight).reshape(len(weight), -1).mean(1).astype(np.float32)
    ordered = (weight > 0).transpose(0, 2, 3, 1).reshape(len(weight), -1)
    return np.packbits(ordered, axis=1, bitorder="little"), alpha


def unpack_weights(bits: np.ndarray, channels: int, kernel: int) -> np.ndarray:
    """Inverse of the packing above: (O, k, k, I) int8 of +-1."""
    flat = np.unpackbits(bits, axis=1, bitorder="little", count=kernel * kernel * channels)
    return (flat.astype(np.int8) * 2 - 1).reshape(len(bits), kernel, kernel, channels)


def scale_shift(
    gamma: np.ndarray, beta: np.ndarray, mean: np.ndarray, variance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Batch-norm in eval as y = x * scale + shift, all (C,) float32.

    scale = gamma / sqrt(variance + eps), shift = beta - mean * scale, in float64 and rounded once.
    """
    gamma, beta, mean, variance = (np.asarray(a, np.float64) for a in (gamma, beta, mean, variance))
    scale = gamma / np.sqrt(variance + EPSILON)
    return scale.astype(np.float32), (beta - mean * scale).astype(np.float32)


def stem_weights(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Snap the stem to the int16 grid: weights for pixels in [0, 1] become integers for pixels 0 to 255.

    weight (O, I, k, k) float -> (O, k, k, I) int16 and scale (O,) float32, with
    weight ~ integer * scale * 255. Sums of 147 products stay below 2**31.
    """
    weight = np.asarray(weight, np.float64).transpose(0, 2, 3, 1)
    peak = np.abs(weight).reshape(len(weight), -1).max(1)
    step = np.where(peak > 0, peak, 1.0) / STEM_LEVELS
    integers = np.rint(weight / step[:, None, None, None]).astype(np.int16)
    return np.ascontiguousarray(integers), (step / 255).astype(np.float32)
