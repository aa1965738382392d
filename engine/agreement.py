"""How far two people, or a person and a model, place the same landmarks apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.architecture import SEGMENTATION
from engine.errors import UserError
from engine.labels import ABSENT, LabelSet, Picture, Table
from engine.metrics import tight_boxes
from engine.naming import NONE, counterparts
from engine.rows import placed_by_people
from engine.types import Box

if TYPE_CHECKING:
    from engine.predictor import Predictor
    from engine.subjects import Labelled

SAME_SUBJECT = 0.5  # mean distance, over the subject's size, up to which two instances are of one subject


@dataclass(frozen=True)
class Pairs:
    """Instances that both have labelled, side by side.

    one, other (N, K, 2) picture pixels; both (N, K) bool: neither calls the landmark absent; names: K landmarks;
    pictures: N names. alone: instances of either side without counterpart, in pictures that both have;
    judged (N, K) int: +1 where only the first has the landmark, -1 where only the second has it, else 0;
    of_model: the second is a model, so that the first is the truth; rows: of a model, which of the labelled subjects;
    unread: subjects left out, since their pictures cannot be read; predicted: of either side, whether a model placed
    all of it, so that the figures are not those of people; others: pictures left out, since their files are not those
    that were labelled, or not the same ones on both sides.
    """

    names: tuple[str, ...]
    pictures: tuple[str, ...]
    one: np.ndarray
    other: np.ndarray
    both: np.ndarray
    judged: np.ndarray
    alone: tuple[int, int] = (0, 0)
    of_model: bool = False
    rows: tuple[int, ...] = ()
    unread: int = 0
    predicted: tuple[bool, bool] = (False, False)
    others: int = 0


def pair(one: LabelSet, other: LabelSet, limit: float = SAME_SUBJECT) -> Pairs:
    """Match pictures by name, landmarks by name and instances by place; raises UserError where nothing matches.

    What people placed is compared; what a model placed only where a side has nothing else. limit: mean distance over
    size up to which two instances may be of one subject.
    """
    first, second = _main_table(one), _main_table(other)
    names, a, b = _landmarks(first, second)
    named_alike = _pictures(one.pictures, other.pictures)
    matched = [(p, q) for p, q in named_alike if _may_be_same(one.pictures[p], other.pictures[q])]
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
                 seen.astype(int) - too.astype(int), (alone[0], alone[1]),
                 predicted=(not first.hand[n].any(), not second.hand[m].any()),
                 others=len(named_alike) - len(matched))  # fmt: skip


def with_model(
    subjects: Labelled, predictor: Predictor, tell: Callable[[int, int], object] = lambda done, total: None
) -> Pairs:
    """What a model finds in the boxes of labelled subjects, in the order of its schema's landmarks, beside the labels.

    tell(done, total) may raise to stop. Subjects whose pictures cannot be read are left out; raises UserError where
    none can, and for a segmentation.
    """
    if predictor.runtime.model.head == SEGMENTATION:
        raise UserError(f"{predictor.runtime.model.name} paints parts and finds no landmarks; choose another model.")
    found, rows, known = [], [], subjects.weight > 0
    for n in range(len(subjects)):
        tell(n, len(subjects))
        try:
            pixels = subjects.picture(n)
        except (UserError, OSError):
            continue
        cx, cy, side = (float(v) for v in subjects.box[n])
        found.append(predictor.predict_box(pixels, Box(cx, cy, max(side, 2.0))).landmarks[:, :2])
        rows.append(n)
    tell(len(subjects), len(subjects))
    if not rows:
        raise UserError("No picture of these labels can be read; put the pictures where the labels say.")
    both = known[rows]
    return Pairs(
        tuple(predictor.runtime.model.schema.landmarks), tuple(subjects.name(n) for n in rows), subjects.points[rows],
        np.stack(found).astype(np.float64), both, both.astype(int) - 1, of_model=True, rows=tuple(rows),
        unread=len(subjects) - len(rows), predicted=(subjects.predicted, True),
    )  # fmt: skip


def figures(pairs: Pairs, worst: int = 10) -> dict[str, Any]:
    """Distances in pixels and in percent of the subject's size, and sigmas for OKS; None where nothing is known.

    For the size s see `sizes`. sigma follows COCO's
    keypoint evaluation (cocodataset.org, "Keypoint evaluation": sigma_i^2 = E[d_i^2 / s^2], d from the true place):
    of two people neither is the truth, so that half of the squared distance belongs to each, E[d^2 / s^2] / 2;
    against a model the labels are the truth, and all of it is the model's.
    """
    distance = np.where(pairs.both, np.linalg.norm(pairs.one - pairs.other, axis=2), np.nan)
    size = sizes(pairs)
    share = distance / size[:, None]
    split = 1 if pairs.of_model else 2
    landmarks = {}
    for k, name in enumerate(pairs.names):
        known = np.isfinite(share[:, k])
        landmarks[name] = {
            "n": int(known.sum()), "pixels": _mean(distance[:, k]), "percent": _mean(100 * share[:, k]),
            "sigma": float(np.sqrt((share[known, k] ** 2).mean() / split)) if known.any() else None,
            "only_first": int((pairs.judged[:, k] > 0).sum()), "only_second": int((pairs.judged[:, k] < 0).sum()),
        }  # fmt: skip
    told = [
        {"picture": pairs.pictures[n], "percent": percent, "landmark": pairs.names[k]}
        for n, percent, k in ranked(pairs)[:worst]
    ]  # fmt: skip
    return {
        "instances": len(share), "pixels": _mean(distance), "percent": _mean(100 * share),
        "median_percent": float(np.nanmedian(100 * share)) if np.isfinite(share).any() else None,
        "only_first": pairs.alone[0], "only_second": pairs.alone[1], "against_model": pairs.of_model,
        "unread": pairs.unread, "others": pairs.others, "predicted": list(pairs.predicted),
        "landmarks": landmarks, "worst": told,
    }  # fmt: skip


def ranked(pairs: Pairs) -> list[tuple[int, float, int]]:
    """(n, mean distance in percent of its size, the landmark farthest apart) of the N instances, the worst first."""
    share = np.where(pairs.both, np.linalg.norm(pairs.one - pairs.other, axis=2), np.nan) / sizes(pairs)[:, None]
    some = [n for n in range(len(share)) if np.isfinite(share[n]).any()]
    told = [(n, float(100 * np.nanmean(share[n])), int(np.nanargmax(share[n]))) for n in some]
    return sorted(told, key=lambda one: -one[1])


def sizes(pairs: Pairs) -> np.ndarray:
    """(N,) float64 pixels: square root of the area of the tight box around the landmarks that both have; at least 1.

    Of two people the box holds what either placed; beside a model it holds the labels.
    """
    sides = [pairs.one] if pairs.of_model else [pairs.one, pairs.other]
    points, known = np.concatenate(sides, 1), np.concatenate([pairs.both] * len(sides), 1)[..., None]
    low = np.where(known, points, np.inf).min(1)
    high = np.where(known, points, -np.inf).max(1)
    side = np.where(np.isfinite(high - low), high - low, 1.0)
    return np.sqrt(np.maximum(side[:, 0] * side[:, 1], 1.0))


def _mean(values: np.ndarray) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else None


def _main_table(labels: LabelSet) -> Table:
    """The table with most instances; of those the ones that a person placed, where there are any."""
    if not labels.instances:
        raise UserError("One of the two holds no labels; choose another file.")
    return placed_by_people(max(labels.tables, key=len))


def _landmarks(first: Table, second: Table) -> tuple[tuple[str, ...], list[int], list[int]]:
    """Names that both have and their places; the same places where no name fits but the numbers do."""
    own = first.skeleton.landmarks
    places = counterparts(own, second.skeleton.landmarks)
    if set(places) <= {NONE} and len(own) == len(second.skeleton):
        places = list(range(len(own)))
    found = [(name, k, at) for k, (name, at) in enumerate(zip(own, places, strict=True)) if at != NONE]
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


def _may_be_same(one: Picture, other: Picture) -> bool:
    """Whether nothing says that two pictures of one name are not the same."""
    return not (one.digest and other.digest) or one.digest == other.digest


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
