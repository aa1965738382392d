"""Where a body goes from frame to frame."""

from __future__ import annotations

import numpy as np
import pytest

from app.services.following import next_box
from engine.schema import load_schema
from engine.types import Box, Prediction

BODY = load_schema("mpii16")
BOX = Box(200, 200, 160)


def body(moved: tuple[float, float], seen: int, sure: float = 0.6) -> Prediction:
    """16 landmarks on a line of 90 pixels, of which the first `seen` are seen."""
    places = np.column_stack([np.linspace(170, 230, 16), np.linspace(160, 250, 16)]) + moved
    return Prediction(np.column_stack([places, np.where(np.arange(16) < seen, sure, 0.05)]), BOX, "test")


def test_a_whole_body_is_boxed_by_what_is_seen() -> None:
    box = next_box(BODY, body((0, 0), 16), None)
    assert (box.cx, box.cy) == pytest.approx((200, 205)) and box.side == pytest.approx(160 / 1.1)  # step by step


def test_half_a_body_keeps_its_size_and_goes_along() -> None:
    """Its few landmarks would draw the box together, until nobody is seen in it."""
    box = next_box(BODY, body((7, -3), 6), body((0, 0), 6))
    assert (box.cx, box.cy, box.side) == pytest.approx((207, 197, 160))
    assert next_box(BODY, body((7, -3), 6), None) == BOX
    assert next_box(BODY, body((7, -3), 6), body((0, 0), 0)) == BOX  # nothing was seen in both


def test_a_body_of_three_landmarks_is_lost() -> None:
    assert next_box(BODY, body((0, 0), 3), body((0, 0), 16)) is None
