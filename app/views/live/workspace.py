"""The Live workspace: the picture, its bar and the side panel, wired to the live service."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QDockWidget, QMainWindow, QVBoxLayout, QWidget

from app.services.pipeline import State
from app.views.context import Context
from app.views.keys import Keys
from app.views.label.numbers import count
from app.views.live import overlay
from app.views.live.action_bar import ActionBar
from app.views.live.freezing import Freezing
from app.views.live.inspection import LiveHeatmaps
from app.views.live.keeping import Keeping
from app.views.live.models import ModelChoice
from app.views.live.panel import SidePanel
from app.views.live.sources import SourceChoice
from app.views.live.stage import Stage
from app.views.live.statistics_dock import StatisticsDock
from app.views.live.taking import Taking
from app.views.words import told

READINGS_MS = 200
SAID_MS = 8000
SILENT = (State.STALLED, State.LOST, State.FAILED)
NARROW = 1116  # width of the workspace under which the panel goes


class LiveWorkspace(QMainWindow):
    """One of the window's three workspaces."""

    facts_changed = Signal(str)
    wanted = Signal(str)  # an action of the window that a button here asks for
    offered = Signal(str, object)  # a sentence, and what takes back what it tells

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.live = context.live
        self._said = ""
        self._panel_by_hand = self.full = False  # full: the picture has the whole screen
        self._around: list[QWidget] = []  # what the full screen hides for now
        self.stage = Stage()
        self.view, self.banner = self.stage.view, self.stage.banner
        self.bar = ActionBar(context.keys)
        self.panel = SidePanel()
        self.keeping = Keeping(context, self.view, self)
        self.live.change(heatmaps=True)  # they cost nothing, and a frozen frame has its peaks
        self.sources = SourceChoice(self.live, self.stage, self.panel, self)
        self.models = ModelChoice(context, self.live, self.panel, self)
        self.taking = Taking(self)
        self._lay_out()
        self.keys = Keys(context.keys, "live", lambda name: self.trigger(name) or self.wanted.emit(name), self)
        self.heatmaps = LiveHeatmaps(self)
        self.statistics = StatisticsDock(self, self.live)
        self.freezing = Freezing(self, self.keeping)
        self.freezing.offered.connect(self.offered)
        self.bar.record.remember(context.settings)
        self._connect()
        self._timer = QTimer(self)
        self._timer.setInterval(READINGS_MS)
        self._timer.timeout.connect(self._tick)
        self.refresh_bar()

    # ---- building

    def _lay_out(self) -> None:
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.stage, 1)
        column.addWidget(self.taking.bar)
        column.addWidget(self.bar)
        self.setCentralWidget(middle)
        self.dock = QDockWidget(self.tr("Live"), self)
        self.dock.setObjectName("LivePanel")
        self.dock.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
        self.dock.setTitleBarWidget(QWidget())
        self.dock.setWidget(self.panel)
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.dock)

    def _connect(self) -> None:
        live, view, panel = self.live, self.view, self.panel
        live.ready.connect(self._take)
        live.state_changed.connect(self._state_changed)
        self.sources.starting.connect(self.freezing.let_go)
        self.sources.started.connect(self._started)
        view.painted.connect(live.drawn)
        view.selected.connect(self._selected)
        self.models.detectors.failed.connect(self.stage.fault)
        panel.source.limit.connect(lambda most: live.change(limit=most))
        panel.overlay.look.connect(lambda changes: view.set_look(**changes))
        panel.overlay.smoothing.connect(lambda strength: live.change(smoothing=strength))
        panel.confidence.clicked.connect(self._choose)
        self.bar.frozen.connect(self.freezing.toggle)
        self.bar.added.connect(self.freezing.add)
        self.bar.fit.clicked.connect(view.zooming.reset)
        self.stage.covered.connect(view.set_covered)
        self.bar.snapshot.connect(self.snapshot)
        self.bar.panel.connect(self._show_panel)
        self.bar.full_screen.connect(lambda: self.wanted.emit("full_screen"))
        self.keeping.failed.connect(self.stage.fault)
        self.keeping.said.connect(self.say)

    # ---- what the window asks

    def activate(self) -> None:
        """Called when the workspace is shown; the first time there are cameras to find and corrections to have back."""
        self.sources.look()
        self.freezing.restore()
        self.view.setFocus()

    def facts(self) -> str:
        """One line for the status bar."""
        if self._said:
            return self._said
        if self.live.source is None:
            return ""
        dropped = self.live.dropped
        one, many = self.tr("1 frame dropped"), self.tr("{0} frames dropped")
        return f"{self.live.source.title}   {one if dropped == 1 else many.replace('{0}', count(dropped))}"

    def trigger(self, name: str) -> bool:
        """Run an action of the table; False when it is none of this workspace's."""
        command = self._commands().get(name)
        if command is not None:
            command()
        return command is not None

    def _commands(self) -> dict[str, Callable[[], object]]:
        return {
            **self.freezing.commands(), "snapshot": self.snapshot,
            "start_camera": self.start_camera, "open_video": lambda: self.sources.ask("video"),
            "heatmaps": self.heatmaps.dock.toggle, "statistics": self.statistics.toggle, **self.taking.commands(),
        }  # fmt: skip

    def switched(self) -> dict[str, bool]:
        """What is on, for the check marks of the menus."""
        return self.taking.switched()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that no widget has taken; one that is held down counts once."""
        if event.isAutoRepeat() or not self.keys.act(event):
            super().keyPressEvent(event)

    def focus_regions(self) -> list[QWidget]:
        """For F6: the picture, the bars, the panel."""
        return [self.view, *([self.taking.bar] if self.taking.bar.isVisible() else []), self.bar, self.panel]

    def open_source(self, place: str | Path) -> None:
        """Show a video file, a folder of pictures or a stream's address."""
        self.sources.open_place(place)

    def start_camera(self) -> None:
        """Show the first camera that is found."""
        self.sources.start_first_camera()

    def _started(self) -> None:
        self.view.show_result(None)
        self.panel.confidence.show_result(None, now=True)
        self._timer.start()
        self.taking.follow()
        self.refresh_bar()
        self.view.setFocus()

    def close_services(self) -> bool:
        """Have corrections on the disk, end the thread behind the heatmaps; True when it has ended in time."""
        self.freezing.keep()
        return self.heatmaps.dock.close_service()

    # ---- results

    def _take(self) -> None:
        result = self.live.take()
        if result is None:
            return
        self.view.show_result(result)
        height, width = result.frame.pixels.shape[:2]
        self.panel.source.set_frame_size(width, height)
        self.panel.confidence.show_result(result)
        self.taking.refresh()
        self.refresh_bar()

    def _state_changed(self, state: State, sentence: str) -> None:
        self.show_trouble()
        if state in SILENT:
            self.sources.fault(sentence)
        elif state is State.RUNNING:
            self.stage.calm()
            if sentence:  # what fails beside the pictures, as a detector
                self.stage.fault(sentence)
        elif state is State.ENDED:
            self.say(told(sentence))
        self._tell()

    def show_trouble(self) -> None:
        """The last picture of a silent source is dimmed, unless a person has frozen it."""
        self.view.set_trouble(self.live.state in SILENT and self.view.frozen is None)

    def _tick(self) -> None:
        self.taking.refresh()
        self.statistics.refresh()
        mean = self.panel.latency.show_history(self.live.history)
        if mean is not None or self.view.trouble:
            self.view.set_readings(self.live.rate, mean.total if mean is not None else self.view.latency)
            self._tell()

    def _tell(self) -> None:
        self.facts_changed.emit(self.facts())

    def say(self, sentence: str) -> None:
        """A line in the status bar for eight seconds."""
        self._said = sentence
        self._tell()
        QTimer.singleShot(SAID_MS, self, lambda: self._unsay(sentence))

    def _unsay(self, sentence: str) -> None:
        if self._said == sentence:
            self._said = ""
            self._tell()

    def snapshot(self) -> None:
        """Save the picture with what is drawn over it."""
        self.keeping.snapshot()

    def _choose(self, subject: int, landmark: int) -> None:
        """Select from the list, and bring it into sight."""
        self.view.select(subject, landmark)
        if self.view.frozen is not None:
            self.view.zooming.show(*self.view.correcting.marks(subject)[landmark])

    def _selected(self, subject: int, landmark: int) -> None:
        confidence, frozen = self.panel.confidence, self.view.frozen
        confidence.choose(subject, landmark)
        if frozen is not None and subject >= 0 and (not confidence.rows or confidence.rows[0].subject != subject):
            self.list_landmarks()
            confidence.choose(subject, landmark)

    def list_landmarks(self) -> None:
        """All landmarks of the subject that is corrected, in the panel."""
        frozen, subject = self.view.frozen, max(self.view.selection[0], 0)
        if frozen is not None:
            self.panel.confidence.show_frozen(frozen.result, frozen.instances)
            found = frozen.result.subjects
            self.panel.set_frozen(overlay.subject_name(self.view, subject) if found else self.tr("None found"))

    def refresh_bar(self) -> None:
        """What the bar's buttons can do now."""
        self.bar.set_state(self.view.result is not None, self.view.frozen is not None, self.freezing.obstacle)
        self.heatmaps.dock.refresh()

    # ---- room

    def _show_panel(self, shown: bool) -> None:
        """What a person chose holds, whatever the window's width."""
        self._panel_by_hand = True
        self.dock.setVisible(shown)

    def _fill_screen(self, full: bool) -> None:
        """On the full screen there is the picture alone, with its read-outs."""
        if full == self.full:
            return
        self.full = full
        around = (self.dock, self.statistics, self.bar, self.taking.bar)
        if full:
            self._around = [widget for widget in around if not widget.isHidden()]
        for widget in self._around:
            widget.setVisible(not full)
        self.taking.follow()
        self.view.setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow window the picture needs the panel's place."""
        super().resizeEvent(event)
        self._fill_screen(self.window().isFullScreen())
        if not self._panel_by_hand and not self.full:
            wide = self.width() >= NARROW and self.heatmaps.dock.isHidden()
            self.dock.setVisible(wide)
            self.bar.side.setChecked(wide)

    # ---- a workspace that nobody sees does not predict

    def showEvent(self, event: QShowEvent) -> None:
        """Go on unless the picture is frozen."""
        super().showEvent(event)
        self._fill_screen(self.window().isFullScreen())
        if self.view.frozen is None:
            self.live.resume()

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest."""
        super().hideEvent(event)
        self.live.freeze()
