"""The tables that readers return."""

from __future__ import annotations

import numpy as np
import pytest

from engine.labels import LabelSet, Picture, Skeleton, table

PAIR = Skeleton("pair", ("a", "b"))


def test_a_table_fills_what_a_file_lacks() -> None:
    held = table(PAIR, [0, 0], [[[1, 2], [3, 4]], [[0, 0], [np.nan, np.nan]]], [[2, 1], [2, 0]])
    assert len(held) == 2 and held.points[0, 1].tolist() == [3, 4] and held.hand.all()
    assert np.isnan(held.box).all() and np.isnan(held.score).all() and held.subject.tolist() == ["", ""]
    assert LabelSet((Picture("x.png"),), (held, held)).instances == 4
    with pytest.raises(ValueError):
        held.points[0] = 0


@pytest.mark.parametrize(
    ("points", "visibility", "extras"),
    [
        ([[[np.nan, 1], [0, 0]]], [[2, 2]], {}),
        ([[[0, 1], [0, 0]]], [[2, 2]], {"yaw": [1.0, 2.0]}),
        ([[[0, 1]]], [[2, 2]], {}),
    ],
    ids=["a place that is no number", "a column too long", "one landmark too few"],
)
def test_what_does_not_fit_is_refused(points, visibility, extras) -> None:
    with pytest.raises(ValueError):
        table(PAIR, [0], points, visibility, extras=extras)
