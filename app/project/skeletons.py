"""A schema from what a label file says of its landmarks: their names, and where they lie."""

from __future__ import annotations

import re

import numpy as np

from app.project.schema_draft import OTHER, boxed
from engine.labels import ABSENT, Skeleton, Table
from engine.naming import words_of
from engine.schema import Schema, SchemaError, schema_from_json

CROP = 1.5  # of a schema that came without one
MOST_SHAPES = 2000  # instances of which a mean shape is taken


def schema_of(skeleton: Skeleton, shape: np.ndarray | None = None) -> Schema:
    """A schema from what a label file says of its landmarks.

    shape: (K, 2) of its instances, any unit (see `mean_shape`); without one the landmarks stand in a circle. Left and
    right come from names, mirror pairs from the file or from names that differ in left and right alone. Raises
    SchemaError where the file names no landmarks.
    """
    count = len(skeleton)
    if not count:
        raise SchemaError("This file names no landmarks; choose another file.")
    places = circle(count) if shape is None else np.asarray(shape, float)
    sides = [side_of(name) for name in skeleton.landmarks]
    pairs = {(min(pair), max(pair)) for pair in skeleton.flip} or mirror_pairs(skeleton.landmarks)
    for a, b in pairs:
        for one, other in ((a, b), (b, a)):
            sides[one] = OTHER.get(sides[other], "centre") if sides[one] == "centre" else sides[one]
    away = np.linalg.norm(places[:, None] - places[None], axis=2)
    far = np.unravel_index(int(away.argmax()), away.shape) if away.max() else (0, min(1, count - 1))
    short = re.sub(r"[^\w.-]+", "-", skeleton.name).strip("-")[:40] or "own"
    return schema_from_json({
        "name": f"{short}{count}", "title": f"{skeleton.name or 'Own'}, {count} landmarks",
        "subject": skeleton.name or "object", "landmarks": list(skeleton.landmarks),
        "edges": [list(e) for e in skeleton.edges], "flip": sorted(pairs), "groups": {}, "sides": sides, "crop": CROP,
        "normaliser": [int(k) for k in far], "mean": boxed(map(tuple, places)),
    })  # fmt: skip


def circle(count: int) -> np.ndarray:
    """(count, 2): places on a circle around (0.5, 0.5), the first at its top."""
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return 0.5 + 0.5 * np.stack([np.sin(turn), -np.cos(turn)], 1)


def mean_shape(table: Table) -> np.ndarray:
    """(K, 2): the median of a table's instances, each in its own tight box; on a circle where no instance tells."""
    shape = circle(len(table.skeleton))
    there = table.visibility[:MOST_SHAPES] > ABSENT
    rows = there.sum(1) > 1
    if rows.any():
        points = np.where(there[rows][..., None], table.points[:MOST_SHAPES][rows], np.nan)
        low, high = np.nanmin(points, 1, keepdims=True), np.nanmax(points, 1, keepdims=True)
        size = np.maximum((high - low).max(2, keepdims=True), 1e-9)
        shares = (points - (low + high) / 2) / size + 0.5
        known = np.isfinite(shares).any(0).all(1)
        shape[known] = np.nanmedian(shares[:, known], 0)
    return shape


def mirror_pairs(names: tuple[str, ...]) -> set[tuple[int, int]]:
    """Mirror pairs by name: what is left of one is right of the other."""
    words, swap = [words_of(name) for name in names], {"left": "right", "right": "left"}
    found = set()
    for n, own in enumerate(words):
        other = tuple(sorted(swap.get(word, word) for word in own))
        if other != own and words.count(own) == 1 and words.count(other) == 1:
            found.add((min(n, words.index(other)), max(n, words.index(other))))
    return found


def side_of(name: str) -> str:
    """left or right where a name says so, else centre."""
    told = {"left", "right"} & set(words_of(name))
    return told.pop() if len(told) == 1 else "centre"
