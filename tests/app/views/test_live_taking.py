"""Live's transport bar, recording, drawn box, two models, several subjects and statistics, with the real pipeline."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.library import Library
from app.services.live_values import Timing
from app.sources import Video
from app.sources.synthetic import Synthetic
from app.views.live.statistics_dock import percentiles
from app.views.live.transport_bar import clock
from app.views.live.workspace import LiveWorkspace
from engine import detect
from engine.runtime import open_runtime
from engine.types import Box
from tests.app.live_bench import Middle
from tests.app.small import small_model
from tests.app.videos import number_in, write_coded
from tests.app.views.live_bench import Surroundings


@pytest.fixture
def middle() -> Middle:
    return Middle()


@pytest.fixture
def workspace(qtbot, monkeypatch, data_folder, middle) -> Iterator[LiveWorkspace]:
    monkeypatch.setitem(detect.DETECTORS, "middle", lambda runtime=None: middle)
    monkeypatch.setattr("app.services.live.list_cameras", lambda: [])
    monkeypatch.setattr("app.services.following.follow", lambda prediction, schema: prediction.box)
    monkeypatch.setattr(Library, "entries", lambda self, schema=None: [])
    context = Surroundings(data_folder)
    workspace = LiveWorkspace(context)
    qtbot.addWidget(workspace)
    workspace.resize(1376, 800)
    workspace.show()
    workspace.live.set_runtime(open_runtime(small_model(5), "reference"))
    workspace.live.change(detector="middle")
    yield workspace
    assert context.live.close()


def run(workspace: LiveWorkspace, qtbot) -> None:
    workspace.sources.start(lambda: Synthetic.endless(0.02))
    qtbot.waitUntil(lambda: workspace.view.result is not None and workspace.view.result.subjects != (), timeout=8000)


def press(workspace: LiveWorkspace, key: Qt.Key) -> None:
    QTest.keyClick(workspace.view, key)


def test_a_video_is_stepped_sought_and_played_by_keys(workspace, qtbot, tmp_path: Path) -> None:
    bar = workspace.taking.bar
    assert not bar.isVisible()
    workspace.open_source(write_coded(tmp_path / "a.mp4", [n * 0.3 for n in range(20)]))
    qtbot.waitUntil(lambda: workspace.view.result is not None, timeout=8000)
    assert bar.isVisible()
    press(workspace, Qt.Key.Key_P)
    assert not workspace.live.transport.playing and bar.play.property("iconName") == "play"

    def shows(number: int) -> None:
        qtbot.waitUntil(lambda: number_in(workspace.view.result.frame.pixels) == number, timeout=8000)

    bar.slider.setValue(12)
    shows(12)
    press(workspace, Qt.Key.Key_Period)
    shows(13)
    press(workspace, Qt.Key.Key_Comma)
    press(workspace, Qt.Key.Key_Comma)
    shows(11)
    qtbot.waitUntil(lambda: "frame 12 of 20" in bar.place.text())
    assert bar.place.text().startswith("0:03.30 / 0:05.70")
    press(workspace, Qt.Key.Key_BracketRight)
    assert workspace.live.transport.speed == 2 and bar.speeds.currentData() == 2
    workspace.freezing.toggle()
    press(workspace, Qt.Key.Key_Period)  # a frozen picture is let go first
    assert workspace.view.frozen is None
    shows(12)


def test_a_paused_video_shows_at_once_what_is_changed(workspace, qtbot, tmp_path: Path) -> None:
    workspace.open_source(write_coded(tmp_path / "a.mp4", [n * 0.3 for n in range(20)]))
    qtbot.waitUntil(lambda: workspace.view.result is not None and workspace.view.result.subjects != (), timeout=8000)
    workspace.live.transport.pause()
    workspace.live.set_runtime(open_runtime(small_model(7), "reference"))
    qtbot.waitUntil(lambda: len(workspace.view.result.subjects[0].shown) == 7, timeout=8000)


def test_a_recording_is_kept_and_told(workspace, qtbot, data_folder) -> None:
    run(workspace, qtbot)
    workspace.bar.record._overlay.setChecked(True)
    press(workspace, Qt.Key.Key_V)
    recorder = workspace.live.recording
    qtbot.waitUntil(lambda: recorder.frames > 5, timeout=8000)
    qtbot.waitUntil(lambda: workspace.view.recording is not None)
    assert workspace.bar.record.text() == "Stop recording"
    press(workspace, Qt.Key.Key_V)
    qtbot.waitUntil(lambda: "Recorded" in workspace.facts(), timeout=8000)
    (path,) = (data_folder / "recordings").glob("*.mp4")
    assert path.with_suffix(".csv").is_file()
    video = Video(path, paced=False)
    video.open()
    pixels = video.read().pixels
    assert video.count == recorder.frames and np.ptp(pixels[60].astype(int), 0).max() > 0
    video.close()
    qtbot.waitUntil(lambda: workspace.view.recording is None)


def test_a_second_recording_in_the_same_second_has_a_name_of_its_own(workspace, qtbot, data_folder) -> None:
    run(workspace, qtbot)
    folder, now = data_folder / "recordings", datetime.now()
    folder.mkdir()
    for second in range(20):
        (folder / f"recording {now + timedelta(seconds=second):%Y-%m-%d %H.%M.%S}.mp4").write_bytes(b"kept")
    press(workspace, Qt.Key.Key_V)
    recorder = workspace.live.recording
    qtbot.waitUntil(lambda: recorder.frames > 1, timeout=8000)
    press(workspace, Qt.Key.Key_V)
    qtbot.waitUntil(lambda: "Recorded" in workspace.facts(), timeout=8000)
    made = [path for path in folder.glob("*.mp4") if path.read_bytes() != b"kept"]
    assert len(made) == 1 and made[0].stem.endswith(" 2") and len(list(folder.glob("*.mp4"))) == 21


def test_two_models_stand_side_by_side(workspace, qtbot) -> None:
    run(workspace, qtbot)
    workspace.live.set_second(open_runtime(small_model(7), "reference"))
    qtbot.waitUntil(lambda: workspace.view.result.other is not None, timeout=8000)
    view = workspace.view
    assert view.fit.across == view.width() / 2
    assert len(view.result.other.subjects[0].shown) == 7
    picture = view.grab().toImage()
    assert not picture.isNull() and view.fit.rect[0] + view.fit.rect[2] <= view.width() / 2 + 1
    workspace.live.set_second(None)
    qtbot.waitUntil(lambda: workspace.view.result.other is None, timeout=8000)


@pytest.mark.parametrize("by", ["mouse", "keys"])
def test_a_box_drawn_by_hand_is_looked_at(workspace, qtbot, by: str) -> None:
    run(workspace, qtbot)
    view = workspace.view
    press(workspace, Qt.Key.Key_B)
    fit = view.fit
    if by == "mouse":
        corners = [QPoint(*np.rint(fit.to_screen(np.array(place))).astype(int)) for place in ((30, 20), (90, 60))]
        QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=corners[0])
        QTest.mouseMove(view, corners[1])
        QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=corners[1])
        wanted = Box(60, 40, 60)
    else:
        press(workspace, Qt.Key.Key_Left)
        press(workspace, Qt.Key.Key_Return)
        side = min(view.width(), view.height()) / 3 / fit.scale
        wanted = Box(*fit.to_picture(view.rect().center().x() - 10, view.rect().center().y()), side)
    options = workspace.live.options
    assert options.detector == "hand" and workspace.panel.source.detectors.currentData() == "hand"
    box = options.box
    assert (box.cx, box.cy, box.side) == pytest.approx((wanted.cx, wanted.cy, wanted.side), abs=1.0)
    qtbot.waitUntil(lambda: workspace.view.result.subjects[0].prediction.box == box, timeout=8000)


def test_several_subjects_have_colours_of_their_own(workspace, qtbot, middle) -> None:
    middle.boxes = [Box(30, 60, 30), Box(80, 60, 32), Box(130, 60, 34)]
    limits = workspace.panel.source.limits
    limits.setCurrentIndex(limits.findData(3))
    limits.activated.emit(limits.currentIndex())
    workspace.sources.start(lambda: Synthetic.endless(0.02))
    view = workspace.view
    qtbot.waitUntil(lambda: view.result is not None and len(view.result.subjects) == 3, timeout=8000)
    from app.views.live.overlay import subject_colour

    assert len({subject_colour(view, n).name() for n in range(3)}) == 3


def test_the_plots_library_is_loaded_when_statistics_are_opened(workspace, qtbot) -> None:
    code = "import sys, app.views.live.workspace; print('pyqtgraph' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False", done.stderr
    run(workspace, qtbot)
    dock = workspace.statistics
    assert dock.plot is None
    press(workspace, Qt.Key.Key_T)
    assert dock.isVisible()
    qtbot.waitUntil(lambda: dock.numbers["engine"][0].text() not in ("\u2013", ""), timeout=8000)
    qtbot.waitUntil(lambda: len(dock.curves[0].getData()[0]) > 3, timeout=8000)
    assert "fps" in dock.facts.text() and "dropped" in dock.facts.text()
    press(workspace, Qt.Key.Key_T)
    assert not dock.isVisible()


def test_percentiles_and_clock() -> None:
    timings = [Timing(engine=n / 1000) for n in range(101)]
    assert percentiles(timings)["engine"] == pytest.approx((50, 95)) and percentiles([])["draw"] == (0, 0)
    assert (clock(0), clock(59.999), clock(61.25), clock(3661)) == ("0:00.00", "1:00.00", "1:01.25", "1:01:01.00")


def test_keys_change_what_is_drawn(workspace, qtbot) -> None:
    run(workspace, qtbot)
    look = workspace.view.look
    for key in (Qt.Key.Key_H, Qt.Key.Key_M, Qt.Key.Key_L, Qt.Key.Key_K):
        press(workspace, key)
    now = workspace.view.look
    assert (now.landmarks, now.names, now.mirror, now.heatmap) == (not look.landmarks, True, True, "one")
    before = workspace.live.options.smoothing
    press(workspace, Qt.Key.Key_Plus)
    assert workspace.live.options.smoothing == pytest.approx(before + 0.1)


class Stamped(Synthetic):
    """Notes when each frame left the camera."""

    left: dict[int, float]

    def read(self):
        frame = super().read()
        if frame is not None:
            self.left[frame.index] = time.monotonic()
        return frame


def test_latency_and_rate_are_as_measured_from_outside(workspace, qtbot) -> None:
    """From the moment a numbered frame leaves the camera until that number has been painted."""
    source = Stamped.endless(0.04)
    source.left = {}
    seen: list[tuple[float, int]] = []
    workspace.view.painted.connect(lambda result: seen.append((time.monotonic(), result.frame.index)))
    workspace.sources.start(lambda: source)
    qtbot.waitUntil(lambda: len(seen) > 20, timeout=30000)
    outside = [moment - source.left[index] for moment, index in seen]
    told = [timing.total for _, timing in workspace.live.history]
    assert np.median(told) == pytest.approx(np.median(outside), rel=0.15, abs=0.004)
    recent = [moment for moment, _ in seen if moment > seen[-1][0] - 1.5]
    rate = (len(recent) - 1) / (recent[-1] - recent[0])
    assert workspace.live.rate == pytest.approx(rate, rel=0.35)


def test_on_the_full_screen_there_is_the_picture_alone(workspace, qtbot, tmp_path: Path) -> None:
    workspace.open_source(write_coded(tmp_path / "a.mp4", [n * 0.3 for n in range(20)]))
    press(workspace, Qt.Key.Key_T)
    around = (workspace.dock, workspace.statistics, workspace.bar, workspace.taking.bar)
    assert all(widget.isVisible() for widget in around)
    workspace.showFullScreen()
    qtbot.waitUntil(lambda: not any(widget.isVisible() for widget in around))
    workspace.open_source(write_coded(tmp_path / "b.mp4", [n * 0.3 for n in range(20)]))
    assert not workspace.taking.bar.isVisible()
    qtbot.waitUntil(lambda: workspace.view.result is not None, timeout=8000)
    press(workspace, Qt.Key.Key_Space)
    assert workspace.view.frozen is not None
    workspace.showNormal()
    qtbot.waitUntil(lambda: all(widget.isVisible() for widget in around))
