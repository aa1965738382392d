"""The pages in the middle of Models: a model's card, and the set-up of a fine-tuning."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.library import Entry
from app.views.label.numbers import number
from app.views.models.charts import Card, GroupChart
from app.views.models.facts import Facts, flat
from app.views.models.listing import lineage
from app.views.words import told, tr
from engine.architecture import SEGMENTATION
from engine.errors import UserError
from engine.external import ExternalModel
from engine.graph import count
from engine.squares import NAME as DETECTOR
from engine.squares import is_detector, thresholds

FORM_WIDTH, FIELD_WIDTH = 560, 160
EPOCHS, RATE = 15, 0.0003  # as in the recipe for fine-tuning
HOLD_OUT = 5  # one labelled image in so many measures
# Entries of a card that are shown otherwise, or of no use to people.
LEFT_OUT = ("groups", "by landmark", "by landmark of", "parent sha256", "seed")


class Page(QScrollArea):
    """A title, one line below it, buttons at the right; `body` takes the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setAccessibleName(self.tr("Details"))
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
    evaluated = Signal()
    used = Signal()
    rolled_back = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.button, self.use = QPushButton(self.tr("Fine-tune")), QPushButton(self.tr("Use this model"))
        self.back, self.evaluate = QPushButton(self.tr("Roll back")), QPushButton(self.tr("Evaluate"))
        self.button.setProperty("primary", True)
        self.button.clicked.connect(self.tune)
        self.use.clicked.connect(self.used)
        self.back.clicked.connect(self.rolled_back)
        self.evaluate.clicked.connect(self.evaluated)
        for button in (self.back, self.use, self.evaluate, self.button):
            self.buttons.addWidget(button)
        self.facts, self.known, self.groups = Facts(), Facts(), GroupChart()
        network, known = Card(self.tr("Network")), Card(self.tr("Card"))
        self.groups_card = Card(self.tr("Error by group, %"))
        self.none = QLabel(self.tr("No card came with this model"))
        self.none.setProperty("muted", True)
        network.column.addWidget(self.facts)
        known.column.addWidget(self.known)
        known.column.addWidget(self.none)
        self.groups_card.column.addWidget(self.groups)
        for card in (network, known):
            card.column.addStretch(1)
        left, halves = QVBoxLayout(), QHBoxLayout()
        for each in (left, halves):
            each.setSpacing(16)
        left.addWidget(network)
        left.addWidget(self.groups_card)
        left.addStretch(1)
        halves.addLayout(left, 1)
        halves.addWidget(known, 1)
        self.body.addLayout(halves)
        self.body.addStretch(1)

    def show_entry(self, entry: Entry, used: bool = False, can_roll_back: bool = False) -> None:
        """Fill the page; a model that cannot be read says why."""
        self.title.setText(entry.title)
        self.line.setText(lineage(entry))
        finds_boxes = entry.schema == DETECTOR
        self.evaluate.setEnabled(not entry.problem and not finds_boxes)
        self.button.setEnabled(not entry.problem and not entry.external and not finds_boxes)
        why = self.tr("Detectors are trained and measured on scenes, by command") if finds_boxes else ""
        self.evaluate.setToolTip(why)
        self.button.setToolTip(self.tr("Only Hourbit models can be fine-tuned") if entry.external else why)
        self.use.setVisible(not used and not entry.problem and not finds_boxes)
        self.back.setVisible(can_roll_back)
        card = dict(entry.card or {})
        groups = card.get("groups")
        groups = groups if isinstance(groups, dict) else {}
        self.facts.show_facts(self._network(entry))
        left_out = LEFT_OUT + (("data",) if card.get("data") == ["snapshot.npz"] else ())
        self.known.show_facts(flat(card, left_out))
        self.none.setVisible(not self.known.shown)
        self.groups.show_groups(None, {k: float(v) for k, v in groups.items() if isinstance(v, (int, float))})
        self.groups_card.setVisible(bool(self.groups.rows))

    def _network(self, entry: Entry) -> dict[str, Any]:
        try:
            model = entry.model
        except (UserError, OSError) as error:
            return {self.tr("Problem"): told(error)}
        if isinstance(model, ExternalModel):
            return {
                self.tr("Schema"): tr(model.schema.title), self.tr("Landmarks"): model.landmarks,
                self.tr("Kind"): self.tr("Another maker's, in ONNX Runtime"),
                self.tr("Input"): " \u00d7 ".join(str(size) for size in reversed(model.reading.size)),
                self.tr("Heatmaps"): " \u00d7 ".join(str(cells) for cells in reversed(model.reading.cells)),
                self.tr("Crop"): f"{model.crop:g}", self.tr("File"): f"{number(entry.size / 1e6, 2)} MB",
            }  # fmt: skip
        a, counts = model.architecture, count(model.graph)
        name = self.tr("Parts") if a.head == SEGMENTATION else self.tr("Landmarks")
        what: dict[str, Any] = {name: a.landmarks}
        if is_detector(model.schema):
            what = {self.tr("Least score"): ", ".join(f"{n} {v:g}" for n, v in thresholds(model.card).items())}
        return {
            self.tr("Schema"): tr(model.schema.title), **what,
            self.tr("Input"): f"{a.side} \u00d7 {a.side}", self.tr("Width"): a.width,
            self.tr("Parameters"): counts.parameters, self.tr("Binary weights"): counts.binary_weights,
            self.tr("File"): f"{number(entry.size / 1e6, 2)} MB",
            self.tr("Latent weights"): self.tr("beside it") if entry.latents else self.tr("none"),
        }  # fmt: skip


class FormPage(Page):
    """The set-up of a fine-tuning: what it would train with, and how long."""

    start = Signal(dict)
    back = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.title.setText(self.tr("Fine-tune"))
        self.labels, self.reason = Facts(), QLabel()
        self.reason.setProperty("error", True)
        self.reason.setWordWrap(True)
        self.epochs, self.rate = QSpinBox(), QDoubleSpinBox()
        self.epochs.setRange(1, 500)
        self.epochs.setValue(EPOCHS)
        self.rate.setDecimals(6)
        self.rate.setRange(0.000001, 0.01)
        self.rate.setSingleStep(0.0001)
        self.rate.setValue(RATE)
        self.go, cancel = QPushButton(self.tr("Start")), QPushButton(self.tr("Back"))
        self.go.setProperty("primary", True)
        fields = QGridLayout()
        fields.setHorizontalSpacing(16)
        fields.setVerticalSpacing(8)
        for row, (words, field) in enumerate(((self.tr("Epochs"), self.epochs), (self.tr("Rate"), self.rate))):
            caption = QLabel(words)
            caption.setBuddy(field)
            caption.setProperty("muted", True)
            field.setAccessibleName(words)
            field.setFixedWidth(FIELD_WIDTH)
            field.setAlignment(Qt.AlignmentFlag.AlignRight)
            fields.addWidget(caption, row, 0)
            fields.addWidget(field, row, 1, Qt.AlignmentFlag.AlignRight)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.go)
        buttons.addWidget(cancel)
        buttons.addStretch(1)
        card = Card(self.tr("Labels"))
        card.column.addWidget(self.labels)
        settings = Card(self.tr("Settings"))
        settings.column.addLayout(fields)
        for box in (card, settings):
            box.setFixedWidth(FORM_WIDTH)
            self.body.addWidget(box)
        self.reason.setMaximumWidth(FORM_WIDTH)
        self.body.addWidget(self.reason)
        self.body.addLayout(buttons)
        self.body.addStretch(1)
        self.go.clicked.connect(
            lambda: self.start.emit({"epochs": float(self.epochs.value()), "rate": self.rate.value()})
        )
        cancel.clicked.connect(self.back)

    def show_state(self, entry: Entry, labels: int, problem: str) -> None:
        """Say what would be trained with, or why it cannot start."""
        self.line.setText(self.tr("From {0}, with the accepted labels of this project").format(entry.title))
        held = max(1, round(labels / HOLD_OUT)) if labels > 1 else 0
        self.labels.show_facts({
            self.tr("Accepted images with landmarks"): labels, self.tr("Held out to measure by, about"): held,
            self.tr("To train with, about"): labels - held,
        })  # fmt: skip
        self.reason.setText(problem)
        self.reason.setVisible(bool(problem))
        self.go.setEnabled(not problem)
        self.go.setToolTip(problem)
