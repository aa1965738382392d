"""The page of settings on which every action gets the keys one wants."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeySequence
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.views.actions import ACTIONS, MENUS, Spec, title
from app.views.keymap import KeyMap, spelled
from app.views.palette import matches
from app.views.theme import icon, theme
from app.views.words import tr
from engine.errors import UserError

FIELD = 176


class KeyField(QKeySequenceEdit):
    """One key of one action: click, press it; the cross at its right takes it away. chosen: another key, or none."""

    chosen = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setMaximumSequenceLength(1)
        self.setAccessibleName(name)
        self.line = self.findChild(QLineEdit)
        self.line.setAccessibleName(name)
        self.cross = self.line.addAction(icon("close", 14), QLineEdit.ActionPosition.TrailingPosition)
        self.cross.setToolTip(self.tr("Take the key away"))
        self.cross.triggered.connect(self._take_away)
        self.setFixedWidth(theme().size(FIELD))
        self.editingFinished.connect(self.chosen)  # keySequenceChanged tells of a field emptied before each key
        self.show_key("")

    def show_key(self, key: str) -> None:
        """What the field holds, without telling anybody."""
        self.blockSignals(True)
        self.setKeySequence(QKeySequence(key))
        self.blockSignals(False)
        self.cross.setVisible(bool(key))
        self._invite()

    def key(self) -> str:
        """The key in Qt's portable spelling, or ""."""
        return spelled(self.keySequence().toString(QKeySequence.SequenceFormat.PortableText))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Only the field in hand asks for a key."""
        super().focusInEvent(event)
        self._invite()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Empty fields are quiet."""
        super().focusOutEvent(event)
        self._invite()

    def _invite(self) -> None:
        self.line.setPlaceholderText(self.tr("Press a key") if self.hasFocus() else "")

    def _take_away(self) -> None:
        self.show_key("")
        self.chosen.emit()


class Row:
    """The widgets of one action."""

    def __init__(self, spec: Spec, keys: KeyMap) -> None:
        self.spec, self._keys = spec, keys
        words = title(spec)
        self.words = QLabel(words)
        self.fields = [KeyField(tr("Key of {0}").format(words)), KeyField(tr("Second key of {0}").format(words))]
        self.back = QToolButton()
        self.back.setIcon(icon("restore", 16))
        self.back.setToolTip(tr("The key it had at first"))
        self.back.setAccessibleName(tr("Reset the keys of {0}").format(words))
        policy = self.back.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.back.setSizePolicy(policy)
        self.widgets = (self.words, *self.fields, self.back)
        self.refresh()

    def refresh(self) -> None:
        """Show what the key map holds."""
        held = self._keys.keys(self.spec.name)
        for n, field in enumerate(self.fields):
            field.show_key(held[n] if n < len(held) else "")
        self.back.setVisible(not self.words.isHidden() and self._keys.is_own(self.spec.name))

    def wanted(self) -> tuple[str, ...]:
        """The keys in the fields."""
        return tuple(field.key() for field in self.fields)

    def set_visible(self, visible: bool) -> None:
        """Whether the row is among what one searched for."""
        for widget in (self.words, *self.fields):
            widget.setVisible(visible)
        self.back.setVisible(visible and self._keys.is_own(self.spec.name))


class KeysEditor(QWidget):
    """All actions by menu, with a search field; what is refused is said at the foot and undone in the field."""

    def __init__(self, keys: KeyMap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.keys = keys
        self.search, self.said = QLineEdit(), QLabel()
        self.search.setPlaceholderText(self.tr("Find an action"))
        self.search.setAccessibleName(self.tr("Find an action"))
        self.search.setClearButtonEnabled(True)
        self.said.setWordWrap(True)
        self.said.setProperty("error", True)
        self.all = QPushButton(self.tr("Reset all keys"))
        self.rows: dict[str, Row] = {}
        self.headings: dict[str, QLabel] = {}
        area = QScrollArea()
        area.setAccessibleName(self.tr("Keys"))
        area.setWidget(self._table())
        area.setWidgetResizable(True)
        area.setMinimumWidth(area.widget().minimumSizeHint().width() + area.verticalScrollBar().sizeHint().width())
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        foot = QHBoxLayout()
        foot.addWidget(self.said, 1)
        foot.addWidget(self.all)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 24)
        column.setSpacing(12)
        column.addWidget(self.search)
        column.addWidget(area, 1)
        column.addLayout(foot)
        self.search.textChanged.connect(self._filter)
        self.all.clicked.connect(lambda: self._try(self.keys.reset))
        keys.changed.connect(self._refresh)

    def _table(self) -> QWidget:
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 12, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(0, 1)
        for menu in MENUS:
            heading = self.headings[menu] = QLabel(tr(menu))
            heading.setProperty("heading", True)
            heading.setContentsMargins(0, 12, 0, 4)
            grid.addWidget(heading, grid.rowCount(), 0)
            for spec in ACTIONS:
                if spec.menu == menu:
                    row = self.rows[spec.name] = Row(spec, self.keys)
                    line = grid.rowCount()
                    for n, widget in enumerate(row.widgets):
                        grid.addWidget(widget, line, n)
                    for field in row.fields:
                        field.chosen.connect(lambda r=row: self._changed(r))
                    row.back.clicked.connect(lambda _=False, r=row: self._try(lambda: self.keys.reset(r.spec.name)))
        grid.setRowStretch(grid.rowCount(), 1)
        return holder

    def _changed(self, row: Row) -> None:
        self._try(lambda: self.keys.set(row.spec.name, row.wanted()))
        QTimer.singleShot(0, self, row.refresh)  # the field itself goes on with its key after this signal

    def _try(self, change: Callable[[], object]) -> None:
        try:
            change()
            self.said.clear()
        except UserError as error:
            self.said.setText(str(error))

    def _refresh(self) -> None:
        for row in self.rows.values():
            row.refresh()

    def _filter(self, query: str) -> None:
        for menu, heading in self.headings.items():
            found = False
            for row in self.rows.values():
                if row.spec.menu == menu:
                    caps = " ".join(self.keys.keys(row.spec.name))
                    fits = matches(query, f"{title(row.spec)} {row.spec.text} {caps}")
                    row.set_visible(fits)
                    found |= fits
            heading.setVisible(found)
