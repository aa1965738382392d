"""Colours of the groups, and the two landmarks by whose distance errors are divided."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QColorDialog, QComboBox, QGridLayout, QHBoxLayout, QLabel, QMenu, QToolButton, QWidget

from app.views import marks
from app.views.schema.editing import SchemaEditing
from app.views.theme import theme
from app.views.widgets import label_combo

COLUMNS, CHIP = 3, 14


class Groups(QWidget):
    """A button for each group: its colour, or that of its landmarks' sides."""

    def __init__(self, editing: SchemaEditing) -> None:
        super().__init__()
        self.editing = editing
        self.buttons: dict[str, QToolButton] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(4)
        editing.changed.connect(self.fill)
        theme().changed.connect(self.fill)
        self.fill()

    def fill(self) -> None:
        """Show the draft's groups."""
        while self._grid.count():
            widget = self._grid.takeAt(0).widget()
            widget.hide()
            widget.deleteLater()
        self.buttons = {name: self._button(name) for name in self.editing.draft.groups()}
        for n, button in enumerate(self.buttons.values()):
            self._grid.addWidget(button, n // COLUMNS, n % COLUMNS, Qt.AlignmentFlag.AlignLeft)
        if not self.buttons:
            words = QLabel(self.tr("Write a group beside a landmark to give it a colour"))
            words.setProperty("muted", True)
            words.setWordWrap(True)
            self._grid.addWidget(words, 0, 0)

    def _button(self, name: str) -> QToolButton:
        button = QToolButton()
        button.setText(name)
        button.setIcon(self._chip(name))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setAccessibleName(self.tr("Colour of {0}").format(name))
        menu = QMenu(button)
        menu.addAction(self.tr("Choose a colour\u2026")).triggered.connect(lambda: self._ask(name))
        sides = menu.addAction(self.tr("Colours of the sides"))
        sides.setEnabled(name in self.editing.draft.colours)
        sides.triggered.connect(lambda: self.set_colour(name, ""))
        button.setMenu(menu)
        return button

    def _chip(self, name: str) -> QIcon:
        draft, picture = self.editing.draft, QPixmap(CHIP, CHIP)
        own = draft.colours.get(name, "")
        colours = [QColor(own)] if own else list(dict.fromkeys(
            marks.side_colour(landmark.side, on_chrome=True).name() for landmark in draft.groups()[name]
        ))  # fmt: skip
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        for n, colour in enumerate(colours):
            painter.fillRect(round(n * CHIP / len(colours)), 0, CHIP, CHIP, QColor(colour))
        painter.end()
        return QIcon(picture)

    def _ask(self, name: str) -> None:
        held = QColor(self.editing.draft.colours.get(name, "#8b7cff"))
        chosen = QColorDialog.getColor(held, self, self.tr("Colour of {0}").format(name))
        if chosen.isValid():
            self.set_colour(name, chosen.name())

    def set_colour(self, name: str, colour: str) -> None:
        """Give a group a colour of its own as "#rrggbb", or "" for those of the sides."""
        if colour:
            self.editing.draft.colours[name] = colour
        else:
            self.editing.draft.colours.pop(name, None)
        self.editing.changed.emit()


class Measure(QWidget):
    """Two boxes of landmarks."""

    def __init__(self, editing: SchemaEditing) -> None:
        super().__init__()
        self.editing = editing
        self.boxes = [QComboBox(), QComboBox()]
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for n, box in enumerate(self.boxes):
            label_combo(box, (self.tr("First end of the measure"), self.tr("Second end of the measure"))[n])
            box.setMinimumContentsLength(8)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.activated.connect(lambda at, n=n: self._take(n, at))
            row.addWidget(box, 1)
        editing.changed.connect(self.fill)
        self.fill()

    def fill(self) -> None:
        """Show the draft's measure."""
        draft = self.editing.draft
        for box, end in zip(self.boxes, draft.measure, strict=True):
            box.clear()
            box.addItems([landmark.name for landmark in draft.landmarks])
            box.setCurrentIndex(draft.landmarks.index(end))

    def _take(self, n: int, at: int) -> None:
        draft = self.editing.draft
        chosen, other = draft.landmarks[at], draft.measure[1 - n]
        if chosen is other:
            draft.measure[1 - n] = draft.measure[n]
        draft.measure[n] = chosen
        self.editing.changed.emit()
