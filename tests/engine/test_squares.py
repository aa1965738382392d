"""Reading a detector's maps: peaks, squares, thresholds, and what overlaps."""

from __future__ import annotations

import numpy as np
import pytest

from engine.random_model import schema_for
from engine.schema import load_schema, schema_from_json
from engine.squares import (
    CLASSES,
    LARGEST,
    MAPS,
    THRESHOLD,
    UNIT,
    detector_schema,
    is_detector,
    overlaps,
    read_squares,
    suppress_squares,
    thresholds,
)

LEAST = {"face": 0.5, "person": 0.5}


def empty(cells: int = 16) -> np.ndarray:
    maps = np.zeros((MAPS * len(CLASSES), cells, cells), np.float32)
    maps[::MAPS] = -6
    return maps


def put(maps: np.ndarray, number: int, x: int, y: int, logit: float, side: float, dx: float = 0, dy: float = 0) -> None:
    maps[MAPS * number : MAPS * number + MAPS, y, x] = logit, np.log(side / UNIT), dx, dy


def test_a_square_stands_where_the_maps_say() -> None:
    maps = empty()
    put(maps, 0, 5, 3, 2.0, 30.0, dx=0.25, dy=-0.5)
    put(maps, 1, 9, 9, 1.0, 50.0)
    faces, people = read_squares(maps, LEAST)
    # Cell 5 is crop pixel 5 * 4 + 1.5; a quarter of a cell is a pixel.
    assert faces == pytest.approx(np.array([[22.5, 11.5, 30, 1 / (1 + np.exp(-2.0))]]), rel=1e-6)
    assert people[0, :3] == pytest.approx([37.5, 37.5, 50], rel=1e-6)


def test_only_maxima_over_the_threshold_count() -> None:
    maps = empty()
    put(maps, 0, 4, 4, 2.0, 20.0)
    put(maps, 0, 5, 4, 1.9, 20.0)  # beside the peak
    put(maps, 0, 12, 12, -0.1, 20.0)  # 0.475
    faces, people = read_squares(maps, LEAST)
    assert len(faces) == 1 and not len(people)
    assert len(read_squares(maps, {"face": 0.4, "person": 0.5})[0]) == 2


def test_of_overlapping_squares_the_surest_stays_and_comes_first() -> None:
    maps = empty()
    put(maps, 0, 4, 4, 1.0, 40.0)
    put(maps, 0, 6, 4, 3.0, 40.0)  # 8 pixels beside: overlap 2 / 3
    put(maps, 0, 13, 13, 2.0, 8.0)
    put(maps, 1, 6, 4, 0.5, 40.0)  # another class
    faces, people = read_squares(maps, LEAST)
    assert faces[:, 0] == pytest.approx([25.5, 53.5]) and (np.diff(faces[:, 3]) < 0).all()
    assert len(people) == 1


def test_wild_maps_give_finite_squares() -> None:
    maps = np.random.default_rng(0).normal(0, 1e6, (8, 16, 16)).astype(np.float32)
    for squares in read_squares(maps, LEAST):
        assert np.isfinite(squares).all() and (squares[:, 2] > 0).all()
        assert squares[:, 2].max() <= UNIT * np.exp(LARGEST)


def test_overlap() -> None:
    one = np.array([0.0, 0, 10, 1])
    others = np.array([[0.0, 0, 10, 1], [5, 0, 10, 1], [10, 0, 10, 1], [0, 0, 5, 1]])
    assert overlaps(one, others) == pytest.approx([1, 1 / 3, 0, 0.25])
    assert suppress_squares(others, 0.3)[:, 0].tolist() == [0, 10, 0]  # the second overlaps the first too far
    assert suppress_squares(np.zeros((0, 4))).shape == (0, 4)


@pytest.mark.parametrize(
    "card", [{}, {"thresholds": 3}, {"thresholds": {"face": 0, "person": 1}}, {"thresholds": {"face": True}},
             {"thresholds": {"face": "0.3", "person": None}}]
)  # fmt: skip
def test_cards_without_usable_thresholds(card: dict) -> None:
    assert thresholds(card) == dict.fromkeys(CLASSES, THRESHOLD)


def test_thresholds_of_a_card() -> None:
    assert thresholds({"thresholds": {"face": 0.35}}) == {"face": 0.35, "person": THRESHOLD}


def test_the_schema_says_that_it_is_a_detector() -> None:
    schema = detector_schema()
    assert schema_from_json(schema.to_json()) == schema and len(schema) == MAPS * len(CLASSES)
    assert is_detector(schema) and not is_detector(load_schema("ibug68")) and not is_detector(schema_for(8))
