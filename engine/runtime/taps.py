"""Inner layers that a fused engine never writes down, from those that it does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import numpy as np

from engine.modelfile import Model
from engine.runtime.reference import operation


def complete(
    model: Model, crop: np.ndarray, names: list[str], written: Collection[str],
    read: Callable[[Iterable[str]], dict[str, np.ndarray]],
) -> dict[str, np.ndarray]:  # fmt: skip
    """The layers `names` of a crop: (H, W, C), a sign's bits as bool, else float32.

    written: names that `read` can give; all others are computed from their inputs by the reference's operations,
    each from the nearest layers that are written, or from the crop.
    """
    graph = model.graph.by_name
    channels = {"image": 3} | {node.name: node.channels for node in graph.values()}
    needed: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name != "image" and name not in needed:
            needed[name] = None
            waiting += () if name in written else graph[name].inputs
    values = {"image": crop} | read([name for name in needed if name in written])
    for name, node in graph.items():
        if name in needed and name not in values:
            inputs = [_real(values[source]) for source in node.inputs]
            result = operation(model, node, channels[node.inputs[0]])(*inputs)
            values[name] = result > 0 if node.op == "sign" else result
    return {name: values[name] for name in names}


def _real(values: np.ndarray) -> np.ndarray:
    """Bits as +1 and -1."""
    return np.where(values, np.float32(1), np.float32(-1)) if values.dtype == bool else values
