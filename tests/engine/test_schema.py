"""Schemas that ship, and what a schema may not be."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.schema import SchemaError, load_schema, schema_from_json, schema_names

# Where each iBUG landmark's partner is.
IBUG_MIRROR = [
    *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, *range(35, 30, -1), 45, 44, 43, 42, 47, 46,
    39, 38, 37, 36, 41, 40, *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65,
]  # fmt: skip


def test_shipped() -> None:
    assert schema_names() == ["aflw19", "aflw21", "coco17", "ibug68", "lsp14", "mpii16", "pifa34", "wflw98"]
    assert all(name.endswith(str(len(load_schema(name)))) for name in schema_names())
    assert (load_schema("ibug68").subject, load_schema("mpii16").subject) == ("face", "person")


def test_ibug_mirror() -> None:
    assert load_schema("ibug68").permutation.tolist() == IBUG_MIRROR


def test_mpii_mirror_and_tree() -> None:
    body = load_schema("mpii16")
    assert body.permutation.tolist() == [5, 4, 3, 2, 1, 0, 6, 7, 8, 9, 15, 14, 13, 12, 11, 10]
    tree = [(0, 1), (1, 2), (2, 6), (3, 6), (3, 4), (4, 5), (6, 7), (7, 8), (8, 9), (10, 11), (11, 12), (12, 7),
            (13, 7), (13, 14), (14, 15)]  # fmt: skip
    assert {frozenset(e) for e in body.edges} == {frozenset(e) for e in tree}


# Written down from each data set's own description, not from our files.
MIRRORS = {
    "aflw21": [5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 6, 16, 15, 14, 13, 12, 19, 18, 17, 20],
    "aflw19": [5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 6, 14, 13, 12, 17, 16, 15, 18],
    "coco17": [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15],
    "lsp14": [5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 6, 12, 13],
    "wflw98": [
        *range(32, -1, -1), 46, 45, 44, 43, 42, 50, 49, 48, 47, 37, 36, 35, 34, 33, 41, 40, 39, 38,
        51, 52, 53, 54, 59, 58, 57, 56, 55, 72, 71, 70, 69, 68, 75, 74, 73, 64, 63, 62, 61, 60, 67, 66, 65,
        82, 81, 80, 79, 78, 77, 76, 87, 86, 85, 84, 83, 92, 91, 90, 89, 88, 95, 94, 93, 97, 96,
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", MIRRORS)
def test_mirror_pairs_of_the_data_sets(name: str) -> None:
    assert load_schema(name).permutation.tolist() == MIRRORS[name]


def test_the_published_sigmas_of_people() -> None:
    limbs = [0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089]
    assert list(load_schema("coco17").sigmas) == [0.026, 0.025, 0.025, 0.035, 0.035, *limbs]
    face = load_schema("ibug68")
    assert face.sigmas == () and "sigmas" not in face.to_json()
    with pytest.raises(SchemaError, match="sigmas"):
        schema_from_json(load_schema("coco17").to_json() | {"sigmas": [0.1]})


@pytest.mark.parametrize("name", schema_names())
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
    with pytest.raises(SchemaError, match="ibug68, lsp14, mpii16"):
        load_schema("dog")


def test_a_body_is_a_person() -> None:
    """One word inside the program, so that what serves people serves it."""
    body = {**load_schema("mpii16").to_json(), "subject": "body"}
    assert schema_from_json(body) == load_schema("mpii16")
