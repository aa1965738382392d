"""How far two people, or a person and a model, place the same landmarks apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import UserError
from engine.labels import ABSENT, LabelSet, Picture, Table
from engine.metrics import tight_boxes

SAME_SUBJECT = 0.5  # mean distance, over the subject's size, up to which two instances are of one subject


@dataclass(frozen=True)
class Pairs:
    """Instances that both have labelled, side by side.

    one, other (N, K, 2) picture pixels; both (N, K) bool: neither calls the landmark absent; names: K landmarks;
    pictures: N names. alone: instances of either side without counterpart, in pictures that both have;
    judged (N, K) int: +1 where only the first has the landmark, -1 where only the second has it, else 0.
    """

    names: tuple[str, ...]
    pictures: tuple[str, ...]
    one: np.ndarray
    other: np.ndarray
    both: np.ndarray
    judged: np.ndarray
    alone: tuple[int, int] = (0, 0)


def pair(one: LabelSet, other: LabelSet, limit: float = SAME_SUBJECT) -> Pairs:
    """Match pictures by name, landmarks by name and instances by place; raises UserError where nothing matches.

    limit: mean distance over size up to which two instances may be of one subject; infinite where boxes are given.
    """
    first, second = _main_table(one), _main_table(other)
    names, a, b = _landmarks(first, second)
    matched = _pictures(one.pictures, other.pictures)
    if not matched:
        raise UserError("The two have no picture in common; compare labels of the same pictures.")
    rows: list[tuple[int, int]] = []
    alone = [0, 0]
    for p, q in matched:
        left, right = np.flatnonzero(first.picture == p), np.flatnonzero(second.picture == q)
        found = _instances(first, left, a, second, right, b, limit)
        rows += found
        alone[0], alone[1] = alone[0] + len(left) - len(found), alone[1] + len(right) - len(found)
    if not rows:
        raise UserError("The two have no subject in common; compare labels of the same pictures.")
    n, m = np.array(rows).T
    seen, too = first.visibility[n][:, a] != ABSENT, second.visibility[m][:, b] != ABSENT
    pictures = tuple(one.pictures[int(p)].name for p in first.picture[n])
    return Pairs(names, pictures, first.points[n][:, a], second.points[m][:, b], seen & too,
                 seen.astype(int) - too.astype(int), (alone[0], alone[1]))  # fmt: skip


def figures(pairs: Pairs, against_model: bool = False, worst: int = 10) -> dict[str, Any]:
    """Distances in pixels and in percent of the subject's size, and sigmas for OKS; None where nothing is known.

    The size s is the square root of the area of the tight box around both people's landmarks. sigma follows COCO's
    keypoint evaluation (cocodataset.org, "Keypoint evaluation": sigma_i^2 = E[d_i^2 / s^2], d from the true place):
    of two people neither is the truth, so that half of the squared distance belongs to each, E[d^2 / s^2] / 2;
    against a model the labels are the truth, and all of it is the model's.
    """
    distance = np.where(pairs.both, np.linalg.norm(pairs.one - pairs.other, axis=2), np.nan)
    size = sizes(pairs)
    share = distance / size[:, None]
    split = 1 if against_model else 2
    landmarks = {}
    for k, name in enumerate(pairs.names):
        known = np.isfinite(share[:, k])
        landmarks[name] = {
            "n": int(known.sum()), "pixels": _mean(distance[:, k]), "percent": _mean(100 * share[:, k]),
            "sigma": float(np.sqrt((share[known, k] ** 2).mean() / split)) if known.any() else None,
            "only_first": int((pairs.judged[:, k] > 0).sum()), "only_second": int((pairs.judged[:, k] < 0).sum()),
        }  # fmt: skip
    some = np.isfinite(share).any(1)
    mean = np.full(len(share), np.nan)
    mean[some] = 100 * np.nanmean(share[some], axis=1)
    order = [int(n) for n in np.argsort(-np.nan_to_num(mean, nan=-1), kind="stable") if some[n]][:worst]
    told = [{"picture": pairs.pictures[n], "percent": float(mean[n]), "landmark": pairs.names[_furthest(share[n])]}
            for n in order]  # fmt: skip
    return {
        "instances": len(share), "pixels": _mean(distance), "percent": _mean(100 * share),
        "median_percent": float(np.nanmedian(100 * share)) if some.any() else None,
        "only_first": pairs.alone[0], "only_second": pairs.alone[1], "against_model": against_model,
        "landmarks": landmarks, "worst": told,
    }  # fmt: skip


def sizes(pairs: Pairs) -> np.ndarray:
    """(N,) float64 pixels: square root of the area of the tight box around the landmarks that both have; at least 1."""
    points = np.concatenate([pairs.one, pairs.other], 1)
    known = np.concatenate([pairs.both, pairs.both], 1)[..., None]
    low = np.where(known, points, np.inf).min(1)
    high = np.where(known, points, -np.inf).max(1)
    side = np.where(np.isfinite(high - low), high - low, 1.0)
    return np.sqrt(np.maximum(side[:, 0] * side[:, 1], 1.0))


def _furthest(shares: np.ndarray) -> int:
    return int(np.nanargmax(shares))


def _mean(values: np.ndarray) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else None


def _main_table(labels: LabelSet) -> Table:
    """The table with most instances."""
    if not labels.instances:
        raise UserError("There are no labels in one of the two; choose other files.")
    return max(labels.tables, key=len)


def _word(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name).strip().casefold()


def _landmarks(first: Table, second: Table) -> tuple[tuple[str, ...], list[int], list[int]]:
    """Names that both have and their places; the same places where no name fits but the numbers do."""
    places = {_word(name): k for k, name in enumerate(second.skeleton.landmarks)}
    found = [(name, k, places[_word(name)]) for k, name in enumerate(first.skeleton.landmarks) if _word(name) in places]
    if not found and len(first.skeleton) == len(second.skeleton):
        found = [(name, k, k) for k, name in enumerate(first.skeleton.landmarks)]
    if not found:
        raise UserError("The two have no landmark in common; compare labels of one schema.")
    names, a, b = zip(*found, strict=True)
    return tuple(names), list(a), list(b)


def _pictures(one: Sequence[Picture], other: Sequence[Picture]) -> list[tuple[int, int]]:
    """Pictures of the same name; of the same last part of the name where that is nobody else's."""
    full = {picture.name: q for q, picture in enumerate(other)}
    counts, own = Counter(_last(p.name) for p in other), Counter(_last(p.name) for p in one)
    last = {_last(picture.name): q for q, picture in enumerate(other) if counts[_last(picture.name)] == 1}
    found = []
    for p, picture in enumerate(one):
        name = _last(picture.name)
        q = full.get(picture.name, last.get(name) if own[name] == 1 else None)
        if q is not None:
            found.append((p, q))
    return found


def _last(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1].casefold()


def _instances(
    first: Table, left: np.ndarray, a: list[int], second: Table, right: np.ndarray, b: list[int],
    limit: float,
) -> list[tuple[int, int]]:  # fmt: skip
    """Rows of both tables that are of one subject, the nearest first."""
    near = []
    for n in left:
        for m in right:
            both = (first.visibility[n, a] != ABSENT) & (second.visibility[m, b] != ABSENT)
            if both.any():
                points = first.points[n, a][both]
                side = max(float(tight_boxes(points[None], np.ones((1, len(points)), bool))[0, 2]), 1.0)
                apart = np.linalg.norm(points - second.points[m, b][both], axis=1).mean() / side
                near.append((float(apart), int(n), int(m)))
    found: list[tuple[int, int]] = []
    for apart, n, m in sorted(near):
        if apart <= limit and all(n != x and m != y for x, y in found):
            found.append((n, m))
    return sorted(found)
