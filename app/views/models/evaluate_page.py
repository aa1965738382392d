"""Evaluation of a model in the middle of Models: what to measure on, and the figures, curve and landmarks after it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from app.library import Entry
from app.views.label.numbers import number
from app.views.models.charts import Card, CurveCard, GroupChart
from app.views.models.facts import Facts
from app.views.models.pages import Page
from app.views.words import mark, tr
from engine.architecture import LANDMARKS, SEGMENTATION
from engine.parts import parts_of
from engine.schema import Schema

METRICS = {"nme": "NME", "pck": "PCK", "pckh": "PCKh", "oks": "OKS / AP"}
OF_PARTS = {"miou": mark("Mean IoU")}
NORMALISERS = {
    "": mark("usual"), "interocular": mark("outer eye corners"), "interpupil": mark("eye centres"),
    "box": mark("landmark box"), "diagonal": mark("box diagonal"), "torso": mark("torso"), "head": mark("head size"),
}  # fmt: skip
CARD_HEIGHT = 260
PROJECT, FILE, SAMPLES = "project", "file", "samples"


class EvaluatePage(Page):
    """start(where): project, file or samples, with `options`; stop: cut it short; back: to the card."""

    start = Signal(str)
    stop = Signal()
    back = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.project = QPushButton(self.tr("This project's labels"))
        self.file, self.samples = QPushButton(self.tr("Choose file")), QPushButton(self.tr("Sample pictures"))
        self.end, self.leave = QPushButton(self.tr("Stop")), QPushButton(self.tr("Back"))
        for button, where in ((self.project, PROJECT), (self.file, FILE), (self.samples, SAMPLES)):
            button.clicked.connect(lambda _=False, where=where: self.start.emit(where))
        self.end.clicked.connect(self.stop)
        self.leave.clicked.connect(self.back)
        for button in (self.leave, self.end):
            self.buttons.addWidget(button)
        self.measure, self.normalise, self.flip = QComboBox(), QComboBox(), QCheckBox(self.tr("Flip test"))
        self.detector = QComboBox()
        self.note, self.bar, self.figures = QLabel(), QProgressBar(), Facts()
        self.note.setProperty("muted", True)
        self.note.setWordWrap(True)
        self.bar.setTextVisible(False)
        self.curve: CurveCard | None = None  # made with the first curve, because of the plotting library
        self.groups, self.table = GroupChart(), QTableWidget(0, 2)
        self.result = QWidget()
        self.cards = QGridLayout(self.result)
        self._schema: Schema | None = None
        self._lay_out()
        self.show_running(False)

    def _lay_out(self) -> None:
        choices, row = QHBoxLayout(), QHBoxLayout()
        for layout in (choices, row):
            layout.setSpacing(8)
        fields = ((self.tr("Metric"), self.measure), (self.tr("Divided by"), self.normalise),
                  (self.tr("Boxes"), self.detector))  # fmt: skip
        for words, field in fields:
            caption = QLabel(words)
            caption.setProperty("muted", True)
            caption.setBuddy(field)
            field.setAccessibleName(words)
            field.setAccessibleDescription(words)
            choices.addWidget(caption)
            choices.addWidget(field)
        choices.addWidget(self.flip)
        choices.addStretch(1)
        for button in (self.project, self.file, self.samples):
            row.addWidget(button)
        row.addStretch(1)
        self.table.setHorizontalHeaderLabels([self.tr("Landmark"), "%"])
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setAccessibleName(self.tr("Figures by landmark"))
        self.cards.setContentsMargins(0, 0, 0, 0)
        self.cards.setSpacing(16)
        for place, (words, content) in enumerate((
            (self.tr("Result, %"), self.figures), (self.tr("By group, %"), self.groups),
            (self.tr("By landmark"), self.table),
        )):  # fmt: skip
            card = Card(words)
            card.column.addWidget(content)
            if content is not self.table:
                card.column.addStretch(1)
            card.setMinimumHeight(CARD_HEIGHT)
            self.cards.addWidget(card, place // 2, place % 2)
        for column in (0, 1):
            self.cards.setColumnStretch(column, 1)
        for layout in (choices, row):
            self.body.addLayout(layout)
        for widget in (self.note, self.bar, self.result):
            self.body.addWidget(widget)
        self.body.addStretch(1)

    def show_entry(self, entry: Entry, schema: Schema, problem: str, head: str = LANDMARKS) -> None:
        """Offer what fits the model; `problem` says why the project's labels cannot be measured on, or ""."""
        self._schema, parts = schema, head == SEGMENTATION
        body, face = schema.by_mpii, schema.subject == "face"
        self.title.setText(self.tr("Evaluate {0}").format(entry.title))
        self.line.setText(self.tr("On labelled pictures, in percent"))
        metrics = {k: v for k, v in METRICS.items() if body or k != "pckh"}
        _fill(self.measure, OF_PARTS if parts else metrics, "pck" if body else "nme")
        lacking = ("interocular", "interpupil") if not face else ("torso", "head")
        fitting = {k: self.tr(v) for k, v in NORMALISERS.items() if k not in lacking and not (k and parts)}
        _fill(self.normalise, fitting, "")
        faces = {"detect": self.tr("detected"), "face": self.tr("OpenCV faces")}
        detected = faces if face else {"person": self.tr("found by the model")}
        _fill(self.detector, {"file": self.tr("labelled")} | detected, "file")
        self.project.setEnabled(not problem)
        self.project.setToolTip(problem)
        labels = parts_of(schema).labels if parts else schema
        self.samples.setVisible(labels.name == "ibug68")
        flattered = entry.origin == "fine-tuned"
        self.note.setText(self.tr("Labels that this model was trained with flatter it.") if flattered else "")
        self.note.setVisible(flattered)
        self.result.hide()

    def options(self) -> dict[str, Any]:
        """What is chosen, as engine.evaluate's options."""
        return {
            "metric": self.measure.currentData(), "normalise": self.normalise.currentData() or None,
            "detector": self.detector.currentData(), "flip": self.flip.isChecked(),
        }  # fmt: skip

    def show_running(self, running: bool) -> None:
        """Buttons for an evaluation that runs, or for none."""
        for widget in (self.project, self.file, self.samples, self.measure, self.normalise, self.detector, self.flip):
            widget.setEnabled(not running and not (widget is self.project and bool(self.project.toolTip())))
        self.end.setVisible(running)
        self.bar.setVisible(running)
        self.bar.setRange(0, 0)

    def show_progress(self, done: int, total: int) -> None:
        """So many subjects of all."""
        self.bar.setRange(0, total)
        self.bar.setValue(done)

    def show_result(self, name: str, figures: dict[str, Any]) -> None:
        """Figures as a table, by group and landmark, and the curve."""
        self.line.setText(self.tr("Measured on {0}").format(name))
        self.figures.show_facts(_facts(figures))
        each = figures["per_landmark"]
        self.table.setRowCount(len(each))
        for row, (landmark, value) in enumerate(each.items()):
            for column, words in enumerate((landmark, number(value, 2))):
                item = QTableWidgetItem(words)
                if column:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.table.setItem(row, column, item)
        self.groups.show_groups(None, _by_group(self._schema, each), figures["metric"] == "nme")
        self._show_curve(figures)
        self.result.show()

    def _show_curve(self, figures: dict[str, Any]) -> None:
        curve = figures.get("curve")
        if curve is None:
            if self.curve is not None:
                self.curve.hide()
            return
        if self.curve is None:
            self.curve = CurveCard("")
            self.curve.setFixedHeight(CARD_HEIGHT)
            self.cards.addWidget(self.curve, 1, 1)
        of = self.tr("Subjects below an error, %") if figures["metric"] == "nme" else self.tr("Landmarks within, %")
        self.curve.title.setText(of)
        self.curve.clear()
        for x, y in zip(curve["threshold"], curve["share"], strict=True):
            self.curve.add("new", x, y)
        self.curve.show()


def _fill(box: QComboBox, choices: dict[str, str], first: str) -> None:
    """Offer choices; what was chosen before stays where it is offered still."""
    before = box.currentData()
    box.clear()
    for value, words in choices.items():
        box.addItem(words, value)
    box.setCurrentIndex(max(box.findData(before if before in choices else first), 0))


def _by_group(schema: Schema | None, each: dict[str, float]) -> dict[str, float]:
    found = {}
    for name, members in (schema.groups if schema is not None else {}).items():
        values = [each[schema.landmarks[k]] for k in members if schema.landmarks[k] in each]
        if values:
            found[name] = sum(values) / len(values)
    return found


def _facts(figures: dict[str, Any]) -> dict[str, Any]:
    """The figures that a person reads first."""
    facts: dict[str, Any] = {(METRICS | OF_PARTS)[figures["metric"]]: figures["mean"]}
    means = figures.get("means", {})
    facts |= {tr("Mean, {0}").format(name.replace("_", ", ")): value for name, value in means.items()}
    facts |= figures.get("columns", {})
    names = {"without_background": tr("Without background"), "pixels_right": tr("Pixels right"),
             "visible": tr("Visible landmarks"), "auc": "AUC", "failure_rate": tr("Failures"), "oks": tr("Mean OKS"),
             "ap50": "AP50", "ap75": "AP75", "ar": tr("Recall (AR)")}  # fmt: skip
    facts |= {words: figures[key] for key, words in names.items() if figures.get(key) is not None}
    for bin_, value in (figures.get("yaw") or {}).get("bins", {}).items():
        facts[tr("Yaw {0}").format(bin_)] = value
    if figures.get("yaw"):
        facts[tr("Mean of yaw bins")] = figures["yaw"]["mean_of_bins"]
    facts |= {
        tr("Subjects"): figures["n"], tr("Missed"): figures["missed"] or None,
        tr("Left out"): figures["left_out"] or None, tr("Left out, other pictures now"): figures.get("others") or None,
        tr("Labels placed by"): tr("a model, not people") if figures["predicted"] else None,
    }  # fmt: skip
    speed = figures["speed"]
    return facts | {tr("ms a crop"): speed["ms_per_crop"], tr("Runtime"): f"{speed['runtime']}, {speed['isa']}"}
