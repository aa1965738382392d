"""The queue dock: filter, order, the list, and the background prediction at the foot."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QListView,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.views import theme
from app.views.fitting import FlowLayout
from app.views.label.numbers import count
from app.views.label.queue_delegate import NARROW, QueueDelegate
from app.views.label.queue_model import FILTERS, QueueModel
from app.views.widgets import ElidedLabel

WIDTH = 248
WIDEST = 360
FOLDED = 84
FOOT = 60


class Queue(QWidget):
    """Chooses pictures. chosen(image id); show_all_wanted; add_wanted; predict_wanted; cancel_wanted."""

    chosen = Signal(int)
    add_wanted = Signal()
    predict_wanted = Signal()
    cancel_wanted = Signal()

    def __init__(self, model: QueueModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("queue")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(FOLDED)
        self.model = model
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.head = self._head()
        column.addWidget(self.head)
        self.list = self._list()
        self.stack = QStackedWidget(self)
        self.stack.addWidget(self.list)
        self.stack.addWidget(self._empty())
        column.addWidget(self.stack, 1)
        self.foot = self._foot()
        column.addWidget(self.foot)
        model.counted.connect(self.refresh)
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
    def _head(self) -> QWidget:
        head = QWidget(self)
        column = QVBoxLayout(head)
        column.setContentsMargins(16, 8, 16, 12)
        column.setSpacing(8)
        line = QHBoxLayout()
        self.title = QLabel(self.tr("Queue"), head)
        self.title.setProperty("heading", True)
        self.total = QLabel("", head)
        self.total.setProperty("muted", True)
        line.addWidget(self.title)
        line.addStretch(1)
        line.addWidget(self.total)
        column.addLayout(line)
        chips = FlowLayout()
        self.chips: dict[str, QPushButton] = {}
        self.group = QButtonGroup(self)
        for name in FILTERS:
            chip = QPushButton(head)
            chip.setCheckable(True)
            chip.setProperty("chip", True)
            chip.setChecked(name == self.model.filter)
            chip.clicked.connect(lambda _=False, f=name: self.choose_filter(f))
            self.chips[name] = chip
            self.group.addButton(chip)
            chips.addWidget(chip)
        column.addLayout(chips)
        self.order = QComboBox(head)
        self.order.setAccessibleName(self.tr("Order"))
        self.order.addItem(self.tr("By name"), "name")
        self.order.addItem(self.tr("By doubt"), "doubt")
        self.order.activated.connect(lambda n: self.model.choose(order=self.order.itemData(n)))
        column.addWidget(self.order)
        return head

    def _list(self) -> QListView:
        view = QListView(self)
        view.setModel(self.model)
        view.setItemDelegate(QueueDelegate(view))
        view.setUniformItemSizes(True)
        view.setFrameShape(QListView.Shape.NoFrame)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        view.setMouseTracking(True)
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
        line.addWidget(self.foot_text, 1)
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
        self.cancel.setIconSize(QSize(14, 14))
        self.cancel.clicked.connect(self.cancel_wanted)
        below.addWidget(self.bar, 1)
        below.addWidget(self.cancel)
        column.addLayout(below)
        foot.hide()
        return foot

    def _icons(self) -> None:
        self.cancel.setIcon(theme.icon("close", 14))

    # ---- what is shown
    def choose_filter(self, name: str) -> None:
        """Show another part of the images."""
        self.chips[name].setChecked(True)
        self.model.choose(filter=name)

    def refresh(self) -> None:
        """Counts, and what stands in place of an empty list."""
        model = self.model
        texts = {"to check": self.tr("To check"), "done": self.tr("Done"), "all": self.tr("All")}
        for name, chip in self.chips.items():
            chip.setText(texts[name] if name == "all" else f"{texts[name]} {count(model.count(name))}")
        total = model.count("all")
        self.total.setText(self.tr("1 image") if total == 1 else self.tr("{0} images").format(count(total)))
        self.stack.setCurrentIndex(0 if model.rowCount() else 1)
        if not total:
            self.empty_text.setText(self.tr("The pictures of this project"))
            self.empty_button.setText(self.tr("Add pictures"))
        else:
            done = model.filter == "done"
            self.empty_text.setText(self.tr("No image is done yet") if done else self.tr("No image needs a look"))
            self.empty_button.setText(self.tr("Show all"))

    def _empty_action(self) -> None:
        if self.model.count("all"):
            self.choose_filter("all")
        else:
            self.add_wanted.emit()

    def set_current(self, image: int | None) -> None:
        """Mark the picture on screen, and keep it in view."""
        row = self.model.row_of(image)
        index = self.model.index(row) if row >= 0 else QModelIndex()
        self.list.setCurrentIndex(index)
        if row >= 0:
            self.list.scrollTo(index)

    def set_progress(self, done: int, total: int) -> None:
        """Progress of the background prediction; (0, 0) hides it."""
        self.foot.setVisible(total > 0)
        self.bar.setMaximum(max(total, 1))
        self.bar.setValue(done)
        self.foot_text.set_text(self.tr("Predicting new images"))
        self.foot_count.setText(self.tr("{0} of {1}").format(count(done), count(total)))

    def set_narrow(self, narrow: bool) -> None:
        """Thumbnails alone, where the window is small."""
        self.setMaximumWidth(FOLDED if narrow else theme.theme().room(WIDEST))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow dock has no room for words."""
        super().resizeEvent(event)
        wide = self.width() >= NARROW
        self.head.setVisible(wide)
        self.foot_text.setVisible(wide)

    def _clicked(self, index: QModelIndex) -> None:
        image = self.model.image_at(index.row())
        if image is not None:
            self.chosen.emit(image.id)
