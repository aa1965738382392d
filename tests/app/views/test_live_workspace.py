"""The Live workspace with the real pipeline, a synthetic source and a real project."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from app.project.document import Document
from app.project.values import Origin
from app.services.pipeline import State
from app.sources.synthetic import Step, Synthetic
from engine.images import load_image
from engine.modelfile import write_model
from engine.models import open_model
from engine.runtime import open_runtime
from tests.app.small import small_model
from tests.app.views import live_bench

run, live_context, workspace = live_bench.run, live_bench.live_context, live_bench.workspace


def test_without_a_camera_it_says_so_and_offers_a_video(workspace, qtbot) -> None:
    workspace.activate()
    qtbot.waitUntil(lambda: not workspace.live.finding)
    assert workspace.stage.empty.isVisible() and "No camera found" in workspace.stage.empty.text.text()
    assert not workspace.bar.freeze.isEnabled() and not workspace.bar.add.isEnabled()
    assert workspace.facts() == ""


def test_results_come_to_the_screen_with_their_timing(workspace, qtbot) -> None:
    run(workspace, qtbot)
    assert not workspace.stage.empty.isVisible()
    qtbot.waitUntil(lambda: len(workspace.live.history) > 3)
    timing = workspace.live.history[-1][1]
    assert timing.engine > 0 and timing.draw > 0
    qtbot.waitUntil(lambda: workspace.view.rate > 0 and workspace.view.latency > 0)
    assert "Synthetic" in workspace.facts()
    assert len(workspace.panel.confidence.rows) == 5


def test_freeze_correct_add(workspace, qtbot, live_context, tmp_path) -> None:
    """The frame is in the project with its pixels, the corrected landmark where the hand put it, origins kept."""
    schema = small_model(5).schema
    document = Document.create(tmp_path / "faces.hourbit-project", schema, "Faces")
    live_context.set_document(document)
    workspace.live.set_runtime(open_runtime(small_model(5), "reference"))
    run(workspace, qtbot)
    workspace.view.set_look(mirror=True)
    QTest.keyClick(workspace.view, Qt.Key.Key_Space)
    assert workspace.bar.add.isEnabled() and workspace.bar.freeze.text() == "Resume"
    view = workspace.view
    before = view.points()[0].copy()
    start = QPoint(*(int(v) for v in np.rint(view.fit.to_screen(before[2]))))
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    chosen = view.selection[1]
    QTest.mouseMove(view, start + QPoint(8, 12))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=start + QPoint(8, 12))
    shown = view.points()[0].copy()
    pixels = view.result.frame.pixels
    QTest.keyClick(view, Qt.Key.Key_Return)
    (image,) = document.images()
    assert (image.width, image.height) == (160, 120)
    np.testing.assert_array_equal(load_image(document.picture_path(image)), pixels)  # unmirrored
    (instance,) = document.instances(image.id)
    np.testing.assert_allclose(instance.points, shown)
    scale = view.fit.scale
    np.testing.assert_allclose(instance.points[chosen] - before[chosen], [-8 / scale, 12 / scale], atol=1e-6)
    assert [Origin(o) for o in instance.origin] == [
        Origin.EDITED if k == chosen else Origin.MODEL for k in range(5)
    ]
    assert instance.model == "small 5"
    assert not workspace.bar.add.isEnabled() and document.undo_title == "Add a frame"
    workspace.trigger("add_to_project")
    assert len(document.images()) == 1  # once only
    view.select(0, chosen)
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert workspace.bar.add.isEnabled()
    workspace.trigger("add_to_project")
    (again,) = document.instances(image.id)  # a later correction goes to the same image
    np.testing.assert_allclose(again.points[chosen] - instance.points[chosen], [0, 1], atol=1e-6)
    assert len(document.images()) == 1
    document.undo()
    document.undo()
    assert document.images() == [] or document.instances(image.id) == ()


def test_corrections_that_were_let_go_come_back(workspace, qtbot) -> None:
    run(workspace, qtbot)
    offered: list = []
    workspace.offered.connect(lambda *told: offered.append(told))
    workspace.trigger("freeze")
    workspace.trigger("freeze")
    assert not offered  # nothing was corrected
    workspace.trigger("freeze")
    workspace.trigger("next_landmark")
    QTest.keyClick(workspace.view, Qt.Key.Key_Down)
    held, points = workspace.view.frozen, workspace.view.points()[0].copy()
    workspace.trigger("freeze")
    assert len(offered) == 1 and not workspace.live.frozen
    workspace.trigger("undo")
    assert workspace.view.frozen is held and workspace.live.frozen
    assert workspace.view.result is held.result and workspace.bar.add.isEnabled()
    np.testing.assert_array_equal(workspace.view.points()[0], points)
    workspace.trigger("undo")
    assert not held.touched


def test_undo_takes_the_frame_out_of_the_project_then_the_corrections_back(workspace, qtbot, live_context) -> None:
    run(workspace, qtbot)
    workspace.trigger("freeze")
    workspace.trigger("next_landmark")
    QTest.keyClick(workspace.view, Qt.Key.Key_Down)
    workspace.trigger("add_to_project")
    document = live_context.document
    assert len(document.images()) == 1 and not workspace.bar.add.isEnabled()
    workspace.trigger("undo")
    qtbot.waitUntil(workspace.bar.add.isEnabled)
    assert document.images() == [] and workspace.view.frozen.touched and workspace.view.frozen.image == 0
    workspace.trigger("add_to_project")
    assert len(document.images()) == 1
    workspace.trigger("undo")
    workspace.trigger("undo")
    assert document.images() == [] and not workspace.view.frozen.touched


def test_add_makes_a_project_when_none_is_open(workspace, qtbot, live_context) -> None:
    run(workspace, qtbot)
    workspace.trigger("freeze")
    workspace.trigger("add_to_project")
    document = live_context.document
    assert document is not None and len(document.images()) == 1


def test_a_frame_of_other_landmarks_is_refused_with_a_sentence(workspace, qtbot, live_context, tmp_path) -> None:
    document = Document.create(tmp_path / "other.hourbit-project", small_model(7).schema, "Other")
    live_context.set_document(document)
    workspace.live.set_runtime(open_runtime(small_model(5), "reference"))
    run(workspace, qtbot)
    workspace.trigger("freeze")
    workspace.trigger("add_to_project")
    assert document.images() == [] and workspace.stage.banner.isVisible()


def test_a_lost_source_is_told_over_the_dimmed_frame(workspace, qtbot) -> None:
    run(workspace, qtbot, Synthetic([Step()] * 30 + [Step("nothing")] * 100_000, 0.01))
    qtbot.waitUntil(lambda: workspace.view.trouble and workspace.stage.banner.isVisible(), timeout=10_000)
    assert workspace.view.result is not None
    assert workspace.live.state in (State.LOST, State.STALLED)


def test_the_last_picture_of_a_lost_camera_can_be_frozen_and_corrected(workspace, qtbot) -> None:
    run(workspace, qtbot, Synthetic([Step()] * 30 + [Step("nothing")] * 100_000, 0.01))
    qtbot.waitUntil(lambda: workspace.view.trouble, timeout=10_000)
    workspace.trigger("freeze")
    assert not workspace.view.trouble and workspace.bar.add.isEnabled()
    workspace.trigger("freeze")
    assert workspace.view.trouble


def test_hidden_it_rests_and_shown_it_goes_on(workspace, qtbot) -> None:
    run(workspace, qtbot)
    workspace.hide()
    assert workspace.live.frozen
    workspace.show()
    assert not workspace.live.frozen
    workspace.trigger("freeze")
    workspace.hide()
    workspace.show()
    assert workspace.live.frozen and workspace.view.frozen is not None


def test_a_snapshot_is_what_the_view_shows_at_the_frames_size(workspace, qtbot, tmp_path) -> None:
    run(workspace, qtbot)
    workspace.trigger("freeze")
    picture = workspace.keeping.picture()
    pixels = workspace.view.result.frame.pixels
    assert picture.shape == pixels.shape and (picture != pixels).any()
    workspace.view.set_look(landmarks=False, lines=False, box=False)
    np.testing.assert_array_equal(workspace.keeping.picture(), pixels)
    workspace.view.set_look(mirror=True)
    np.testing.assert_array_equal(workspace.keeping.picture(), pixels)  # the mirror is for the eye
    workspace.trigger("snapshot")
    assert "Saved" in workspace.facts()


def test_exactly_one_button_is_filled(workspace, qtbot) -> None:
    """Freeze while running; Add to project while frozen; Resume once it is added."""

    def filled() -> list[str]:
        buttons = workspace.findChildren(QPushButton)
        return [b.text() for b in buttons if b.property("primary") and b.isVisible() and b.isEnabled()]

    assert len(filled()) == 1  # the empty state's
    run(workspace, qtbot)
    assert filled() == ["Freeze"]
    workspace.trigger("freeze")
    assert filled() == ["Add to project"]
    workspace.trigger("add_to_project")
    assert filled() == ["Resume"] and workspace.bar.hint.text() == "In the project"


def test_the_panel_gives_way_in_a_narrow_window_unless_a_person_wants_it(workspace) -> None:
    assert workspace.dock.isVisible()
    workspace.resize(1000, 700)
    assert not workspace.dock.isVisible()
    workspace.bar.side.click()
    assert workspace.dock.isVisible()
    workspace.resize(960, 700)
    assert workspace.dock.isVisible()


def test_a_frozen_frame_can_be_looked_into(workspace, qtbot, tmp_path) -> None:
    path = tmp_path / "small.hourbit"
    write_model(path, small_model(5))
    workspace.live.set_runtime(open_runtime(open_model(path), "reference"))
    run(workspace, qtbot)
    assert workspace.trigger("heatmaps")
    panel = workspace.heatmaps.dock.panel
    assert panel.empty.text.text() == "Freeze the picture to see its maps"
    qtbot.waitUntil(lambda: workspace.view.result is not None and workspace.view.result.subjects != ())
    workspace.freezing.toggle()
    qtbot.waitUntil(lambda: panel.inspection is not None, timeout=8000)
    workspace.view.select(0, 1)
    assert panel.page.name.text() == workspace.view.result.schema.landmarks[1]
    panel.page.foot.buttons[0].click()
    moved = workspace.view.frozen.instances[0]
    assert moved.origin[1] == Origin.EDITED
    assert moved.points[1] == pytest.approx(np.clip(panel.page._peaks[0, :2], 0, None), abs=1.0)
    workspace.freezing.toggle()
    assert panel.target is None and panel.inspection is None
    workspace.trigger("heatmaps")
    assert not workspace.dock.isHidden()
    assert workspace.close_services()
