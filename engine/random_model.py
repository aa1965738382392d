"""Models with random weights, for tests, benchmarks and counting: right in form, good for nothing."""

from __future__ import annotations

import math

import numpy as np

from engine import lower
from engine.graph import Architecture, Graph, Node, build
from engine.modelfile import Model, check_size, make_model
from engine.schema import Schema, load_schema

PIXEL_SPREAD = 0.3  # standard deviation of pixel values in [0, 1]
KNOWN_SCHEMAS = {68: "ibug68", 16: "mpii16"}


def generic_schema(count: int) -> Schema:
    """A schema of `count` numbered landmarks on a circle, for networks whose landmarks mean nothing."""
    turn = 2 * math.pi / count
    return Schema(
        name=f"numbered{count}", title=f"{count} numbered landmarks", subject="object",
        landmarks=tuple(f"landmark {n + 1}" for n in range(count)), edges=(), flip=(), groups={},
        sides=("centre",) * count, crop=1.5, normaliser=(0, count - 1),
        mean=tuple((0.5 + 0.5 * math.cos(n * turn), 0.5 + 0.5 * math.sin(n * turn)) for n in range(count)),
    )  # fmt: skip


def schema_for(count: int) -> Schema:
    """The schema that ships for this number of landmarks, else a generic one."""
    return load_schema(KNOWN_SCHEMAS[count]) if count in KNOWN_SCHEMAS else generic_schema(count)


def random_model(name: str, architecture: Architecture, schema: Schema | None = None, seed: int = 0) -> Model:
    """A model of random weights whose signals keep a sensible size from layer to layer; same seed, same model."""
    graph = build(architecture)
    check_size(graph)
    schema = schema or schema_for(architecture.landmarks)
    card = {"data": "none: random weights", "seed": seed}
    return make_model(name, architecture, schema, random_tensors(graph, seed), card)


def random_tensors(graph: Graph, seed: int) -> dict[str, np.ndarray]:
    """Tensors as `graph.tensors()` lists them, drawn and lowered as trained ones would be."""
    rng = np.random.default_rng(seed)
    channels = {"image": 3} | {node.name: node.channels for node in graph.nodes}
    spread = {"image": PIXEL_SPREAD}
    tensors: dict[str, np.ndarray] = {}
    for node in graph.nodes:
        inputs = [spread[source] for source in node.inputs]
        spread[node.name] = _spread(node, inputs)
        fan_in = channels[node.inputs[0]] * node.kernel**2
        tensors |= {f"{node.name}.{key}": value for key, value in _draw(rng, node, inputs[0], fan_in).items()}
    return tensors


def _spread(node: Node, inputs: list[float]) -> float:
    """About how far a node's values stray, given its inputs' spreads."""
    if node.op in ("norm", "sign"):
        return 1.0
    if node.op == "add":
        return math.hypot(*inputs)
    if node.op == "binary":
        return math.sqrt(2 / math.pi)  # alpha is the mean size of weights of variance 1 / fan-in
    return max(inputs)


def _draw(rng: np.random.Generator, node: Node, spread: float, fan_in: int) -> dict[str, np.ndarray]:
    """A node's tensors by the last part of their names."""
    c = node.channels
    if node.op == "norm":
        gamma = rng.uniform(0.5, 1.5, c) * rng.choice([1, 1, 1, -1], c)
        scale, shift = lower.scale_shift(gamma, rng.normal(0, 0.3, c), np.zeros(c), np.full(c, spread**2))
        return {"scale": scale, "shift": shift}
    if node.op == "binary":
        inputs = fan_in // node.kernel**2
        bits, alpha = lower.binary_weights(rng.normal(0, fan_in**-0.5, (c, inputs, node.kernel, node.kernel)))
        return {"bits": bits, "alpha": alpha}
    if node.op == "stem":
        weight, scale = lower.stem_weights(rng.normal(0, fan_in**-0.5, (c, 3, node.kernel, node.kernel)))
        return {"weight": weight, "scale": scale, "bias": rng.normal(0, 0.1, c).astype(np.float32)}
    if node.op == "conv":  # behind a ReLU
        shape = (c, fan_in // node.kernel**2, node.kernel, node.kernel)
        return {"kernel": rng.normal(0, (2 / fan_in) ** 0.5, shape).astype(np.float32)}
    if node.op == "mix":
        weight = rng.normal(0, 0.5 * fan_in**-0.5, (c, fan_in)).astype(np.float32)
        return {"weight": weight, "bias": rng.normal(0, 0.1, c).astype(np.float32)}
    if node.op == "head":
        weight = rng.normal(0, fan_in**-0.5, (c, fan_in)).astype(np.float32)
        return {"weight": weight, "bias": np.full(c, -2.0, np.float32)}
    return {}
