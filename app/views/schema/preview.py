"""What a change of the schema would do to the labels that there are, before it happens."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.project.migration import Preview
from app.views.import_page import Figure
from app.views.label.numbers import count
from app.views.theme import icon
from app.views.words import mark, named, several, tr

MOST_NAMES = 200


class ChangePreview(QWidget):
    """Figures, and the landmarks by name; reopen_wished: the answer about accepted pictures is another."""

    reopen_wished = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.landmarks, self.instances = Figure(self.tr("Landmarks")), Figure(self.tr("Instances"))
        self.hand, self.accepted = Figure(self.tr("Placed by hand")), Figure(self.tr("Accepted"))
        self.names, self.reopen = QListWidget(), QCheckBox(self.tr("Accepted pictures go back into work where "
                                                                   "landmarks are new"))  # fmt: skip
        self.names.setAccessibleName(self.tr("Which landmarks change"))
        self.reopen.setChecked(True)
        self.models = QLabel()
        self.models.setWordWrap(True)
        self.models.setProperty("muted", True)
        row = QHBoxLayout()
        row.setSpacing(12)
        for figure in (self.landmarks, self.instances, self.hand, self.accepted):
            row.addWidget(figure, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(16)
        column.addLayout(row)
        column.addWidget(self.names, 1)
        column.addWidget(self.reopen)
        column.addWidget(self.models)
        self.reopen.toggled.connect(self.reopen_wished)

    def show_preview(self, total: int, found: Preview, fits: bool) -> None:
        """total: landmarks of the new schema; fits: whether the library has a model for it."""
        self.landmarks.show_count(total, [(len(found.added), tr("new")), (len(found.dropped), tr("removed")),
                                          (len(found.renamed), tr("renamed"))])  # fmt: skip
        pictures = tr("picture") if found.images == 1 else tr("pictures")
        self.instances.show_count(found.instances, [(found.images, pictures)])
        self.hand.show_count(found.lost, [(found.lost, tr("removed"))] if found.lost else [], warn=bool(found.lost))
        self.accepted.show_count(found.reopened, [(found.reopened, tr("back into work"))])
        self.reopen.setVisible(bool(found.added and found.instances))
        self.names.clear()
        for sign, role, words, names in (
            ("minus-circle-outline", "warning", tr("{0} is removed"), found.dropped),
            ("plus-circle-outline", "success", tr("{0} is new, and absent until it is placed"), found.added),
        ):
            for name in names[:MOST_NAMES]:
                self.names.addItem(QListWidgetItem(icon(sign, 14, role), words.format(name)))
        for old, new in found.merged[:MOST_NAMES]:
            words = tr("{0} become {1}, in their middle where several are there")
            words = words.format(" + ".join(map(named, old)), named(new))
            self.names.addItem(QListWidgetItem(icon("call-merge", 14), words))
        if found.averaged:
            words = several(found.averaged, mark("1 landmark is moved to a middle"),
                            mark("{0} landmarks are moved to a middle"))  # fmt: skip
            self.names.addItem(QListWidgetItem(icon("vector-point", 14), words))
        for old, new in found.renamed[:MOST_NAMES]:
            self.names.addItem(QListWidgetItem(icon("rename-outline", 14), tr("{0} becomes {1}").format(old, new)))
        if found.moved:
            one, many = tr("1 landmark has another number"), tr("{0} landmarks have another number")
            words = one if found.moved == 1 else many.format(count(found.moved))
            self.names.addItem(QListWidgetItem(icon("sort", 14), words))
        if not self.names.count():
            words = tr("Every landmark stays as it is")
            self.names.addItem(QListWidgetItem(icon("check-circle-outline", 14, "success"), words))
        self.models.setText("" if fits else tr("No model of the library finds these landmarks; label some pictures "
                                               "by hand and train one in Models."))  # fmt: skip
