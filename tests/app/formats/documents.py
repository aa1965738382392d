"""Random labels for tests of all formats, and whether two label sets say the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from app.formats.registry import Holds
from engine.images import encode_jpeg, encode_png
from engine.labels import ABSENT, OCCLUDED, VISIBLE, LabelSet, Picture, Skeleton, Table, table

SIZES = {"one.png": (64, 48), "sub/zwei ü.jpg": (37, 101), "sub/3 [c].PNG": (128, 20), "four.jpeg": (80, 80)}
NAMES = ("nose", "left eye", "right_eye", "chin", "ohr é", "tail-base", "paw.1", "7")


def words(labels: LabelSet) -> str:
    """What reading met, a line each."""
    return "\n".join(f"{problem.where}: {problem.what}" for problem in labels.problems)


def write(path: Path, data: Any) -> Path:
    """Text as it stands, anything else as JSON."""
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def make_pictures(folder: Path) -> tuple[Picture, ...]:
    """The pictures of SIZES on disk."""
    made = []
    for name, (width, height) in SIZES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.zeros((height, width, 3), np.uint8)
        path.write_bytes(encode_png(pixels) if name.lower().endswith("png") else encode_jpeg(pixels))
        made.append(Picture(name, path, (width, height)))
    return tuple(made)


def random_table(rng: np.random.Generator, pictures: tuple[Picture, ...], skeleton: Skeleton, most: int) -> Table:
    """Instances in random pictures, sorted by picture: places inside the picture, a true (0, 0) now and then."""
    counts = rng.integers(0, most + 1, len(pictures))
    picture = np.repeat(np.arange(len(pictures)), counts)
    m, k = len(picture), len(skeleton)
    size = np.array([pictures[n].size for n in picture], np.float64).reshape(m, 2)
    points = rng.random((m, k, 2)) * (size[:, None] - 1)
    points[rng.random((m, k)) < 0.05] = 0
    seen = rng.choice([ABSENT, OCCLUDED, VISIBLE], (m, k), p=[0.2, 0.2, 0.6]).astype(np.uint8)
    seen[rng.random(m) < 0.5] = VISIBLE
    corner = rng.random((m, 2)) * (size - 1) / 2
    box = np.concatenate([corner, corner + 1 + rng.random((m, 2)) * (size / 2 - 1)], 1)
    box[rng.random(m) < 0.3] = np.nan
    hand = rng.random(m) < 0.7
    score = np.where(rng.random((m, k)) < 0.5, rng.random((m, k)), np.nan).astype(np.float32)
    score[hand] = np.nan
    subject = [f"{n + 1}" for n in range(m)] if rng.random() < 0.5 else [""] * m
    return table(skeleton, picture, points, seen, score=score, box=box, hand=hand, subject=subject)


def random_labels(seed: int, pictures: tuple[Picture, ...], holds: Holds) -> LabelSet:
    """Labels of one or two kinds of subjects; with numbers of landmarks that fit."""
    rng = np.random.default_rng(seed)
    states = [replace(p, split=rng.choice(["", "train", "test"]), visited=bool(rng.random() < 0.5)) for p in pictures]
    chosen = tuple(states[: rng.integers(1, len(states) + 1)])
    kinds = []
    for kind in ("face", "dog")[: rng.integers(1, 3)]:
        k = int(rng.choice(holds.landmarks)) if holds.landmarks else int(rng.integers(1, len(NAMES) + 1))
        names = tuple(rng.permutation(NAMES)[:k]) if k <= len(NAMES) else tuple(f"p{n}" for n in range(k))
        if any(held.skeleton.landmarks == names for held in kinds):  # tables are told apart by them
            continue
        edges = tuple((n, n + 1) for n in range(k - 1) if rng.random() < 0.5)
        flip = ((0, 1),) if k > 1 and rng.random() < 0.5 else ()
        kinds.append(random_table(rng, chosen, Skeleton(kind, tuple(map(str, names)), edges, flip), 3))
    return LabelSet(chosen, tuple(kinds))


def seeds() -> st.SearchStrategy[int]:
    """What `random_labels` starts from."""
    return st.integers(0, 2**32 - 1)


def assert_same(found: LabelSet, wanted: LabelSet, holds: Holds, near: float = 1e-3) -> None:
    """That what was read is what was written, as far as the format can say it."""
    paths = {picture.path: n for n, picture in enumerate(found.pictures)}
    assert len(paths) == len(found.pictures), "a picture was read twice"
    names = {picture.name: n for n, picture in enumerate(found.pictures)}  # of those that an export copied
    where = {p.path: paths.get(p.path, names.get(p.name)) for p in wanted.pictures}
    used = {int(n) for each in wanted.tables for n in each.picture}
    for n, picture in enumerate(wanted.pictures):
        if n in used or holds.empty:
            assert where[picture.path] is not None, f"{picture.name} is missing"
            read = found.pictures[where[picture.path]]
            assert (read.split, read.size) == (picture.split, picture.size)
            assert n in used or read.visited == picture.visited
    assert found.instances == wanted.instances
    tables = {_key(each, holds): each for each in found.tables}
    wanted = wanted if holds.order else replace(wanted, tables=tuple(_as_in(each, tables) for each in wanted.tables))
    for each in wanted.tables:
        if len(each):
            read = tables[_key(each, holds)]
            assert set(read.skeleton.edges) == set(each.skeleton.edges)
            assert set(read.skeleton.flip) == set(each.skeleton.flip)
            for n, picture in enumerate(wanted.pictures):
                rows = np.flatnonzero(each.picture == n)
                if len(rows):
                    _assert_rows(read, np.flatnonzero(read.picture == where[picture.path]), each, rows, holds, near)


def _as_in(each: Table, tables: dict[object, Table]) -> Table:
    """The table with its landmarks in the order of the one that was read."""
    read = next((t for t in tables.values() if t.skeleton.name == each.skeleton.name), None)
    if read is None or not len(each) or sorted(read.skeleton.landmarks) != sorted(each.skeleton.landmarks):
        return each
    order = [each.skeleton.landmarks.index(name) for name in read.skeleton.landmarks]
    return replace(
        each, skeleton=replace(each.skeleton, landmarks=read.skeleton.landmarks), points=each.points[:, order],
        visibility=each.visibility[:, order], score=each.score[:, order],
    )  # fmt: skip


def _key(each: Table, holds: Holds) -> object:
    if not holds.order:
        return each.skeleton.name, each.skeleton.landmarks
    return each.skeleton.landmarks if holds.names else len(each.skeleton)


def _by_hand_first(each: Table, rows: np.ndarray) -> np.ndarray:
    return rows[np.argsort(~each.hand[rows], kind="stable")]


def _assert_rows(
    found: Table, these: np.ndarray, wanted: Table, rows: np.ndarray, holds: Holds, near: float
) -> None:
    assert len(these) == len(rows)
    these, rows = _by_hand_first(found, these), _by_hand_first(wanted, rows)  # formats may keep them apart
    there = wanted.visibility[rows] > ABSENT
    np.testing.assert_array_equal(found.visibility[these], wanted.visibility[rows])
    np.testing.assert_allclose(found.points[these][there], wanted.points[rows][there], rtol=0, atol=near)
    boxed = np.isfinite(wanted.box[rows]).all(1)  # formats may add a box around the landmarks where there was none
    np.testing.assert_allclose(found.box[these][boxed], wanted.box[rows][boxed], rtol=0, atol=near)
    np.testing.assert_array_equal(found.hand[these], wanted.hand[rows])
    named = wanted.subject[rows] != ""  # formats may number subjects that have no id
    np.testing.assert_array_equal(found.subject[these][named], wanted.subject[rows][named])
    if holds.scores:
        known = np.isfinite(wanted.score[rows]) & there
        np.testing.assert_allclose(found.score[these][known], wanted.score[rows][known], rtol=0, atol=1e-4)
