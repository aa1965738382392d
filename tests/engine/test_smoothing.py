"""The One Euro filter with a clock that the test holds."""

from __future__ import annotations

import numpy as np
import pytest

from engine.smoothing import OneEuro

RATE = 30.0
SHAPE = np.random.default_rng(5).uniform(0, 200, (68, 2))


def still(strength: float, frames: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviations of a noisy still shape before and after, once settled."""
    rng = np.random.default_rng(1)
    euro = OneEuro(strength)
    noisy = SHAPE + rng.normal(0, 1.5, (frames, 68, 2))
    shown = np.stack([euro(points, n / RATE) for n, points in enumerate(noisy)])
    return noisy[50:].std(0).mean(), shown[50:].std(0).mean()


def test_strength_zero_changes_nothing() -> None:
    euro = OneEuro(0)
    for n in range(5):
        points = np.random.default_rng(n).normal(size=(4, 2))
        np.testing.assert_array_equal(euro(points, n / RATE), points)


def test_noise_falls_with_strength() -> None:
    left = [still(s)[1] / still(s)[0] for s in (0.1, 0.35, 0.7, 1.0)]
    assert left == sorted(left, reverse=True)
    assert left[0] < 0.95 and left[1] < 0.65 and left[3] < 0.4


def test_quick_motion_is_followed() -> None:
    """At two shape sizes a second the lag stays under a fifteenth of the size."""
    euro = OneEuro(0.35)
    for n in range(40):
        moved = SHAPE + (400 * n / RATE, 0)
        shown = euro(moved, n / RATE)
    assert np.abs(shown - moved).max() < 200 / 15


def test_result_depends_on_time_not_on_calls() -> None:
    """A step reached in one long interval gets as far as in many short ones, roughly."""
    near, far = OneEuro(0.5), OneEuro(0.5)
    near(SHAPE, 0.0)
    far(SHAPE, 0.0)
    target = SHAPE + (3.0, 0)
    for n in range(1, 13):
        end = near(target, n / 60)
    once = far(target, 0.2)
    assert np.abs(end - once).max() < 1.0
    assert np.abs(end - target).max() < 1.5


def test_starts_anew_after_gaps_and_changes() -> None:
    euro = OneEuro(1.0)
    euro(SHAPE, 10.0)
    jumped = SHAPE + 50
    for time in (11.5, 3.0):  # a gap, a clock that went back
        np.testing.assert_array_equal(euro(jumped, time), jumped)
        euro(SHAPE, time + 0.01)
    np.testing.assert_array_equal(euro(SHAPE[:5], 3.02), SHAPE[:5])
    euro.reset()
    np.testing.assert_array_equal(euro(SHAPE, 3.03), SHAPE)


def test_same_moment_and_own_memory() -> None:
    euro = OneEuro(0.8)
    first = euro(SHAPE, 1.0)
    again = euro(SHAPE + 5, 1.0)
    np.testing.assert_array_equal(again, first)
    again += 1000  # the caller's array is not the filter's
    np.testing.assert_array_equal(euro(SHAPE, 1.0), first)


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_strength_outside_its_range(strength: float) -> None:
    with pytest.raises(ValueError, match="strength"):
        OneEuro(strength)
