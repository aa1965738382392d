"""What a detector should say to a view, and the loss of what it says instead.

Per class four maps, as `engine.squares` reads them: the centre's logit, the logarithm of the square's side, and
where the centre lies from the cell in x and in y.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine.heatmaps import to_heatmap
from engine.squares import CLASSES, MAPS, UNIT
from engine.train.views import View

SIGMA, LEAST_SIGMA = 0.07, 0.7  # of a centre's Gaussian: a share of the square's side, and cells at least
NEAR = 0.3  # height of the Gaussian from which size and offsets are asked for
FARTHEST = 8.0  # errors of offsets beyond this many cells weigh no more


@dataclass(frozen=True)
class Goal:
    """What is asked for, all (C, h, w) or (N, C, h, w) float32 with C the classes.

    centre: Gaussians of peak 1; counted: 0 where a cell is not scored; size, dx, dy: wanted values; near: weight
    of these, 0 away from centres.
    """

    centre: np.ndarray
    counted: np.ndarray
    size: np.ndarray
    dx: np.ndarray
    dy: np.ndarray
    near: np.ndarray


def make_goal(view: View, cells: int, stride: int) -> Goal:
    """The goal of one view on maps of `cells` a side."""
    maps = {name: np.zeros((len(CLASSES), cells, cells), np.float32) for name in Goal.__dataclass_fields__}
    for x0, y0, x1, y1, known in view.known:
        tile = slice(y0 // stride, -(-y1 // stride)), slice(x0 // stride, -(-x1 // stride))
        maps["counted"][(slice(None), *tile)] = known[:, None, None]
    for box, kind in zip(view.boxes, view.kind, strict=True):
        if kind >= len(CLASSES):
            _ignore(maps["counted"][kind - len(CLASSES)], box, stride)
    for box, kind in sorted(zip(view.boxes, view.kind, strict=True), key=lambda row: -row[0][2:].max()):
        if kind < len(CLASSES):
            _draw({name: values[kind] for name, values in maps.items()}, box, cells, stride)
    maps["near"] *= maps["counted"]
    return Goal(**maps)


def _ignore(counted: np.ndarray, box: np.ndarray, stride: int) -> None:
    low = np.floor(to_heatmap(box[:2] - box[2:] / 2, stride) + 0.5).astype(int).clip(0)
    high = np.ceil(to_heatmap(box[:2] + box[2:] / 2, stride) + 0.5).astype(int).clip(0)
    counted[low[1] : high[1], low[0] : high[0]] = 0


def _draw(maps: dict[str, np.ndarray], box: np.ndarray, cells: int, stride: int) -> None:
    """One box on the maps (h, w) of its class; where two meet, each cell belongs to the higher Gaussian."""
    side, centre = float(box[2:].max()), to_heatmap(box[:2], stride)
    sigma = max(SIGMA * side / stride, LEAST_SIGMA)
    low = np.floor(centre - 4 * sigma).astype(int).clip(0)
    high = np.ceil(centre + 4 * sigma + 1).astype(int).clip(max=cells)
    if (high <= low).any():
        return
    window = slice(low[1], high[1]), slice(low[0], high[0])
    dx = (centre[0] - np.arange(low[0], high[0]))[None]
    dy = (centre[1] - np.arange(low[1], high[1]))[:, None]
    bump = np.exp(-0.5 * (dx**2 + dy**2) / sigma**2)
    mine = bump > maps["centre"][window]
    wanted = {
        "centre": bump, "size": np.log(max(side, 1.0) / UNIT), "dx": dx, "dy": dy, "near": bump * (bump > NEAR),
    }  # fmt: skip
    for name, values in wanted.items():
        np.copyto(maps[name][window], np.broadcast_to(values, bump.shape), where=mine, casting="same_kind")
    maps["counted"][window][bump > NEAR] = 1  # an ignored region never cancels a labelled box


def stack(goals: list[Goal]) -> dict[str, Tensor]:
    """Goals of a batch as tensors (N, C, h, w)."""
    return {name: torch.from_numpy(np.stack([getattr(g, name) for g in goals])) for name in Goal.__dataclass_fields__}


def detection_loss(logits: Tensor, goal: dict[str, Tensor]) -> Tensor:
    """Penalty-reduced focal loss of the centres plus L1 of size and offsets near them.

    logits (N, 4 C, h, w) float32. Focal exponents 2 and 4 as in Zhou et al., "Objects as Points" (2019), eq. 1.
    """
    centre, size, dx, dy = (logits[:, part::MAPS] for part in range(MAPS))
    chance = torch.sigmoid(centre)
    peak = (goal["dx"].abs() <= 0.5) & (goal["dy"].abs() <= 0.5) & (goal["near"] > 0)
    found = -functional.logsigmoid(centre) * (1 - chance) ** 2 * peak
    empty = -functional.logsigmoid(-centre) * chance**2 * (1 - goal["centre"]) ** 4 * ~peak
    focal = ((found + empty) * goal["counted"]).sum() / peak.sum().clamp(min=1)
    offsets = ((dx - goal["dx"]).abs() + (dy - goal["dy"]).abs()).clamp(max=FARTHEST)
    error = (2 * (size - goal["size"]).abs() + 0.5 * offsets) * goal["near"]
    return focal + error.sum() / goal["near"].sum().clamp(min=1)
