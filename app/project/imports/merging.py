"""A file's instances and those that an image has: which are the same subject, and what each landmark becomes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from app.project.values import Instance, Origin, Visibility

NEAR = 0.2  # median distance of the landmarks of one subject, as a share of its size
OVERLAP = 0.5  # of the boxes around them, as intersection over union
SAME_PLACE = 0.01  # pixels within which two places are one


def by_hand(instance: Instance, accepted: bool) -> np.ndarray:
    """(K,) bool: landmarks that a person placed, judged, or accepted; a model never says occluded or absent."""
    judged = (instance.visibility != Visibility.VISIBLE) & (instance.origin != Origin.NONE)
    there = instance.visibility > Visibility.ABSENT
    return (instance.origin > Origin.MODEL) | judged | (there & accepted)


def pairs(held: list[Instance], new: list[Instance]) -> dict[int, int]:
    """new -> held for instances that show one subject: the nearest first, each taken once."""
    found = []
    for n, one in enumerate(new):
        for h, other in enumerate(held):
            cost = _distance(one, other)
            if cost is not None:
                found.append((cost, n, h))
    taken: dict[int, int] = {}
    for _, n, h in sorted(found):
        if n not in taken and h not in taken.values():
            taken[n] = h
    return taken


def _distance(one: Instance, other: Instance) -> float | None:
    """Mean distance of common landmarks by size; None where the two are not one subject.

    They are one where most landmarks are near, the boxes overlap, or some landmark is at the very same place.
    """
    there = (one.visibility > 0) & (other.visibility > 0)
    if not there.any():
        return None
    a, b = one.points[one.visibility > 0], other.points[other.visibility > 0]
    every = np.concatenate([a, b])
    size = max(float((every.max(0) - every.min(0)).max()), 1.0)
    away = np.linalg.norm(one.points[there] - other.points[there], axis=1)
    near = float(np.median(away)) < NEAR * size or float(away.min()) <= SAME_PLACE
    return float(away.mean()) / size if near or _overlap(a, b) > OVERLAP else None


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    common = np.clip(np.minimum(a.max(0), b.max(0)) - np.maximum(a.min(0), b.min(0)), 0, None).prod()
    either = (a.max(0) - a.min(0)).prod() + (b.max(0) - b.min(0)).prod() - common
    return float(common / either) if either > 0 else 0.0


def merge(
    held: Instance, new: Instance, accepted: bool, mapped: np.ndarray, replacing: bool, tally: Counter[str]
) -> Instance:
    """The held instance with the file's landmarks where no hand has been; with `replacing`, with all of the file's.

    mapped (K,) bool: landmarks of which the file can speak. Without `replacing` no landmark is ever lost. Counted in
    `tally`: added, replaced, removed, and kept (a hand's that differs from the file's).
    """
    own, there = by_hand(held, accepted), new.visibility > Visibility.ABSENT
    placed = held.visibility > Visibility.ABSENT
    away = np.linalg.norm(held.points - new.points, axis=1) > SAME_PLACE
    differs = there & ((held.visibility != new.visibility) | (placed & away))
    take = differs | (there & ~own)
    gone = mapped & ~there & placed & replacing & (own | (new.origin == Origin.HAND).any())
    if not replacing:
        tally["kept"] += int((own & differs).sum())
        take &= ~own
    tally["removed"] += int((gone & own).sum())
    tally["replaced"] += int((take & own & placed).sum())
    tally["added"] += int((take & ~(own & placed)).sum())
    if not take.any() and not gone.any():
        return held
    visibility = np.where(take, new.visibility, np.where(gone, Visibility.ABSENT, held.visibility))
    box = new.box if new.box.origin == "hand" and (replacing or held.box.origin != "hand") else held.box
    return replace(
        held, box=box, points=np.where(take[:, None], new.points, held.points), visibility=visibility.astype(np.uint8),
        origin=np.where(take, new.origin, np.where(gone, Origin.HAND, held.origin)).astype(np.uint8),
    )  # fmt: skip
