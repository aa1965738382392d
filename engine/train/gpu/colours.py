"""Colours, blur and erased boxes of a batch of crops, as `engine.train.augment.colour` draws them for one."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from engine.train.gpu.draws import Draws
from engine.train.recipes import Recipe

BLUR_TAPS = 4  # on each side, for deviations up to 1.6 pixels
UNBLURRED = 0.01  # deviation of a kernel that is 1 at its middle and 0 elsewhere
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as OpenCV's


def recolour(pictures: Tensor, recipe: Recipe, draws: Draws) -> Tensor:
    """Gain, offset, grey, blur and one erased box. pictures (N, 3, S, S) float32, 0 to 255; returns uint8."""
    n = len(pictures)
    light = draws.between(1 - recipe.light, 1 + recipe.light, n, 1)
    gain = draws.between(1 - recipe.colour, 1 + recipe.colour, n, 3) * light
    alike = draws.uniform(n, 1) < (0.3 if recipe.light else 0.0)
    gain = torch.where(alike, gain.mean(1, keepdim=True), gain)
    pictures = pictures * gain[:, :, None, None] + recipe.offset * draws.normal(n, 1, 1, 1)
    pictures = pictures.clamp(0, 255)
    grey = sum(share * pictures[:, channel] for channel, share in enumerate(LUMA))
    pictures = torch.where(draws.uniform(n, 1, 1, 1) < recipe.grey, grey[:, None], pictures)
    blurred = draws.uniform(n) < recipe.blur
    pictures = blur(pictures, torch.where(blurred, draws.between(0.4, 1.6, n), UNBLURRED))
    return erase(pictures, recipe.erase, draws).round().to(torch.uint8)


def erase(pictures: Tensor, share: float, draws: Draws) -> Tensor:
    """A box of one colour over a share of the pictures, (N, 3, S, S)."""
    n, side = len(pictures), pictures.shape[-1]
    size = draws.between(0.08, 0.35, n, 2) * side
    corner = draws.uniform(n, 2) * (side - size)
    cells = torch.arange(side, device=pictures.device)
    across, down = (
        (cells >= corner[:, axis, None]) & (cells < (corner + size)[:, axis, None]) for axis in (0, 1)
    )  # fmt: skip
    erased = down[:, :, None] & across[:, None] & (draws.uniform(n, 1, 1) < share)
    return torch.where(erased[:, None], draws.between(0, 255, n, 3, 1, 1), pictures)


def blur(pictures: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian blur, with a deviation for each picture: (N, 3, S, S), (N,) pixels."""
    n, channels, height, width = pictures.shape
    taps = torch.arange(-BLUR_TAPS, BLUR_TAPS + 1, device=pictures.device)
    kernel = torch.exp(-0.5 * (taps / sigma[:, None]) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(channels, 0)
    flat = functional.pad(pictures.reshape(1, -1, height, width), (BLUR_TAPS,) * 4, mode="replicate")
    flat = functional.conv2d(flat, kernel[:, None, None], groups=n * channels)
    return functional.conv2d(flat, kernel[:, None, :, None], groups=n * channels).reshape(pictures.shape)
