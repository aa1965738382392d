"""Parts of faces: masks of known areas, their place in pictures, and overlaps beside figures counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine import crop, parts, scores
from engine.architecture import SEGMENTATION, Architecture, GraphError
from engine.detect import follow
from engine.evaluate import Options, evaluate, measure
from engine.graph import build
from engine.heatmaps import probabilities, sigmoid, softmax
from engine.modelfile import make_model, read_model, write_model
from engine.predictor import Predictor
from engine.random_model import random_tensors
from engine.runtime import open_runtime
from engine.subjects import Labelled
from engine.types import Box, Heatmaps

FACE = parts.load_parts("face-parts")
BACKGROUND, SKIN, BROWS, EYES, NOSE, LIPS, INNER = range(7)


def rectangles() -> np.ndarray:
    """(68, 2): a face of rectangles in 100 x 100 pixels, whose areas can be told by hand."""
    points = np.zeros((68, 2))
    points[:17] = np.linspace((9.5, 19.5), (9.5, 89.5), 17)  # the jaw goes down the left side
    points[16] = (89.5, 89.5)
    points[17:27] = np.linspace((9.5, 19.5), (89.5, 19.5), 10)
    for first, x in ((36, 19.5), (42, 59.5)):  # eyes of 20 x 10
        eye = [(0, 0), (10, 0), (20, 0), (20, 10), (10, 10), (0, 10)]
        points[first : first + 6] = np.array(eye) + (x, 29.5)
    points[27], points[31:36] = (49.5, 44.5), np.linspace((39.5, 64.5), (59.5, 64.5), 5)  # a triangle of 20 x 20 / 2
    corners = [(0, 0), (10, 0), (20, 0), (30, 0), (40, 0), (40, 5), (40, 10), (30, 10), (20, 10), (10, 10), (0, 10)]
    points[48:60] = np.array([*corners, (0, 5)]) + (29.5, 69.5)  # lips of 40 x 10
    points[60:68] = np.array([(0, 0), (5, 0), (10, 0), (20, 0), (20, 4), (10, 4), (5, 4), (0, 4)]) + (39.5, 72.5)
    return points


def test_masks_cover_what_the_landmarks_enclose() -> None:
    found = parts.mask(FACE, rectangles(), 100)
    area = np.bincount(found.ravel(), minlength=7)
    assert area[EYES] == pytest.approx(2 * 20 * 10, rel=0.08)
    assert area[NOSE] == pytest.approx(200, rel=0.12)
    assert area[INNER] == pytest.approx(20 * 4, rel=0.2)
    assert area[LIPS] == pytest.approx(40 * 10 - 20 * 4, rel=0.08)
    assert area[BROWS] == pytest.approx(80 * 0.045 * 80, rel=0.25)  # a line of 4.5 % of the box, 80 long
    assert found[35, 25] == EYES and found[74, 45] == INNER and found[71, 35] == LIPS and found[2, 2] == BACKGROUND
    assert area.sum() == 100 * 100


def test_shares_are_the_finer_mask_averaged_and_add_up() -> None:
    points = rectangles()
    found = parts.shares(FACE, points, 25, 4)
    assert found.shape == (7, 25, 25) and found.dtype == np.float32
    np.testing.assert_allclose(found.sum(0), 1, atol=1e-6)
    finer = parts.mask(FACE, points, 100)
    averaged = (finer[None] == np.arange(7)[:, None, None]).reshape(7, 25, 4, 25, 4).mean((2, 4))
    assert np.abs(found - averaged).mean() < 0.005 and found[EYES].sum() * 16 == pytest.approx(400, rel=0.06)
    far = parts.mask(FACE, points * 1e5, 64)  # zoomed in beyond what OpenCV's integers hold
    assert far.shape == (64, 64)


def test_overlaps_beside_sets_of_pixels() -> None:
    rng = np.random.default_rng(3)
    found, truth = rng.integers(0, 5, (2, 40, 40)).astype(np.uint8)
    truth[truth == 4] = 0
    found[found == 4] = 1
    counted = parts.overlaps(found, truth, 5)
    for part in range(5):
        mine = {tuple(p) for p in np.argwhere(found == part)}
        theirs = {tuple(p) for p in np.argwhere(truth == part)}
        assert counted[part].tolist() == [len(mine & theirs), len(mine | theirs)]
    iou = parts.intersection_over_union(counted)
    assert np.isnan(iou[4]) and iou[0] == counted[0, 0] / counted[0, 1]


def test_scores_sum_pixels_over_subjects_before_they_divide() -> None:
    counted = np.array([[[90.0, 100], [0, 20], [0, 0]], [[10, 10], [30, 40], [0, 0]], [[np.nan] * 2] * 3])
    schema = replace(FACE.schema, landmarks=("a", "b", "c"))
    told = scores.score_parts(schema, counted)
    a, b = 100 * 100 / 110, 100 * 30 / 60
    assert told["per_landmark"] == pytest.approx({"a": a, "b": b})
    assert told["mean"] == pytest.approx((a + b) / 2) and told["without_background"] == pytest.approx(b)
    assert told["pixels_right"] == pytest.approx(100 * 130 / (130 + (10 + 30) / 2))
    assert told["median"] == pytest.approx(np.median([(90 + 0) / 2, (100 + 75) / 2]))
    assert scores.score_parts(schema, counted[2:])["mean"] is None


def sure(points: np.ndarray, affine: np.ndarray) -> Heatmaps:
    """Maps of a network that knows the parts of a crop of 64 pixels."""
    return Heatmaps(np.log(parts.shares(FACE, crop.apply(affine, points), 16, 4) + 1e-3), affine, 4, SEGMENTATION)


def test_a_prediction_tells_middles_and_keeps_its_box() -> None:
    points = rectangles() * 3 + (40, 10)
    affine = crop.matrix(40 + 3 * 50, 10 + 3 * 55, 240 * 1.5, 64)
    found = parts.predicted(sure(points, affine), Box(190, 175, 240), "m")
    assert found.heatmaps.probabilities.sum(0) == pytest.approx(1, abs=1e-5)
    eyes = points[36:48].mean(0)
    assert np.abs(found.landmarks[EYES, :2] - eyes).max() < 4
    assert follow(found, FACE.schema) == found.box == Box(190, 175, 240)
    empty = np.zeros((7, 16, 16), np.float32)
    empty[0] = 9
    nobody = parts.predicted(Heatmaps(empty, affine, 4, SEGMENTATION), Box(190, 175, 240), "m")
    assert nobody.landmarks[1:, 2].max() == 0 and nobody.landmarks[0, 2] > 0.99


def test_maps_of_a_segmentation_are_shares_and_others_probabilities() -> None:
    logits = np.random.default_rng(1).normal(0, 200, (7, 5, 5)).astype(np.float32)
    assert np.array_equal(probabilities(logits, "landmarks"), sigmoid(logits))
    shares = probabilities(logits, SEGMENTATION)
    exact = np.exp(logits.astype(np.float64) - logits.max(0))
    np.testing.assert_allclose(shares, exact / exact.sum(0), atol=1e-6)
    assert np.array_equal(softmax(logits[None])[0], shares)


@pytest.fixture(scope="module")
def model():
    network = Architecture(7, width=32, stem=16, side=64, head=SEGMENTATION)
    return make_model("Parts", network, FACE.schema, random_tensors(build(network), 3), {}, 1.5)


def test_a_model_file_keeps_the_head_and_the_packed_engine_agrees(model, tmp_path) -> None:
    kept = write_model(tmp_path / "parts.hourbit", model)
    again = read_model(kept.path)
    assert again.head == SEGMENTATION and again.schema == FACE.schema and parts.label_schema(again).name == "ibug68"
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    packed, reference = open_runtime(again), open_runtime(again, "reference")
    assert np.array_equal(packed.run(picture, logits=True), reference.run(picture, logits=True))
    assert packed.run(picture).sum(0) == pytest.approx(1, abs=1e-5)
    found = Predictor(packed).predict_box(picture, Box(32, 32, 40))
    assert found.heatmaps is not None and found.landmarks.shape == (7, 3)


def test_evaluation_counts_each_subject_on_its_crop(model) -> None:
    runtime = open_runtime(model, "reference")
    points = np.stack([rectangles(), rectangles() + 5, rectangles()])
    weight = np.ones((3, 68))
    weight[2, 8] = 0  # without a landmark there is no mask
    box = np.array([[50.0, 55, 80]] * 3)
    picture = np.random.default_rng(0).integers(0, 256, (110, 110, 3), np.uint8)
    data = Labelled(lambda n: picture, points, weight, box, ids=("a", "b", "c"))
    done = measure(runtime, data)
    told = done.figures
    assert (told["metric"], told["n"], told["left_out"], told["missed"]) == ("miou", 2, 1, 0)
    counted = np.zeros((7, 2))
    for n in range(2):
        maps = Predictor(runtime).predict_box(picture, Box(50, 55, 80)).heatmaps
        truth = parts.mask(FACE, crop.apply(maps.affine, points[n]), 64)
        counted += parts.overlaps(parts.part_map(maps), truth, 7)
    each = counted[:, 0] / counted[:, 1]
    assert told["mean"] == pytest.approx(100 * np.nanmean(each))
    assert np.isnan(done.errors[2]).all() and done.errors.shape == (3, 7)
    assert evaluate(runtime, data, flip=True)["metric"] == "miou"


def test_what_does_not_fit_is_refused(model) -> None:
    runtime = open_runtime(model, "reference")
    picture, box = np.zeros((9, 9, 3), np.uint8), np.array([[50.0, 55, 80]])
    one = Labelled(lambda n: picture, rectangles()[None], np.ones((1, 68)), box)
    with pytest.raises(Exception, match="only one"):
        measure(runtime, one, Options(metric="nme"))
    with pytest.raises(parts.PartsError, match="face-parts"):
        parts.load_parts("hands")
    with pytest.raises(parts.PartsError, match="update"):
        parts.parts_of(replace(FACE.schema, landmarks=("a",)))
    with pytest.raises(GraphError, match="two parts"):
        Architecture(1, head=SEGMENTATION)
    with pytest.raises(GraphError, match="Unknown head"):
        Architecture(7, head="masks")
    assert "head" not in Architecture(7).to_json()  # older versions read today's landmark models
