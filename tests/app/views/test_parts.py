"""Parts of faces on the screen: their colours where they are, a legend, and no landmarks to drag or to keep."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QImage

from app.library import Entry
from app.services.inspection import Ask, inspect
from app.services.maps import Look
from app.services.pipeline import Result, Timing
from app.services.tracker import Subject
from app.views.heatmaps.maps_page import MapsPage
from app.views.heatmaps.target import Target
from app.views.live.frozen import Frozen
from app.views.live.keeping import Keeping
from app.views.live.view import LiveView
from app.views.models.evaluate_page import EvaluatePage
from engine import crop, parts
from engine.architecture import SEGMENTATION, Architecture
from engine.evaluate import Options, measure
from engine.labelled import sample_subjects
from engine.modelfile import write_model
from engine.random_model import random_model
from engine.runtime import open_runtime
from engine.samples import sample_people
from engine.schema import load_schema
from engine.types import Box, Frame, Heatmaps

FACE = parts.load_parts("face-parts")
SKIN, EYES, INNER = 1, 3, 6


def made() -> tuple[Result, np.ndarray]:
    """A grey frame with the parts of a real face as a sure network tells them, and the face's landmarks."""
    points = sample_people(1)[0].landmarks
    low, high = points.min(0), points.max(0)
    box = Box(*((low + high) / 2), float((high - low).max()), 0.9, "face")
    affine = crop.matrix(box.cx, box.cy, box.side * 1.5, 128)
    shares = parts.shares(FACE, crop.apply(affine, points), 32, 4)
    maps = Heatmaps(np.log(shares + 1e-3), affine, 4, SEGMENTATION)
    found = parts.predicted(maps, box, "Parts")
    subject = Subject(1, found, found.landmarks[:, :2])
    frame = Frame(np.full((448, 448, 3), 128, np.uint8), time.monotonic(), "test", 1)
    return Result(frame, (subject,), Timing(), time.monotonic(), "Parts", FACE.schema), points


@pytest.fixture
def view(qtbot) -> LiveView:
    view = LiveView()
    qtbot.addWidget(view)
    view.resize(896, 896)
    view.set_look(box=False, opacity=1.0)
    view.show()
    qtbot.waitExposed(view)
    return view


def colour(image: QImage, x: float, y: float) -> tuple[int, int, int]:
    found = image.pixelColor(round(x), round(y))
    return found.red(), found.green(), found.blue()


def near(one: tuple[int, ...], other: tuple[int, ...], by: int = 12) -> bool:
    return all(abs(a - b) <= by for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("mirror", [False, True])
def test_live_lays_parts_over_the_picture_and_names_their_colours(view: LiveView, mirror: bool) -> None:
    result, points = made()
    view.set_look(mirror=mirror)
    view.show_result(result)
    image = view.grab().toImage()
    places = {SKIN: points[[3, 48]].mean(0), EYES: points[36:42].mean(0), INNER: points[60:68].mean(0)}
    for number, place in places.items():
        assert near(colour(image, *view.fit.to_screen(place)), FACE.parts[number].colour, 30), number
    assert near(colour(image, *view.fit.to_screen(np.array([20.0, 20.0 if mirror else 420.0]))), (128, 128, 128))
    right, below = view.width() - 12, view.height() - 12
    column = [colour(image, right - n, below - up) for n in range(160) for up in range(138)]
    assert all(any(near(found, part.colour, 4) for found in column) for part in FACE.parts[1:])


def test_parts_give_way_to_a_heatmap_that_is_asked_for(view: LiveView) -> None:
    result, points = made()
    view.show_result(result)
    eye = view.fit.to_screen(points[36:42].mean(0))
    before = colour(view.grab().toImage(), *eye)
    view.set_look(heatmap="max")
    assert colour(view.grab().toImage(), *eye) != before and view.heat_maximum <= 1


def test_nothing_of_parts_can_be_dragged_or_kept(view: LiveView, qtbot) -> None:
    result, _ = made()
    view.show_result(result)
    view.hold(Frozen(view.result))
    frozen = view.frozen
    middle = view.fit.to_screen(frozen.instances[0].points[SKIN])
    assert view.correcting.landmark_at(*middle) == (-1, -1)
    keeping = Keeping(type("Nowhere", (), {"document": None})(), view)
    with qtbot.waitSignal(keeping.failed) as said:
        assert not keeping.add(frozen)
    assert "no landmarks" in said.args[0]
    assert keeping.picture().shape == (448, 448, 3)


def test_the_dock_shows_all_parts_until_one_is_chosen(qtbot) -> None:
    network = Architecture(7, width=32, stem=16, side=64, head=SEGMENTATION)
    runtime = open_runtime(random_model("Parts", network, FACE.schema), "reference")
    picture, box = sample_people(1)[0].pixels, Box(200, 200, 150)
    seen = inspect(Ask("k", picture, box, runtime.model.path), picture, runtime)
    assert seen.maps.head == SEGMENTATION and seen.landmarks.shape == (7, 3)
    np.testing.assert_allclose(seen.doubts, 1 - seen.landmarks[:, 2])
    page = MapsPage()
    qtbot.addWidget(page)
    page.resize(400, 700)
    page.fit(400, 700)
    target = Target("k", picture, box, runtime.model.path, FACE.schema, -1, np.full((7, 2), np.nan))
    page.show_maps(seen, target, Look(-1))
    page.show()
    assert page.name.text() == "All parts"
    image = page.map.picture()
    right, bottom = image.width(), image.height()
    found = {colour(image, x, y) for x in range(right - 240, right, 3) for y in range(bottom - 300, bottom, 3)}
    assert all(any(near(one, part.colour, 4) for one in found) for part in FACE.parts[1:])
    one = page.show_maps(seen, replace(target, landmark=EYES), Look(EYES))
    np.testing.assert_allclose(one.values, seen.maps.probabilities[EYES])
    assert page._peaks[0, 2] == pytest.approx(one.values.max()) and page.foot.isHidden() and not page.curve.isHidden()
    assert page.name.text() == "Eyes"


def test_models_measures_parts_by_their_own_metric(qtbot, tmp_path) -> None:
    network = Architecture(7, width=32, stem=16, side=64, head=SEGMENTATION)
    model = write_model(tmp_path / "parts.hourbit", random_model("Parts", network, FACE.schema))
    entry = Entry("parts", "Parts", FACE.schema.name, model.path, model.size, "imported")
    page = EvaluatePage()
    qtbot.addWidget(page)
    page.show_entry(entry, model.schema, "", model.head)
    assert [page.measure.itemData(n) for n in range(page.measure.count())] == ["miou"]
    assert page.options()["normalise"] is None and not page.samples.isHidden()
    subjects = sample_subjects(parts.label_schema(model))
    done = measure(open_runtime(model, "reference"), subjects, Options(**page.options()))
    page.show_result("samples", done.figures)
    assert page.table.rowCount() == 7 and page.groups.isVisibleTo(page)
    page.show_entry(entry, load_schema("ibug68"), "")
    assert page.measure.currentData() == "nme" and page.normalise.count() > 3
