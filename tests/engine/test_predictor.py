"""From a picture to landmarks in its own pixels: within 0.05 px, through crop, decoder and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine import Predictor, crop, heatmaps
from engine.modelfile import make_model
from engine.predictor import LEAST
from engine.runtime import open_runtime
from engine.types import Box, Prediction
from tests.engine.blobs import BlobRuntime, blob_picture, schema_of, small_model

POINTS = np.array([[130.37, 90.81], [161.5, 118.25], [142.0, 131.66]])
PICTURE = blob_picture(POINTS, 320, 240, 3.0)
BOX = Box(147.3, 111.9, 70.0, origin="hand")


class Fixed:
    """A detector that always gives the same boxes."""

    name = "fixed"

    def __init__(self, *boxes: Box) -> None:
        self.boxes = list(boxes)

    def detect(self, picture: np.ndarray) -> list[Box]:
        return self.boxes


@pytest.mark.parametrize("size", [64, 128, 192, 256])
@pytest.mark.parametrize("side", [60.0, 74.5, 120.0])
@pytest.mark.parametrize("flip", [False, True])
def test_blobs_are_found_within_a_twentieth_of_a_pixel(size: int, side: float, flip: bool) -> None:
    predictor = Predictor(BlobRuntime(small_model(side=size)), Fixed(), flip)
    found = predictor.predict_box(PICTURE, replace(BOX, side=side)).landmarks
    assert np.abs(found[:, :2] - POINTS).max() < 0.05
    np.testing.assert_allclose(found[:, 2], heatmaps.sigmoid(np.float32(2)), atol=0.06)


@pytest.mark.parametrize(("least", "side", "origin", "stands"), [
    (0.87, 70.0, "face", True), (0.95, 70.0, "face", False), (0.95, 23.9, "face", True), (0.95, 70.0, "hand", True),
    ("much", 70.0, "face", True),
])  # fmt: skip
def test_where_the_model_sees_nobody_there_is_nobody(least: object, side: float, origin: str, stands: bool) -> None:
    """Blobs score 0.88. Small faces are blurred and score less; a box drawn by hand is believed."""
    model = small_model()
    model = make_model(model.name, model.architecture, model.schema, model.tensors, {LEAST: least})
    predictor = Predictor(BlobRuntime(model), Fixed(replace(BOX, side=side, origin=origin)))
    assert len(predictor.predict(PICTURE)) == stands


@pytest.mark.parametrize("angle", [-90.0, -37.0, 0.0, 30.0, 180.0])
@pytest.mark.parametrize("side", [100.0, 190.0, 420.0])
@pytest.mark.parametrize("size", [64, 256])
def test_blobs_through_turned_crops(angle: float, side: float, size: int) -> None:
    """The same through crops turned by any angle; the largest shrink the picture."""
    runtime = BlobRuntime(small_model(side=size))
    affine = crop.matrix(BOX.cx, BOX.cy, side, size, angle)
    picture = blob_picture(POINTS, 320, 240, max(3.0, side / size))  # a spot covers more than one crop pixel
    found = heatmaps.decode(runtime.run(crop.sample(picture, affine, size), logits=True))
    back = crop.apply(crop.invert(affine), heatmaps.to_crop(found[:, :2]))
    tolerance = 0.05 * max(1.0, side / size)  # picture pixels; one crop pixel is side / size of them
    assert np.abs(back - POINTS).max() < tolerance


def test_crop_is_box_times_factor() -> None:
    runtime = BlobRuntime(small_model())
    prediction = Predictor(runtime, Fixed()).predict_box(PICTURE, BOX, heatmaps=True)
    expected = crop.matrix(BOX.cx, BOX.cy, BOX.side * runtime.model.crop, 64)
    np.testing.assert_array_equal(prediction.heatmaps.affine, expected)
    np.testing.assert_array_equal(runtime.crops[0], crop.sample(PICTURE, expected, 64))
    assert prediction.heatmaps.logits.shape == (3, 16, 16)
    assert prediction.box == BOX and prediction.model == "small 3"
    assert Predictor(runtime, Fixed()).predict_box(PICTURE, BOX).heatmaps is None


def test_predict_runs_every_box() -> None:
    boxes = BOX, replace(BOX, side=90.0)
    found = Predictor(BlobRuntime(small_model()), Fixed(*boxes)).predict(PICTURE)
    assert [p.box for p in found] == list(boxes) and all(isinstance(p, Prediction) for p in found)


def test_flip_swaps_partners() -> None:
    """In the mirror image the runtime's channel 0 shows what landmark 1 is: without the swap they would mix."""

    class Mirrored(BlobRuntime):
        def run(self, picture: np.ndarray, logits: bool = False) -> np.ndarray:
            maps = super().run(picture, logits)
            return maps[[1, 0, 2]] if len(self.crops) == 2 else maps

    model = small_model(schema=schema_of(3, flip=((0, 1),)))
    found = Predictor(Mirrored(model), Fixed(), flip=True).predict_box(PICTURE, BOX).landmarks
    assert np.abs(found[:, :2] - POINTS).max() < 0.05


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (40, 40)])
def test_any_picture_and_zero_faces(shape: tuple[int, int]) -> None:
    runtime = open_runtime(small_model(), "reference")
    black = np.zeros((*shape, 3), np.uint8)
    assert Predictor(runtime, "face").predict(black) == []
    (prediction,) = Predictor(runtime, "whole").predict(black)
    assert prediction.landmarks.shape == (3, 3) and np.isfinite(prediction.landmarks).all()


def test_real_runtimes_agree() -> None:
    model = small_model()
    picture = np.random.default_rng(0).integers(0, 256, (100, 140, 3), np.uint8)
    one, other = (
        Predictor(open_runtime(model, name), Fixed(), flip=True).predict_box(picture, Box(70, 50, 60), heatmaps=True)
        for name in ("reference", "packed")
    )
    np.testing.assert_array_equal(one.heatmaps.logits, other.heatmaps.logits)
    np.testing.assert_array_equal(one.landmarks, other.landmarks)


def test_wrong_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match="uint8"):
        Predictor(BlobRuntime(small_model()), Fixed()).predict_box(PICTURE[..., 0], BOX)
