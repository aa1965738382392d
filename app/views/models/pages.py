"""The pages in the middle of Models: a model's card, the set-up of a fine-tuning, and a run."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.library import Entry
from app.views.models.charts import Card, CurveCard, GroupChart
from app.views.models.listing import lineage
from engine.errors import UserError
from engine.graph import count

FORM_WIDTH = 560
SMOOTH = 0.1


class Page(QScrollArea):
    """A title, one line below it, buttons at the right; `body` takes the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        holder = QWidget()
        holder.setProperty("chrome", True)
        self.title, self.line = QLabel(), QLabel()
        self.title.setProperty("title", True)
        self.line.setProperty("muted", True)
        self.line.setWordWrap(True)
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(8)
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(self.title)
        words.addWidget(self.line)
        top = QHBoxLayout()
        top.addLayout(words, 1)
        top.addLayout(self.buttons)
        top.setAlignment(self.buttons, Qt.AlignmentFlag.AlignTop)
        self.body = QVBoxLayout()
        self.body.setSpacing(16)
        column = QVBoxLayout(holder)
        column.setContentsMargins(24, 16, 24, 16)
        column.setSpacing(16)
        column.addLayout(top)
        column.addLayout(self.body, 1)
        self.setWidget(holder)


class CardPage(Page):
    """What a model is, and what is known of it."""

    tune = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.button = QPushButton(self.tr("Fine-tune"))
        self.button.setProperty("primary", True)
        self.button.clicked.connect(self.tune)
        self.buttons.addWidget(self.button)
        self.facts, self.card = QGridLayout(), QGridLayout()
        for name, grid in ((self.tr("Network"), self.facts), (self.tr("Card"), self.card)):
            box = Card(name)
            grid.setHorizontalSpacing(24)
            grid.setVerticalSpacing(6)
            grid.setColumnStretch(1, 1)
            box.column.addLayout(grid)
            self.body.addWidget(box)
        self.body.addStretch(1)

    def show_entry(self, entry: Entry) -> None:
        """Fill the page; a model that cannot be read says why."""
        self.title.setText(entry.title)
        self.line.setText(lineage(entry))
        self.button.setEnabled(not entry.problem)
        facts: dict[str, Any] = {}
        try:
            model = entry.model
            a, counts = model.architecture, count(model.graph)
            facts = {
                self.tr("Landmarks"): f"{a.landmarks}, {model.schema.title}",
                self.tr("Input"): f"{a.side} \u00d7 {a.side}", self.tr("Width"): a.width,
                self.tr("Parameters"): f"{counts.parameters:,}".replace(",", "\u202f"),
                self.tr("Binary weights"): f"{counts.binary_weights:,}".replace(",", "\u202f"),
                self.tr("File"): f"{entry.size / 1e6:.2f} MB",
                self.tr("Latent weights"): self.tr("beside it") if entry.latents else self.tr("none"),
            }  # fmt: skip
        except (UserError, OSError) as error:
            facts = {self.tr("Problem"): str(error)}
        _fill(self.facts, facts)
        _fill(self.card, _flat(entry.card or {}))


class FormPage(Page):
    """The set-up of a fine-tuning: what it would train with, and how long."""

    start = Signal(dict)
    back = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.title.setText(self.tr("Fine-tune"))
        holder = QWidget()
        holder.setMaximumWidth(FORM_WIDTH)
        self.labels, self.reason = QLabel(), QLabel()
        self.reason.setProperty("error", True)
        self.reason.setWordWrap(True)
        self.epochs, self.rate = QSpinBox(), QDoubleSpinBox()
        self.epochs.setRange(1, 500)
        self.epochs.setValue(15)
        self.rate.setDecimals(6)
        self.rate.setRange(0.000001, 0.01)
        self.rate.setSingleStep(0.0001)
        self.rate.setValue(0.0004)
        form = QFormLayout(holder)
        form.setContentsMargins(0, 0, 0, 0)
        form.setSpacing(12)
        form.addRow(self.tr("Labels"), self.labels)
        form.addRow(self.tr("Epochs"), self.epochs)
        form.addRow(self.tr("Rate"), self.rate)
        self.go, cancel = QPushButton(self.tr("Start")), QPushButton(self.tr("Back"))
        self.go.setProperty("primary", True)
        row = QHBoxLayout()
        row.addWidget(self.go)
        row.addWidget(cancel)
        row.addStretch(1)
        form.addRow(self.reason)
        form.addRow(row)
        self.body.addWidget(holder)
        self.body.addStretch(1)
        self.go.clicked.connect(
            lambda: self.start.emit({"epochs": float(self.epochs.value()), "rate": self.rate.value()})
        )
        cancel.clicked.connect(self.back)

    def show_state(self, entry: Entry, labels: int, problem: str) -> None:
        """Say what would be trained with, or why it cannot start."""
        self.line.setText(self.tr("From {0}, with the accepted labels of this project. One image in five is held out "
                                  "to measure by.").replace("{0}", entry.title))  # fmt: skip
        self.labels.setText(self.tr("{0} accepted images with landmarks").replace("{0}", str(labels)))
        self.reason.setText(problem)
        self.go.setEnabled(not problem)
        self.go.setToolTip(problem)


class RunPage(Page):
    """A training while it runs, and its curves when it has ended."""

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
        row = QHBoxLayout()
        row.addWidget(self.epoch)
        row.addWidget(self.step)
        row.addStretch(1)
        row.addWidget(self.left)
        self.body.addLayout(row)
        self.body.addWidget(self.bar)
        self.loss, self.score = CurveCard(self.tr("Loss")), CurveCard(self.tr("Hold-out, %"))
        self.groups_card = Card(self.tr("Error by group, %"), self.tr("ring before, dot after"))
        self.groups = GroupChart()
        self.groups_card.column.addWidget(self.groups)
        grid = QGridLayout()
        grid.setSpacing(16)
        grid.addWidget(self.loss, 0, 0)
        grid.addWidget(self.score, 0, 1)
        grid.addWidget(self.groups_card, 1, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        self.body.addLayout(grid)
        self.body.addStretch(1)
        self.groups_card.hide()
        self._smooth: float | None = None

    def begin(self, title: str, line: str) -> None:
        """A new run."""
        self.title.setText(title)
        self.line.setText(line)
        self.loss.clear()
        self.score.clear()
        self.groups_card.hide()
        self._smooth = None
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
        self.epoch.setText(self.tr("Epoch {0}").replace("{0}", str(int(record.get("epoch") or 0) + 1)))
        self.step.setText(self.tr("step {0} of {1}").replace("{0}", str(step)).replace("{1}", str(record.get("steps"))))
        self.bar.setValue(round(1000 * float(record.get("done") or 0)))
        eta = record.get("eta")
        if eta is not None:
            minutes, seconds = divmod(int(eta), 60)
            words = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
            self.left.setText(self.tr("about {0} left").replace("{0}", words))

    def metric(self, record: dict[str, Any]) -> None:
        """One measurement on the hold-out; step 0 is the model that the run began from."""
        value = record.get("nme", record.get("pck"))
        if value is not None:
            self.score.add("score", float(record["step"]), float(value))
            if record["step"] == 0:
                self.score.set_limit(float(value))

    def show_state(self, state: str) -> None:
        """Buttons and words for the training's state."""
        running = state in ("running", "paused")
        self.pause.setVisible(running)
        self.pause.setText(self.tr("Go on") if state == "paused" else self.tr("Pause"))
        self.stop.setVisible(state in ("starting", "running", "paused"))
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

    def finish(self, metrics: dict[str, Any]) -> None:
        """Errors by group, before and after."""
        after = metrics.get("after_groups")
        if after:
            self.groups.show_groups(metrics.get("before_groups"), after)
            self.groups_card.show()


def _fill(grid: QGridLayout, facts: dict[str, Any]) -> None:
    while grid.count():
        widget = grid.takeAt(0).widget()
        if widget is not None:
            widget.deleteLater()
    for row, (name, value) in enumerate(facts.items()):
        key, words = QLabel(name), QLabel(str(value))
        key.setProperty("muted", True)
        words.setWordWrap(True)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        grid.addWidget(key, row, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(words, row, 1)


def _flat(card: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """A card's entries as lines; figures with two decimals."""
    lines: dict[str, str] = {}
    for name, value in card.items():
        if isinstance(value, dict):
            lines |= _flat(value, f"{prefix}{name}, ")
        else:
            words = ", ".join(map(str, value)) if isinstance(value, list) else value
            lines[f"{prefix}{name}"] = f"{words:.2f}" if isinstance(words, float) else str(words)
    return lines
