"""The detector on whole pictures: places in picture pixels, subjects, upper bodies, files and faults."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.architecture import Architecture
from engine.detect import DETECTORS, default_detector, make_detector
from engine.errors import UserError
from engine.modelfile import Model, make_model, write_model
from engine.predictor import Predictor
from engine.random_model import random_model
from engine.runtime import open_runtime
from engine.scene_detector import BODY_DROP, BODY_SIDE, FirstOf, SceneDetector, Scout, upper_body
from engine.squares import MAPS, PERSON_MARGIN, UNIT, detector_schema
from engine.types import Box
from tests.engine.blobs import BlobRuntime, schema_of, small_model


def small_detector(side: int = 64, **card: object) -> Model:
    made = random_model("small detector", Architecture(8, width=32, stem=16, side=side), detector_schema(), 1)
    return make_model(made.name, made.architecture, made.schema, made.tensors, card)


class Says:
    """A runtime that answers every crop with faces and people at given crop pixels: (class, x, y, side)."""

    name, isa, threads, notice, checked = "says", "numpy", 1, "", True

    def __init__(self, *squares: tuple[int, float, float, float], side: int = 128) -> None:
        self.model, self.squares, self.crops = small_detector(side), squares, 0

    def run(self, crop: np.ndarray, logits: bool = False) -> np.ndarray:
        self.crops += 1
        assert crop.shape == (self.model.side, self.model.side, 3) and logits
        maps = np.zeros((8, self.model.cells, self.model.cells), np.float32)
        maps[::MAPS] = -9
        for n, (number, x, y, side) in enumerate(self.squares):
            column, row = int((x + 0.5) / 4), int((y + 0.5) / 4)
            offsets = (x + 0.5) / 4 - 0.5 - column, (y + 0.5) / 4 - 0.5 - row
            maps[MAPS * number : MAPS * number + MAPS, row, column] = 4 - n, np.log(side / UNIT), *offsets
        return maps


def test_boxes_lie_in_the_pixels_of_the_picture() -> None:
    """A picture of 512 x 256 is shown at a quarter of its size in the middle of 128 x 128."""
    detector = SceneDetector(Says((0, 30.0, 60.0, 20.0), (1, 90.0, 70.0, 40.0)))
    person, face = detector.detect(np.zeros((256, 512, 3), np.uint8))
    assert (face.cx, face.cy, face.side) == pytest.approx((4 * 30.5 - 0.5, 4 * 60.5 - 0.5 - 128, 80), rel=1e-5)
    assert (person.cx, person.cy, person.side) == pytest.approx((4 * 90.5 - 0.5, 4 * 70.5 - 0.5 - 128, 160), rel=1e-5)
    assert (face.origin, person.origin) == ("face", "person") and detector.classes == ("face", "person")


def test_what_lies_outside_the_picture_is_none() -> None:
    assert SceneDetector(Says((0, 60.0, 10.0, 20.0))).detect(np.zeros((256, 512, 3), np.uint8)) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 3)])
def test_pictures_of_any_shape(shape: tuple[int, int]) -> None:
    for box in SceneDetector(Says((0, 64.0, 64.0, 20.0))).detect(np.zeros((*shape, 3), np.uint8)):
        assert box.side > 0


def test_people_by_their_landmarks_and_upper_bodies_under_faces() -> None:
    """The body around the first face is known; the second face stands alone."""
    said = Says((1, 40.0, 60.0, 66.0), (0, 40.0, 36.0, 10.0), (0, 100.0, 30.0, 12.0))
    found = SceneDetector(said, "person").detect(np.zeros((128, 128, 3), np.uint8))
    assert [box.origin for box in found] == ["person", "body"]
    assert found[0].side == pytest.approx(66 / PERSON_MARGIN, rel=1e-5)
    assert (found[1].cx, found[1].cy, found[1].side) == pytest.approx((100, 30 + 12 * BODY_DROP, 12 * BODY_SIDE))
    faces = SceneDetector(said, "face").detect(np.zeros((128, 128, 3), np.uint8))
    assert [box.side for box in faces] == pytest.approx([12, 10])


def test_a_landmark_model_is_no_detector_and_the_other_way_round() -> None:
    with pytest.raises(UserError, match="choose a detector"):
        SceneDetector(BlobRuntime(small_model()))
    with pytest.raises(UserError, match="face68"):
        Predictor(Says(), "whole")


def test_a_detector_file_serves_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.hourbit"
    model = write_model(path, small_detector(thresholds={"face": 0.25, "person": 0.75}))
    assert open_runtime(model).run(np.zeros((64, 64, 3), np.uint8), logits=True).shape == (8, 16, 16)
    detector = make_detector(str(path))
    assert detector.threshold == {"face": 0.25, "person": 0.75} and detector.name == "detect"
    body = BlobRuntime(replace(small_model(), schema=schema_of(3, subject="person")))
    assert make_detector(str(path), body).classes == ("person",)
    other = tmp_path / "notes.txt"
    other.write_text("nothing")
    with pytest.raises(UserError, match=r"notes.txt is no detector"):
        make_detector(str(other))
    landmarks = tmp_path / "landmarks.hourbit"
    write_model(landmarks, small_model())
    with pytest.raises(UserError, match="finds landmarks"):
        make_detector(str(landmarks))


def test_defaults_are_detectors() -> None:
    for subject in ("face", "person", "object"):
        assert default_detector(schema_of(3, subject=subject)) in DETECTORS


def test_the_next_one_looks_where_the_first_finds_nothing() -> None:
    class Fixed:
        def __init__(self, name: str, found: list[Box]) -> None:
            self.name, self.found = name, found

        def detect(self, picture: np.ndarray) -> list[Box]:
            return self.found

    box, picture = Box(1, 2, 3), np.zeros((4, 4, 3), np.uint8)
    nobody, somebody = Fixed("first", []), Fixed("second", [box])
    assert FirstOf(nobody, somebody).detect(picture) == [box] and FirstOf(nobody, somebody).name == "first"
    assert FirstOf(somebody, nobody).detect(picture) == [box] and FirstOf(nobody).detect(picture) == []


class Brightest(Says):
    """Finds one face of 20 crop pixels around the brightest crop pixel, if there is a bright one."""

    def run(self, crop: np.ndarray, logits: bool = False) -> np.ndarray:
        y, x = np.unravel_index(crop[..., 0].argmax(), crop.shape[:2])
        self.squares = ((0, float(x), float(y), 20.0),) if crop[y, x, 0] > 200 else ()
        return super().run(crop, logits)


def test_a_closer_look_finds_smaller_faces() -> None:
    """What is 20 pixels of the crop is 80 of the whole picture, and 40 of a square along it."""
    picture = np.zeros((256, 512, 3), np.uint8)
    picture[100:108, 100:108] = 255
    once, closer = (SceneDetector(Brightest(), closer=closer).detect(picture) for closer in (False, True))
    assert [box.side for box in once] == pytest.approx([80], rel=1e-5)
    assert sorted(box.side for box in closer) == pytest.approx([40, 80], rel=1e-5)
    assert all(abs(box.cx - 103.5) < 5 and abs(box.cy - 103.5) < 5 for box in closer)


@pytest.mark.parametrize(("shape", "looks"), [((100, 120), 1), ((100, 126), 3), ((400, 100), 5), ((10, 1000), 5)])
def test_squares_along_the_picture(shape: tuple[int, int], looks: int) -> None:
    said = Says()
    SceneDetector(said, closer=True).detect(np.zeros((*shape, 3), np.uint8))
    assert said.crops == looks


def test_what_a_closer_look_cuts_is_left_to_the_others() -> None:
    """The face stands across the middle, at the inner edge of both squares."""
    picture = np.zeros((256, 512, 3), np.uint8)
    picture[100:108, 250:256] = 255
    (box,) = SceneDetector(Brightest(), closer=True).detect(picture)
    assert box.side == pytest.approx(80, rel=1e-5)


def test_a_scout_goes_by_faces_first() -> None:
    """A body about a face is often the head and the shoulders alone; bodies without one are told as they are."""
    picture = np.zeros((128, 128, 3), np.uint8)
    (box,) = Scout(Says((0, 60.0, 40.0, 20.0), (1, 60.0, 50.0, 50.0))).detect(picture)
    (face,) = SceneDetector(Says((0, 60.0, 40.0, 20.0)), "face").detect(picture)
    assert box == upper_body(face) and box.origin == "body"
    guessed, alone = Scout(Says((0, 30.0, 40.0, 20.0), (1, 90.0, 70.0, 33.0))).detect(picture)
    assert (guessed.origin, alone.origin) == ("body", "person")
    assert alone.side == pytest.approx(33 / PERSON_MARGIN, rel=1e-5)
