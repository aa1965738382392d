"""Parts of a subject: areas between its landmarks, as masks, and what a segmentation's maps say of them.

Parts are painted in their order, so that a later one covers an earlier one: the eyes lie on the skin. What there is
to paint stands in resources/parts/NAME.json: `areas` are polygons of landmarks, `strokes` lines of a `width` in sides
of the landmarks' box. The first part is the background, what nothing else covers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Protocol

import numpy as np

from engine import crop
from engine.architecture import SEGMENTATION
from engine.errors import UserError
from engine.heatmaps import probabilities
from engine.opencv import cv2
from engine.schema import Schema, load_schema
from engine.types import Box, Heatmaps, Prediction

FINER = 4  # masks are painted so many times as fine as pixels, and averaged: OpenCV paints half a pixel too far
SHIFT = 4  # OpenCV paints at 1 / 2**SHIFT pixels
FAR = 1 << 22  # fixed coordinates beyond this would overflow in OpenCV
WIDEST = 32767  # lines that OpenCV paints


class PartsError(UserError):
    """Parts that there are not, or that do not fit; the message is one sentence with a remedy."""


@dataclass(frozen=True)
class Part:
    """One part: its colour (RGB), and what to paint, by indices of landmarks."""

    name: str
    colour: tuple[int, int, int]
    areas: tuple[tuple[int, ...], ...] = ()
    strokes: tuple[tuple[int, ...], ...] = ()
    width: float = 0.0


@dataclass(frozen=True)
class Parts:
    """A division into C parts, the background first.

    labels: the schema of the landmarks between which they lie; schema: the parts themselves, as models name their maps.
    """

    name: str
    labels: Schema
    schema: Schema
    parts: tuple[Part, ...]

    def __len__(self) -> int:
        return len(self.parts)

    @property
    def colours(self) -> np.ndarray:
        """(C, 3) uint8 RGB."""
        return np.array([part.colour for part in self.parts], np.uint8)


@cache
def load_parts(name: str) -> Parts:
    """Parts that ship, by name; raises PartsError where there are none."""
    folder = resources.files("resources") / "parts"
    path = folder / f"{name}.json"
    if not path.is_file():
        known = sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".json"))
        raise PartsError(f"There are no parts {name!r}; choose one of {', '.join(known)}.")
    data = json.loads(path.read_text("utf-8"))
    parts = tuple(
        Part(one["name"], tuple(bytes.fromhex(one["colour"][1:])), *(
            tuple(tuple(line) for line in one.get(kind, ())) for kind in ("areas", "strokes")
        ), one.get("width", 0.0))
        for one in data["parts"]
    )  # fmt: skip
    labels = load_schema(data["labels"])
    return Parts(name, labels, _schema(data, parts, labels), parts)


def _schema(data: dict, parts: tuple[Part, ...], labels: Schema) -> Schema:
    mean = np.array(labels.mean)
    middles = [mean[sorted({i for line in part.areas + part.strokes for i in line})].mean(0) for part in parts[1:]]
    names = tuple(part.name for part in parts)
    return Schema(
        name=data["name"], title=data["title"], subject=data["subject"], landmarks=names, edges=(), flip=(),
        groups={name: (k,) for k, name in enumerate(names)}, sides=("centre",) * len(names), crop=data["crop"],
        normaliser=(0, 1), mean=((0.5, 0.5), *((float(x), float(y)) for x, y in middles)),
    )  # fmt: skip


def parts_of(schema: Schema) -> Parts:
    """The parts that a segmentation's schema names; raises PartsError for those of another version."""
    found = load_parts(schema.name)
    if found.schema.landmarks != schema.landmarks:
        raise PartsError(f"The model divides into other parts than this version's {schema.name}; update Hourbit.")
    return found


class Mapped(Protocol):
    """A model, as far as its maps go."""

    @property
    def head(self) -> str:
        """What they mean."""

    @property
    def schema(self) -> Schema:
        """What they are called."""


def label_schema(model: Mapped) -> Schema:
    """The schema of the labels that a model is trained and measured with: of a segmentation the landmarks'."""
    return parts_of(model.schema).labels if model.head == SEGMENTATION else model.schema


# ---- from landmarks to masks


def shares(parts: Parts, points: np.ndarray, side: int, stride: int = 1) -> np.ndarray:
    """How much of each cell each part covers, (C, side, side) float32, adding up to 1.

    points (K, 2): landmarks in pixels; a cell is a square of `stride` pixels, the first one's edge at -0.5.
    """
    whole = side * stride * FINER
    fine = (np.asarray(points, np.float64) + 0.5) * FINER - 0.5
    size = float(np.ptp(fine, 0).max())
    fixed = np.clip(np.rint(fine * (1 << SHIFT)), -FAR, FAR).astype(np.int32)
    painted = np.zeros((whole, whole), np.uint8)
    for number, part in enumerate(parts.parts):
        for area in part.areas:
            cv2.fillPoly(painted, [fixed[list(area)]], number, cv2.LINE_8, SHIFT)
        for stroke in part.strokes:
            width = min(max(1, round(part.width * size)), WIDEST)
            cv2.polylines(painted, [fixed[list(stroke)]], False, number, width, cv2.LINE_8, SHIFT)
    planes = [np.where(painted == number, np.uint8(255), np.uint8(0)) for number in range(len(parts))]
    small = np.stack([cv2.resize(plane, (side, side), interpolation=cv2.INTER_AREA) for plane in planes])
    return small / small.sum(0, dtype=np.float32)


def mask(parts: Parts, points: np.ndarray, side: int) -> np.ndarray:
    """The part that covers most of each pixel, (side, side) uint8; points (K, 2) pixels."""
    return shares(parts, points, side).argmax(0).astype(np.uint8)


# ---- from maps to parts


def part_map(maps: Heatmaps, finer: int = 1) -> np.ndarray:
    """The likeliest part at each pixel of a crop, or of `finer` times as many: (S, S) uint8.

    Logits are laid between cells linearly, so that borders are not made of cells.
    """
    height, width = (size * maps.stride * finer for size in maps.logits.shape[1:])
    planes = np.ascontiguousarray(maps.logits.transpose(1, 2, 0))
    return cv2.resize(planes, (width, height), interpolation=cv2.INTER_LINEAR).argmax(2).astype(np.uint8)


def predicted(maps: Heatmaps, box: Box, model: str) -> Prediction:
    """What a segmentation says of a box.

    A part's landmark is the middle of its pixels and its score the part's mean probability there; a part that no pixel
    has lies in the middle of the crop with a score of 0.
    """
    found, count = part_map(maps), len(maps.logits)
    likely = probabilities(maps.logits, SEGMENTATION).max(0).repeat(maps.stride, 0).repeat(maps.stride, 1)
    pixels = np.maximum(np.bincount(found.ravel(), minlength=count), 1)
    score = np.bincount(found.ravel(), likely.ravel(), count) / pixels
    back = crop.invert(maps.affine)
    landmarks = np.concatenate([crop.apply(back, middles(found, count)), score[:, None]], 1)
    return Prediction(landmarks, box, model, maps)


def middles(found: np.ndarray, count: int) -> np.ndarray:
    """The mean place of each part's pixels in a map of parts (S, S): (count, 2) float64 x, y; of none, the map's."""
    rows, columns = np.indices(found.shape)
    pixels = np.bincount(found.ravel(), minlength=count)
    sums = np.stack([np.bincount(found.ravel(), values.ravel(), count) for values in (columns, rows)], 1)
    return np.where(pixels[:, None] > 0, sums / np.maximum(pixels, 1)[:, None], (len(found) - 1) / 2)


# ---- how well they agree


def overlaps(found: np.ndarray, truth: np.ndarray, count: int) -> np.ndarray:
    """Pixels that two maps of parts, of one shape, share and that either has: (count, 2) int64 for each part."""
    pairs = np.bincount(truth.ravel().astype(np.int64) * count + found.ravel(), minlength=count * count)
    table = pairs.reshape(count, count)
    both = table.diagonal()
    return np.stack([both, table.sum(0) + table.sum(1) - both], 1)


def all_known(weight: np.ndarray) -> np.ndarray:
    """(...) bool: whether all landmarks are labelled, weight (..., K) above 0; without them there is no mask."""
    return (weight > 0).all(-1)


def intersection_over_union(counted: np.ndarray) -> np.ndarray:
    """IoU (..., C) float64 of what `overlaps` counted, (..., C, 2), or sums of it; NaN of parts that nobody has."""
    both, either = counted[..., 0].astype(np.float64), counted[..., 1]
    return np.where(either > 0, both / np.maximum(either, 1), np.nan)
