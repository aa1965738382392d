"""What a 1 x 1 convolution makes of its features: the maps before and after it (Fig. 3 of the paper)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import UserError
from engine.graph import Graph, Node
from engine.modelfile import Model
from engine.runtime.reference import ReferenceRuntime

CONVOLUTIONS = ("binary", "conv")
BEFORE_IT = ("norm", "sign", "relu")  # stand between a residual stream and its convolution


@dataclass(frozen=True)
class Features:
    """Real-valued maps around one 1 x 1 convolution: before (H, W, C), after (H, W, O) float32.

    node: the convolution; source: the node whose map `before` is.
    """

    node: str
    source: str
    before: np.ndarray
    after: np.ndarray

    def kept(self) -> float:
        """How near outputs stay to inputs: mean over outputs of the largest absolute correlation with one, 0 to 1."""
        before, after = (_standard(maps) for maps in (self.before, self.after))
        return float(np.abs(after.T @ before / len(before)).max(1).mean())


def one_by_ones(graph: Graph) -> list[Node]:
    """The network's 1 x 1 convolutions but the head's last, in order."""
    return [node for node in graph.nodes if node.op in CONVOLUTIONS and node.kernel == 1]


def features(model: Model, crop: np.ndarray, name: str | None = None) -> Features:
    """The maps around a 1 x 1 convolution, by default the last one as wide as its input.

    crop (S, S, 3) uint8 RGB. Raises UserError where the network has none of that name.
    """
    found = one_by_ones(model.graph)
    by_name, channels = model.graph.by_name, {"image": 3} | {n.name: n.channels for n in model.graph.nodes}
    same = [node for node in found if channels[node.inputs[0]] == node.channels] or found
    node = same[-1] if name is None else next((n for n in found if n.name == name), None)
    if node is None:
        known = ", ".join(n.name for n in found)
        raise UserError(f"The network has no 1 x 1 convolution {name!r}; choose one of: {known}.")
    source = node.inputs[0]
    while source in by_name and by_name[source].op in BEFORE_IT:
        source = by_name[source].inputs[0]
    wanted = {source, node.name}
    maps = {n: values for n, values in ReferenceRuntime(model).maps(crop) if n in wanted}
    return Features(node.name, source, maps[source], maps[node.name])


def _standard(maps: np.ndarray) -> np.ndarray:
    """(pixels, C) with mean 0 and deviation 1; flat maps stay 0."""
    flat = maps.reshape(-1, maps.shape[2]).astype(np.float64)
    flat = flat - flat.mean(0)
    return flat / np.where(flat.std(0) > 0, flat.std(0), 1)
