"""The window of agreement: what the project is compared with, the figures, and the subjects farthest apart."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.library import Entry
from app.project.document import Document
from app.services.agreeing import Agreed, beside, measured_sigmas, take_sigmas, write_table
from app.services.projects import SUFFIX
from app.views.agreement.tables import HERE, THERE, LandmarkFigures, WorstSubjects, shown
from app.views.banner import Banner
from app.views.label.numbers import count
from app.views.theme import theme
from app.views.widgets import foot, label_combo
from app.views.words import mark, several, told
from engine.errors import UserError

SIZE, HINT = (1080, 720), 640


class AgreementPage(QDialog):
    """model_asked(Entry), labels_asked(path, "" for one that is to be chosen) and people_asked: compare with
    those; stopped: no more; wanted(Shot): show it in Label; copy_wanted: a project without labels for another person.
    """

    model_asked = Signal(object)
    labels_asked = Signal(str)
    people_asked = Signal()
    copy_wanted = Signal()
    stopped = Signal()
    wanted = Signal(object)

    def __init__(self, document: Document, entries: list[Entry], parent: QWidget) -> None:
        super().__init__(parent)
        self.document, self.schema, self.agreed = document, document.schema.landmarks, None
        self._asks: list[Callable[[], object]] = []  # what each of the others asks for
        self.setWindowTitle(self.tr("Agreement"))
        self.other, self.start = QComboBox(), QPushButton(self.tr("Compare"))
        self.bar, self.end = QProgressBar(), QPushButton(self.tr("Stop"))
        self.said, self.legend, self.stack = QLabel(), QLabel(), QStackedWidget()
        self.landmarks, self.worst = LandmarkFigures(), WorstSubjects()
        self.sigmas, self.export = QPushButton(self.tr("Use these sigmas")), QPushButton(self.tr("Export\u2026"))
        self.leave, self.second = QPushButton(self.tr("Close")), QPushButton(self.tr("Copy without labels\u2026"))
        self._fill(entries)
        self._lay_out()
        self.banner = Banner(self)
        self.start.clicked.connect(lambda: self._asks[self.other.currentIndex()]())
        self.second.clicked.connect(self.copy_wanted)
        self.end.clicked.connect(self.stopped)
        self.worst.wanted.connect(self.wanted)
        self.sigmas.clicked.connect(self._take)
        self.export.clicked.connect(lambda: self.export_file())
        self.leave.clicked.connect(self.reject)
        self.show_running(False)

    def _fill(self, entries: list[Entry]) -> None:
        self._add(self.tr("Labels: another project or a file\u2026"), lambda: self.labels_asked.emit(""))
        for path in beside(self.document):
            self._add_project(path)
        self._add(self.tr("People who labelled in this project"), self.people_asked.emit)
        for entry in entries:
            self._add(self.tr("Model: {0}").format(entry.title), partial(self.model_asked.emit, entry))
        label_combo(self.other, self.tr("Compare with"))
        self.bar.setTextVisible(False)
        self.sigmas.setToolTip(self.tr("They become the sigmas of the project's landmarks, by which OKS divides"))

    def _add(self, words: str, ask: Callable[[], object], at: int | None = None) -> None:
        at = len(self._asks) if at is None else at
        self._asks.insert(at, ask)
        self.other.insertItem(at, words)

    def _add_project(self, path: Path, at: int | None = None) -> None:
        words = self.tr("Project: {0}").format(path.name.removesuffix(SUFFIX))
        self._add(words, partial(self.labels_asked.emit, str(path)), at)

    def _lay_out(self) -> None:
        title, name, caption = QLabel(self.tr("Agreement")), QLabel(self.document.name), QLabel(self.tr("Compare with"))
        title.setProperty("title", True)
        for label in (name, caption, self.legend):
            label.setProperty("muted", True)
        top = QHBoxLayout()
        top.setSpacing(8)
        caption.setBuddy(self.other)
        self.start.setProperty("primary", True)
        for part in (caption, self.other, self.start, self.end):
            top.addWidget(part)
        top.addWidget(self.bar, 1)
        top.addStretch(1)
        self.second.setProperty("flat", True)
        self.second.setAutoDefault(False)
        self.second.setToolTip(self.tr("A project of the same pictures for another person, to be compared later"))
        top.addWidget(self.second)
        self.end.setAutoDefault(False)
        self.stack.addWidget(self._hint())
        self.stack.addWidget(self._result())
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(0)
        column.addWidget(title)
        column.addWidget(name)
        column.addSpacing(16)
        column.addLayout(top)
        column.addSpacing(16)
        column.addWidget(self.stack, 1)
        column.addSpacing(16)
        column.addLayout(foot(self.sigmas, self.export, self.leave, left=[self.legend]))
        theme().fit(self, *SIZE)

    def _hint(self) -> QWidget:
        hint = QLabel(self.tr(
            "Another person's project or label file of the same pictures tells how far two people place each landmark "
            "apart; a model, how far it is from the labels that were accepted here. For a second person make a copy "
            "without labels: neither sees the other's. Where two people have labelled the same pictures in this "
            "project, each under a name of their own (Settings, Annotator), they can be compared as well."
        ))  # fmt: skip
        hint.setProperty("muted", True)
        hint.setWordWrap(True)
        hint.setMaximumWidth(theme().size(HINT))
        hint.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        return hint

    def _result(self) -> QWidget:
        page, parts, right = QWidget(), QSplitter(), QWidget()
        heading = QLabel(self.tr("Farthest apart: a click shows it in Label"))
        heading.setProperty("heading", True)
        side = QVBoxLayout(right)
        side.setContentsMargins(12, 0, 0, 0)
        side.setSpacing(8)
        side.addWidget(heading)
        side.addWidget(self.worst, 1)
        parts.setChildrenCollapsible(False)
        parts.setHandleWidth(1)
        parts.addWidget(self.landmarks)
        parts.addWidget(right)
        parts.setSizes([theme().size(480), theme().size(540)])
        self.said.setWordWrap(True)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.said)
        column.addWidget(parts, 1)
        return page

    # ---- a comparison

    def show_running(self, running: bool) -> None:
        """A bar and a way to stop while a comparison runs."""
        self.bar.setVisible(running)
        self.end.setVisible(running)
        self.start.setEnabled(not running)
        self.other.setEnabled(not running)
        self.bar.setRange(0, 0)
        some = self.agreed is not None
        self.export.setVisible(some)
        self.legend.setVisible(some)
        self.sigmas.setVisible(some and bool(measured_sigmas(self.agreed, self.document.schema)))
        self.sigmas.setEnabled(not running and not self.document.read_only)

    def show_progress(self, done: int, total: int) -> None:
        """So much of all."""
        self.bar.setRange(0, total)
        self.bar.setValue(done)

    def show_agreed(self, agreed: Agreed, name: str) -> None:
        """The figures of a comparison with something of this name."""
        self.agreed, value = agreed, agreed.figures
        parts = [_subjects(value["instances"], value["against_model"])]
        for key, words in (("only_first", self.tr("{0} only here")), ("only_second", self.tr("{0} only there")),
                           ("unread", self.tr("{0} left out, whose pictures cannot be read")),
                           ("others", self.tr("{0} left out, whose files hold other pictures"))):  # fmt: skip
            if value[key]:
                parts.append(words.format(count(value[key])))
        here, there = value["predicted"]
        parts += [self.tr("the labels here are a model's")] if here else []
        parts += [self.tr("the labels there are a model's")] if there and not value["against_model"] else []
        apart = self.tr("{0} px, {1} % of the subject's size apart on average").format(
            shown(value["pixels"], 2), shown(value["percent"], 2))  # fmt: skip
        self.said.setText(f"<b>{escape(name)}</b>: {apart}. {', '.join(parts)}.")
        self._name_colours(*(agreed.people or (self.tr("project"), self.tr("the other"))))
        self.landmarks.show_figures(value["landmarks"])
        self.worst.show_shots(agreed, self.document.schema)
        self.stack.setCurrentIndex(1)
        self.banner.dismiss()
        self.show_running(False)

    def _name_colours(self, *names: str) -> None:
        dots = (f'<span style="color:{colour.name()}; background:#404040">&nbsp;\u25cf&nbsp;</span> {escape(name)}'
                for colour, name in zip((HERE, THERE), names, strict=True))  # fmt: skip
        self.legend.setText("&nbsp;&nbsp;&nbsp;".join(dots))

    def offer(self, path: Path) -> None:
        """A copy was made: it can be compared with once there are labels in it."""
        self._add_project(path, 1)
        self.other.setCurrentIndex(1)
        self.banner.show_message("success", self.tr(
            "{0} has the pictures and no labels; once somebody has labelled in it, compare here").format(path.name))

    def show_problem(self, sentence: str) -> None:
        """What went wrong, above the rest."""
        self.banner.show_message("error", told(sentence))

    # ---- what is done with the figures

    def _take(self) -> None:
        try:
            take_sigmas(self.document, measured_sigmas(self.agreed, self.document.schema))
        except UserError as error:
            self.show_problem(str(error))
            return
        self.banner.show_message("success", self.tr("The project's landmarks have these sigmas now; undo takes them "
                                                    "back"))  # fmt: skip

    def export_file(self, path: str = "") -> None:
        """Write the figures by landmark as a table."""
        words, kinds = self.tr("Export the figures"), self.tr("Table") + " (*.csv)"
        path = path or QFileDialog.getSaveFileName(self, words, str(self.document.path.with_suffix(".csv")), kinds)[0]
        if not path:
            return
        try:
            write_table(Path(path), self.agreed)
        except UserError as error:
            self.show_problem(str(error))
        else:
            self.banner.show_message("success", self.tr("Exported to {0}").format(Path(path).name))

    def reject(self) -> None:
        """Stop what runs, then close."""
        self.stopped.emit()
        super().reject()


def _subjects(number: int, of_model: bool) -> str:
    if of_model:
        return several(number, mark("1 subject"), mark("{0} subjects"))
    return several(number, mark("1 subject in both"), mark("{0} subjects in both"))
