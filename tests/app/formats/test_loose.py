"""Landmarks that come one by one: which belong together, in what order their names stand, and what kinds they are."""

from __future__ import annotations

import numpy as np

from app.formats.loose import SUBJECT, Loose, Mark, Shape, Subject, together
from engine.labels import Problems, Skeleton


def marks(text: str, group: str | None = None) -> list[Mark]:
    """Landmarks "a b c" at x = 0, 1, 2 ..."""
    return [Mark(name, float(n), 5.0, group=group) for n, name in enumerate(text.split())]


def joined(found: list[Subject]) -> list[str]:
    return [" ".join(f"{mark.name}{mark.x:.0f}" for mark in one.marks) for one in found]


def test_names_that_come_again_begin_another_subject() -> None:
    problems = Problems("f")
    for text, wanted in (
        ("a b a b", ["a0 b1", "a2 b3"]), ("a a b b", ["a0 b2", "a1 b3"]), ("a b a b c", ["a0 b1", "a2 b3 c4"]),
        ("a b c", ["a0 b1 c2"]),
    ):  # fmt: skip
        assert joined(together(marks(text), [], "p", problems)) == wanted
    assert len(problems) == 3


def test_groups_come_first_and_are_split_where_a_name_is_there_twice() -> None:
    problems = Problems("f")
    found = together([*marks("a b", "1"), *marks("a a b", "2"), *marks("c")], [Shape("dog", (0, 0, 9, 9), "1")], "p",
                     problems)  # fmt: skip
    assert joined(found) == ["a0 b1", "a0", "a1 b2", "c0"] and found[0].shape.label == "dog"
    assert "group '2' has 'a' more than once" in problems.values()[0].what


def test_a_shape_takes_what_lies_in_it_also_where_only_the_shape_has_a_group() -> None:
    problems = Problems("f")
    outer, inner = Shape("cow", (-1, 0, 20, 20), "7"), Shape("cow", (-1, 4, 2.5, 6))
    found = {one.shape and one.shape.group: joined([one])[0] for one in together(marks("a b a b"), [outer, inner], "p",
                                                                               problems)}  # fmt: skip
    assert found == {None: "a0 b1", "7": "a2 b3"} and not len(problems)
    assert joined(together(marks("a"), [Shape("far", (50, 50, 60, 60), "1")], "p", problems)) == ["", "a0"]


def test_a_landmark_beyond_the_edge_of_the_only_box_is_its_own_unless_it_has_the_name() -> None:
    box, far = Shape("cow", (-1, 0, 1.5, 9)), Shape("cow", (50, 0, 60, 9))
    assert joined(together(marks("a b c"), [box, far], "p", Problems("f"))) == ["a0 b1 c2", ""]
    assert joined(together(marks("a b a"), [box], "p", Problems("f"))) == ["a0 b1", "a2"]
    assert joined(together([*marks("a b c"), *marks("a", "1")], [box], "p", Problems("f"))) == ["a0", "a0 b1", "c2"]


def test_names_get_the_place_that_later_subjects_show() -> None:
    loose = Loose()
    for text in ("a d", "a b d", "c d", "e"):
        loose.add(0, "x", marks(text))
    (made,) = loose.tables()
    assert made.skeleton.landmarks == ("a", "b", "c", "d", "e")
    assert made.visibility.tolist() == [[2, 0, 0, 2, 0], [2, 2, 0, 2, 0], [0, 0, 2, 2, 0], [0, 0, 0, 0, 2]]


def test_numbers_stand_in_their_order_and_lines_go_by_name() -> None:
    loose = Loose()
    loose.know("x", (), [("10", "2"), ("2", "none")])
    loose.add(0, "x", marks("10 2 1"))
    assert loose.tables()[0].skeleton == Skeleton("x", ("1", "2", "10"), ((2, 1),))
    text = Loose(in_text_order=True)
    text.add(0, "x", marks("10 2 1"))
    assert text.tables()[0].skeleton.landmarks == ("1", "10", "2")


def test_what_has_no_kind_is_of_the_only_one_that_fits_and_boxes_alone_are_counted() -> None:
    loose = Loose()
    loose.add(0, "dog", marks("a b"), (0, 0, 5, 5))
    loose.add(1, "", [Mark("b", 7, 7, 1, 0.5), Mark("c", 8, 8)])
    loose.add(1, "car", [], (0, 0, 1, 1))
    (dog,) = loose.tables()
    assert dog.skeleton.landmarks == ("a", "b", "c") and dog.visibility.tolist() == [[2, 2, 0], [0, 1, 2]]
    assert dog.score[1, 1] == 0.5 and np.isnan(dog.score[0]).all() and dict(loose.left_out) == {
        "boxes without landmarks": 1}  # fmt: skip
    other = Loose()
    other.add(0, "dog", marks("a"))
    other.add(0, "", marks("z"))
    assert [each.skeleton.name for each in other.tables()] == ["dog", SUBJECT]
