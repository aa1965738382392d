"""Marks on pictures: shape says state, colour says side, and every mark reads on any ground."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from app.project.values import Origin, Visibility
from app.views import marks, tokens
from app.views.theme import theme
from engine.schema import load_schema

SCHEMA = load_schema("ibug68")
SIDE = 64
MIDDLE = SIDE // 2
LEFT = SCHEMA.sides.index("left")


def painted(draw: Callable[[QPainter], None], ground: str = "#808080", factor: int = 1) -> np.ndarray:
    """(H, W, 3) uint8 RGB of what `draw` paints on a square of 64 px."""
    image = QImage(SIDE * factor, SIDE * factor, QImage.Format.Format_RGB888)
    image.setDevicePixelRatio(factor)
    image.fill(QColor(ground))
    painter = QPainter(image)
    draw(painter)
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)])


def mark(kind: str, visibility: Visibility = Visibility.VISIBLE, ground: str = "#808080") -> np.ndarray:
    at, hue = QPointF(MIDDLE + 0.5, MIDDLE + 0.5), QColor(tokens.SIDES["left"])
    return painted(lambda painter: _smooth(painter, at, kind, hue, visibility), ground)


def _smooth(painter: QPainter, at: QPointF, kind: str, hue: QColor, visibility: Visibility) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    marks.draw_mark(painter, at, kind, hue, 5.0, visibility)


def instance(**more: object) -> np.ndarray:
    """The face with one landmark in the middle of the square and the rest out of sight."""
    points = np.full((len(SCHEMA), 2), np.nan)
    points[LEFT] = MIDDLE + 0.5
    return painted(lambda painter: marks.draw_landmarks(painter, points, SCHEMA, **more))


def of_one(value: int, dtype: type) -> np.ndarray:
    return np.full(len(SCHEMA), value, dtype)


def changed(pixels: np.ndarray, ground: str = "#808080") -> np.ndarray:
    """(H, W) bool: where something was painted."""
    return np.any(pixels != rgb(ground), axis=2)


def reach(pixels: np.ndarray) -> float:
    """Distance of the farthest painted pixel from the middle."""
    y, x = np.nonzero(changed(pixels))
    return float(np.hypot(y - MIDDLE, x - MIDDLE).max())


def test_hollow_leaves_the_pixel_in_the_middle_clear():
    assert (mark("model")[MIDDLE, MIDDLE] == rgb("#808080")).all()


def test_solid_and_dotted_differ_in_the_middle():
    assert (mark("hand")[MIDDLE, MIDDLE] == rgb(tokens.SIDES["left"])).all()
    assert mark("edited")[MIDDLE, MIDDLE].max() < 40


def test_all_states_differ_without_their_colour():
    greys = [
        mark(kind, visibility).mean(2)
        for kind in ("model", "edited", "hand")
        for visibility in (Visibility.VISIBLE, Visibility.OCCLUDED)
    ] + [mark("hand", Visibility.ABSENT).mean(2)]
    for n, a in enumerate(greys):
        for b in greys[n + 1 :]:
            assert (np.abs(a - b) > 30).sum() >= 8


@pytest.mark.parametrize("kind", ["model", "edited", "hand"])
@pytest.mark.parametrize("ground", ["#FFFFFF", "#000000", tokens.SIDES["left"], tokens.SIDES["right"]])
def test_every_mark_reads_on_every_ground(kind, ground):
    pixels = mark(kind, ground=ground).astype(int)
    assert (np.abs(pixels - rgb(ground)).max(2) > 60).sum() >= 20


def test_an_occluded_mark_is_a_diamond():
    disc, diamond = mark("hand").mean(2), mark("hand", Visibility.OCCLUDED).mean(2)
    far, near = MIDDLE + 7, MIDDLE + 4
    assert diamond[MIDDLE, far] < disc[MIDDLE, far] - 10  # its corner reaches further than the disc
    assert disc[near, near] < diamond[near, near] - 30  # and its edge less far


def test_a_doubtful_landmark_has_a_dashed_ring_outside_the_mark():
    sure = instance(scores=of_one(1, np.float32))
    doubtful = instance(scores=np.full(len(SCHEMA), marks.doubt_limit(SCHEMA) - 0.01, np.float32))
    assert reach(sure) < 8 and 10 <= reach(doubtful) <= 14
    angles = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    on_ring = np.round(MIDDLE + 11 * np.stack([np.sin(angles), np.cos(angles)])).astype(int)
    hit = np.abs(doubtful[on_ring[0], on_ring[1]].astype(int) - rgb(tokens.DOUBT)).max(1) < 60
    assert 0.2 < hit.mean() < 0.8  # dashes and gaps


def test_a_hand_is_never_doubtful():
    by_hand = instance(scores=of_one(0, np.float32), origin=of_one(Origin.HAND, np.uint8))
    assert reach(by_hand) < 8


@pytest.mark.parametrize("origin", [Origin.MODEL, Origin.EDITED, Origin.HAND])
def test_the_selected_ring_is_white_and_the_hovered_one_thinner(origin):
    selected = instance(origin=of_one(origin, np.uint8), selected=LEFT)
    hovered = instance(origin=of_one(origin, np.uint8), hovered=LEFT)
    assert (selected[MIDDLE, MIDDLE + 13] > 240).all()
    white = [np.sum((pixels > 200).all(2)) for pixels in (selected, hovered)]
    assert white[0] > white[1] > 0


def test_live_fills_what_is_sure_and_leaves_doubt_hollow():
    sure = instance(scores=of_one(1, np.float32), sure_is_solid=True)
    doubtful = instance(scores=of_one(0, np.float32), sure_is_solid=True)
    assert (sure[MIDDLE, MIDDLE] == rgb(tokens.SIDES["left"])).all()
    assert (doubtful[MIDDLE, MIDDLE] == rgb("#808080")).all()


def test_absent_landmarks_and_those_without_a_place_are_not_painted():
    assert not changed(instance(visibility=of_one(Visibility.ABSENT, np.uint8))).any()
    nowhere = np.full((len(SCHEMA), 2), np.nan)
    assert not changed(painted(lambda p: marks.draw_landmarks(p, nowhere, SCHEMA))).any()


def test_lines_stop_at_hollow_marks_and_are_dotted_in_doubt():
    a, b = SCHEMA.edges[0]
    points = np.full((len(SCHEMA), 2), np.nan)
    points[a], points[b] = (8.5, MIDDLE + 0.5), (56.5, MIDDLE + 0.5)

    def row(score: float) -> np.ndarray:
        scores = np.full(len(SCHEMA), score, np.float32)
        return changed(painted(lambda p: marks.draw_landmarks(p, points, SCHEMA, scores=scores)))[MIDDLE]

    assert not row(1.0)[8]  # the middle of the hollow mark stays clear
    assert row(1.0)[24:42].all()
    assert not row(0.1)[24:42].all() and row(0.1)[24:42].any()


def test_colours_can_be_replaced_and_shapes_stay():
    red = instance(colours=[QColor("#FF0000")] * len(SCHEMA), origin=of_one(Origin.HAND, np.uint8))
    plain = instance(origin=of_one(Origin.HAND, np.uint8))
    assert (red[MIDDLE, MIDDLE] == (255, 0, 0)).all()
    assert (changed(red) == changed(plain)).all()


def test_sizes_are_the_same_at_twice_the_pixels():
    points = np.full((len(SCHEMA), 2), np.nan)
    points[LEFT] = MIDDLE
    once, twice = (changed(painted(lambda p: marks.draw_landmarks(p, points, SCHEMA), factor=n)) for n in (1, 2))
    widths = [np.ptp(np.nonzero(seen.any(0))[0]) + 1 for seen in (once, twice)]
    assert widths[1] == pytest.approx(2 * widths[0], abs=3)


def test_glyphs_take_the_darker_sides_on_light_chrome(qapp):
    theme().apply(qapp, "light")
    try:
        hue = marks.side_colour("right", on_chrome=True)
        assert hue.name().upper() == tokens.SIDES_ON_LIGHT["right"]
        assert marks.side_colour("right").name().upper() == tokens.SIDES["right"]
        area = QRectF(0, 0, SIDE, SIDE)
        glyph = painted(lambda p: marks.draw_glyph(p, area, "hand", hue), tokens.LIGHT["panel"])
        assert (glyph[MIDDLE, MIDDLE] == rgb(tokens.SIDES_ON_LIGHT["right"])).all()
    finally:
        theme().apply(qapp, "dark")


def test_the_painter_is_given_back_as_it_was():
    def draw(painter: QPainter) -> None:
        before = painter.pen(), painter.brush(), painter.renderHints()
        points = np.tile((MIDDLE, MIDDLE), (len(SCHEMA), 1)).astype(float)
        marks.draw_landmarks(painter, points, SCHEMA, scores=of_one(0, np.float32), selected=0)
        marks.draw_visibility(painter, 5, 5, Visibility.OCCLUDED, QColor("white"))
        assert (painter.pen(), painter.brush(), painter.renderHints()) == before

    painted(draw)


def test_lines_stay_out_of_hollow_marks_that_another_call_paints():
    a, b = SCHEMA.edges[0]
    points = np.full((len(SCHEMA), 2), np.nan)
    points[a], points[b] = MIDDLE + 0.5, (MIDDLE + 0.5, 2.5)

    def middle(**more: object) -> np.ndarray:
        return painted(lambda p: marks.draw_landmarks(p, points, SCHEMA, marks=False, **more))[MIDDLE, MIDDLE]

    assert (middle(clear=True) == rgb("#808080")).all()
    assert (middle() != rgb("#808080")).any()
