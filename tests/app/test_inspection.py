"""What the heatmap dock shows, worked out without a window: maps, mirror image, another model, layers, profiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.services import maps
from app.services.inspection import Ask, Inspector, inspect, partners, tap
from app.services.maps import Look
from engine import heatmaps
from engine.graph import Architecture
from engine.modelfile import write_model
from engine.predictor import Predictor
from engine.random_model import random_model
from engine.runtime import open_runtime
from engine.schema import load_schema
from engine.types import Box, Heatmaps
from tests.app.views.small import small_model

SCHEMA = load_schema("mpii16")
BOX = Box(80.0, 60.0, 70.0)
PICTURE = np.random.default_rng(3).integers(0, 256, (120, 160, 3), np.uint8)


def runtime(seed: int = 0) -> object:
    return open_runtime(small_model(SCHEMA, seed), "reference")


@pytest.fixture(scope="module")
def inspection():
    ask = Ask("key", PICTURE, BOX, Path("a"), Path("b"))
    return inspect(ask, PICTURE, runtime(), runtime(1))


def test_the_maps_are_the_predictors_own(inspection):
    found = Predictor(runtime(), "whole").predict_box(PICTURE, BOX, heatmaps=True)
    assert np.array_equal(inspection.maps.logits, found.heatmaps.logits)
    assert inspection.landmarks == pytest.approx(found.landmarks)


def test_the_mirror_image_is_turned_back_as_the_flip_test_does(inspection):
    flip = Predictor(runtime(), "whole", flip=True).predict_box(PICTURE, BOX, heatmaps=True)
    assert (inspection.maps.logits + inspection.flipped) / 2 == pytest.approx(flip.heatmaps.logits, abs=1e-5)


def test_differences_are_of_what_the_switches_say(inspection):
    one = heatmaps.sigmoid(inspection.maps.logits[3]) - heatmaps.sigmoid(inspection.other[3])
    made = maps.shown(inspection, Look(3, kind="other"))
    assert made.signed and made.values == pytest.approx(one, abs=1e-6)
    assert made.high == -made.low == pytest.approx(np.abs(one).max())
    logit = maps.shown(inspection, Look(3, "max", "logit", "flip", fixed=True))
    assert logit.values == pytest.approx(inspection.maps.logits.max(0) - inspection.flipped.max(0))
    assert (logit.low, logit.high) == (-maps.FIXED_LOGIT, maps.FIXED_LOGIT)
    assert maps.shown(inspection, Look(0, fixed=True)).high == 1.0


def test_another_models_maps_land_on_the_same_places_of_the_picture():
    """A map with a peak at a known picture place, on a finer grid, keeps it on the coarser one."""
    rng = np.random.default_rng(0)
    coarse = Heatmaps(rng.normal(size=(1, 16, 16)), np.array([[0.5, 0, 3.0], [0, 0.5, -2.0]]), 4)
    place = maps.to_picture(coarse, np.array([9.0, 6.0]))
    affine = np.array([[0.9, 0, -1.5], [0, 0.9, 4.0]])
    fine = Heatmaps(np.zeros((1, 32, 32)), affine, 4)
    at = maps.to_cells(fine, place)
    grid = np.stack(np.meshgrid(np.arange(32), np.arange(32)), -1)
    fine = Heatmaps(-np.square(grid - at).sum(-1)[None].astype(np.float32) / 20, affine, 4)
    moved = maps.on_grid_of(coarse, fine)
    assert np.unravel_index(moved[0].argmax(), (16, 16)) == (6, 9)
    assert moved[0, 6, 9] == pytest.approx(0.0, abs=0.1)


def test_width_counts_the_peaks_own_cells():
    cells = np.arange(40, dtype=float)
    gauss = np.exp(-0.5 * ((cells[:, None] - 12) ** 2 + (cells - 12) ** 2) / 3.0**2)
    second = 0.9 * np.exp(-0.5 * ((cells[:, None] - 32) ** 2 + (cells - 32) ** 2) / 3.0**2)
    assert maps.half_width(gauss + second) == pytest.approx(2.355 * 3, rel=0.05)


def test_a_profile_goes_through_both_peaks_and_stays_in_the_map():
    values = np.zeros((20, 20), np.float32)
    values[5, 4], values[11, 12] = 1.0, 0.6
    peaks = np.array([[4.0, 5.0, 1.0], [12.0, 11.0, 0.6]])
    line = maps.line_through(peaks, values.shape)
    assert (line >= -1e-9).all() and (line <= 19 + 1e-9).all()
    x, y = maps.profile(values, line, peaks[0, :2])
    assert np.interp([0.0, 10.0], x, y) == pytest.approx([1.0, 0.6], abs=0.15)
    level = maps.line_through(peaks[:1], values.shape)
    assert level[0, 1] == level[1, 1] == 5.0 and level[0, 0] == 0.0


def test_a_layer_comes_with_its_partner(inspection):
    net = runtime()
    graph = net.model.graph
    assert partners(graph, "head.last.sign") == ("head.last.sign", "head.block.out")
    assert partners(graph, "head.block.out") == ("head.last.sign", "head.block.out")
    assert partners(graph, "head.conv") == ("", "head.conv")
    layer = tap(net, inspection.crop, "head.last.sign")
    assert layer.bits.dtype == bool and layer.real.shape == layer.bits.shape
    assert np.array_equal(layer.bits, net.tap(inspection.crop, ["head.last.sign"])["head.last.sign"])
    assert np.array_equal(maps.channels(layer.bits, 2), layer.bits[..., 2])
    assert maps.channels(layer.real, "absolute") == pytest.approx(np.abs(layer.real).mean(2))


def test_channels_that_stand_out_at_a_place():
    layer = np.random.default_rng(0).normal(size=(8, 8, 3)).astype(np.float32)
    layer[..., 2], layer[5, 3, 1] = 1.0, 30.0
    found = maps.standing_out(layer, np.array([3.5 / 8, 5.5 / 8]))
    plane = layer[..., 1].astype(float)
    assert found[1] == pytest.approx((30 - plane.mean()) / plane.std())
    assert found[2] == 0 and np.abs(found[0]) < 4


def test_every_layer_of_the_network_has_something_to_show():
    net = runtime()
    for name in net.layers():
        assert name in partners(net.model.graph, name) or net.model.graph.by_name[name].op == "norm", name


def write(folder: Path, seed: int, schema: str = "mpii16") -> Path:
    named, path = load_schema(schema), folder / f"{seed}.hourbit"
    write_model(path, random_model(f"m{seed}", Architecture(len(named), width=32, stem=16, side=64), named, seed))
    return path


def test_the_newest_request_wins_and_failures_are_sentences(qtbot, tmp_path):
    a, b, face = write(tmp_path, 1), write(tmp_path, 2), write(tmp_path, 3, "ibug68")
    service, made, failed = Inspector(), [], []
    service.ready.connect(made.append)
    service.failed.connect(lambda ask, sentence: failed.append((ask.key, sentence)))
    try:
        with service._ready:  # the thread cannot take one before the last is there
            for n in range(5):
                service.request(Ask(n, PICTURE, BOX, a))
            service.request(Ask("last", PICTURE, BOX, a, b, "head.last.sign"))
        qtbot.waitUntil(lambda: bool(made), timeout=20000)
        assert [one.ask.key for one in made] == ["last"]
        assert made[0].layer.bits is not None and made[0].other_name == "m2"
        service.request(Ask("other landmarks", PICTURE, BOX, a, face))
        qtbot.waitUntil(lambda: len(failed) == 1, timeout=20000)
        service.request(Ask("no file", PICTURE, BOX, tmp_path / "gone.hourbit"))
        qtbot.waitUntil(lambda: len(failed) == 2, timeout=20000)
        assert "other landmarks" in failed[0][1] and "gone" in failed[1][1]
        service.rest()
        qtbot.waitUntil(lambda: not service._runtimes and service._last is None, timeout=5000)
    finally:
        assert service.close()
