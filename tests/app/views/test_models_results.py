"""What the Models workspace says of a result: verdict, counts, worst pictures, facts."""

from __future__ import annotations

import numpy as np
import pytest

from app.services.runs import Worst
from app.views.models.comparison import Comparison
from app.views.models.facts import flat, text
from app.views.models.library_pane import short_title
from app.views.models.worst import WorstStrip
from app.views.theme import theme
from engine.schema import load_schema

METRICS = {"metric": "nme", "before": 4.0, "after": 3.0, "labels": 8, "held_out": 2, "step": 9,
           "before_images": [4.0] * 5, "after_images": [2.0, 4.0, 4.0, 4.0, 4.0]}  # fmt: skip


@pytest.fixture
def side(qtbot) -> Comparison:
    side = Comparison()
    qtbot.addWidget(side)
    side.show()
    return side


@pytest.mark.parametrize(
    ("changes", "words", "use"),
    [
        ({}, "25 % lower error", True),
        ({"after": 5.0}, "25 % higher error", False),
        ({"metric": "pck", "before": 80.0, "after": 88.0}, "10 % more landmarks right", True),
        ({"metric": "pck", "before": 80.0, "after": 72.0}, "10 % fewer landmarks right", False),
        ({"after": None}, "Nothing was held out", True),
        ({"before": None}, "no figure to compare", True),
        ({"after": 4.001}, "No difference", False),
    ],
)
def test_the_verdict_and_the_filled_button(side, changes, words, use) -> None:
    side.begin("old", {})
    side.show_result(METRICS | changes, "")
    assert words in side.verdict.text()
    assert [bool(side.use.property("primary")), bool(side.keep.property("primary"))] == [use, not use]


@pytest.mark.parametrize(("count", "words"), [(1, "on one image"), (4, "on 4 images"), (5, None)])
def test_a_difference_on_few_images_is_told_as_chance(side, count, words) -> None:
    side.show_result(METRICS | {"after_images": [2.0] * count, "before_images": [4.0] * count}, "")
    grey = theme().color("muted").name()
    assert "25 % lower error" in side.verdict.text()
    assert (grey in side.verdict.text()) == (words is not None) and (words or "error") in side.verdict.text()


def test_images_are_counted_by_what_is_better_for_the_metric(side) -> None:
    side.show_result(METRICS, "")
    assert side.facts.shown["Images better"] == "1 of 5" and side.facts.shown["Images worse"] == "0 of 5"
    side.show_result(METRICS | {"metric": "pck"}, "")
    assert side.facts.shown["Images better"] == "0 of 5" and side.facts.shown["Images worse"] == "1 of 5"


def test_the_worst_pictures_are_drawn_with_their_errors(qtbot) -> None:
    schema = load_schema("ibug68")
    points = np.tile(np.linspace(10, 50, 68)[None, :, None], (2, 1, 2)).astype(np.float32)
    pictures = np.full((2, 64, 64, 3), (0, 90, 0), np.uint8)
    worst = Worst(pictures, points, points, points + 4, np.ones((2, 68), bool), np.array([3.0, np.nan], np.float32),
                  np.array([2.0, 1.0], np.float32), ("a", "b"))  # fmt: skip
    strip = WorstStrip()
    qtbot.addWidget(strip)
    strip.resize(900, 180)
    strip.show_worst(worst, schema)
    image = strip.row.grab().toImage()
    colours = {image.pixelColor(x, y).name() for x in range(0, 110) for y in range(0, 110)}
    assert "#005a00" in colours and "#a79bff" in colours and len(colours) > 4
    assert not strip.isHidden()
    strip.show_worst(worst, load_schema("mpii16"))  # does not fit: nothing rather than nonsense
    assert strip.isHidden()


def test_facts_are_written_for_people() -> None:
    assert text(3.14159) == "3.14" and text(0.00005) == "0.00005" and text(15.0) == "15" and text(["a", 2]) == "a, 2"
    card = {"steps": 4, "hold-out": {"nme": 3.5}, "groups": {"jaw": 1}, "a": 1}
    assert list(flat(card, ("groups",)).items()) == [("NME on hold-out, %", 3.5), ("A", 1), ("Steps", 4)]
    assert short_title(load_schema("ibug68")).endswith(" 68") and len(short_title(load_schema("ibug68"))) < 12
