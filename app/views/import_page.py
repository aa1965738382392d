"""What an import would do: figures, which landmark is which, what would be left out, and two switches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.services.importing import Preview, look, look_again
from app.services.projects import Told
from app.services.reading import Reading
from app.views.banner import Banner
from app.views.mapping_table import MappingTable
from app.views.theme import grow, icon, theme
from app.views.widgets import ElidedLabel, Line, foot
from app.views.words import mark, several, told

SIZE = (760, 680)
ASKED = (mark("1 landmark placed by hand would be replaced or removed. Undo brings it back."),
         mark("{0} landmarks placed by hand would be replaced or removed. Undo brings them back."))  # fmt: skip
MOST_NOTES = 500


class ImportPage(QDialog):
    """Shows a Preview; every change works it out anew in the background. `preview` is what holds when accepted."""

    def __init__(self, preview: Preview, parent: QWidget) -> None:
        super().__init__(parent)
        self.preview = preview
        self.setWindowTitle(self.tr("Import labels"))
        theme().fit(self, *SIZE)
        self.reading = Reading(self)
        self._next: Callable[[Told], Preview] | None = None
        self.figures = [Figure(words) for words in (
            self.tr("Pictures"), self.tr("Instances"), self.tr("Landmarks"), self.tr("Accepted"),
        )]  # fmt: skip
        self.mapping, self.notes, self.note_line = MappingTable(), QListWidget(), QLabel()
        self.folder = QPushButton(self.tr("Find pictures\u2026"))
        self.replacing = QCheckBox(self.tr("The file's labels replace those made by hand"))
        self.swap = QCheckBox(self.tr("Swap left and right"))
        self.bar, self.cancel = QProgressBar(), QPushButton(self.tr("Cancel"))
        self.sure = QPushButton()
        self._lay_out()
        self.banner = Banner(self)
        self._connect()
        self.show_preview(preview)

    def _lay_out(self) -> None:
        title, line, preview = QLabel(self.tr("Import labels")), ElidedLabel(), self.preview
        title.setProperty("title", True)
        line.setProperty("muted", True)
        line.set_text(f"{preview.path.name}, {told(preview.form.title)} \u2192 {preview.document.name}")
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(0)
        column.addWidget(title)
        column.addWidget(line)
        column.addSpacing(16)
        row = QHBoxLayout()
        row.setSpacing(12)
        for figure in self.figures:
            row.addWidget(figure, 1)
        column.addLayout(row)
        column.addSpacing(16)
        self._add_heading(column, self.tr("Landmarks"), self.mapping.note)
        column.addWidget(self.mapping, 3)
        column.addSpacing(12)
        self._add_heading(column, self.tr("To know"), self.note_line, self.folder)
        column.addWidget(self.notes, 2)
        column.addSpacing(12)
        switches = QHBoxLayout()
        switches.setSpacing(24)
        switches.addWidget(self.replacing)
        switches.addWidget(self.swap)
        switches.addStretch(1)
        column.addLayout(switches)
        column.addSpacing(16)
        column.addLayout(foot(self.cancel, self.sure, left=[self.bar], sure=self.sure))
        self.folder.setAutoDefault(False)
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(160)
        grow(self.notes, icon=14)
        self.notes.setWordWrap(True)
        self.notes.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.notes.setAccessibleName(self.tr("What would be left out or needs a look"))

    def _add_heading(self, column: QVBoxLayout, words: str, note: QLabel, button: QPushButton | None = None) -> None:
        heading, row = QLabel(words), QHBoxLayout()
        heading.setProperty("heading", True)
        note.setProperty("muted", True)
        note.setProperty("small", True)
        row.addWidget(heading)
        row.addStretch(1)
        row.addWidget(note)
        if button is not None:
            row.addSpacing(8)
            row.addWidget(button)
        column.addLayout(row)
        column.addSpacing(8)
        column.addWidget(Line())

    def _connect(self) -> None:
        self.mapping.changed.connect(lambda chosen: self._wish(mapping=chosen))
        self.replacing.toggled.connect(lambda on: self._wish(replacing=on))
        self.swap.toggled.connect(lambda on: self._wish(swap=on))
        self.folder.clicked.connect(self.ask_folder)
        self.sure.clicked.connect(self._accept)
        self.cancel.clicked.connect(self.reject)
        self.reading.made.connect(self.show_preview)
        self.reading.progress.connect(self._progress)
        self.reading.failed.connect(self._failed)
        self.reading.ended.connect(self._ended)
        theme().changed.connect(self._dress)

    # ---- what is shown

    def _dress(self) -> None:
        self.show_preview(self._shown)

    def show_preview(self, preview: Preview) -> None:
        """Show what would happen now."""
        self.preview = self._shown = preview
        plan = preview.plan
        pictures, instances, landmarks = plan.pictures, plan.instances, plan.landmarks
        self.figures[0].show_count(pictures["found"], [(pictures["new"], self.tr("new")), (
            pictures["missing"], self.tr("not found")), (pictures["refused"], self.tr("refused"))])  # fmt: skip
        self.figures[1].show_count(instances["added"], [(instances["merged"], self.tr("merged")), (
            instances["unchanged"], self.tr("the same")), (instances["left out"], self.tr("left out"))])  # fmt: skip
        self.figures[2].show_count(landmarks["added"], [(landmarks["kept"], self.tr("kept as by hand")), (
            plan.lost, self.tr("by hand replaced"))], warn=bool(plan.lost))  # fmt: skip
        accepted = sum(count for state, count in plan.states.items() if state.value.startswith("done"))
        others = [(count, state.value) for state, count in plan.states.items() if not state.value.startswith("done")]
        self.figures[3].show_count(accepted, others)
        self.mapping.show_matches(plan.matches, preview.document.schema, preview.wishes.mapping)
        self._show_notes()
        self.folder.setVisible(bool(pictures["missing"]))
        self.replacing.setEnabled(bool(landmarks["kept"] or preview.wishes.replacing))
        self.swap.setEnabled(bool(preview.document.schema.flip))
        self.bar.hide()
        self.sure.setEnabled(bool(plan.edits))
        self.sure.setText(self._button())

    def _button(self) -> str:
        plan = self.preview.plan
        count = plan.instances["added"] + plan.instances["merged"]
        if not plan.edits:
            return self.tr("Nothing to import")
        if plan.lost:
            return several(plan.lost, mark("Import and replace 1 landmark"), mark("Import and replace {0} landmarks"))
        return several(count, mark("Import 1 instance"), mark("Import {0} instances")) if count else self.tr("Import")

    def done_words(self) -> str:
        """What is said when it has happened."""
        plan = self.preview.plan
        added = several(plan.instances["added"], mark("1 instance"), mark("{0} instances"))
        found = several(plan.pictures["found"], mark("1 picture"), mark("{0} pictures"))
        return self.tr("Imported: {0}, {1} merged, {2}").format(added, plan.instances["merged"], found)

    def _show_notes(self) -> None:
        problems = self.preview.plan.problems
        self.notes.clear()
        for problem in problems[:MOST_NOTES]:
            warned = problem.where == "left and right"
            sign = icon("alert-outline", 14, "warning") if warned else icon("information-outline", 14)
            item = QListWidgetItem(sign, f"{told(problem.where)}: {told(problem.what)}")
            item.setToolTip(item.text())
            self.notes.insertItem(0, item) if warned else self.notes.addItem(item)
        if not problems:
            fine = icon("check-circle-outline", 14, "success")
            self.notes.addItem(QListWidgetItem(fine, self.tr("Everything in the file fits")))
        self.note_line.setText(self.tr("{0} notes").format(len(problems)) if len(problems) > 1 else "")

    # ---- what a person does

    def ask_folder(self, folder: str | Path = "") -> None:
        """Look for the pictures in another folder."""
        place = folder or QFileDialog.getExistingDirectory(self, self.tr("Folder with the pictures"), str(
            self.preview.path.parent))  # fmt: skip
        if not place:
            return
        held = self.preview

        def make(progress: Told) -> Preview:
            made = look(held.path, held.form.name, held.document, progress, None, Path(place), held.wishes)
            return replace(made, draft=held.draft)

        self._work(make)

    def _wish(self, **changes: object) -> None:
        wishes = replace(self.preview.wishes, **changes)
        held = replace(self.preview, wishes=wishes)
        self.preview = held
        self._work(lambda progress: look_again(held, wishes, progress))

    def _work(self, make: Callable[[Told], Preview]) -> None:
        """One at a time; of those that come meanwhile, the last."""
        self.banner.dismiss()
        self.sure.setEnabled(False)
        if self.reading.busy:
            self._next = make
            return
        self.reading.start(make)

    def _ended(self) -> None:
        self.bar.hide()
        if self._next is not None:
            make, self._next = self._next, None
            self.reading.start(make)
        else:
            self.sure.setEnabled(bool(self.preview.plan.edits))

    def _failed(self, sentence: str) -> None:
        """What held before holds again."""
        self.show_preview(self._shown)
        self.banner.show_message("error", sentence)

    def _progress(self, done: int, total: int) -> None:
        self.bar.show()
        self.bar.setRange(0, max(total, 1))
        self.bar.setValue(done)

    def _accept(self) -> None:
        if not self.preview.plan.lost or self._agreed():
            self.accept()

    def _agreed(self) -> bool:
        """Ask before labels of a hand go."""
        box = QMessageBox(self)
        box.setWindowTitle(self.tr("Import labels"))
        box.setText(several(self.preview.plan.lost, *ASKED))
        yes = box.addButton(self.tr("Replace them"), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(self.tr("Keep them"), QMessageBox.ButtonRole.RejectRole)
        box.exec()
        return box.clickedButton() is yes

    def done(self, result: int) -> None:
        """Stop reading first."""
        self.reading.close()
        super().done(result)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter in the table ends its editor and does not import."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.mapping.isAncestorOf(self.focusWidget()):
            return
        super().keyPressEvent(event)


class Figure(QWidget):
    """A count with its name above, and what else there is to it below; the room for that is always kept."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.count, self.more, name = QLabel(), ElidedLabel(), QLabel(words)
        name.setProperty("caption", True)
        self.count.setProperty("title", True)
        self.more.setProperty("small", True)
        self.more.setProperty("muted", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (name, self.count, self.more):
            column.addWidget(widget)

    def show_count(self, count: int, more: list[tuple[int, str]], warn: bool = False) -> None:
        """The count, and of the others those that are not 0."""
        self.count.setText(f"{count:,}".replace(",", "\u202f"))
        others = ", ".join(f"{n} {words}" for n, words in more if n)
        self.more.set_text(others or " ")
        self.more.setStyleSheet(f"color: {theme().colours['warning']}" if warn else "")
