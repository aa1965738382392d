"""A small real network with random weights, for tests that need a model but not a good one."""

from __future__ import annotations

from engine.graph import Architecture
from engine.modelfile import Model
from engine.random_model import random_model
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
    return random_model(f"small {count}", architecture, small_schema(count), seed)
