"""What goes wrong in Live is told over the picture, for as long as it is so or until it is read."""

from __future__ import annotations

import numpy as np

from app.library import Entry, Library
from app.services.pipeline import State
from app.sources.synthetic import Step, Synthetic
from engine import detect
from engine.modelfile import write_model
from engine.models import open_model
from engine.runtime import open_runtime
from tests.app.live_bench import Middle
from tests.app.small import small_model
from tests.app.views import live_bench

run, live_context, workspace = live_bench.run, live_bench.live_context, live_bench.workspace


def test_a_late_result_of_a_lost_camera_leaves_its_trouble_told(workspace, qtbot) -> None:
    run(workspace, qtbot, Synthetic([Step()] * 20 + [Step("nothing")] * 10000, 0.01))
    late = workspace.view.result
    qtbot.waitUntil(lambda: workspace.live.state is State.LOST and workspace.stage.banner.isVisible(), timeout=8000)
    workspace.live._result(late)  # of a model that is slower than the camera
    qtbot.waitUntil(lambda: workspace.view.result is late)
    assert workspace.stage.banner.isVisible() and workspace.live.state is State.LOST


def test_what_fails_beside_the_pictures_stays_told_until_it_is_read(workspace, qtbot) -> None:
    """A full disk, a detector of a plugin: the next frame must not take the sentence away."""
    run(workspace, qtbot)
    workspace.keeping.failed.emit("The disk is full; make room.")
    seen = workspace.view.result
    qtbot.waitUntil(lambda: workspace.view.result.frame.index > seen.frame.index + 5)
    assert workspace.stage.banner.isVisible() and workspace.stage.banner.text.text() == "The disk is full; make room."
    workspace.live.state_changed.emit(State.RUNNING, "The detector mine failed (ValueError: no); it is tried again.")
    assert "detector mine" in workspace.stage.banner.text.text()
    workspace.stage.banner.cross.click()
    assert not workspace.stage.banner.isVisible()


def test_a_detector_that_fails_is_told_over_the_picture(workspace, qtbot, monkeypatch) -> None:
    class Broken(Middle):
        def detect(self, picture: np.ndarray) -> list:
            raise ValueError("no" if picture.any() else "black")

    monkeypatch.setitem(detect.DETECTORS, "broken", lambda runtime=None: Broken())
    workspace.live._pipeline.change(detector="broken")
    workspace.sources.start(lambda: Synthetic.endless(0.01))
    banner = workspace.stage.banner
    qtbot.waitUntil(lambda: "is left alone" in banner.text.text(), timeout=8000)
    assert banner.isVisible() and workspace.live.state is State.RUNNING


def test_a_frozen_frames_maps_are_of_its_own_model(workspace, qtbot, tmp_path, monkeypatch) -> None:
    """Another model with other landmarks is chosen while a frame is frozen and its maps are looked at."""
    paths = {count: tmp_path / f"{count}.hourbit" for count in (5, 7)}
    for count, path in paths.items():
        write_model(path, small_model(count))
    first = open_model(paths[5])
    entry = Entry("small 5", first.name, first.schema.name, paths[5], 1, "imported")
    workspace.live.set_runtime(open_runtime(first, "reference"))
    run(workspace, qtbot)
    assert workspace.trigger("heatmaps")
    workspace.freezing.toggle()
    panel = workspace.heatmaps.dock.panel
    qtbot.waitUntil(lambda: panel.inspection is not None, timeout=8000)
    monkeypatch.setattr(Library, "entries", lambda self, schema=None: [entry])
    workspace.live.set_runtime(open_runtime(open_model(paths[7]), "reference"))
    workspace.view.select(0, 3)
    assert panel.target.model == paths[5] and panel.page.name.text() == first.schema.landmarks[3]
    monkeypatch.setattr(Library, "entries", lambda self, schema=None: [])
    workspace.heatmaps.dock.refresh()
    assert panel.target is None and "not here any more" in panel.empty.text.text()
    workspace.trigger("heatmaps")
    assert workspace.close_services()
