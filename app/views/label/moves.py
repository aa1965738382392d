"""Moves of several landmarks at once, as plain functions over places: shift, turn, scale, mirror, fit.

Places are (K, 2) float64 in picture pixels; a move is an affine (2, 3) from places to places.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from app.project.values import Instance, Origin, Visibility
from engine.schema import Schema

LEAST = 1e-9


def about(centre: np.ndarray, linear: np.ndarray) -> np.ndarray:
    """The affine (2, 3) that applies `linear` (2, 2) and leaves `centre` (2,) where it is."""
    centre = np.asarray(centre, np.float64)
    return np.concatenate([linear, (centre - linear @ centre)[:, None]], 1)


def shift(by: Iterable[float]) -> np.ndarray:
    """The affine that moves by (dx, dy)."""
    return np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]) + np.array([[0.0, 0.0, b] for b in by])


def turn(centre: np.ndarray, degrees: float) -> np.ndarray:
    """The affine that turns clockwise on screen around `centre`."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return about(centre, np.array([[c, -s], [s, c]]))


def scale(centre: np.ndarray, x: float, y: float) -> np.ndarray:
    """The affine that stretches around `centre`."""
    return about(centre, np.diag([x, y]))


def moved_by(affine: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Places (..., 2) after a move."""
    return np.asarray(places) @ affine[:, :2].T + affine[:, 2]


def bounds(places: np.ndarray) -> np.ndarray:
    """x0, y0, x1, y1 of places (n, 2), n >= 1."""
    return np.concatenate([places.min(0), places.max(0)])


def with_places(instance: Instance, which: Iterable[int], places: np.ndarray) -> Instance:
    """The instance with some landmarks moved by a hand. places (K, 2), of which only those of `which` are used."""
    which = list(which)
    points, origin = instance.points.copy(), instance.origin.copy()
    points[which] = places[which]
    guessed = np.isin(origin[which], (Origin.MODEL, Origin.EDITED))
    origin[which] = np.where(guessed, Origin.EDITED, Origin.HAND)
    return replace(instance, points=points, origin=origin)


def held_inside(places: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Places (n, 2) shifted as a whole into room (x0, y0, x1, y1); what is still outside goes to its edge."""
    low, high = places.min(0), places.max(0)
    by = np.maximum(0.0, room[:2] - low) + np.minimum(0.0, room[2:] - high)
    return np.clip(places + by, room[:2], room[2:])


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The affine of shift, turn and one scale that brings source (n, 2) nearest to target (n, 2), least squares.

    One pair gives a shift. The closed form of Umeyama (1991) in two dimensions, without mirroring.
    """
    a, b = source - source.mean(0), target - target.mean(0)
    spread = float((a**2).sum())
    if len(source) < 2 or spread < LEAST:
        return shift(target.mean(0) - source.mean(0))
    cosine = float((a * b).sum()) / spread
    sine = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / spread
    linear = np.array([[cosine, -sine], [sine, cosine]])
    return np.concatenate([linear, (target.mean(0) - linear @ source.mean(0))[:, None]], 1)


def with_partners(which: Iterable[int], schema: Schema) -> list[int]:
    """The landmarks and those that swap with them in a mirror, in order."""
    which = list(which)
    return sorted({*which, *(int(k) for k in schema.permutation[which])})


def swapped(instance: Instance, which: Iterable[int], schema: Schema) -> Instance:
    """Left landmarks take the places and visibility of right ones and the other way round."""
    pairs = [k for k in with_partners(which, schema) if schema.permutation[k] != k]
    seen = instance.visibility.copy()
    seen[pairs] = instance.visibility[schema.permutation[pairs]]
    return replace(with_places(instance, pairs, instance.points[schema.permutation]), visibility=seen)


def mirrored(instance: Instance, which: Iterable[int], schema: Schema) -> Instance:
    """The shape seen in a mirror, in the same place: turned over its middle, sides swapped, so that left stays left."""
    group = with_partners(which, schema)
    present = [k for k in group if instance.visibility[k] != Visibility.ABSENT]
    if not present:
        return instance
    x0, _, x1, _ = bounds(instance.points[present])
    over = np.array([[-1.0, 0.0, x0 + x1], [0.0, 1.0, 0.0]])
    seen = instance.visibility.copy()
    seen[group] = instance.visibility[schema.permutation[group]]
    places = moved_by(over, instance.points)[schema.permutation]
    return replace(with_places(instance, group, places), visibility=seen)


def midline(instance: Instance, without: Iterable[int], schema: Schema) -> tuple[np.ndarray, np.ndarray]:
    """A place on the line between the sides, and its direction (unit): through centre landmarks and middles of pairs.

    `without`: landmarks whose places are not to be trusted. Upright through the box where fewer than two speak.
    """
    doubted = set(without)
    order = schema.permutation
    told = [k for k in range(len(schema)) if instance.visibility[k] != Visibility.ABSENT and k not in doubted]
    spots = [instance.points[k] for k in told if order[k] == k and schema.sides[k] == "centre"]
    spots += [(instance.points[k] + instance.points[order[k]]) / 2 for k in told if k < order[k] and order[k] in told]
    if len(spots) < 2:
        return np.array([instance.box.cx, instance.box.cy]), np.array([0.0, 1.0])
    spots = np.array(spots)
    _, spread, axes = np.linalg.svd(spots - spots.mean(0))
    direction = axes[0] if spread[0] > LEAST else np.array([0.0, 1.0])
    return spots.mean(0), direction


def onto_the_other_side(instance: Instance, which: Iterable[int], schema: Schema) -> tuple[Instance, list[int]]:
    """Partners of the landmarks at their mirror images over the midline; and which landmarks that placed."""
    chosen = set(which)
    order = schema.permutation
    sources = [k for k in chosen if order[k] != k and order[k] not in chosen]
    sources = [k for k in sources if instance.visibility[k] != Visibility.ABSENT]
    partners = [int(order[k]) for k in sources]
    if not partners:
        return instance, []
    place, along = midline(instance, [*partners, *chosen], schema)
    reflect = about(place, 2 * np.outer(along, along) - np.eye(2))
    places, seen = instance.points.copy(), instance.visibility.copy()
    places[partners] = moved_by(reflect, instance.points[sources])
    seen[partners] = instance.visibility[sources]
    return replace(with_places(instance, partners, places), visibility=seen), sorted(partners)


def rest_fitted(instance: Instance, free: np.ndarray, schema: Schema) -> Instance | None:
    """Landmarks that no hand has placed follow those that one has, as a shape; None where none is placed.

    free (K,) bool. The shape is the model's guess, where there is none the schema's mean shape; it is shifted,
    turned and scaled to the placed landmarks, never bent.
    """
    held = ~free & (instance.visibility != Visibility.ABSENT)
    if not held.any() or not free.any():
        return None
    guessed = np.isfinite(instance.guess).all(1)
    shape = instance.guess if guessed.all() else np.array(schema.mean)
    places = moved_by(similarity(shape[held], instance.points[held]), shape)
    points = np.where(free[:, None], places, instance.points)
    origin = np.where(free, Origin.MODEL, instance.origin).astype(np.uint8)
    gone = free & (instance.visibility == Visibility.ABSENT)
    seen = np.where(gone, Visibility.VISIBLE, instance.visibility).astype(np.uint8)
    return replace(instance, points=points, origin=origin, visibility=seen)
