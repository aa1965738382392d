"""Detectors and following: boxes in the landmark convention, and none found is a normal answer."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.detect import (
    CASCADE_RISE,
    CASCADE_SIDE,
    DETECTORS,
    FaceDetector,
    follow,
    from_cascade,
    make_detector,
)
from engine.errors import UserError
from engine.images import decode
from engine.persons import whole_box
from engine.samples import sample_landmarks, sample_people, sample_pictures
from engine.schema import load_schema
from engine.types import Box, Prediction, overlap, suppress
from tests.engine.blobs import BlobRuntime, schema_of, small_model

PACKS = Path(os.environ.get("HOURBIT_PACKS", Path(__file__).parents[3] / "shared" / "data"))
BODY = replace(small_model(), schema=schema_of(3, subject="person"), crop=1.15)


def around(points: np.ndarray) -> Box:
    low, high = points.min(0), points.max(0)
    return Box(*(low + high) / 2, float((high - low).max()))


@pytest.mark.parametrize("name", ["face", "whole"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (30, 20), (200, 300)])
def test_pictures_without_faces(name: str, shape: tuple[int, int]) -> None:
    found = make_detector(name).detect(np.zeros((*shape, 3), np.uint8))
    assert len(found) == (name == "whole")


def test_noise_and_flat_colours_have_no_face() -> None:
    detector = FaceDetector()
    assert detector.detect(np.full((300, 400, 3), 180, np.uint8)) == []
    assert detector.detect(np.zeros((1200, 40, 3), np.uint8)) == []


def test_portrait() -> None:
    """The astronaut's face, by our own landmarks; the cameraman shows no frontal face."""
    (_, portrait), (_, scene) = sample_pictures()
    (box,) = FaceDetector().detect(portrait)
    assert overlap(box, around(sample_landmarks())) > 0.75
    assert box.origin == "face" and 0 < box.score <= 1
    assert FaceDetector().detect(scene) == []


def test_large_pictures_give_boxes_in_their_own_pixels() -> None:
    (_, portrait), _ = sample_pictures()
    large = portrait.repeat(3, 0).repeat(3, 1)
    (box,) = FaceDetector().detect(large)
    assert overlap(box, around(sample_landmarks() * 3 + 1)) > 0.7


def test_varied_portraits() -> None:
    found = [
        max((overlap(box, around(s.landmarks)) for box in FaceDetector().detect(s.pixels)), default=0)
        for s in sample_people(8)
    ]
    assert min(found) > 0.5 and np.mean(found) > 0.7


def test_cascade_mapping() -> None:
    """A cascade box made by the two numbers from a landmark box leads back to it."""
    side, cx, cy = 100.0, 80.0, 90.0
    edge = side * CASCADE_SIDE
    x, y = cx + 0.5 - edge / 2, cy + 0.5 - CASCADE_RISE * side - edge / 2
    box = from_cascade((x, y, edge, edge), 5)
    assert (box.cx, box.cy, box.side, box.score) == pytest.approx((cx, cy, side, 0.5))
    stretched = from_cascade((x, y, edge, edge), 5, (2.0, 2.0))
    assert (stretched.cx, stretched.cy, stretched.side) == pytest.approx((2 * cx + 0.5, 2 * cy + 0.5, 2 * side))


def test_cascade_mapping_on_real_photographs() -> None:
    """On a part of HELEN's test photographs: no offset beyond a twentieth of the box, IoU as measured."""
    path = PACKS / "detect_test_helen.npz"
    if not path.is_file():
        pytest.skip(f"needs {path}")
    detector, rows, missed, total = FaceDetector(), [], 0, 0
    with np.load(path) as data:
        blob, offsets, faces = data["blob"], data["offsets"], data["face_offsets"]
        boxes, kinds = data["face_boxes"].astype(np.float64), data["face_kind"]
    for n in range(0, len(offsets) - 1, 8):
        found = detector.detect(decode(blob[offsets[n] : offsets[n + 1]].tobytes()))
        for row in range(faces[n], faces[n + 1]):
            if kinds[row] != b"human":
                continue
            total += 1
            truth = around(boxes[row].reshape(2, 2))
            best = max(found, key=lambda box, truth=truth: overlap(box, truth), default=None)
            if best is None or overlap(best, truth) < 0.3:
                missed += 1
                continue
            rows.append([(best.cx - truth.cx) / truth.side, (best.cy - truth.cy) / truth.side,
                         best.side / truth.side, overlap(best, truth)])  # fmt: skip
    dx, dy, ratio, iou = np.median(rows, 0)
    assert missed <= 0.15 * total
    assert abs(dx) < 0.05 and abs(dy) < 0.05 and 0.92 < ratio < 1.08 and iou > 0.72


def test_overlap_and_suppression() -> None:
    one = Box(50, 50, 40, 0.9)
    assert overlap(one, one) == pytest.approx(1)
    assert overlap(one, Box(70, 50, 40)) == pytest.approx(1 / 3)
    assert overlap(one, Box(200, 50, 40)) == 0
    far = Box(200, 50, 40, 0.2)
    inside = Box(55, 55, 10, 0.5)
    assert suppress([Box(54, 50, 40, 0.4), far, one, inside]) == [one, far]


def test_whole_box_just_holds_the_picture() -> None:
    box = whole_box(np.zeros((100, 300, 3), np.uint8), 1.5)
    assert (box.cx, box.cy, box.side * 1.5) == (149.5, 49.5, 300)


def prediction(points: np.ndarray, scores: list[float]) -> Prediction:
    return Prediction(np.column_stack([points, scores]), Box(0, 0, 1), "test")


def test_follow_faces_by_all_landmarks() -> None:
    face = load_schema("ibug68")
    points = sample_landmarks()
    box = follow(prediction(points, [0.5] * 68), face)
    expected = around(points)
    assert (box.cx, box.cy, box.side) == (expected.cx, expected.cy, expected.side)
    assert box.origin == "landmarks" and box.score == pytest.approx(0.5)
    assert follow(prediction(points, [0.05] * 68), face) is None
    assert follow(prediction(np.zeros((68, 2)), [0.9] * 68), face) is None


def test_follow_bodies_by_what_is_seen() -> None:
    body = load_schema("mpii16")
    points = np.random.default_rng(0).uniform(0, 300, (16, 2))
    scores = [0.6] * 8 + [0.01] * 8
    box = follow(prediction(points, scores), body)
    expected = around(points[:8])
    assert (box.cx, box.cy, box.side) == pytest.approx((expected.cx, expected.cy, expected.side))
    assert follow(prediction(points, [0.9, 0.9, 0.9] + [0.1] * 13), body) is None


def test_registry() -> None:
    assert set(DETECTORS) == {"detect", "closer", "face", "person", "whole"}
    with pytest.raises(UserError, match="whole"):
        make_detector("dog")
    for runtime in (None, BlobRuntime(small_model())):
        with pytest.raises(UserError, match="body model"):
            make_detector("person", runtime)
    assert make_detector("person", BlobRuntime(BODY)).name == "person"
