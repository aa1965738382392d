"""Augmented views of scenes: what a detector sees in training, with the boxes in it.

A view is one photograph, or several as tiles. Each shows a box of its photograph at a size drawn evenly on a
logarithmic scale, so that faces far from a webcam are as frequent as near ones; where a photograph is smaller
than its tile it lies anywhere in it. Nothing is mirrored at a border: it would show faces that nobody labelled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.opencv import cv2
from engine.squares import CLASSES
from engine.train.augment import colour
from engine.train.recipes import Recipe
from engine.train.scenes import Scene, Scenes

TILES = (1, 2, 3)  # tiles along a side
TILE_SHARES = (0.7, 0.22, 0.08)
SMALLEST = (7.0, 14.0)  # pixels of a face's, a person's longer side: what is smaller is ignored
DRAWN_FROM = (9.0, 20.0)  # least size that is aimed at
DRAWN_TO = (0.85, 1.0)  # largest size, as a share of the tile
LARGEST_SCALE = 2.5
SMALLEST_FIT = 0.4  # no photograph is smaller than this share of its tile: borders teach nothing
WHOLE = 0.3  # share of the views that show the whole photograph as large as fits
SEEN, CUT = 0.65, 0.02  # share of a box inside the tile from which it counts, up to which it is none


@dataclass(frozen=True)
class View:
    """picture (S, S, 3) uint8 RGB; boxes (M, 4) centre, width, height in its pixels; kind (M,) as in `Scene`.

    known: (x0, y0, x1, y1, (C,) bool) for each tile: which classes are labelled there.
    """

    picture: np.ndarray
    boxes: np.ndarray
    kind: np.ndarray
    known: tuple[tuple[int, int, int, int, np.ndarray], ...]


def make_view(scenes: Scenes, recipe: Recipe, side: int, rng: np.random.Generator) -> View:
    """One random view of `side` pixels."""
    across = int(rng.choice(TILES, p=TILE_SHARES))
    edges = np.linspace(0, side, across + 1).round().astype(int) // 4 * 4  # tiles end where cells do
    picture = np.zeros((side, side, 3), np.uint8)
    boxes, kinds, known = [], [], []
    for row in range(across):
        for column in range(across):
            x0, x1, y0, y1 = edges[column], edges[column + 1], edges[row], edges[row + 1]
            scene = scenes.draw(rng)
            tile, placed, kind = _tile(scene, recipe, (x1 - x0, y1 - y0), rng)
            picture[y0:y1, x0:x1] = tile
            boxes.append(placed + (x0, y0, 0, 0))
            kinds.append(kind)
            known.append((x0, y0, x1, y1, scene.known))
    return View(picture, np.concatenate(boxes), np.concatenate(kinds), tuple(known))


def plain_view(scene: Scene, side: int) -> View:
    """The whole photograph, as large as fits, in the middle: what a detector sees in use."""
    scale = side / scene.size.max()
    affine = _affine(scene, scale, 0.0, False, (side - scene.size * scale) / 2)
    boxes, kind = _placed(scene, affine, scale, (side, side))
    return View(_warp(scene, affine, scale, (side, side), None), boxes, kind, ((0, 0, side, side, scene.known),))


def _tile(
    scene: Scene, recipe: Recipe, size: tuple[int, int], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One photograph on a tile (width, height): pixels, boxes in the tile, their kinds."""
    scale, about = _scale(scene, min(size), rng)
    angle = float(np.clip(rng.normal(0, recipe.rotation), -recipe.rotation_limit, recipe.rotation_limit))
    flip = bool(rng.random() < recipe.flip_share)
    free = np.array(size) - scene.size * scale
    if about is None:
        start = free * rng.random(2)
    else:  # the box anywhere in the tile, but no more border than needed
        place = np.array([scene.size[0] - 1 - about[0], about[1]]) if flip else about
        wanted = np.array(size) * rng.uniform(0.05, 0.95, 2) - place * scale
        start = np.clip(wanted, np.minimum(free, 0), np.maximum(free, 0))
    affine = _affine(scene, scale, angle, flip, start)
    paint = rng.integers(0, 256, 3) if rng.random() < 0.5 else None
    picture = colour(_warp(scene, affine, scale, size, paint), recipe, rng)
    boxes, kind = _placed(scene, affine, scale, size)
    return picture, boxes, kind


def _scale(scene: Scene, room: int, rng: np.random.Generator) -> tuple[float, np.ndarray | None]:
    """Tile pixels per pixel of the photograph, and the centre of the box that was chosen for it, if any."""
    fit = room / scene.size.max()
    labelled = np.flatnonzero(scene.kind < len(CLASSES))
    if not len(labelled):
        return min(fit * np.exp(rng.uniform(np.log(0.5), np.log(2.5))), LARGEST_SCALE), None
    if rng.random() < WHOLE:
        return fit, None
    faces = labelled[scene.kind[labelled] == 0]
    chosen = rng.choice(faces if len(faces) and rng.random() < 0.7 else labelled)
    number, extent = scene.kind[chosen], float(scene.boxes[chosen, 2:].max())
    low, high = DRAWN_FROM[number], DRAWN_TO[number] * room
    wanted = np.exp(rng.uniform(np.log(low), np.log(max(high, low + 1))))
    scale = max(min(wanted / max(extent, 1.0), LARGEST_SCALE), SMALLEST_FIT * fit)
    return scale, scene.boxes[chosen, :2]


def _affine(scene: Scene, scale: float, angle: float, flip: bool, start: np.ndarray) -> np.ndarray:
    """Photograph to tile pixels, (2, 3): turned about its middle by degrees; unturned its corner lies at `start`."""
    turn = np.deg2rad(angle)
    linear = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) * scale
    if flip:
        linear[:, 0] *= -1
    middle = (scene.size - 1) / 2
    return np.concatenate([linear, (start + scene.size * scale / 2 - 0.5 - linear @ middle)[:, None]], 1)


def _warp(
    scene: Scene, affine: np.ndarray, scale: float, size: tuple[int, int], paint: np.ndarray | None
) -> np.ndarray:
    """The tile's pixels, from the level whose size is nearest above; around it edge pixels or one colour."""
    level = int(np.clip(np.floor(-np.log2(max(scale, 1e-6)) + 0.2), 0, len(scene.levels) - 1))
    picture = scene.levels[level]
    factor = scene.size / picture.shape[1::-1]
    small = affine.copy()
    small[:, 2] += affine[:, :2] @ ((factor - 1) / 2)  # pixel i of a level is pixel i f + (f - 1) / 2
    small[:, :2] = affine[:, :2] * factor
    border = cv2.BORDER_REPLICATE if paint is None else cv2.BORDER_CONSTANT
    filling = (0, 0, 0) if paint is None else tuple(int(v) for v in paint)
    width, height = (int(n) for n in size)
    return cv2.warpAffine(picture, small, (width, height), flags=cv2.INTER_LINEAR, borderMode=border,
                          borderValue=filling)  # fmt: skip


def _placed(
    scene: Scene, affine: np.ndarray, scale: float, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (M, 4) in tile pixels and their kinds: cut or tiny ones are to be ignored, invisible ones left out."""
    centre = scene.boxes[:, :2] @ affine[:, :2].T + affine[:, 2]
    boxes = np.concatenate([centre, scene.boxes[:, 2:] * scale], 1)
    low = np.clip(centre - boxes[:, 2:] / 2, -0.5, np.array(size) - 0.5)
    high = np.clip(centre + boxes[:, 2:] / 2, -0.5, np.array(size) - 0.5)
    visible = (high - low).prod(1) / np.maximum(boxes[:, 2:].prod(1), 1e-6)
    inside = ((centre > 0) & (centre < np.array(size) - 1)).all(1)
    least = np.array(SMALLEST)[scene.kind % len(CLASSES)]
    whole = inside & (visible > SEEN) & (boxes[:, 2:].max(1, initial=0) >= least)
    kind = np.where(whole, scene.kind, scene.kind % len(CLASSES) + len(CLASSES))
    shown = visible > CUT
    return boxes[shown], kind[shown]
