"""Subjects through time: found, followed, lost, told apart."""

from __future__ import annotations

import numpy as np
import pytest

from app.services.tracker import Tracker
from engine.architecture import Architecture
from engine.modelfile import make_model
from engine.parts import load_parts
from engine.predictor import LEAST, Predictor
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
    monkeypatch.setattr("app.services.following.follow", lambda prediction, schema: prediction.box)
    picture = np.zeros((120, 160, 3), np.uint8)
    for _ in range(9):
        subjects, _ = tracker.step(picture, 0.0)
    assert detector.looks == 3  # frames 0, 4 and 8
    assert [s.number for s in subjects] == [1]
    monkeypatch.setattr("app.services.following.follow", lambda prediction, schema: None)
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
    monkeypatch.setattr("app.services.following.follow", lambda prediction, schema: prediction.box)
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
    monkeypatch.setattr("app.services.following.follow", lambda prediction, schema: prediction.box)
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
        monkeypatch.setattr("app.services.following.follow", lambda prediction, schema: prediction.box)
        tracker.step(picture, 0.0)
        looks = detector.looks
        monkeypatch.setattr("app.services.following.follow", lambda prediction, schema, moved=moved: moved)
        tracker.step(picture, 0.1)
        assert detector.looks == looks + 1


def test_smoothing_moves_what_is_drawn_only(runtime, monkeypatch) -> None:
    monkeypatch.setattr("app.services.following.follow", lambda prediction, schema: prediction.box)
    tracker = tracker_of(runtime, Middle(), smoothing=0.9)
    rng = np.random.default_rng(3)
    for n in range(5):
        (subject,), _ = tracker.step(rng.integers(0, 255, (120, 160, 3), np.uint8), n / 30)
    assert np.abs(subject.shown - subject.prediction.landmarks[:, :2]).max() > 0
    tracker.smooth(0.0)
    (subject,), _ = tracker.step(rng.integers(0, 255, (120, 160, 3), np.uint8), 0.2)
    np.testing.assert_array_equal(subject.shown, subject.prediction.landmarks[:, :2])


# ---- who is who


FACES = {name: np.random.default_rng(seed).integers(0, 255, (6, 6, 3), np.uint8) for seed, name in enumerate("ab")}


def street(places: dict[str, tuple[int, int]]) -> np.ndarray:
    """(120, 320, 3) uint8: faces of 40 pixels at (x, y), the later ones before the earlier."""
    picture = np.full((120, 320, 3), 90, np.uint8)
    for name, (x, y) in places.items():
        face = np.repeat(np.repeat(FACES[name], 7, 0), 7, 1)[:40, :40]
        picture[y - 20 : y + 20, x - 20 : x + 20] = face
    return picture


def walk(tracker: Tracker, detector: Middle, paths, seen, steps: range) -> dict[str, list[int]]:
    """Each face's numbers by step, where the detector sees `seen(step)`; boxes stick to what they lie on."""
    found: dict[str, list[int]] = {name: [] for name in FACES}
    for step in steps:
        places = paths(step)
        detector.boxes = [Box(*places[name], 40) for name in seen(step)]
        subjects, _ = tracker.step(street(places), step / 30)
        for name, (x, _) in places.items():
            found[name] += [s.number for s in subjects if abs(s.prediction.box.cx - x) < 12] or [0]
    return found


@pytest.mark.parametrize("back", [False, True], ids=["crossing", "turning round"])
@pytest.mark.parametrize("first", ["a", "b"])
def test_who_goes_behind_another_keeps_the_number(runtime, monkeypatch, first: str, back: bool) -> None:
    """Face b hides a; both boxes come to lie on b, and when a is seen again each has the number it had."""

    def paths(step: int) -> dict[str, tuple[int, int]]:
        way = step if not back or step < 22 else 44 - step
        return {"a": (60 + 4 * way, 60), "b": (240 - 4 * way, 62)}

    hidden = range(17, 28)  # nearer than a face's width
    detector = Middle([])
    tracker = tracker_of(runtime, detector, every=1, limit=3, smoothing=0.0)
    here: dict[str, tuple[int, int]] = {}

    def stuck(prediction, schema):
        """Landmarks stick to the nearest face that can be seen."""
        x, y = min(here.values(), key=lambda place: abs(place[0] - prediction.box.cx))
        return Box(x, y, 40)

    monkeypatch.setattr("app.services.following.follow", stuck)
    order = (first, "b" if first == "a" else "a")

    def seen(step: int) -> tuple[str, ...]:
        places = paths(step)
        here.clear()
        here.update(places if step not in hidden else {"b": places["b"]})
        return tuple(name for name in order if name in here)

    found = walk(tracker, detector, paths, seen, range(44))
    begin, end = ({name: numbers[step] for name, numbers in found.items()} for step in (5, -1))
    assert sorted(begin.values()) == [1, 2] and begin == end
    assert set(found["b"]) == {begin["b"]}  # who was in front all the time never had another


def test_who_comes_back_elsewhere_is_known_by_the_look(runtime, monkeypatch) -> None:
    monkeypatch.setattr("app.services.following.follow", lambda prediction, schema: prediction.box)
    detector = Middle([])
    tracker = tracker_of(runtime, detector, every=1, limit=4)
    here = {"a": (60, 60), "b": (160, 60)}
    walk(tracker, detector, lambda step: here, lambda step: ("a", "b"), range(20))
    detector.boxes = []
    for step in range(20, 50):
        tracker.step(street({}), step / 30)
    detector.boxes = [Box(280, 60, 40)]
    (subject,), _ = tracker.step(street({"b": (280, 60)}), 1.7)
    assert subject.number == 2  # and not the first that is free


def test_a_box_that_nobody_sees_and_whose_score_has_fallen_goes_at_once(runtime, monkeypatch) -> None:
    monkeypatch.setattr("app.services.following.follow", lambda prediction, schema: prediction.box)
    detector = Middle([Box(80, 60, 40)])
    tracker = tracker_of(runtime, detector, every=10)
    picture = np.zeros((120, 160, 3), np.uint8)
    tracker.step(picture, 0.0)
    tracker._tracks[0].usual = 10.0  # so that the next score is far under it
    detector.boxes = []
    assert [len(tracker.step(picture, n / 30)[0]) for n in range(1, 5)] == [1, 1, 1, 0]


def test_a_look_tells_faces_apart_and_stays_when_one_moves() -> None:
    from app.services.identity import ALIKE, look_of

    one, two = street({"a": (60, 60)}), street({"b": (60, 60)})
    box = Box(60, 60, 40)
    assert look_of(one, box) @ look_of(one, Box(61, 59, 42)) > ALIKE > look_of(one, box) @ look_of(two, box)
    assert not look_of(np.full((9, 9, 3), 7, np.uint8), Box(4, 4, 50)).any()


def test_what_the_model_does_not_see_is_not_followed(monkeypatch) -> None:
    """A detector's false face: no subject, and no number is spent on it; who is followed already may fade."""
    plain = small_model(5)
    model = make_model(plain.name, plain.architecture, plain.schema, plain.tensors, {LEAST: 1.0})
    runtime = open_runtime(model, "reference")
    monkeypatch.setattr("app.services.following.follow", lambda prediction, schema: prediction.box)
    tracker = tracker_of(runtime, Middle())
    picture = np.zeros((120, 160, 3), np.uint8)
    assert [tracker.step(picture, 0.1 * n)[0] for n in range(3)] == [(), (), ()]
    monkeypatch.setattr(tracker.predictor, "_least", 0.0)
    assert [subject.number for subject in tracker.step(picture, 0.4)[0]] == [1]
    monkeypatch.setattr(tracker.predictor, "_least", 1.0)
    assert [subject.number for subject in tracker.step(picture, 0.5)[0]] == [1]
