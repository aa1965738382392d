"""People found through a body model: in one picture by all looks, in many frames by one look a frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.persons import GUESSED, PersonDetector, whole
from engine.types import Box, Prediction
from tests.engine.blobs import BlobRuntime, blob_picture, schema_of, small_model

BODY = replace(small_model(), schema=schema_of(3, subject="person"), crop=1.15)
POINTS = np.array([[600.0, 60.0], [640.0, 130.0], [620.0, 200.0]])
WIDE = blob_picture(POINTS, 800, 260, 6.0)


def around(points: np.ndarray) -> Box:
    low, high = points.min(0), points.max(0)
    return Box(*(low + high) / 2, float((high - low).max()))


class Saw:
    """A scout that saw these."""

    def __init__(self, *boxes: Box) -> None:
        self.boxes = list(boxes)

    def detect(self, picture: np.ndarray) -> list[Box]:
        return self.boxes


def known(box: Box, *scores: float) -> Prediction:
    landmarks = np.column_stack([np.full((3, 2), (box.cx, box.cy)), scores])
    return Prediction(landmarks, box, "test")


def test_person_boxes_the_confident_landmarks() -> None:
    points = np.array([[100.0, 60.0], [140.0, 130.0], [120.0, 200.0]])
    runtime = BlobRuntime(BODY)
    (box,) = PersonDetector(runtime).detect(blob_picture(points, 240, 260, 5.0))
    expected = around(points)
    assert (box.cx, box.cy, box.side) == pytest.approx((expected.cx, expected.cy, expected.side), abs=1.0)
    assert box.origin == "person" and len(runtime.crops) == 2  # the second look is in the box
    assert len(PersonDetector(runtime, sure=1.01).detect(blob_picture(points, 240, 260, 5.0))) == 0
    (willing,) = PersonDetector(runtime, sure=1.01, willing=True).detect(blob_picture(points, 240, 260, 5.0))
    assert replace(willing, score=box.score) == box


def test_person_is_sought_along_wide_pictures() -> None:
    """A body in a corner of a wide picture is boxed, from one of the squares along it."""
    runtime = BlobRuntime(BODY)
    (box,) = PersonDetector(runtime).detect(WIDE)
    assert (box.cx, box.cy, box.side) == pytest.approx((620, 130, 140), abs=4.0)
    assert len(runtime.crops) == 6  # four areas, and the box that two of them gave


@pytest.mark.parametrize("shape", [(1, 1), (50, 400), (300, 300)])
def test_nobody(shape: tuple[int, int]) -> None:
    assert PersonDetector(BlobRuntime(BODY)).detect(np.zeros((*shape, 3), np.uint8)) == []


def test_a_hint_is_looked_at_and_must_hold() -> None:
    """What the scout saw is boxed by its landmarks; where the network sees nobody, nothing is told."""
    narrow = blob_picture(POINTS - (500, 0), 260, 260, 6.0)
    hint, nothing = Box(120, 130, 160, 0.4, "person"), Box(40, 40, 30, 0.4, "person")
    (box,) = PersonDetector(BlobRuntime(BODY), Saw(hint, nothing)).detect(narrow)
    assert (box.cx, box.cy, box.side) == pytest.approx((120, 130, 140), abs=4.0) and box.origin == "person"


class Half(BlobRuntime):
    """Sees four of eight landmarks."""

    def run(self, crop: np.ndarray, logits: bool = False) -> np.ndarray:
        maps = super().run(crop, logits)
        return np.concatenate([maps, maps[:1], np.full((4, *maps.shape[1:]), -6, np.float32)])


def test_an_upper_body_under_a_face_keeps_its_box() -> None:
    """Of a body that is cut off, what is seen does not tell how large it is."""
    picture, hint = blob_picture(POINTS - (500, 0), 260, 260, 6.0), Box(125, 120, 180, 0.9, GUESSED)
    half = replace(small_model(8), schema=schema_of(8, subject="person"), crop=1.15)
    (box,) = PersonDetector(Half(half), Saw(hint)).watch(picture, [])
    assert (box.cx, box.cy, box.side, box.origin) == (125, 120, 180, GUESSED) and 0.4 < box.score < 0.5
    (box,) = PersonDetector(BlobRuntime(BODY), Saw(hint)).watch(picture, [])  # seen as a whole: a box of its own
    assert (box.cx, box.cy, box.side) == pytest.approx((120, 130, 140), abs=4.0)
    assert not PersonDetector(BlobRuntime(BODY), Saw(hint)).watch(np.zeros_like(picture), [])


def test_one_look_a_frame_finds_within_all_areas() -> None:
    """The price of a frame is one look, or two where somebody is seen; all four areas have their turn."""
    runtime = BlobRuntime(BODY)
    detector, empty = PersonDetector(runtime), np.zeros_like(WIDE)
    for count in range(1, 9):
        assert detector.watch(empty, []) == [] and len(runtime.crops) == count
    looks, found = [], []
    for _ in range(4):
        before = len(runtime.crops)
        found += detector.watch(WIDE, [])
        looks.append(len(runtime.crops) - before)
    assert found and max(looks) == 2 and min(looks) == 1
    assert (found[0].cx, found[0].cy, found[0].side) == pytest.approx((620, 130, 140), abs=6.0)


def test_who_is_followed_is_not_looked_for() -> None:
    runtime = BlobRuntime(BODY)
    detector, box = PersonDetector(runtime), Box(620, 130, 140, 0.5, "landmarks")
    for _ in range(4):
        before = len(runtime.crops)
        assert detector.watch(WIDE, [known(box, 0.5, 0.5, 0.5)]) == [box]
        assert len(runtime.crops) - before == 1
    under_a_face = PersonDetector(runtime, Saw(Box(620, 135, 150, 0.9, GUESSED)))
    for room, looks in ((False, 0), (True, 1)):  # under a face nobody else can take the place
        before = len(runtime.crops)
        assert under_a_face.watch(WIDE, [known(box, 0.5, 0.5, 0.5)], room) == [box]
        assert len(runtime.crops) - before == looks


@pytest.mark.parametrize(("score", "still"), [(0.17, False), (0.19, True)])
def test_who_has_faded_is_not_told(score: float, still: bool) -> None:
    box = Box(100, 100, 80)
    found = PersonDetector(BlobRuntime(BODY)).watch(np.zeros((200, 200, 3), np.uint8), [known(box, *[score] * 3)])
    assert found == ([box] if still else [])


def test_a_face_keeps_who_is_followed_and_leads_the_box() -> None:
    """A faded body under a face stays; where half of it is out of sight, its box is the face's."""
    followed, hint = Box(100, 100, 80), Box(110, 100, 90, 0.9, GUESSED)
    dark = np.zeros((200, 200, 3), np.uint8)
    detector = PersonDetector(BlobRuntime(BODY), Saw(hint))
    assert detector.watch(dark, [known(followed, 0.3, 0.1, 0.0)]) == [hint]
    assert detector.watch(dark, [known(followed, 0.3, 0.3, 0.0)]) == [followed]


def test_without_room_only_the_clearly_surer_takes_the_place() -> None:
    """Blobs give a mean score of 0.88: 1.3 times 0.67."""
    elsewhere = Box(120, 130, 100)
    for score, stays in ((0.6, False), (0.7, True)):
        detector, found = PersonDetector(BlobRuntime(BODY)), []
        for _ in range(4):
            boxes = detector.watch(WIDE, [known(elsewhere, *[score] * 3)], room=False)
            found.append(elsewhere in boxes)
        assert all(found) == stays
    detector = PersonDetector(BlobRuntime(BODY), Saw(Box(620, 130, 150)))
    assert len(detector.watch(WIDE, [known(elsewhere, 0.6, 0.6, 0.6)])) == 2


def test_whole_bodies_are_seen_clearly() -> None:
    seen = np.zeros((16, 3))
    seen[:8, 2] = 0.9
    assert not whole(seen)
    seen[8, 2] = 0.26
    assert whole(seen)
    seen[8, 2] = 0.24
    assert not whole(seen)
