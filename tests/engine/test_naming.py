"""Names of landmarks from different tools: which are the same, and which are not said."""

from __future__ import annotations

import pytest

from engine.naming import NONE, counterparts, numbered_alike
from engine.schema import load_schema


def test_equal_names_go_before_equal_words_and_no_place_is_given_twice() -> None:
    assert counterparts(("left_eye", "Left eye", "L.eye"), ("Left eye",)) == [NONE, 0, NONE]
    assert counterparts(("l_eye", "nose"), ("eye left", "eye right")) == [0, NONE]
    assert counterparts(("eye",), ("Eye", "EYE")) == [NONE]  # it could be either
    assert counterparts((), ("a",)) == [] and counterparts(("!", "?"), ("?", "!")) == [1, 0]


@pytest.mark.parametrize(("names", "known", "alike"), [
    (("1", "2"), ("a", "b"), True), (("1", "2"), ("a",), False), (("0", "1"), ("a", "b"), False),
    (("2", "1"), ("a", "b"), False),
])  # fmt: skip
def test_lists_of_numbers(names, known, alike) -> None:
    assert numbered_alike(names, known) is alike


def test_cocos_own_names_are_those_of_the_schema() -> None:
    own = load_schema("coco17").landmarks
    assert counterparts([name.lower().replace(" ", "_") for name in own], own) == list(range(17))
