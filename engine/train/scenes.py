"""Photographs with boxes, as the training of a detector wants them: decoded, in several sizes, some held out."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.opencv import cv2
from engine.scenes import load_scenes
from engine.squares import CLASSES

LEVELS = 3  # a picture, and it at a half and a quarter of its size
NONE = -1


@dataclass(frozen=True)
class Scene:
    """One photograph.

    levels: (H, W, 3) uint8 RGB at full, half and quarter size; boxes (M, 4) float32: centre x, centre y, width,
    height in pixels of the full size; kind (M,) int: the box's class, or its class + len(CLASSES) where it is
    to be ignored; known (C,) bool: whether a class is labelled in this picture at all.
    """

    levels: tuple[np.ndarray, ...]
    boxes: np.ndarray
    kind: np.ndarray
    known: np.ndarray

    @property
    def size(self) -> np.ndarray:
        """Width and height, (2,) float64."""
        return np.array(self.levels[0].shape[1::-1], np.float64)


@dataclass(frozen=True)
class Scenes:
    """Photographs, and for each how often it or one before it is drawn, (N,) float64 rising to 1."""

    scenes: tuple[Scene, ...]
    until: np.ndarray

    def __len__(self) -> int:
        return len(self.scenes)

    def draw(self, rng: np.random.Generator) -> Scene:
        """One at random."""
        return self.scenes[min(int(np.searchsorted(self.until, rng.random(), "right")), len(self) - 1)]


def read_scenes(paths: Sequence[str | Path], every: int) -> tuple[Scenes, Scenes]:
    """Scene packs as training scenes and a hold-out of one in `every`, chosen by what the picture shows.

    Of a source with n pictures each is drawn in proportion to 1 / sqrt(n): small sources hold what large ones
    lack. Raises UserError for damaged packs.
    """
    rows, sources, held = [], [], []
    for path in paths:
        pack = load_scenes(path)
        for n in range(pack.count):
            picture = pack.picture(n)
            rows.append(_scene(picture, pack.classes, n))
            sources.append(pack.sources[n] if pack.sources else str(path))
            held.append(zlib.crc32(picture.tobytes()) % every == 0)
    names, which, counts = np.unique(sources, return_inverse=True, return_counts=True)
    share, out = counts[which] ** -0.5, np.array(held)
    return _part(rows, share, ~out), _part(rows, share, out)


def _part(rows: list[Scene], share: np.ndarray, mask: np.ndarray) -> Scenes:
    chosen = np.flatnonzero(mask)
    return Scenes(tuple(rows[i] for i in chosen), np.cumsum(share[chosen]) / max(share[chosen].sum(), 1e-12))


def _scene(picture: np.ndarray, classes: dict, n: int) -> Scene:
    boxes, kind, known = [np.zeros((0, 4))], [np.zeros(0, int)], np.zeros(len(CLASSES), bool)
    for number, name in enumerate(CLASSES):
        if name in classes:
            own = classes[name]
            known[number] = own.known[n]
            for values, add in ((own.boxes[n], 0), (own.ignored[n], len(CLASSES))):
                boxes.append(np.asarray(values, np.float64))
                kind.append(np.full(len(values), number + add))
    corners = np.concatenate(boxes)
    placed = np.concatenate([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], 1)
    return Scene(_levels(picture), placed.astype(np.float32), np.concatenate(kind), known)


def _levels(picture: np.ndarray) -> tuple[np.ndarray, ...]:
    levels = [picture]
    for _ in range(LEVELS - 1):
        height, width = (max(1, n // 2) for n in levels[-1].shape[:2])
        levels.append(cv2.resize(levels[-1], (width, height), interpolation=cv2.INTER_AREA))
    return tuple(levels)
