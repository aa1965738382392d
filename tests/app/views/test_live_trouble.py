"""What goes wrong in Live is told over the picture, for as long as it is so or until it is read."""

from __future__ import annotations

import numpy as np

from app.services.pipeline import State
from app.sources.synthetic import Step, Synthetic
from engine import detect
from tests.app.live_bench import Middle
from tests.app.views import test_live_workspace as bench

run, live_context, workspace = bench.run, bench.live_context, bench.workspace


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
