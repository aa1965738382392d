"""A training while it runs, and its curves when it has ended."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from app.services.runs import Worst
from app.views.models.charts import Card, CurveCard, GroupChart
from app.views.models.pages import Page
from app.views.models.worst import WorstStrip
from app.views.theme import icon, theme
from engine.schema import Schema

SMOOTH = 0.1
CARD_HEIGHT = 238  # seven groups of landmarks fit


class RunPage(Page):
    """paused: pause or go on; stopped: end it in good order."""

    paused = Signal()
    stopped = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.pause, self.stop = QPushButton(self.tr("Pause")), QPushButton(self.tr("Stop"))
        self.pause.clicked.connect(self.paused)
        self.stop.clicked.connect(self.stopped)
        for button in (self.pause, self.stop):
            self.buttons.addWidget(button)
        self.epoch, self.step, self.left, self.bar = QLabel(), QLabel(), QLabel(), QProgressBar()
        self.epoch.setProperty("heading", True)
        self.step.setProperty("muted", True)
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.loss = CurveCard(self.tr("Loss"), {"smooth": self.tr("training")})
        self.score = CurveCard(self.tr("Hold-out, %"), {"score": self.tr("new"), "limit": self.tr("in use")})
        self.shares = CurveCard(self.tr("Images below an error, %"), {"new": self.tr("new"), "old": self.tr("in use")})
        self.groups_card, self.groups = Card(self.tr("By group, %"), self.tr("ring before, dot after")), GroupChart()
        self.later = [QLabel(self.tr("Known when the run ends")) for _ in range(2)]
        for label, card in zip(self.later, (self.shares, self.groups_card), strict=True):
            label.setProperty("muted", True)
            card.column.addWidget(label)
        self.groups_card.column.addWidget(self.groups)
        self.groups_card.column.addStretch(1)
        self._filler = QWidget()  # keeps the waiting card's words at its top
        self.shares.column.addWidget(self._filler, 1)
        self.worst = WorstStrip()
        self._lay_out()
        self._smooth: float | None = None
        self._steps = 0.0
        self._state = ""
        theme().changed.connect(self._dress)
        self._dress()

    def _lay_out(self) -> None:
        row, grid = QHBoxLayout(), QGridLayout()
        row.setSpacing(12)
        row.addWidget(self.epoch)
        row.addWidget(self.step)
        row.addStretch(1)
        row.addWidget(self.left)
        self.body.setSpacing(8)
        self.body.addLayout(row)
        self.body.addWidget(self.bar)
        self.body.addSpacing(8)
        grid.setSpacing(16)
        for number, card in enumerate((self.loss, self.score, self.groups_card, self.shares)):
            card.setMinimumWidth(300)
            card.setFixedHeight(CARD_HEIGHT)
            grid.addWidget(card, number // 2, number % 2)
            grid.setColumnStretch(number % 2, 1)
        self.body.addLayout(grid)
        self.body.addSpacing(8)
        self.body.addWidget(self.worst)
        self.body.addStretch(1)

    def begin(self, title: str, line: str) -> None:
        """A new run."""
        self.title.setText(title)
        self.line.setText(line)
        for curve in (self.loss, self.score, self.shares):
            curve.clear()
        self._show_results(False)
        self.worst.show_worst(None, None)
        self._smooth, self._steps = None, 0.0
        self.epoch.setText(self.tr("Starting"))
        self.step.setText("")
        self.left.setText("")
        self.bar.setValue(0)

    def progress(self, record: dict[str, Any]) -> None:
        """One step."""
        step, loss = int(record["step"]), float(record["loss"])
        self._smooth = loss if self._smooth is None else (1 - SMOOTH) * self._smooth + SMOOTH * loss
        self.loss.add("raw", step, loss)
        self.loss.add("smooth", step, self._smooth)
        self.epoch.setText(self._epoch(record))
        words = self.tr("step {0}").format(step)
        if record.get("steps"):
            self._span(float(record["steps"]))
            words = self.tr("step {0} of {1}").format(step, record["steps"])
        self.step.setText(words)
        self.bar.setValue(round(1000 * float(record.get("done") or 0)))
        eta = record.get("eta")
        if eta is not None and self._state != "paused":
            minutes, seconds = divmod(int(eta), 60)
            left = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
            self.left.setText(self.tr("about {0} left").format(left))

    def _span(self, steps: float) -> None:
        """Both curves share the way to the end; set once, since setting it redraws them."""
        if steps != self._steps:
            self._steps = steps
            for curve in (self.loss, self.score):
                curve.set_span(steps)

    def _epoch(self, record: dict[str, Any]) -> str:
        """Which pass over the labels this is, of how many where that is known."""
        number, whole = int(record.get("epoch") or 0) + 1, record.get("epochs")
        if not whole:
            return self.tr("Epoch {0}").format(number)
        whole = math.ceil(whole)
        return self.tr("Epoch {0} of {1}").format(min(number, whole), whole)

    def measured(self, record: dict[str, Any]) -> None:
        """One measurement on the hold-out; step 0 is the model that the run began from."""
        value = record.get("nme", record.get("pck"))
        if value is not None:
            self.score.add("score", float(record["step"]), float(value))
            self.score.mark_best(least="nme" in record)
            if record["step"] == 0:
                self.score.set_limit(float(value))

    def show_state(self, state: str) -> None:
        """Buttons and words for the training's state."""
        self._state = state
        self.pause.setVisible(state in ("running", "paused"))
        self.pause.setText(self.tr("Go on") if state == "paused" else self.tr("Pause"))
        self.stop.setVisible(state in ("starting", "running", "paused", "stopping"))
        self.stop.setText(self.tr("End now") if state == "stopping" else self.tr("Stop"))
        words = {
            "starting": self.tr("Starting"), "stopping": self.tr("Finishing"),
            "checking": self.tr("Checking the model"), "finished": self.tr("Finished"),
            "failed": self.tr("Ended without a model"),
        }  # fmt: skip
        if state in words:
            self.epoch.setText(words[state])
            self.left.setText("")
        if state == "paused":
            self.left.setText(self.tr("Paused"))
        self.bar.setEnabled(state != "paused")
        self._dress()

    def finish(self, result: dict[str, Any], worst: Worst | None, schema: Schema | None) -> None:
        """The model is there: errors by group and image by image, before and after."""
        metrics = result["metrics"]
        self.title.setText(str(result.get("name") or self.title.text()))
        self.bar.setValue(1000)
        after = metrics.get("after_groups") or {}
        self.groups.show_groups(metrics.get("before_groups"), after, less_is_better=metrics.get("metric") != "pck")
        for line, key in (("old", "before_images"), ("new", "after_images")):
            errors = np.sort(np.array(metrics.get(key) or [], np.float64))
            errors = errors[np.isfinite(errors)]
            if len(errors):
                self.shares.add(line, 0.0, 0.0)
            for n, error in enumerate(errors):
                self.shares.add(line, float(error), 100 * (n + 1) / len(errors))
        self._show_results(bool(after))
        self.worst.show_worst(worst, schema)

    def _show_results(self, there: bool) -> None:
        for waiting in (*self.later, self._filler):
            waiting.setVisible(not there)
        self.groups.setVisible(there)
        self.shares.plot.setVisible(there)

    def _dress(self) -> None:
        self.pause.setIcon(icon("play" if self._state == "paused" else "pause", 18, "text"))
        self.stop.setIcon(icon("stop", 18, "text"))
