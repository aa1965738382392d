"""The queue's head: how many images, which states, in what order, and the scale of doubt."""

from __future__ import annotations

import random

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.project.queue import ALIKE, BY_DOUBT, BY_NAME, NEWEST, SAMPLE
from app.project.values import State
from app.views import theme
from app.views.fitting import FlowLayout
from app.views.label.doubt_scale import DoubtScale
from app.views.label.numbers import count, short_count
from app.views.label.queue_delegate import STATES
from app.views.label.queue_model import FILTERS, QueueModel
from app.views.widgets import label_combo
from app.views.words import mark, tr

ORDERS = (  # words, order, criterion of engine.doubts, icon
    (mark("By name"), BY_NAME, 0, "sort-alphabetical-ascending"),
    (mark("Newest first"), NEWEST, 0, "sort-clock-descending-outline"),
    (mark("Doubt"), BY_DOUBT, 0, "sort-descending"),
    (mark("Doubt: low peaks"), BY_DOUBT, 1, "sort-descending"),
    (mark("Doubt: wide maps"), BY_DOUBT, 2, "sort-descending"),
    (mark("Doubt: second peaks"), BY_DOUBT, 3, "sort-descending"),
    (mark("Doubt: mirror test"), BY_DOUBT, 4, "sort-descending"),
    (mark("Doubt: odd shape"), BY_DOUBT, 5, "sort-descending"),
    (mark("Doubt: odd lengths"), BY_DOUBT, 6, "sort-descending"),
    (mark("Random sample"), SAMPLE, 0, "shuffle-variant"),
    (mark("Look-alikes together"), ALIKE, 0, "image-multiple-outline"),
)


class QueueHead(QWidget):
    """Drives the model's filter and order. choosing: another of the two comes; reordered: another order was chosen;
    compare_wanted: find out which pictures look alike."""

    choosing = Signal()
    compare_wanted = Signal()
    reordered = Signal()

    def __init__(self, model: QueueModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = model
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 16, 12)
        column.setSpacing(8)
        column.addLayout(self._title())
        column.addLayout(self._chips())
        self.order = QComboBox(self)
        label_combo(self.order, self.tr("Order"))
        theme.grow(self.order, icon=16)
        for words, order, criterion, _ in ORDERS:
            self.order.addItem(tr(words), (order, criterion))
        self.order.activated.connect(self._order_chosen)
        column.addWidget(self.order)
        self.scale = DoubtScale(model, self)
        self.scale.hide()
        column.addWidget(self.scale)
        theme.theme().changed.connect(self._icons)
        self._icons()

    def _title(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(4)
        self.title, self.total, self.states = QLabel(self.tr("Queue"), self), QLabel("", self), QToolButton(self)
        self.title.setProperty("heading", True)
        self.total.setProperty("muted", True)
        self.states.setToolTip(self.tr("Choose one state"))
        self.states.setAccessibleName(self.tr("Choose one state"))
        theme.grow(self.states, icon=16)
        self.states.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QMenu(self.states)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.states.setMenu(self.menu)
        line.addWidget(self.title)
        line.addStretch(1)
        line.addWidget(self.total)
        line.addWidget(self.states)
        return line

    def _chips(self) -> FlowLayout:
        chips = FlowLayout()
        self.chips: dict[str, QPushButton] = {}
        self.group = QButtonGroup(self)
        for name in FILTERS:
            chip = QPushButton(self)
            chip.setCheckable(True)
            chip.setProperty("chip", True)
            chip.setChecked(name == self.model.filter)
            chip.clicked.connect(lambda _=False, f=name: self.choose_filter(f))
            self.chips[name] = chip
            self.group.addButton(chip)
            chips.addWidget(chip)
        return chips

    def _icons(self) -> None:
        self.states.setIcon(theme.icon("filter-variant", 16))
        for n, (_, _, _, name) in enumerate(ORDERS):
            self.order.setItemIcon(n, theme.icon(name, 16))

    def _fill_menu(self) -> None:
        self.menu.clear()
        for state, (icon, role, word) in STATES.items():
            words = f"{tr(word)}   {count(self.model.count(state.value))}"
            action = self.menu.addAction(theme.icon(icon, 16, role), words)
            action.setCheckable(True)
            action.setChecked(self.model.filter == state.value)
            action.triggered.connect(lambda _=False, s=state: self.choose_filter(s.value))

    def choose_filter(self, name: str) -> None:
        """Show another part of the images: a name of FILTERS, or a state."""
        self.group.setExclusive(False)
        for known, chip in self.chips.items():
            chip.setChecked(known == name)
        self.group.setExclusive(True)
        self.choosing.emit()
        self.model.choose(filter=name)

    def _order_chosen(self, place: int) -> None:
        order, criterion = self.order.itemData(place)
        self.choose_order(order, criterion)

    def choose_order(self, order: str, criterion: int = 0) -> None:
        """Another order; each sample is drawn anew."""
        self.order.setCurrentIndex(next(n for n, o in enumerate(ORDERS) if o[1:3] == (order, criterion)))
        self.scale.setVisible(order == BY_DOUBT)
        seed = random.randrange(1 << 31) if order == SAMPLE else None
        above = 0.0 if order != BY_DOUBT else None
        self.choosing.emit()
        self.model.choose(order=order, criterion=criterion, seed=seed, above=above)
        if order == ALIKE:
            self.compare_wanted.emit()
        if order != BY_DOUBT:
            self.scale.only.setChecked(False)
        self.reordered.emit()

    def refresh(self) -> None:
        """Counts, and the histogram."""
        model = self.model
        texts = {"to check": self.tr("To check"), "done": self.tr("Done"), "all": self.tr("All")}
        for name, chip in self.chips.items():
            chip.setText(texts[name] if name == "all" else f"{texts[name]} {short_count(model.count(name))}")
            chip.setToolTip(f"{texts[name]} {count(model.count(name))}")
        total = model.count("all")
        if model.filter in FILTERS:
            self.total.setText(self.tr("1 image") if total == 1 else self.tr("{0} images").format(count(total)))
        else:
            word = tr(STATES[State(model.filter)][2])
            self.total.setText(f"{word} {count(model.count(model.filter))}")
        self.scale.refresh()
