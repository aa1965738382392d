"""Agreement: matching of pictures, landmarks and subjects; distances and sigmas against numbers worked out apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.agreement import figures, pair
from engine.errors import UserError
from engine.labels import LabelSet, Picture, Skeleton
from engine.rows import Rows

NAMES = ("nose", "left eye", "right_eye")
SHAPE = np.array([[50.0, 60.0], [30.0, 20.0], [70.0, 20.0]])


def labels(subjects: list[tuple[int, np.ndarray, list[int]]], pictures: tuple[str, ...], names=NAMES) -> LabelSet:
    rows = Rows(Skeleton("face", names))
    for picture, points, seen in subjects:
        rows.add(picture, points, seen)
    return LabelSet(tuple(Picture(name) for name in pictures), (rows.table(),))


def test_sigma_is_the_scatter_that_two_people_were_drawn_with() -> None:
    rng = np.random.default_rng(0)
    sigma, count, size = np.array([0.01, 0.03, 0.05]), 4000, 1000.0
    square = np.array([[500.0, 1000.0], [0.0, 0.0], [1000.0, 0.0]])
    names = tuple(f"{n}.jpg" for n in range(count))

    def person() -> LabelSet:
        # sigma^2 = E[d^2 / s^2]: half of it in x, half in y
        noise = rng.normal(0, 1, (count, 3, 2)) * (sigma * size / np.sqrt(2))[None, :, None]
        return labels([(n, square + noise[n], [2, 2, 2]) for n in range(count)], names)

    told = figures(pair(person(), person()))
    found = [told["landmarks"][name]["sigma"] for name in NAMES]
    np.testing.assert_allclose(found, sigma, rtol=0.07)


def test_figures_worked_out_by_hand() -> None:
    moved = SHAPE + [[3, 4], [0, 0], [0, 0]]
    told = figures(pair(labels([(0, SHAPE, [2, 2, 2])], ("a.jpg",)), labels([(0, moved, [2, 1, 0])], ("a.jpg",))))
    # nose and left eye are in both: x from 30 to 53, y from 20 to 64
    size = np.sqrt(23 * 44)
    nose = told["landmarks"]["nose"]
    assert nose["pixels"] == pytest.approx(5) and nose["percent"] == pytest.approx(500 / size)
    assert nose["sigma"] == pytest.approx(5 / size / np.sqrt(2))
    assert told["landmarks"]["right_eye"] == {
        "n": 0, "pixels": None, "percent": None, "sigma": None, "only_first": 1, "only_second": 0,
    }  # fmt: skip
    assert told["pixels"] == pytest.approx(2.5)
    one, other = labels([(0, SHAPE, [2, 2, 2])], ("a.jpg",)), labels([(0, moved, [2, 1, 0])], ("a.jpg",))
    model = figures(replace(pair(one, other), of_model=True))  # of a model the labels alone say the size: 20 x 40
    assert model["landmarks"]["nose"]["sigma"] == pytest.approx(5 / np.sqrt(20 * 40))


def test_other_pictures_of_the_same_names_are_left_out_and_counted() -> None:
    names = ("a.jpg", "b.jpg", "c.jpg")
    one, other = (labels([(n, SHAPE + at, [2, 2, 2]) for n in range(3)], names) for at in (0, 1))
    one, other = (
        replace(side, pictures=tuple(replace(p, digest=d) for p, d in zip(side.pictures, digests, strict=True)))
        for side, digests in ((one, ("1", "2", "3")), (other, ("1", "other", "")))
    )
    pairs = pair(one, other)
    assert pairs.pictures == ("a.jpg", "c.jpg") and figures(pairs)["others"] == 1
    with pytest.raises(UserError, match="no picture in common"):
        pair(replace(one, pictures=tuple(replace(p, digest="x") for p in one.pictures)),
             replace(other, pictures=tuple(replace(p, digest="y") for p in other.pictures)))  # fmt: skip


def test_pictures_subjects_and_landmarks_are_matched_not_numbered() -> None:
    far = SHAPE + 500
    one = labels([(0, SHAPE, [2] * 3), (0, far, [2] * 3), (1, SHAPE, [2] * 3)], ("set/a.jpg", "b.jpg"))
    order = [2, 0, 1]
    subjects = [(1, (far + 1)[order], [2] * 3), (1, SHAPE[order], [2] * 3), (0, SHAPE[order], [2] * 3)]
    other = labels(subjects, ("c.jpg", "A.JPG"), ("Right Eye", "Nose", "LEFT_EYE"))
    pairs = pair(one, other)
    assert pairs.names == NAMES and pairs.pictures == ("set/a.jpg", "set/a.jpg") and pairs.alone == (0, 0)
    told = figures(pairs)
    assert told["worst"][0]["percent"] == pytest.approx(100 * np.sqrt(2) / np.sqrt(41 * 41))
    assert told["worst"][1]["percent"] == 0


def test_a_subject_that_only_one_has_is_counted_and_not_forced() -> None:
    one = labels([(0, SHAPE, [2] * 3), (0, SHAPE + 900, [2] * 3)], ("a.jpg",))
    other = labels([(0, SHAPE + 2, [2] * 3)], ("a.jpg",))
    pairs = pair(one, other)
    assert len(pairs.one) == 1 and pairs.alone == (1, 0)


def test_nothing_in_common_is_said() -> None:
    one = labels([(0, SHAPE, [2] * 3)], ("a.jpg",))
    with pytest.raises(UserError, match="no picture in common"):
        pair(one, labels([(0, SHAPE, [2] * 3)], ("b.jpg",)))
    with pytest.raises(UserError, match="no landmark in common"):
        pair(one, labels([(0, SHAPE[:2], [2] * 2)], ("a.jpg",), ("tail", "paw")))
    with pytest.raises(UserError, match="no subject in common"):
        pair(one, labels([(0, SHAPE + 5000, [2] * 3)], ("a.jpg",)))
    with pytest.raises(UserError, match="no labels"):
        pair(one, labels([], ("a.jpg",)))
