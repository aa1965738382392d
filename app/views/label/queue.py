"""The queue dock: filter, order, the list, and the background prediction at the foot."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.project.queue import ALIKE, BY_NAME
from app.project.values import State
from app.views import theme
from app.views.label.numbers import count, short_count
from app.views.label.pace import Pace
from app.views.label.queue_delegate import NARROW
from app.views.label.queue_head import QueueHead
from app.views.label.queue_list import QueueList
from app.views.label.queue_model import QueueModel
from app.views.widgets import ElidedLabel

WIDTH = 248
WIDEST = 360
FOLDED = 84
ROOMY = 248  # of an empty one: its head and words stand whole
FOOT = 60


class Queue(QWidget):
    """Chooses pictures. chosen(image id); show_all_wanted; add_wanted; predict_wanted; cancel_wanted;
    compare_wanted: find out which pictures look alike.
    """

    chosen = Signal(int)
    add_wanted = Signal()
    predict_wanted = Signal()
    cancel_wanted = Signal()
    compare_wanted = Signal()

    def __init__(self, model: QueueModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("queue")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(FOLDED)
        self.model, self._narrow = model, False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.head = QueueHead(model, self)
        self.chips, self.total, self.choose_filter = self.head.chips, self.head.total, self.head.choose_filter
        self.head.compare_wanted.connect(self.compare_wanted)
        self.head.reordered.connect(self._go_to_first)
        self.pace = Pace()
        column.addWidget(self.head)
        self.list = self._list()
        self.stack = QStackedWidget(self)
        self.stack.addWidget(self.list)
        self.stack.addWidget(self._empty())
        column.addWidget(self.stack, 1)
        self.foot = self._foot()
        column.addWidget(self.foot)
        self._shown: int | None = None
        self._follows = True  # whether the picture on screen has its row in view, which then stays so
        self.head.choosing.connect(self._follow)
        self.list.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.pace_line = self._pace_line()
        column.addWidget(self.pace_line)
        model.counted.connect(self.refresh)
        model.opened.connect(lambda: self.pace.restart(self._finished()))
        model.modelReset.connect(self.refresh)
        model.rowsInserted.connect(self.refresh)
        model.rowsRemoved.connect(self.refresh)
        theme.theme().changed.connect(self._icons)
        self._icons()
        self.refresh()

    def sizeHint(self) -> QSize:
        """Its width when there is room."""
        return QSize(WIDTH, 600)

    # ---- parts
    def _list(self) -> QueueList:
        view = QueueList(self.model, self)
        view.setAccessibleName(self.tr("Images"))
        view.clicked.connect(self._clicked)
        view.activated.connect(self._clicked)
        return view

    def _empty(self) -> QWidget:
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        self.empty_text = QLabel("", page)
        self.empty_text.setWordWrap(True)
        self.empty_button = QPushButton("", page)
        self.empty_button.clicked.connect(self._empty_action)
        column.addStretch(1)
        column.addWidget(self.empty_text)
        column.addWidget(self.empty_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(2)
        return page

    def _foot(self) -> QWidget:
        foot = QWidget(self)
        foot.setMinimumHeight(FOOT)
        foot.setProperty("foot", True)
        foot.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(foot)
        column.setContentsMargins(16, 8, 10, 8)
        column.setSpacing(2)
        line = QHBoxLayout()
        self.foot_text = ElidedLabel("", foot)
        self.foot_count = QLabel("", foot)
        self.foot_count.setProperty("muted", True)
        for label in (self.foot_text, self.foot_count):
            label.setProperty("small", True)
        line.addWidget(self.foot_text, 1)
        line.addSpacing(8)
        line.addWidget(self.foot_count)
        line.addSpacing(6)
        column.addLayout(line)
        below = QHBoxLayout()
        self.bar = QProgressBar(foot)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(4)
        self.cancel = QToolButton(foot)
        self.cancel.setToolTip(self.tr("Stop predicting"))
        self.cancel.setAccessibleName(self.tr("Stop predicting"))
        theme.grow(self.cancel, icon=14)
        self.cancel.clicked.connect(self.cancel_wanted)
        below.addWidget(self.bar, 1)
        below.addWidget(self.cancel)
        column.addLayout(below)
        foot.hide()
        return foot

    def _pace_line(self) -> QWidget:
        line = QWidget(self)
        line.setProperty("foot", True)
        line.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(line)
        column.setContentsMargins(16, 6, 16, 8)
        column.setSpacing(6)
        self.pace_text, self.pace_bar = QLabel("", line), QProgressBar(line)
        self.pace_text.setProperty("muted", True)
        self.pace_text.setProperty("small", True)
        self.pace_bar.setTextVisible(False)
        self.pace_bar.setFixedHeight(4)
        self.pace_bar.setAccessibleName(self.tr("Images done"))
        column.addWidget(self.pace_text)
        column.addWidget(self.pace_bar)
        return line

    def _icons(self) -> None:
        self.cancel.setIcon(theme.icon("close", 14))

    # ---- what is shown
    def refresh(self) -> None:
        """Counts, and what stands in place of an empty list."""
        model = self.model
        self.head.refresh()
        self._refresh_pace()
        total = model.count("all")
        self.stack.setCurrentIndex(0 if model.rowCount() else 1)
        self._fold()
        if not total:
            self.empty_text.setText(self.tr("The pictures of this project"))
            self.empty_button.setText(self.tr("Add pictures"))
        else:
            self.empty_text.setText(self._why_empty())
            self.empty_button.setText(self.tr("Show all"))

    def _go_to_first(self) -> None:
        """In another order than by name the first image is the one to look at."""
        first = self.model.image_at(0)
        if first is not None and self.model.order != BY_NAME:
            self.chosen.emit(first.id)

    def _why_empty(self) -> str:
        if self.model.order == ALIKE and self.model.grouping:
            return self.tr("Comparing pictures")
        if self.model.order == ALIKE:
            return self.tr("No two pictures look alike, as far as they were looked at")
        if self.model.wish.above > 0:
            return self.tr("No image is above the limit")
        words = {"to check": self.tr("No image needs a look"), "done": self.tr("No image is done yet")}
        return words.get(self.model.filter, self.tr("No image is in this state"))

    def _refresh_pace(self) -> None:
        """Done, an hour, and left; nothing while nothing is done."""
        done, left = self.model.count("done"), self.model.count("to check")
        self.pace.tell(self._finished())
        words = [self.tr("{0} done").format(short_count(done))]
        if self.pace.per_hour is not None:
            words.append(self.tr("{0} an hour").format(count(round(self.pace.per_hour))))
            words.append(self.tr("{0} left").format(_hours(self.pace.left(left))))
        else:
            words.append(self.tr("{0} to go").format(short_count(left)))
        self.pace_text.setText(" \u00b7 ".join(words))
        self.pace_bar.setMaximum(max(done + left, 1))
        self.pace_bar.setValue(done)
        self.pace_line.setVisible(done + left > 0 and self.width() >= NARROW)

    def _finished(self) -> int:
        """Images that a person is done with: a rejected one took its time too."""
        return self.model.count("done") + self.model.count(State.REJECTED.value)

    def _empty_action(self) -> None:
        if self.model.count("all"):
            if self.model.order == ALIKE or self.model.wish.above > 0:
                self.head.choose_order(BY_NAME)
            self.choose_filter("all")
        else:
            self.add_wanted.emit()

    def set_current(self, image: int | None) -> None:
        """Mark the picture on screen. It comes into view when it is another one, and stays there if it was.

        Whoever moves through the list meanwhile, by keys or by scrolling, is left alone.
        """
        row, moved = self.model.row_of(image), image != self._shown
        self._shown = image
        if moved or not self.list.currentIndex().isValid():
            self.list.setAutoScroll(False)  # it would scroll there by itself
            self.list.setCurrentIndex(self.model.index(row) if row >= 0 else QModelIndex())
            self.list.setAutoScroll(True)
        if row >= 0 and (moved or self._follows):
            self.list.scrollTo(self.model.index(row))
            self._follows = True

    def _follow(self) -> None:
        self._follows = True

    def _scrolled(self) -> None:
        row = self.model.row_of(self._shown)
        place = self.list.visualRect(self.model.index(row)) if row >= 0 else QRect()
        self._follows = place.intersects(self.list.viewport().rect())

    def set_looking(self, done: int, total: int) -> None:
        """Progress of looking for pictures that are alike."""
        self.set_progress(done, total, self.tr("Comparing pictures"))

    def set_progress(self, done: int, total: int, words: str = "") -> None:
        """Progress of the background prediction, or of other work; (0, 0) hides it."""
        self.foot.setVisible(total > 0)
        self.bar.setMaximum(max(total, 1))
        self.bar.setValue(done)
        self.foot_text.set_text(words or self.tr("Predicting new images"))
        self.foot_count.setText(self.tr("{0} of {1}").format(count(done), count(total)))

    def set_narrow(self, narrow: bool) -> None:
        """Thumbnails alone, where the window is small; words need their room where there are none."""
        self._narrow = narrow
        self._fold()

    def _fold(self) -> None:
        folded = self._narrow and self.model.rowCount() > 0
        self.setMaximumWidth(FOLDED if folded else theme.theme().room(WIDEST))
        self.setMinimumWidth(FOLDED if folded or not self._narrow else theme.theme().room(ROOMY))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow dock has no room for words."""
        super().resizeEvent(event)
        wide = self.width() >= NARROW
        self.head.setVisible(wide)
        self.foot_text.setVisible(wide)
        self._refresh_pace()

    def _clicked(self, index: QModelIndex) -> None:
        image = self.model.image_at(index.row())
        if image is not None:
            self.chosen.emit(image.id)


def _hours(seconds: float | None) -> str:
    """A length of time in hours and minutes."""
    minutes = max(1, round((seconds or 0) / 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d}" if minutes < 600 else f"{count(round(minutes / 60))} h"
