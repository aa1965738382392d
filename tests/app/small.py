"""A small real network with random weights, for tests that need a model but not a good one."""

from __future__ import annotations

import numpy as np

from engine.graph import Architecture, build
from engine.modelfile import Model, make_model
from engine.schema import Schema, load_schema


def small_schema(count: int) -> Schema:
    """The first `count` landmarks of the face schema, with a line along them."""
    whole = load_schema("ibug68").to_json()
    return Schema(
        **whole | {"name": f"first{count}", "landmarks": whole["landmarks"][:count], "flip": (), "groups": {},
                   "edges": tuple((n, n + 1) for n in range(count - 1)), "sides": whole["sides"][:count],
                   "normaliser": (0, count - 1), "mean": whole["mean"][:count]}
    )  # fmt: skip


def small_model(count: int = 5, seed: int = 1) -> Model:
    """32 wide, 64 pixels a side: a few milliseconds a run in NumPy."""
    architecture = Architecture(count, width=32, stem=16, side=64)
    rng = np.random.default_rng(seed)
    tensors = {}
    for name, (dtype, shape) in build(architecture).tensors().items():
        if dtype == "uint8":
            tensors[name] = rng.integers(0, 256, shape, np.uint8)
        elif dtype == "int16":
            tensors[name] = rng.integers(-32767, 32767, shape).astype(np.int16)
        elif name.endswith(("alpha", "scale")):
            scale = 1e-7 if name.startswith("stem.conv") else 0.05
            tensors[name] = (rng.random(shape) * scale + scale / 10).astype(np.float32)
        else:
            tensors[name] = rng.normal(0, 0.1, shape).astype(np.float32)
    return make_model(f"small {count}", architecture, small_schema(count), tensors)
