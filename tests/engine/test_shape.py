"""Laying the mean shape, and telling outliers."""

from __future__ import annotations

import numpy as np
import pytest

from engine import crop
from engine.schema import load_schema
from engine.shape import lay, without_outliers

SCHEMA = load_schema("ibug68")


def face(angle: float = 0.0, scale: float = 120.0) -> np.ndarray:
    """(68, 3): the mean shape somewhere in a picture, all sure."""
    turn = crop.matrix(0.5, 0.5, 1.0, 2, angle)[:, :2] / 2 * scale
    points = (np.array(SCHEMA.mean) - 0.5) @ turn.T + (300, 200)
    return np.column_stack([points, np.full(68, 0.9)])


@pytest.mark.parametrize("angle", [0.0, 20.0, -75.0])
def test_a_mean_face_is_laid_onto_itself(angle: float) -> None:
    np.testing.assert_allclose(lay(SCHEMA, face(angle)), face(angle)[:, :2], atol=1e-6)


def test_outliers_come_back_and_the_rest_stays() -> None:
    rng = np.random.default_rng(4)
    truth = face(15)
    truth[:, :2] += rng.normal(0, 2, (68, 2))
    wrong = rng.choice(68, 17, replace=False)
    landmarks = truth.copy()
    landmarks[wrong, :2] += rng.choice([-1, 1], (17, 2)) * rng.uniform(60, 200, (17, 2))
    landmarks[wrong, 2] = 0.4
    cleaned = without_outliers(SCHEMA, landmarks)
    right = np.setdiff1d(np.arange(68), wrong)
    np.testing.assert_array_equal(cleaned[right], landmarks[right])
    assert np.linalg.norm(cleaned[wrong, :2] - truth[wrong, :2], axis=1).max() < 12


def test_what_has_no_extent_is_left_as_it_is() -> None:
    landmarks = np.column_stack([np.full((68, 2), 7.0), np.full(68, 0.9)])
    np.testing.assert_array_equal(without_outliers(SCHEMA, landmarks), landmarks)
