"""What the live workspace records, plays and is shown by hand: its transport bar, the record button, the drawn box."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QObject
from PySide6.QtGui import QFont

from app.files import data_folder, free_name
from app.services.recording import Recording
from app.views.live.record_button import RecordWishes
from app.views.live.sheet import painted
from app.views.live.transport_bar import TransportBar
from app.views.words import mark, several, told, tr
from engine.types import Box

if TYPE_CHECKING:
    from app.views.live.workspace import LiveWorkspace

SWITCHES = {"labels": "landmarks", "lines": "lines", "brackets": "box", "names": "names", "scores": "scores",
            "by_score": "by_score", "mirror_view": "mirror"}  # fmt: skip


class Taking(QObject):
    """Between the live service, the view and the bars."""

    def __init__(self, workspace: LiveWorkspace) -> None:
        super().__init__(workspace)
        self.workspace, self.live, self.view = workspace, workspace.live, workspace.view
        self.bar = TransportBar(workspace.context.keys)
        self._since = 0.0
        self.live.recorded.connect(self._recorded)
        self.view.box_drawn.connect(self._box_drawn)
        workspace.bar.record.wanted.connect(self.toggle_recording)
        workspace.models.detectors.drawing.connect(self.draw_box)

    def commands(self) -> dict[str, Callable[[], object]]:
        """Actions of the table."""
        bar, boxes = self.bar, self.workspace.panel.overlay
        return {
            "play": self._moving(bar.toggle), "step_back": self._moving(lambda: bar.step(-1)),
            "step_forward": self._moving(lambda: bar.step(1)), "slower": lambda: bar.faster(-1),
            "faster": lambda: bar.faster(1), "repeat": bar.loop.toggle,
            "record": self.toggle_recording, "box": self.draw_box,
            "heatmap": boxes.next_heatmap,
            **{action: boxes.boxes[name].toggle for action, name in SWITCHES.items()},
            "smoother": lambda: boxes.smooth_by(10), "rougher": lambda: boxes.smooth_by(-10),
            "second_model": self.workspace.models.next_second, "swap_models": self.workspace.freezing.swap,
        }  # fmt: skip

    def switched(self) -> dict[str, bool]:
        """Action name -> whether what it turns on and off is on."""
        boxes, workspace = self.workspace.panel.overlay, self.workspace
        return {
            **{action: boxes.boxes[name].isChecked() for action, name in SWITCHES.items()},
            "heatmap": boxes.heatmap.current != "off",
            "record": self.live.recording is not None, "repeat": self.bar.loop.isChecked(),
            "freeze": self.view.frozen is not None, "statistics": not workspace.statistics.isHidden(),
            "heatmaps": not workspace.heatmaps.dock.isHidden(), "second_model": workspace.models.has_second,
        }  # fmt: skip

    def _moving(self, command: Callable[[], None]) -> Callable[[], None]:
        """A frozen picture is let go first."""

        def run() -> None:
            self.workspace.freezing.let_go()
            command()

        return run

    def follow(self) -> None:
        """The bar is for the source that runs, unless the picture has the whole screen."""
        if self.bar.transport is not self.live.transport:
            self.bar.follow(self.live.transport)
        self.bar.setVisible(self.live.transport is not None and not self.workspace.full)

    def refresh(self) -> None:
        """Five times a second, and with every result: where the video is, how long one records."""
        self.bar.refresh()
        transport = self.live.transport
        self.view.set_paused(transport is not None and not transport.playing)
        recorder = self.live.recording
        self.workspace.bar.record.show_state(recorder is not None, self.view.result is not None)
        self.view.set_recording(time.monotonic() - self._since if recorder is not None else None)

    # ---- recording

    def toggle_recording(self) -> None:
        """Begin to record, or end it."""
        if self.live.recording is not None:
            self.live.stop_recording()
        elif self.view.result is not None:
            wishes: RecordWishes = self.workspace.bar.record.wishes
            folder = data_folder() / "recordings"
            name = f"recording {datetime.now():%Y-%m-%d %H.%M.%S}"
            stem = free_name(folder, name, ".mp4").with_suffix("")
            look, font, locale = replace(self.view.look), QFont(self.view.font()), QLocale(self.view.locale())
            paint = (lambda result: painted(result, look, font, locale)) if wishes.overlay else None
            self._since = time.monotonic()
            self.live.record(stem, wishes.landmarks, paint)
        self.refresh()

    def _recorded(self, recording: Recording) -> None:
        if recording.problem:
            self.workspace.stage.fault(told(recording.problem))
        elif recording.files:
            frames = several(recording.frames, mark("1 frame"), mark("{0} frames"))
            words = tr("Recorded in {1}: {0}; {2} came too fast") if recording.dropped else tr("Recorded in {1}: {0}")
            self.workspace.say(words.format(frames, recording.files[0], recording.dropped))
        self.refresh()

    # ---- a box by hand

    def draw_box(self) -> None:
        """Let the next drag on the picture draw a box."""
        if self.view.result is not None:
            self.workspace.freezing.let_go()
            self.view.begin_box()
            self.workspace.say(tr("Drag a square around the face or body"))

    def _box_drawn(self, box: Box) -> None:
        self.live.change(box=box)
        self.workspace.models.detectors.choose("hand")
