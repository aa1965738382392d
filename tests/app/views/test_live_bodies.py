"""Bodies in Live's picture: what is out of sight is not drawn."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.views.live.view import LiveView
from tests.app.views.test_live import POINTS, SIZE, colour_at, hold, make_result, on_screen, open_view


@pytest.fixture
def view(qtbot) -> LiveView:
    return open_view(qtbot)


def test_of_a_body_in_motion_only_what_is_seen_is_drawn(view: LiveView) -> None:
    """A face is shown whole; of a body the landmark that is not seen comes back once it is frozen to be corrected."""

    def marked() -> bool:
        x, y = on_screen(view, POINTS[1]).toTuple()
        return any(colour_at(view, x + dx, y) != (200, 0, 0) for dx in range(-8, 9))

    result = make_result()
    low = result.subjects[0].prediction.landmarks.copy()
    low[1, 2] = 0.1
    unsure = replace(result.subjects[0], prediction=replace(result.subjects[0].prediction, landmarks=low))
    for subject, shown in (("face", True), ("person", False)):
        view.show_result(replace(result, subjects=(unsure,), schema=replace(result.schema, subject=subject)))
        assert marked() is shown
    hold(view)
    assert marked()


def test_what_a_body_has_beyond_the_picture_is_not_drawn(view: LiveView) -> None:
    view.resize(640, 640)  # with room under the picture
    beyond = POINTS.copy()
    beyond[:, 1] = SIZE[1] + 10
    grounds = []
    for subject in ("face", "person"):
        result = make_result(beyond)
        view.show_result(replace(result, schema=replace(result.schema, subject=subject)))
        x, y = on_screen(view, beyond[2]).toTuple()
        grounds.append({colour_at(view, x + dx, y) for dx in range(-8, 9)})
    assert len(grounds[0]) > 1 and len(grounds[1]) == 1
