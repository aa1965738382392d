"""The inspector: the active instance, its box, the selected landmark's visibility, the table, the guide."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.project.values import State, Visibility
from app.views import marks, theme
from app.views.keymap import KeyMap, KeyTip
from app.views.label import shapes
from app.views.label.editing import Editing
from app.views.label.guide import Guide
from app.views.label.landmark_table import LandmarkTable
from app.views.label.numbers import number
from app.views.widgets import EmptyState, Section, label_combo

WIDTH = 320
SHARE = 0.27  # of the workspace's width, up to which it grows with the text
SMALLEST = 11  # pixels of the words on buttons that have little room
GUIDE_NEEDS = 800  # window height under which the guide folds
SEGMENTS = ((Visibility.VISIBLE, "first"), (Visibility.OCCLUDED, "mid"), (Visibility.ABSENT, "last"))


class Inspector(QWidget):
    """Shows and edits what `editing` has selected. draw_wanted: a box for a new instance is to be drawn."""

    draw_wanted = Signal()

    def __init__(self, editing: Editing, keys: KeyMap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("inspector")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._editing, self._keys = editing, keys
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.subject = Section("", self)
        self.subject.set_content(self._instance_box(), padded=False)
        self.landmarks = Section(self.tr("Landmarks"), self)
        self.table = LandmarkTable(editing, self)
        self.nothing = EmptyState("", self.tr("Draw a box"))
        self.nothing.clicked.connect(self.draw_wanted)
        self.pages = QStackedWidget(self)
        self.pages.addWidget(self.table)
        self.pages.addWidget(self.nothing)
        self.landmarks.set_content(self.pages, padded=False)
        self.guide_section = Section(self.tr("Guide"), self)
        self.guide = Guide(editing, self)
        self.guide_section.set_content(self.guide, padded=False)
        column.addWidget(self.subject)
        column.addWidget(self.landmarks, 1)
        column.addWidget(self.guide_section)
        for signal in (editing.changed, editing.selected, editing.previewed, editing.image_changed):
            signal.connect(self.refresh)
        self._space = (0, 0)
        theme.theme().changed.connect(self._fold_again)
        self._glyphs()
        self.refresh()

    def _instance_box(self) -> QWidget:
        box = QWidget(self)
        column = QVBoxLayout(box)
        column.setContentsMargins(16, 0, 16, 16)
        column.setSpacing(8)
        self.chooser = QComboBox(box)
        label_combo(self.chooser, self.tr("Instance"))
        self.chooser.activated.connect(self._choose)
        column.addWidget(self.chooser)
        line = QHBoxLayout()
        line.setSpacing(8)
        caption = QLabel(self.tr("Box"), box)
        caption.setProperty("muted", True)
        self.place = QLabel("", box)
        self.place.setTextFormat(Qt.TextFormat.RichText)
        self.place.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        line.addWidget(caption)
        line.addStretch(1)
        line.addWidget(self.place)
        column.addLayout(line)
        segments = QHBoxLayout()
        segments.setSpacing(0)
        self.buttons: dict[Visibility, QPushButton] = {}
        self.group = QButtonGroup(self)
        actions = {Visibility.OCCLUDED: "occluded", Visibility.ABSENT: "absent"}
        texts = {
            Visibility.VISIBLE: self.tr("Visible"),
            Visibility.OCCLUDED: self.tr("Occluded"),
            Visibility.ABSENT: self.tr("Absent"),
        }
        for visibility, place in SEGMENTS:
            button = QPushButton(texts[visibility], box)
            button.setCheckable(True)
            button.setProperty("seg", place)
            if visibility in actions:
                KeyTip(button, self._keys, actions[visibility])
            theme.grow(button, icon=14)
            button.clicked.connect(lambda _=False, v=visibility: self._set_visibility(v))
            self.buttons[visibility] = button
            self.group.addButton(button)
            segments.addWidget(button)
        self.segments = segments
        column.addLayout(segments)
        return box

    def _glyphs(self) -> None:
        colour = theme.theme().color("text")
        for visibility, button in self.buttons.items():
            pixmap = QPixmap(28, 28)
            pixmap.setDevicePixelRatio(2.0)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            marks.draw_visibility(painter, 7, 7, visibility, colour)
            painter.end()
            button.setIcon(QIcon(pixmap))

    def _fit_segments(self) -> None:
        """Where words are large the icons go, then the words are smaller: none is cut."""
        whole = theme.theme().size(13)
        self._glyphs()
        for n, pixels in enumerate((whole, *range(whole, SMALLEST - 1, -1))):
            for button in self.buttons.values():
                font = button.font()
                font.setPixelSize(pixels)
                button.setFont(font)
                if n:
                    button.setIcon(QIcon())
            if sum(button.sizeHint().width() for button in self.buttons.values()) <= self.width() - 32:
                break

    def _choose(self, index: int) -> None:
        self._editing.activate(self.chooser.itemData(index))

    def _set_visibility(self, visibility: Visibility) -> None:
        self._editing.set_visibility(visibility)
        self.refresh()

    def refresh(self) -> None:
        """Take over what is selected."""
        editing = self._editing
        instance = editing.shown_current()
        several = len(editing.instances) > 1
        title = self._title()
        self.subject.set_title(title)
        if instance is None:
            self.subject.set_note("")
            self.place.setText(number(float("nan"), 1))
        else:
            total = len(instance.points)
            left = shapes.to_confirm(editing.current)
            note = self.tr("{0} of {1} to confirm").format(left, total) if left else self.tr("all confirmed")
            if to_place := shapes.to_place(editing.current):
                note = self.tr("{0} of {1} to place").format(to_place, total)
            self.subject.set_note(note)
            self._show_box(instance)
        self._show_chooser(several)
        self._show_nothing(instance is None)
        chosen = instance is not None and editing.landmark >= 0
        self.group.setExclusive(False)
        for visibility, button in self.buttons.items():
            button.setEnabled(chosen)
            button.setChecked(chosen and int(instance.visibility[editing.landmark]) == visibility)
        self.group.setExclusive(True)
        count = len(editing.document.schema) if editing.document else 0
        place = self.tr("{0} of {1}").format(editing.landmark + 1, count) if editing.landmark >= 0 else ""
        self.guide_section.set_note(place)

    def _title(self) -> str:
        editing = self._editing
        if editing.document is None or editing.image is None:
            return self.tr("No picture")
        body = self._is_body()
        if editing.image.state is State.BROKEN:
            return self.tr("Cannot be read")
        if not editing.instances:
            if editing.image.state is State.NEW:
                return self.tr("Not predicted yet")
            return self.tr("No body in this picture") if body else self.tr("No face in this picture")
        if len(editing.instances) > 1:
            return self.tr("Bodies") if body else self.tr("Faces")
        return self.tr("Body 1") if body else self.tr("Face 1")

    def _is_body(self) -> bool:
        return self._editing.document.schema.subject == "person"

    def _show_nothing(self, nothing: bool) -> None:
        """What stands in place of the table where there is no landmark."""
        image = self._editing.image
        self.pages.setCurrentIndex(1 if nothing else 0)
        if nothing and image is not None and image.state not in (State.NEW, State.BROKEN):
            self.nothing.set_text(self.tr("Accept the picture as it is,\nor show where one is."), self.tr("Draw a box"))
        else:
            self.nothing.set_text("")

    def _show_box(self, instance: object) -> None:
        box, muted = instance.box, theme.theme().color("muted").name()
        text = "<span style='color:{0}'>{1}</span>&nbsp; {2}, {3} &nbsp; <span style='color:{0}'>{4}</span>&nbsp; {5}"
        centre, scale = self.tr("centre"), self.tr("scale")
        values = number(box.cx, 1), number(box.cy, 1), number(box.side / 200.0, 2)
        whole = text.format(muted, centre, values[0], values[1], scale, values[2])
        short = f"{values[0]}, {values[1]} &nbsp; \u00d7 {values[2]}"
        self.place.setText(whole)
        tight = self.place.sizeHint().width() > self.width() - theme.theme().size(40) - 40
        self.place.setText(short if tight else whole)
        self.place.setToolTip(whole if tight else "")

    def _show_chooser(self, several: bool) -> None:
        editing = self._editing
        self.chooser.setVisible(several)
        with QSignalBlocker(self.chooser):
            self.chooser.clear()
            total = len(editing.instances)
            words = self.tr("Body {0} of {1}") if total and self._is_body() else self.tr("Face {0} of {1}")
            for n, instance in enumerate(editing.instances):
                self.chooser.addItem(words.format(n + 1, total), instance.id)
                if instance.id == editing.active:
                    self.chooser.setCurrentIndex(n)

    def _fold_again(self) -> None:
        self.fold_for(*self._space)

    def fold_for(self, width: int, height: int) -> None:
        """Fold what a small window has no room for."""
        self._space = width, height
        self.setFixedWidth(max(WIDTH, min(theme.theme().size(WIDTH), round(SHARE * width))))
        self._fit_segments()
        self.refresh()
        self.guide_section.fold_for_space(height < GUIDE_NEEDS)
        self.table.hide_places(width < 1100)
