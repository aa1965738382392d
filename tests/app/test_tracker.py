"""Subjects through time: found, followed, lost, told apart."""

from __future__ import annotations

import numpy as np
import pytest

from app.services.tracker import Tracker
from engine.architecture import Architecture
from engine.parts import load_parts
from engine.predictor import Predictor
from engine.random_model import random_model
from engine.runtime import open_runtime
from engine.types import Box
from tests.app.live_bench import Middle
from tests.app.small import small_model


@pytest.fixture(scope="module")
def runtime():
    return open_runtime(small_model(5), "reference")


def tracker_of(runtime, detector: Middle, **options) -> Tracker:
    return Tracker(Predictor(runtime, detector), detector, runtime.model.schema, **options)


def test_the_detector_looks_every_nth_frame_while_subjects_are_followed(runtime, monkeypatch) -> None:
    detector = Middle()
    tracker = tracker_of(runtime, detector, every=4)
    monkeypatch.setattr("app.services.tracker.follow", lambda prediction, schema: prediction.box)
    picture = np.zeros((120, 160, 3), np.uint8)
    for _ in range(9):
        subjects, _ = tracker.step(picture, 0.0)
    assert detector.looks == 3  # frames 0, 4 and 8
    assert [s.number for s in subjects] == [1]
    monkeypatch.setattr("app.services.tracker.follow", lambda prediction, schema: None)
    tracker.step(picture, 0.0)
    tracker.step(picture, 0.0)
    assert detector.looks == 5  # lost: it looks at once


def test_a_model_of_parts_is_led_by_the_detector_in_every_frame() -> None:
    """Masks of a weak model reach into the hair; a box that followed them would climb up the head."""
    network = Architecture(7, width=32, stem=16, side=64, head="segmentation")
    runtime = open_runtime(random_model("Parts", network, load_parts("face-parts").schema), "reference")
    detector = Middle([Box(60, 60, 40)])
    tracker = tracker_of(runtime, detector, every=4)
    picture = np.zeros((120, 160, 3), np.uint8)
    for step in range(3):
        detector.boxes = [Box(60 + 2 * step, 60, 40)]
        (subject,), spent = tracker.step(picture, 0.1 * step)
        assert spent.detected and subject.prediction.box == detector.boxes[0] and subject.number == 1
    detector.boxes = []
    for step in range(12):  # three looks' patience of four frames each
        assert len(tracker.step(picture, 1 + 0.1 * step)[0]) == 1
    assert not tracker.step(picture, 3.0)[0]


def test_several_subjects_up_to_the_limit_keep_their_numbers(runtime, monkeypatch) -> None:
    detector = Middle([Box(30, 60, 40), Box(120, 60, 50), Box(122, 61, 48), Box(80, 20, 10)])
    monkeypatch.setattr("app.services.tracker.follow", lambda prediction, schema: prediction.box)
    tracker = tracker_of(runtime, detector, every=1, limit=3)
    picture = np.zeros((120, 160, 3), np.uint8)
    subjects, _ = tracker.step(picture, 0.0)
    assert [(s.number, s.prediction.box.cx) for s in subjects] == [(1, 120), (2, 30), (3, 80)]
    detector.boxes = detector.boxes[::-1]
    subjects, _ = tracker.step(picture, 0.1)
    assert [(s.number, s.prediction.box.cx) for s in subjects] == [(1, 120), (2, 30), (3, 80)]
    tracker.limit = 2
    assert len(tracker.step(picture, 0.2)[0]) == 2


def test_a_track_that_the_detector_does_not_see_gives_way_to_a_subject_that_it_sees(runtime, monkeypatch) -> None:
    """A box that drifted to the background must not hold the only place for ever."""
    detector = Middle([Box(30, 30, 40)])
    monkeypatch.setattr("app.services.tracker.follow", lambda prediction, schema: prediction.box)
    tracker = tracker_of(runtime, detector, every=1, limit=1)
    picture = np.zeros((120, 160, 3), np.uint8)
    tracker.step(picture, 0.0)
    detector.boxes = [Box(120, 60, 40)]
    (subject,), _ = tracker.step(picture, 0.1)
    assert subject.prediction.box.cx == 120 and subject.number == 1
    detector.boxes = []
    seen = [len(tracker.step(picture, 0.2 + n)[0]) for n in range(5)]
    assert seen == [1, 1, 1, 0, 0]  # a turned head may stay unseen for a while


def test_a_subject_whose_landmarks_fall_apart_is_looked_for_anew(runtime, monkeypatch) -> None:
    detector = Middle()
    tracker = tracker_of(runtime, detector, every=100)
    picture = np.zeros((120, 160, 3), np.uint8)
    for moved in (Box(80, 60, 110), Box(120, 60, 60)):  # nearly twice as large, or half a side away at once
        monkeypatch.setattr("app.services.tracker.follow", lambda prediction, schema: prediction.box)
        tracker.step(picture, 0.0)
        looks = detector.looks
        monkeypatch.setattr("app.services.tracker.follow", lambda prediction, schema, moved=moved: moved)
        tracker.step(picture, 0.1)
        assert detector.looks == looks + 1


def test_smoothing_moves_what_is_drawn_only(runtime, monkeypatch) -> None:
    monkeypatch.setattr("app.services.tracker.follow", lambda prediction, schema: prediction.box)
    tracker = tracker_of(runtime, Middle(), smoothing=0.9)
    rng = np.random.default_rng(3)
    for n in range(5):
        (subject,), _ = tracker.step(rng.integers(0, 255, (120, 160, 3), np.uint8), n / 30)
    assert np.abs(subject.shown - subject.prediction.landmarks[:, :2]).max() > 0
    tracker.smooth(0.0)
    (subject,), _ = tracker.step(rng.integers(0, 255, (120, 160, 3), np.uint8), 0.2)
    np.testing.assert_array_equal(subject.shown, subject.prediction.landmarks[:, :2])
