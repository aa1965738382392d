"""Frame after frame through one model or two: what fails, what is drawn by hand, what stays when models change."""

from __future__ import annotations

import numpy as np
import pytest

from app.services.live_values import Options, Wanted
from app.services.seeing import Caught, Seeing
from app.services.tracker import Tracker
from engine import detect
from engine.predictor import Predictor
from engine.runtime import open_runtime
from engine.types import Box, Frame
from tests.app.live_bench import Middle
from tests.app.small import small_model

PICTURE = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)


@pytest.fixture(scope="module")
def runtime():
    return open_runtime(small_model(5), "reference")


@pytest.fixture(autouse=True)
def middle(monkeypatch: pytest.MonkeyPatch) -> Middle:
    detector = Middle()
    monkeypatch.setitem(detect.DETECTORS, "middle", lambda runtime=None: detector)
    monkeypatch.setattr("app.services.following.follow", lambda prediction, schema: prediction.box)
    return detector


def shots(seeing: Seeing, wanted: Wanted, count: int = 1, start: float = 0.0):
    return [seeing.see(Caught(Frame(PICTURE, start + n / 30, "", n), start + n / 30), wanted) for n in range(count)]


@pytest.mark.parametrize("error", [RuntimeError("no"), ValueError("bad"), MemoryError(), SystemExit(3)])
def test_a_detector_that_raises_is_named_and_left_alone_after_three(runtime, middle, monkeypatch, error) -> None:
    def raises(picture: np.ndarray) -> list[Box]:
        raise error

    monkeypatch.setattr(middle, "detect", raises)
    said: list[str] = []
    results = shots(Seeing(said.append), Wanted(runtime, options=Options(detector="middle")), 6)
    assert [len(result.subjects) for result in results] == [0, 0, 0, 1, 1, 1]  # then the whole picture
    assert len(said) == 2 and all("detector middle" in sentence and sentence.endswith(".") for sentence in said)


def test_a_detector_may_not_change_the_picture(runtime, middle, monkeypatch) -> None:
    def vandal(picture: np.ndarray) -> list[Box]:
        picture[:] = 0
        return []

    monkeypatch.setattr(middle, "detect", vandal)
    said: list[str] = []
    (result,) = shots(Seeing(said.append), Wanted(runtime, options=Options(detector="middle")))
    np.testing.assert_array_equal(result.frame.pixels, PICTURE)
    assert "read-only" in said[0]


def test_a_model_that_raises_leaves_the_pictures_going(runtime) -> None:
    class Broken:
        model = runtime.model

        def run(self, crop: np.ndarray, logits: bool = False) -> np.ndarray:
            raise RuntimeError("no memory")

    said: list[str] = []
    seeing = Seeing(said.append)
    results = shots(seeing, Wanted(Broken(), options=Options(detector="middle")), 5)
    assert all(result.subjects == () for result in results) and len(said) == 2 and "another model" in said[1]
    assert shots(seeing, Wanted(runtime, options=Options(detector="middle")))[0].subjects != ()


def test_a_box_drawn_by_hand_is_all_that_is_looked_at(runtime, middle) -> None:
    seeing = Seeing(lambda sentence: None)
    wanted = Wanted(runtime, options=Options(detector="hand"))
    assert shots(seeing, wanted)[0].subjects == ()
    for box in (Box(40, 50, 30), Box(100, 60, 44)):
        wanted = Wanted(runtime, options=Options(detector="hand", box=box))
        for result in shots(seeing, wanted, 15):
            (subject,) = result.subjects
            assert subject.prediction.box == box
    assert middle.looks == 0


def test_two_models_share_boxes_and_numbers(runtime) -> None:
    other = open_runtime(small_model(7), "reference")
    seeing = Seeing(lambda sentence: None)
    options = Options(detector="middle", smoothing=0, heatmaps=True)
    (result,) = shots(seeing, Wanted(runtime, second=other, options=options))
    assert result.other is not None and result.other.model == other.model.name and result.other.seconds > 0
    (mine,), (theirs,) = result.subjects, result.other.subjects
    assert theirs.number == mine.number and theirs.prediction.box == mine.prediction.box
    alone = Predictor(other).predict_box(PICTURE, mine.prediction.box)
    np.testing.assert_array_equal(theirs.prediction.landmarks, alone.landmarks)
    assert theirs.prediction.heatmaps is not None
    assert shots(seeing, Wanted(runtime, None, Options(detector="middle")))[0].other is None


def test_subjects_keep_their_numbers_when_the_model_changes(runtime, middle) -> None:
    middle.boxes = [Box(40, 60, 40), Box(120, 60, 50)]
    seeing = Seeing(lambda sentence: None)
    options = Options(detector="middle", limit=2)
    before = shots(seeing, Wanted(runtime, options=options))[0].subjects
    middle.boxes = middle.boxes[::-1]
    after = shots(seeing, Wanted(open_runtime(small_model(7), "reference"), options=options))[0].subjects
    place = {subject.number: subject.prediction.box.cx for subject in before}
    assert {subject.number: subject.prediction.box.cx for subject in after} == place and len(place) == 2


def tracker_of(runtime, detector: Middle, **options) -> Tracker:
    return Tracker(Predictor(runtime, detector), detector, runtime.model.schema, **options)


def test_who_is_lost_for_a_moment_keeps_the_number(runtime, middle, monkeypatch) -> None:
    """Two subjects are lost at once and come back, the larger one first in the detector's list."""
    middle.boxes = [Box(40, 60, 40), Box(120, 60, 50)]
    tracker = tracker_of(runtime, middle, limit=3, every=100)
    first, _ = tracker.step(PICTURE, 0.0)
    assert [(s.number, s.prediction.box.cx) for s in first] == [(1, 120), (2, 40)]
    monkeypatch.setattr("app.services.following.follow", lambda prediction, schema: None)
    middle.boxes = [Box(44, 62, 60), Box(116, 60, 50)]
    again, spent = tracker.step(PICTURE, 0.03)
    assert spent.detected
    assert {s.number: s.prediction.box.cx for s in again} == {1: 116, 2: 44}


def test_a_falling_score_brings_a_look_soon(runtime, middle, monkeypatch) -> None:
    tracker = tracker_of(runtime, middle, every=100)
    tracker.step(PICTURE, 0.0)
    predict = tracker.predictor.predict_box

    def worse(picture, box, heatmaps=False):
        from dataclasses import replace

        found = predict(picture, box, heatmaps)
        return replace(found, landmarks=found.landmarks * [1, 1, 0.3])

    monkeypatch.setattr(tracker.predictor, "predict_box", worse)
    looks = [tracker.step(PICTURE, 0.03 * n)[1].detected for n in range(1, 5)]
    assert True in looks


def test_on_a_slow_machine_the_detector_looks_by_the_clock(runtime, middle) -> None:
    tracker = tracker_of(runtime, middle, every=100)
    detected = [tracker.step(PICTURE, 100 + 0.3 * n)[1].detected for n in range(7)]
    assert detected == [True, False, False, True, False, False, True]
