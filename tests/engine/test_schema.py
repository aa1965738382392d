"""Schemas that ship, and what a schema may not be."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.schema import SchemaError, load_schema, schema_from_json, schema_names

# network.md 7: where each iBUG landmark's partner is.
IBUG_MIRROR = [
    *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, *range(35, 30, -1), 45, 44, 43, 42, 47, 46,
    39, 38, 37, 36, 41, 40, *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65,
]  # fmt: skip


def test_shipped() -> None:
    assert schema_names() == ["ibug68", "mpii16"]
    assert (len(load_schema("ibug68")), len(load_schema("mpii16"))) == (68, 16)
    assert (load_schema("ibug68").subject, load_schema("mpii16").subject) == ("face", "person")


def test_ibug_mirror() -> None:
    assert load_schema("ibug68").permutation.tolist() == IBUG_MIRROR


def test_mpii_mirror_and_tree() -> None:
    body = load_schema("mpii16")
    assert body.permutation.tolist() == [5, 4, 3, 2, 1, 0, 6, 7, 8, 9, 15, 14, 13, 12, 11, 10]
    tree = [(0, 1), (1, 2), (2, 6), (3, 6), (3, 4), (4, 5), (6, 7), (7, 8), (8, 9), (10, 11), (11, 12), (12, 7),
            (13, 7), (13, 14), (14, 15)]  # fmt: skip
    assert {frozenset(e) for e in body.edges} == {frozenset(e) for e in tree}


@pytest.mark.parametrize("name", ["ibug68", "mpii16"])
def test_structure(name: str) -> None:
    schema = load_schema(name)
    mirror = schema.permutation
    assert (mirror[mirror] == np.arange(len(schema))).all()
    swapped = {"left": "right", "right": "left", "centre": "centre"}
    for k, partner in enumerate(mirror):
        assert schema.sides[partner] == swapped[schema.sides[k]]
    edges = {frozenset(e) for e in schema.edges}
    assert edges == {frozenset((int(mirror[a]), int(mirror[b]))) for a, b in schema.edges}
    assert sorted(i for members in schema.groups.values() for i in members) == list(range(len(schema)))
    mean = np.array(schema.mean)
    assert mean.min() >= 0 and mean.max() <= 1
    # The subject's right is on the picture's left.
    right, left = (mean[[s == side for s in schema.sides], 0].mean() for side in ("right", "left"))
    assert right < left
    assert np.abs(mean[mirror] - [[1, 0]] - mean * [[-1, 1]]).max() < 0.12  # about symmetric
    assert schema_from_json(json.loads(json.dumps(schema.to_json()))) == schema


def test_face_normaliser_is_the_outer_eye_corners() -> None:
    assert sorted(load_schema("ibug68").normaliser) == [36, 45]


@pytest.mark.parametrize("changes", [
    {"landmarks": []}, {"landmarks": ["a"] * 16}, {"edges": [[0, 16]]}, {"edges": [[0, -1]]}, {"edges": [[0]]},
    {"flip": [[0, 1], [1, 2]]}, {"groups": {"all": [99]}}, {"groups": 3}, {"sides": ["left"]},
    {"sides": ["up"] * 16}, {"crop": 0}, {"crop": float("nan")}, {"crop": "wide"}, {"normaliser": [0]},
    {"normaliser": [0, 77]}, {"mean": [[0, 0]]}, {"mean": None}, {"flip": [[3, 3]]},
])  # fmt: skip
def test_wrong_schemas(changes: dict) -> None:
    with pytest.raises(SchemaError):
        schema_from_json(load_schema("mpii16").to_json() | changes)


def test_not_a_schema() -> None:
    for data in (None, [], "mpii16", {}):
        with pytest.raises(SchemaError):
            schema_from_json(data)
    with pytest.raises(SchemaError, match="ibug68, mpii16"):
        load_schema("dog")
