"""Drawn pictures: marks where the landmarks are, heat where the decoder finds its peak."""

from __future__ import annotations

import numpy as np

from app.overlay import SIDES, blend_heatmaps, draw
from engine import crop
from engine.heatmaps import decode, to_crop
from engine.schema import load_schema
from engine.types import Box, Heatmaps, Prediction

FACE = load_schema("ibug68")
GREY = np.full((200, 240, 3), 90, np.uint8)


def face(cx: float, cy: float, side: float) -> Prediction:
    shape = (np.array(FACE.mean) - 0.5) * side + (cx, cy)
    return Prediction(np.concatenate([shape, np.ones((68, 1))], 1), Box(cx, cy, side), "m")


def test_every_landmark_has_its_colour_at_its_place() -> None:
    found = face(120, 100, 160)
    drawn = draw(GREY, [found], FACE)
    for k in (0, 16, 30, 57):
        x, y = found.landmarks[k, :2].round().astype(int)
        assert np.abs(drawn[y, x].astype(int) - SIDES[FACE.sides[k]]).max() < 60, FACE.landmarks[k]
    assert (GREY == 90).all() and drawn.shape == GREY.shape


def test_moving_one_landmark_moves_its_mark_only() -> None:
    found = face(120, 100, 160)
    moved = found.landmarks.copy()
    moved[57, 1] += 25
    other = Prediction(moved, found.box, "m")
    changed = np.argwhere((draw(GREY, [found], FACE) != draw(GREY, [other], FACE)).any(2))
    x, y = found.landmarks[57, :2]
    low, high = changed.min(0), changed.max(0)
    assert low[0] >= y - 20 and high[0] <= y + 45 and abs(low[1] - x) < 40 and abs(high[1] - x) < 40


def test_nothing_found_draws_nothing_and_far_points_do_no_harm() -> None:
    assert (draw(GREY, [], FACE) == GREY).all()
    draw(GREY, [face(-1e7, 1e9, 50)], FACE)
    assert (blend_heatmaps(GREY, []) == GREY).all()


def test_heat_lies_where_the_decoder_finds_the_landmark() -> None:
    affine = crop.matrix(130, 90, 150, 256, angle=20)
    cells = np.arange(64)
    logits = 6 - 0.15 * ((cells[:, None] - 22.3) ** 2 + (cells - 40.6) ** 2)[None].astype(np.float32)
    maps = Heatmaps(logits, affine)
    place = crop.apply(crop.invert(affine), to_crop(decode(logits)[:, :2]))[0]
    warm = blend_heatmaps(GREY, [maps]).astype(int)[..., 0] - 90
    weight = np.clip(warm, 0, None) ** 2
    ys, xs = np.mgrid[: GREY.shape[0], : GREY.shape[1]]
    centre = np.array([(xs * weight).sum(), (ys * weight).sum()]) / weight.sum()
    assert np.hypot(*(centre - place)) < 0.5


def test_of_a_body_only_what_is_seen_is_drawn() -> None:
    """Where its feet should be, below a desk, the network guesses anywhere."""
    body = load_schema("mpii16")
    places = np.column_stack([np.linspace(20, 220, 16), np.linspace(20, 180, 16)])
    scores = np.where(np.arange(16) < 6, 0.14, 0.16)
    drawn = draw(GREY, [Prediction(np.column_stack([places, scores]), Box(120, 100, 200), "m")], body)
    changed = [(drawn[int(y), int(x)] != 90).any() for x, y in places.round()]
    assert changed == [False] * 6 + [True] * 10
    whole = draw(GREY, [Prediction(np.column_stack([places, scores + 0.01]), Box(120, 100, 200), "m")], body)
    assert all((whole[int(y), int(x)] != 90).any() for x, y in places.round())
