"""Small widgets that several regions share."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.views.theme import grow, icon_picture, theme
from app.views.tokens import HEADING
from app.views.words import tr


class Line(QFrame):
    """A separator of one pixel."""

    def __init__(self, vertical: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("line", True)
        if vertical:
            self.setFixedWidth(1)
        else:
            self.setFixedHeight(1)


def foot(*buttons: QPushButton, left: Iterable[QWidget] = (), sure: QPushButton | None = None) -> QVBoxLayout:
    """How a dialogue ends: a line, and below it `left` at the left and the buttons at the right.

    sure: the button in the accent colour, which Enter presses; no other one is pressed by it.
    """
    row, column, left = QHBoxLayout(), QVBoxLayout(), tuple(left)
    row.setSpacing(8)
    column.setSpacing(12)
    for widget in left:
        row.addWidget(widget)
    row.addStretch(1)
    for button in buttons:
        row.addWidget(button)
    for widget in (*left, *buttons):
        if isinstance(widget, QPushButton):
            widget.setAutoDefault(False)
    if sure is not None:
        sure.setProperty("primary", True)
        sure.setDefault(True)
    column.addWidget(Line())
    column.addLayout(row)
    return column


def fixed_dock(window: QMainWindow, name: str, content: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
    """A panel at a side of the window, without title and never moved; its English name is what Qt keeps it by."""
    dock = QDockWidget(tr(name), window)
    dock.setObjectName(name)
    dock.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
    dock.setTitleBarWidget(QWidget())
    dock.setWidget(content)
    window.addDockWidget(area, dock)
    return dock


def bar_row(bar: QWidget, height: int, left: int = 12) -> QHBoxLayout:
    """Dress a widget as a bar of this height, and its row for what stands in it."""
    bar.setProperty("bar", True)
    bar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    grow(bar, height=height)
    row = QHBoxLayout(bar)
    row.setContentsMargins(left, 0, 12, 0)
    row.setSpacing(8)
    return row


class Heading(QAbstractButton):
    """The line of 36 px above a section: chevron, title, note at the right. A click folds the section."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grow(self, height=HEADING)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.chevron, self.title, self.note = QLabel(), ElidedLabel(title), QLabel()
        self.title.setProperty("heading", True)
        self.note.setProperty("muted", True)
        self.note.setProperty("small", True)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 16, 0)
        row.setSpacing(8)
        row.addWidget(self.chevron)
        row.addWidget(self.title, 1)
        row.addWidget(self.note)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter folds as Space and a click do."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The labels paint themselves; a ring where the keys go."""
        if self.hasFocus():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(theme().color("focus"), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(3, 3, -3, -3), 5, 5)
            painter.end()


class Section(QWidget):
    """A titled part of a panel that folds to its heading; a line of one pixel closes it."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heading = Heading(title, self)
        self.content: QWidget | None = None
        self._by_hand, self._open = False, True
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.heading)
        self._column.addWidget(Line())
        self.heading.clicked.connect(self._toggle)
        theme().changed.connect(self._dress)
        self._dress()
        self.heading.setAccessibleName(title)

    def set_content(self, content: QWidget, padded: bool = True) -> None:
        """Put a widget under the heading, 16 px from the edges, or up to them."""
        self.content = content
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(*((16, 0, 16, 16) if padded else (0, 0, 0, 0)))
        column.addWidget(content)
        self._holder = holder
        self._column.insertWidget(1, holder, 1)
        holder.setVisible(self._open)

    def set_title(self, title: str) -> None:
        """Change the heading's words."""
        self.heading.title.set_text(title)
        self.heading.setAccessibleName(title)

    def title(self) -> str:
        """The heading's words."""
        return self.heading.title.whole

    def note(self) -> str:
        """The muted words at the heading's right."""
        return self.heading.note.text()

    def set_note(self, note: str) -> None:
        """The muted words at the heading's right."""
        self.heading.note.setText(note)

    @property
    def open(self) -> bool:
        """Whether the content shows."""
        return self._open

    def set_open(self, open: bool) -> None:
        """Fold or unfold."""
        self._open = open
        if self.content is not None:
            self._holder.setVisible(open)
        self.setSizePolicy(self.sizePolicy().horizontalPolicy(),
                           QSizePolicy.Policy.Preferred if open else QSizePolicy.Policy.Maximum)  # fmt: skip
        self._dress()

    def fold_for_space(self, fold: bool) -> None:
        """Fold where room is short, unless a person has opened it by hand."""
        if not self._by_hand and self._open == fold:
            self.set_open(not fold)

    def _toggle(self) -> None:
        self._by_hand = True
        self.set_open(not self._open)

    def _dress(self) -> None:
        self.heading.setAccessibleDescription(self.tr("Open") if self._open else self.tr("Folded"))
        name = "chevron-down" if self._open else "chevron-right"
        self.heading.chevron.setPixmap(icon_picture(name, 16))


class EmptyState(QWidget):
    """One line of what belongs here, and one button that brings it."""

    clicked = Signal()

    def __init__(self, text: str, button: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text, self.button = QLabel(text), QPushButton(button)
        self.text.setWordWrap(True)
        self.button.setVisible(bool(button))
        self.button.clicked.connect(self.clicked)
        inner = QVBoxLayout()
        inner.setSpacing(12)
        inner.addStretch(1)
        inner.addWidget(self.text)
        inner.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        inner.addStretch(1)
        outer = QHBoxLayout(self)
        outer.addStretch(1)
        outer.addLayout(inner)
        outer.addStretch(1)

    def set_text(self, text: str, button: str = "") -> None:
        """Change the words."""
        self.text.setText(text)
        self.button.setText(button)
        self.button.setVisible(bool(button))


class ElidedLabel(QLabel):
    """A label that shortens its text in the middle where room is short; the tooltip has it whole."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = text
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.set_text(text)

    @property
    def whole(self) -> str:
        """The text as it was given."""
        return self._whole

    def set_text(self, text: str) -> None:
        """Change the text."""
        self._whole = text
        self.updateGeometry()
        self._fit()

    def sizeHint(self) -> QSize:
        """Room for all of the text."""
        margins = self.contentsMargins()
        width = self.fontMetrics().horizontalAdvance(self._whole) + margins.left() + margins.right() + 1
        return QSize(width, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """It can always be shortened."""
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten anew."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        shown = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideMiddle, max(self.width(), 1))
        self.setText(shown)
        self.setToolTip(self._whole if shown != self._whole else "")


def label_combo(box: QComboBox, words: str) -> None:
    """What a choice is about, for screen readers: on some systems its name is what is chosen."""
    box.setAccessibleName(words)
    box.setAccessibleDescription(words)


def key_cap(text: str) -> QLabel:
    """A small label that looks like a key."""
    label = QLabel(text)
    label.setProperty("key", True)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return label
