"""What every runtime asks of its callers: crops of the model's side, and names of layers that there are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np

from engine.errors import UserError
from engine.modelfile import Model
from engine.models import AnyModel
from engine.types import check_picture


def check_crop(crop: np.ndarray, model: AnyModel) -> None:
    """Raise ValueError unless `crop` is a picture of the model's side."""
    check_picture(crop)
    side = model.side
    if crop.shape != (side, side, 3):
        raise ValueError(f"this model's crops are {side} x {side}, not {crop.shape[1]} x {crop.shape[0]}")


def check_crops(crops: np.ndarray, model: AnyModel) -> None:
    """Raise ValueError unless `crops` is (N, S, S, 3) uint8 of the model's side, N at least 0."""
    side = model.side
    if crops.ndim != 4 or crops.shape[1:] != (side, side, 3) or crops.dtype != np.uint8:
        raise ValueError(f"crops must be (N, {side}, {side}, 3) uint8, not {crops.shape} {crops.dtype}")


class OneByOne(Protocol):
    """A runtime that has no quicker way for several crops than one after the other."""

    model: AnyModel

    def run(self, crop: np.ndarray, logits: bool = False) -> np.ndarray:
        """Heatmaps of one crop."""


def run_each(runtime: OneByOne, crops: np.ndarray, logits: bool) -> np.ndarray:
    """Heatmaps of several crops: (N, S, S, 3) uint8 RGB -> (N, K, h, h) float32, as `runtime.run` gives them."""
    model = runtime.model
    check_crops(crops, model)
    out = np.empty((len(crops), model.landmarks, model.cells, model.cells), np.float32)
    for crop, target in zip(crops, out, strict=True):
        target[:] = runtime.run(crop, logits)
    return out


def layer_names(model: Model) -> tuple[str, ...]:
    """Names of the graph's nodes in evaluation order."""
    return tuple(node.name for node in model.graph.nodes)


def known_layers(model: Model, names: Iterable[str]) -> list[str]:
    """`names` without doubles; raises UserError for one that is no layer of the model."""
    there = set(layer_names(model))
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in there:
            last = model.graph.nodes[-1].name
            raise UserError(f"The network has no layer {name!r}; its layers() tells their names, such as {last}.")
    return wanted
